from __future__ import annotations

from propose import sample

from aiops.domain import IssueText, PullRequest, TrackingIssue
from aiops.edges.read_only import ReadOnlyForge

PROPOSAL = sample.composed(sample.rollback_item())
PULL = PullRequest(7, "u", PROPOSAL.branch, "open", "t", "b", "aiops", (), 0, None, None, None)
ISSUE = TrackingIssue(3, "u", "open", "t", "b", (), 0, None)


class Writable:
    """A forge that would notice a write."""

    def __init__(self) -> None:
        self.written: list[object] = []

    def pulls(self) -> tuple[PullRequest, ...]:
        return (PULL,)

    def issues(self) -> tuple[TrackingIssue, ...]:
        return (ISSUE,)

    def track(self, *sent: object) -> TrackingIssue:
        self.written.append(sent)
        return ISSUE

    def open(self, *sent: object) -> PullRequest:
        self.written.append(sent)
        return PULL

    def update(self, *sent: object) -> PullRequest:
        self.written.append(sent)
        return PULL


def test_a_dry_run_reads_what_is_there():
    assert ReadOnlyForge(Writable()).pulls() == (PULL,)
    assert ReadOnlyForge(Writable()).issues() == (ISSUE,)


def test_a_dry_run_records_and_writes_nothing():
    forge = Writable()
    dry = ReadOnlyForge(forge)
    opened = dry.open(PROPOSAL, sample.NOW_S)
    updated = dry.update(PULL, PROPOSAL, sample.NOW_S)
    assert (opened.number, opened.url, opened.state) == (0, "", "open")
    assert (opened.title, opened.body) == (PROPOSAL.title, PROPOSAL.body)
    assert (updated.number, updated.branch) == (0, PULL.branch)
    assert dry.proposals == [PROPOSAL, PROPOSAL]
    assert forge.written == []


def test_a_dry_run_shows_how_a_pull_request_would_end():
    forge = Writable()
    found = ReadOnlyForge(forge).settle(PULL, "ended", "said", close=True, now_s=sample.NOW_S)
    assert (found.state, found.body, found.closed_at_s, forge.written) == (
        "closed",
        "ended",
        sample.NOW_S,
        [],
    )


def test_a_dry_run_shows_the_issue_as_it_would_be():
    forge = Writable()
    said = IssueText(3, "t", "new", "closed")
    assert ReadOnlyForge(forge).track(said, sample.NOW_S) == TrackingIssue(
        0, "", "closed", "t", "new", (), sample.NOW_S, sample.NOW_S
    )
    assert forge.written == []


def test_nothing_of_the_real_forge_that_writes_can_be_reached():
    dry = ReadOnlyForge(Writable())
    assert sorted(vars(dry)) == ["_issues", "_read", "proposals"]
