"""A dry run is this forge: it reads like the real one and cannot write.

Comes in: a forge. Goes out: the same pull requests; what would have been sent is kept for printing.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, Protocol

from aiops.domain import IssueText, Proposal, PullRequest, TrackingIssue


class Readable(Protocol):
    """The half of a forge that changes nothing."""

    def pulls(self) -> tuple[PullRequest, ...]:
        """Return all pull requests of ours."""
        ...

    def issues(self) -> tuple[TrackingIssue, ...]:
        """Return our tracking issues."""
        ...


class ReadOnlyForge:
    """A forge port without a way to write: it holds none but the two that read."""

    def __init__(self, forge: Readable) -> None:
        """Keep only how to read from `forge`."""
        self._read, self._issues = forge.pulls, forge.issues
        self.proposals: list[Proposal] = []

    def pulls(self) -> tuple[PullRequest, ...]:
        """Return what the real forge shows."""
        return self._read()

    def open(self, proposal: Proposal, now_s: int) -> PullRequest:
        """Record the proposal; the pull request that comes back has number 0 and no address."""
        self.proposals.append(proposal)
        return PullRequest(
            number=0,
            url="",
            branch=proposal.branch,
            state="open",
            title=proposal.title,
            body=proposal.body,
            author="",
            labels=(),
            created_at_s=now_s,
            closed_at_s=None,
            merged_at_s=None,
            closed_by=None,
        )

    def update(self, pull: PullRequest, proposal: Proposal, now_s: int) -> PullRequest:
        """Record the proposal; the pull request that comes back has number 0."""
        return replace(self.open(proposal, now_s), branch=pull.branch)

    def settle(self, pull: PullRequest, body: str, comment: str, *, close: bool, now_s: int) -> PullRequest:
        """Return the pull request as it would be then."""
        del comment
        said = replace(pull, body=body)
        return replace(said, state="closed", closed_at_s=now_s) if close else said

    def issues(self) -> tuple[TrackingIssue, ...]:
        """Return what the real forge shows."""
        return self._issues()

    def track(self, text: IssueText, now_s: int) -> TrackingIssue:
        """Return the issue as it would be then; it has number 0 and no address."""
        state: Literal["open", "closed"] = "closed" if text.state == "closed" else "open"
        closed_at_s = now_s if state == "closed" else None
        return TrackingIssue(0, "", state, text.title, text.body, (), now_s, closed_at_s)
