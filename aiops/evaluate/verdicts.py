"""Whether a proposal was right: what people did in git, and whether the incident ended with it.

Right: people did the same, and it was calm within two hours. Wrong: it went on all the same; or it was
calm after people did something else; or it ended by itself with the blamed image in place, or before
anybody could have merged more capacity. Everything else is not known, and is not counted as either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aiops.evaluate.ledger import Proposed
from aiops.evaluate.people import Reply

HELPS_S = 7_200  # as long as `limits.verify_s` after a merge, and the time to sync and roll out
REVIEW_S = 1_800  # what ends sooner ends before a person has read, merged and deployed

Ruling = Literal["right", "wrong", "unknown"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """`why`: one clause for a person."""

    ruling: Ruling
    why: str


def verdicts(proposals: Sequence[Proposed], replies: Sequence[Reply]) -> tuple[Verdict, ...]:
    """Return one for each proposal, in order."""
    return tuple(verdict(one, reply) for one, reply in zip(proposals, replies, strict=True))


def verdict(one: Proposed, reply: Reply) -> Verdict:
    """Judge one proposal by what was known afterwards."""
    if reply.at_s is None:
        return _untouched(one, reply)
    late_s = reply.at_s + HELPS_S
    calm = one.calm_s is not None and one.calm_s <= late_s
    if reply.answer == "other":
        if calm and one.calm_s is not None and one.calm_s >= reply.at_s:
            return Verdict("wrong", f"people set {reply.value}, and it was calm after that")
        return Verdict("unknown", f"people set {reply.value}")
    if calm:
        return Verdict("right", "people did the same, and it was calm")
    if max(one.calm_s or 0, one.still_s or 0) > late_s:
        return Verdict("wrong", "people did the same, and it went on")
    return Verdict("unknown", "people did the same, and nobody saw whether it was calm after that")


def _untouched(one: Proposed, reply: Reply) -> Verdict:
    if reply.answer == "early":
        return Verdict("unknown", "git cannot tell yet")
    if one.outcome != "over" or one.calm_s is None:
        return Verdict("unknown", "people let it be, and nobody saw it end")
    if one.action == "rollback":
        return Verdict("wrong", f"it ended with {one.old} in place")
    if one.calm_s - one.opened_s <= REVIEW_S:
        return Verdict("wrong", "it ended before anybody could have merged")
    return Verdict("unknown", "people let it be, and it ended by itself")
