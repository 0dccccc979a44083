"""What GitHub does on bad days, on a double over real HTTP: one pull request, or a clear no."""

from __future__ import annotations

import itertools
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from edges import github_double, github_server
from edges.github_double import Double, Fault
from propose import sample

from aiops.decide import standing
from aiops.domain import Proposal, PullRequest
from aiops.edges import github_client
from aiops.edges.github_forge import GitHubForge
from aiops.errors import AiopsError, ForgeBusy, ForgeRefused
from aiops.propose import lifecycle, marker

TOKEN = "ghp_canary0123456789abcdefghij"
FILES = {sample.IMAGE_FILE: sample.IMAGE_CONTENT, sample.HPA_FILE: sample.HPA_CONTENT}


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Keep the pauses between tries, without waiting for them."""
    pauses: list[float] = []
    monkeypatch.setattr(time, "sleep", pauses.append)
    return pauses


@pytest.fixture
def double() -> Iterator[Double]:
    with github_server.running(Double()) as running:
        running.seed(FILES)
        yield running


def forge(double: Double, deadline_s: float = 30) -> GitHubForge:
    return GitHubForge(github_client.repository(TOKEN, double.base_url, "acme/gitops", deadline_s=deadline_s))


def proposal(double: Double, new: str = "") -> Proposal:
    item = sample.rollback_item()
    if new:
        edit = replace(item.edits[0], new=new, new_text=new)
        item = replace(item, decision=replace(item.decision, new=new), edits=(edit,))
    return sample.composed(item, base_sha=double.refs["heads/main"])


def once(verb: str, pattern: str, fault: Fault, times: int = 1) -> Callable[[str, str], Fault | None]:
    """Return a fault for the first `times` requests that fit."""
    left = [times]

    def decide(sent: str, path: str) -> Fault | None:
        if sent == verb and re.search(pattern, path) and left[0]:
            left[0] -= 1
            return fault
        return None

    return decide


def in_order(double: Double) -> list[str]:
    names = [("/git/blobs", "blob"), ("/git/trees", "tree"), ("/git/commits", "commit"), ("/git/refs", "ref")]
    names += [("/pulls", "pull"), ("/labels", "label")]
    return [
        name
        for verb, path, _ in double.journal
        if verb == "POST"
        for part, name in names
        if path.endswith(part)
    ]


def test_the_writes_come_in_the_order_in_which_a_crash_hurts_least(double):
    made = proposal(double)
    pull = forge(double).open(made, 0)
    assert in_order(double) == ["blob", "tree", "commit", "ref", "pull", "label"]
    assert double.content(made.branch, sample.IMAGE_FILE) == made.files[sample.IMAGE_FILE]
    assert (double.pulls[0]["body"], double.labels) == (made.body, [(1, "aiops")])
    assert (pull.number, pull.branch, pull.state) == (1, made.branch, "open")


WRITES = {
    "blob": r"/git/blobs$",
    "tree": r"/git/trees$",
    "commit": r"/git/commits$",
    "ref": r"/git/refs$",
    "pull": r"/pulls$",
}
UNKNOWN = {
    "502 after": Fault("status", 502, applied=True),
    "502 before": Fault("status", 502),
    "reset after": Fault("reset", applied=True),
    "reset before": Fault("reset"),
    "truncated": Fault("truncate", applied=True),
    "a page after": Fault("html", applied=True),
    "a page before": Fault("html"),
}


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("fault", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("write", WRITES)
def test_a_write_with_an_unknown_outcome_ends_in_one_pull_request(double, write, fault, times):
    made = proposal(double)
    double.fault = once("POST", WRITES[write], fault, times)
    pull = forge(double).open(made, 0)
    assert [one["head"]["ref"] for one in double.pulls] == [made.branch]
    assert (pull.number, pull.branch) == (1, made.branch)
    assert [name for name in double.refs if "aiops" in name] == [f"heads/{made.branch}"]
    assert double.content(made.branch, sample.IMAGE_FILE) == made.files[sample.IMAGE_FILE]


@pytest.mark.parametrize("fault", UNKNOWN.values(), ids=UNKNOWN)
@pytest.mark.parametrize("write", WRITES)
def test_a_forge_that_stays_broken_is_asked_three_times_and_the_next_run_completes(double, write, fault):
    made = proposal(double)
    double.fault = once("POST", WRITES[write], replace(fault, applied=False), times=99)
    with pytest.raises(ForgeBusy):
        forge(double).open(made, 0)
    assert double.calls("POST", WRITES[write]) == 3
    double.fault = lambda _verb, _path: None
    assert forge(double).open(made, 0).number == 1
    assert len(double.pulls) == 1
    assert [name for name in double.refs if "aiops" in name] == [f"heads/{made.branch}"]


def cut_off(place: int, *, applied: bool) -> Callable[[str, str], Fault | None]:
    """Return a fault that resets every call from the `place`-th on; that one may have been applied."""
    count = itertools.count(1)

    def fault(_verb: str, _path: str) -> Fault | None:
        call = next(count)
        return Fault("reset", applied=applied and call == place) if call >= place else None

    return fault


@pytest.mark.parametrize("after", [True, False], ids=["applied", "not applied"])
def test_a_run_killed_at_any_call_leaves_a_state_that_the_next_run_completes(double, after):
    made = proposal(double)
    total = 0
    for place in range(1, 40):
        double.refs = {"heads/main": made.base_sha}
        double.pulls.clear()
        double.labels.clear()
        double.fault = cut_off(place, applied=after)
        try:
            forge(double).open(made, 0)
        except AiopsError:
            total += 1
        double.fault = lambda _verb, _path: None
        forge(double).open(made, 0)
        assert [one["head"]["ref"] for one in double.pulls] == [made.branch]
        assert [name for name in double.refs if "aiops" in name] == [f"heads/{made.branch}"]
    assert 12 <= total < 39


@pytest.mark.parametrize("status", [403, 429])
@pytest.mark.parametrize("write", WRITES)
def test_a_limit_is_never_waited_for(double, no_pause, write, status):
    double.fault = once("POST", WRITES[write], Fault("status", status, {"Retry-After": "99999"}), times=99)
    with pytest.raises(ForgeBusy, match="99999 s of quiet"):
        forge(double).open(proposal(double), 0)
    assert (double.calls("POST", WRITES[write]), no_pause) == (1, [])


@pytest.mark.parametrize(
    ("status", "message"),
    [(401, "Bad credentials"), (403, "Resource not accessible by integration"), (404, "Not Found")],
)
@pytest.mark.parametrize("write", WRITES)
def test_a_no_to_a_write_is_a_no(double, write, status, message):
    double.fault = once("POST", WRITES[write], Fault("status", status, body={"message": message}), times=99)
    with pytest.raises(ForgeRefused) as caught:
        forge(double).open(proposal(double), 0)
    assert (caught.value.exit_code, double.calls("POST", WRITES[write])) == (30, 1)
    assert TOKEN not in f"{caught.value} {caught.value.todo}"


def test_a_protected_branch_name_is_a_no_with_the_reason_of_the_forge(double):
    rule = {"message": "Repository rule violations found", "errors": [{"message": "Cannot create ref"}]}
    double.fault = once("POST", r"/git/refs$", Fault("status", 422, body=rule))
    with pytest.raises(ForgeRefused, match="Repository rule violations found Cannot create ref"):
        forge(double).open(proposal(double), 0)


def test_no_commits_between_is_a_no(double):
    body = {"message": "Validation Failed", "errors": [{"message": "No commits between main and x"}]}
    double.fault = once("POST", r"/pulls$", Fault("status", 422, body=body))
    with pytest.raises(ForgeRefused, match="No commits between"):
        forge(double).open(proposal(double), 0)


def test_a_pull_request_that_another_run_opened_meanwhile_is_adopted(double):
    made = proposal(double)

    def race(verb: str, path: str) -> Fault | None:
        if verb == "POST" and path.endswith("/pulls") and not double.pulls:
            double.add_pull(made.branch, "bot", made.title, made.body)
        return None

    double.fault = race
    assert forge(double).open(made, 0).number == 1
    assert len(double.pulls) == 1


def test_a_pull_request_that_exists_and_cannot_be_seen_is_busy(double):
    exists = {"message": "Validation Failed", "errors": [{"message": "A pull request already exists for x"}]}
    double.fault = once("POST", r"/pulls$", Fault("status", 422, body=exists))
    with pytest.raises(ForgeBusy, match="exists and cannot be seen"):
        forge(double).open(proposal(double), 0)


def test_a_branch_that_another_run_made_meanwhile_is_adopted(double):
    made = proposal(double)

    def race(verb: str, path: str) -> Fault | None:
        if verb == "POST" and path.endswith("/git/refs") and f"heads/{made.branch}" not in double.refs:
            (tree,) = [
                one["tree"] for one in double.commits.values() if one["message"] == made.commit_message
            ]
            double.refs[f"heads/{made.branch}"] = double.commit(tree, [made.base_sha], made.commit_message)
        return None

    double.fault = race
    assert forge(double).open(made, 0).branch == made.branch
    assert len(double.commits[double.refs[f"heads/{made.branch}"]]["parents"]) == 1


def test_of_two_that_a_forge_without_uniqueness_let_in_the_younger_one_closes_itself(double):
    made = proposal(double)
    double.unique = False
    older: list[dict[str, Any]] = []

    def race(verb: str, path: str) -> Fault | None:
        if verb == "POST" and path.endswith("/pulls") and not older:
            older.append(double.add_pull(made.branch, "bot", made.title, made.body))
        return None

    double.fault = race
    assert forge(double).open(made, 0).number == 1
    assert [one["state"] for one in double.pulls] == ["open", "closed"]
    mark = marker.parse(double.pulls[1]["body"])
    assert mark is not None
    assert mark.outcome == "duplicate"  # else the next run takes it for the no of a person


@pytest.mark.parametrize("unique", [True, False])
def test_eight_runs_at_once_leave_one_open(double, unique):
    made = proposal(double)
    double.unique = unique
    start = threading.Barrier(8)
    found: list[PullRequest | AiopsError] = []

    def run() -> None:
        ours = forge(double)
        start.wait()
        try:
            found.append(ours.open(made, 0))
        except AiopsError as error:
            found.append(error)

    runs = [threading.Thread(target=run) for _ in range(8)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert len(found) == 8
    assert [one["number"] for one in double.pulls if one["state"] == "open"] == [1]
    assert {one.number for one in found if isinstance(one, PullRequest)} == {1}


def test_the_owners_are_asked_once_and_a_refusal_is_only_a_warning(double, caplog):
    owned = replace(proposal(double), reviewers=("octocat", "acme/platform"))
    refusal = {"message": "Reviews may only be requested from collaborators."}
    double.fault = once("POST", r"/requested_reviewers$", Fault("status", 422, body=refusal))
    with caplog.at_level(logging.WARNING, "aiops"):
        assert forge(double).open(owned, 0).number == 1
    assert "nobody was asked to review pull request 1" in caplog.text
    asked = [one for one in double.journal if "requested_reviewers" in str(one)]
    assert len(asked) == 1


def test_people_and_teams_among_the_owners_are_asked_as_such(double):
    forge(double).open(replace(proposal(double), reviewers=("octocat", "acme/platform")), 0)
    assert double.reviews == [(1, ["octocat"], ["platform"])]


def test_a_label_that_fails_is_only_a_warning(double, caplog):
    double.fault = once("POST", r"/labels$", Fault("status", 403, body={"message": "no"}))
    with caplog.at_level(logging.WARNING, "aiops"):
        assert forge(double).open(proposal(double), 0).number == 1
    assert "pull request 1 has no label" in caplog.text
    assert TOKEN not in caplog.text


@pytest.mark.parametrize(
    "changes",
    [
        {"login": "mallory"},
        {"repo": "mallory/gitops"},
        {"repo": None},
        {"head": "aiops/other/0123456789ab-1"},
        {"head": "feature"},
    ],
    ids=["another author", "a fork", "a deleted fork", "another prefix", "another branch"],
)
def test_what_is_not_ours_is_not_listed(double, changes):
    made = proposal(double)
    given = {"head": made.branch, "login": "bot", "title": made.title, "body": made.body, **changes}
    double.add_pull(**given)
    assert forge(double).pulls() == ()


def test_a_forged_pull_request_on_our_branch_neither_mutes_nor_is_adopted(double):
    made = proposal(double)
    double.add_pull(made.branch, "mallory", made.title, made.body)
    pull = forge(double).open(made, 0)
    assert (lifecycle.number(pull.branch), pull.author) == (2, "bot")


def test_a_pull_request_from_a_fork_with_our_branch_name_is_ignored(double):
    made = proposal(double)
    double.add_pull(made.branch, "bot", made.title, made.body, repo="bot/gitops")
    assert forge(double).open(made, 0).branch == made.branch


def test_what_closed_long_ago_is_not_listed_and_what_is_open_always_is(double):
    branches = [f"aiops/scale/{place:012x}-1" for place in range(4)]
    old = {"created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-02T00:00:00Z"}
    double.add_pull(branches[0], "bot", **old)
    double.add_pull(branches[1], "bot", **old, state="closed", closed_at="2020-01-02T00:00:00Z")
    fresh = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    double.add_pull(branches[2], "bot", state="closed", updated_at=fresh, closed_at=fresh)
    double.add_pull(branches[3], "bot", state="closed", updated_at=fresh, closed_at=fresh, merged_at=fresh)
    found = {pull.branch: pull.state for pull in forge(double).pulls()}
    assert found == {branches[3]: "merged", branches[2]: "closed", branches[0]: "open"}


@pytest.mark.parametrize("fault", [Fault("status", 502), Fault("html"), Fault("truncate", applied=True)])
def test_a_count_that_is_not_complete_is_no_count(double, fault):
    double.add_pull("aiops/scale/0123456789ab-1", "bot")
    double.fault = once("GET", r"/pulls$", fault)
    with pytest.raises(ForgeBusy):
        forge(double).pulls()


def test_an_installation_token_learns_its_name_from_graphql(double):
    made = proposal(double)
    double.add_pull(made.branch, "aiops-app[bot]", made.title, made.body)

    def installation(_verb: str, path: str) -> Fault | None:
        if path == "/user":
            return Fault("status", 403, body={"message": "Resource not accessible by integration"})
        if path == "/graphql":
            return Fault("status", 200, body={"data": {"viewer": {"login": "aiops-app[bot]"}}})
        return None

    double.fault = installation
    assert [pull.number for pull in forge(double).pulls()] == [1]


def test_an_archived_repository_is_refused_before_any_write(double, monkeypatch):
    shown = double.answer
    monkeypatch.setattr(
        double,
        "answer",
        lambda verb, path, *rest: (
            (200, {**shown(verb, path, *rest)[1], "archived": True})
            if path == github_double.REPO
            else shown(verb, path, *rest)
        ),
    )
    with pytest.raises(ForgeRefused, match="the repository is archived"):
        forge(double).open(proposal(double), 0)
    assert in_order(double) == []


def test_a_base_branch_that_is_not_there_is_refused_before_any_write(double):
    made = replace(proposal(double), base="gone")
    with pytest.raises(ForgeRefused, match="the base branch is not there"):
        forge(double).open(made, 0)
    assert in_order(double) == []


def test_a_base_that_moved_elsewhere_is_no_obstacle(double):
    made = proposal(double)
    double.seed({**FILES, "other.yaml": b"x: 1\n"})
    assert forge(double).open(made, 0).number == 1


def test_an_update_that_a_person_outran_leaves_their_push(double):
    made = proposal(double)
    pull = forge(double).open(made, 0)
    ref = f"heads/{made.branch}"

    def outrun(verb: str, _path: str) -> Fault | None:
        if verb == "PATCH" and double.refs[ref] in ours:
            double.refs[ref] = double.commit(
                double.commits[double.refs[ref]]["tree"], [double.refs[ref]], "theirs"
            )
        return None

    ours = {double.refs[ref]}
    double.fault = outrun
    assert forge(double).update(pull, proposal(double, new="1.13.0"), 0) == pull
    assert double.commits[double.refs[ref]]["message"] == "theirs"
    assert double.pulls[0]["title"] == made.title


def test_an_update_of_a_deleted_branch_changes_nothing(double):
    made = proposal(double)
    pull = forge(double).open(made, 0)
    del double.refs[f"heads/{made.branch}"]
    assert forge(double).update(pull, proposal(double, new="1.13.0"), 0) == pull
    assert double.pulls[0]["title"] == made.title


# --- how it ended -----------------------------------------------------------------------------

SAID = "The incident ended. aiops closes this pull request."


def ended(pull: PullRequest) -> str:
    return pull.body.replace("outcome=none", "outcome=over")


def end(double: Double, pull: PullRequest, *, close: bool = True) -> PullRequest:
    return forge(double).settle(pull, ended(pull), SAID, close=close, now_s=0)


def spoken(double: Double) -> list[tuple[int, str]]:
    return [(one["issue"], one["body"]) for one in double.comments.values()]


def test_a_pull_request_is_ended_with_the_reason_in_body_and_comment(double):
    pull = forge(double).open(proposal(double), 0)
    found = end(double, pull)
    assert (found.state, found.body, spoken(double)) == ("closed", ended(pull), [(1, SAID)])
    assert not standing.declined(found)


def test_a_verdict_leaves_the_state_as_it_is(double):
    pull = forge(double).open(proposal(double), 0)
    assert (end(double, pull, close=False).state, spoken(double)) == ("open", [(1, SAID)])


def test_what_a_person_pushed_to_is_not_closed(double):
    made = proposal(double)
    pull = forge(double).open(made, 0)
    ref = f"heads/{made.branch}"
    double.refs[ref] = double.commit(double.commits[double.refs[ref]]["tree"], [double.refs[ref]], "theirs")
    assert end(double, pull) == pull
    assert (double.pulls[0]["state"], spoken(double)) == ("open", [])


def test_a_comment_that_is_refused_is_only_a_warning(double, caplog):
    pull = forge(double).open(proposal(double), 0)
    double.fault = once("POST", r"/comments$", Fault("status", 403, body={"message": "no"}))
    with caplog.at_level(logging.WARNING, "aiops"):
        assert end(double, pull).state == "closed"
    assert "pull request 1 has no comment" in caplog.text


@pytest.mark.parametrize("after", [True, False], ids=["applied", "not applied"])
def test_an_end_that_was_cut_off_at_any_call_is_reached_once_by_the_next_run(double, after):
    pull = forge(double).open(proposal(double), 0)
    failed = 0
    for place in range(1, 20):
        double.pulls[0].update(state="open", body=pull.body, closed_at=None)
        double.comments.clear()
        double.fault = cut_off(place, applied=after)
        try:
            end(double, pull)
        except AiopsError:
            failed += 1
        double.fault = lambda _verb, _path: None
        end(double, pull)
        assert (double.pulls[0]["state"], spoken(double)) == ("closed", [(1, SAID)])
    assert 6 <= failed < 19


def test_eight_runs_that_end_the_same_say_so_once(double):
    pull = forge(double).open(proposal(double), 0)
    start = threading.Barrier(8)

    def run() -> None:
        ours = forge(double)
        start.wait()
        ours.settle(pull, ended(pull), SAID, close=True, now_s=0)

    runs = [threading.Thread(target=run) for _ in range(8)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert (double.pulls[0]["state"], spoken(double)) == ("closed", [(1, SAID)])


def test_one_outcome_is_said_once_whatever_its_numbers_are_by_now(double):
    pull = forge(double).open(proposal(double), 0)
    for minutes in (60, 70):
        said = f"<!-- aiops:1 outcome=over -->\n\nThere was none since for {minutes} min."
        forge(double).settle(pull, pull.body, said, close=False, now_s=0)
    assert len(double.comments) == 1


def test_no_run_outlives_its_deadline(double):
    double.fault = once("POST", r"/pulls$", Fault("drip", applied=True), times=99)
    begin = time.monotonic()
    with pytest.raises(ForgeBusy):
        forge(double, deadline_s=2).open(proposal(double), 0)
    assert time.monotonic() - begin < 7


def test_the_token_is_sent_to_one_origin_and_written_nowhere(double):
    made = proposal(double)
    forge(double).open(made, 0)
    assert {headers["Authorization"] for _, _, headers in double.journal} == {f"Bearer {TOKEN}"}
    state = repr((double.pulls, double.commits, double.refs, double.labels))
    assert "canary" not in state
