"""Which pull request a proposal already has, and what its branch is called.

Comes in: a proposal and the pull requests that the forge shows. Goes out: the one that is the same
proposal, or the next free branch. Nothing is remembered: the forge is the memory.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from aiops.domain import Proposal, PullRequest
from aiops.propose import marker

_BRANCH = re.compile(r"(aiops/(?:scale|rollback)/[0-9a-f]{12})-([1-9][0-9]{0,3})")


def key(branch: str) -> str | None:
    """Return the branch without its number, None when it is not a branch of ours."""
    found = _BRANCH.fullmatch(branch)
    return found[1] if found else None


def number(branch: str) -> int:
    """Return the number at the end of a branch of ours, 0 for any other branch."""
    found = _BRANCH.fullmatch(branch)
    return int(found[2]) if found else 0


def numbered(proposal: Proposal, attempt: int) -> Proposal:
    """Return the proposal on the branch with another number: it rises after a close or a merge."""
    return replace(proposal, branch=f"{key(proposal.branch)}-{attempt}")


def is_same(pull: PullRequest, proposal: Proposal) -> bool:
    """Tell whether a pull request is this proposal, whatever its value: same branch key and target.

    A marker that names another target was forged or copied. A missing one was edited away by a
    person; the branch, which the forge guarantees, still counts.
    """
    ours, theirs = marker.parse(proposal.marker), marker.parse(pull.body)
    same_key = key(pull.branch) is not None and key(pull.branch) == key(proposal.branch)
    return same_key and (theirs is None or (ours is not None and theirs.target == ours.target))


def match(proposal: Proposal, pulls: Sequence[PullRequest]) -> PullRequest | None:
    """Return the open pull request of this proposal, the oldest if there are several, or None.

    `pulls` holds only what the forge proved to be ours (author and repository of the branch).
    """
    same = [pull for pull in pulls if pull.state == "open" and is_same(pull, proposal)]
    return min(same, key=lambda pull: pull.number, default=None)


def next_number(proposal: Proposal, pulls: Sequence[PullRequest]) -> int:
    """Return the first number that no pull request of this proposal's key has used."""
    used = [number(pull.branch) for pull in pulls if key(pull.branch) == key(proposal.branch)]
    return max(used, default=0) + 1


def is_current(pull: PullRequest, proposal: Proposal) -> bool:
    """Tell whether the open pull request still says what the proposal says.

    The title carries the values, the marker the trigger and which questions spoke for and against.
    Numbers move every minute; a body that changes with them would never be quiet.
    """
    ours, theirs = marker.parse(proposal.marker), marker.parse(pull.body)
    if theirs is None or ours is None:
        return pull.title == proposal.title
    same = (ours.cause, ours.trigger, ours.evidence) == (theirs.cause, theirs.trigger, theirs.evidence)
    return same and pull.title == proposal.title
