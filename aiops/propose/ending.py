"""How a pull request ends: the outcome in its marker, and the comment that tells it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiops.domain import Outcome, PullRequest
from aiops.propose import marker
from aiops.propose.marker import Marker

OTHER_JUDGE = "(Judged by another model, or by other numbers, than when this was opened.)"


@dataclass(frozen=True, slots=True)
class Now:
    """What a field holds at the base commit: `marker.value`, and since when (None = not known)."""

    value: str
    since_s: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """One pull request gets an outcome: `body` is its body with it, `comment` is "" for none.

    `picture`: what the comment shows below its words, "" for none.
    """

    pull: PullRequest
    outcome: Outcome
    body: str
    comment: str
    close: bool
    picture: str = ""

    @property
    def said(self) -> str:
        """Return the comment as it is posted: what tells it from others first, "" for none."""
        parts = [marker.said(self.outcome), self.comment, self.picture]
        return "\n\n".join(part for part in parts if part) if self.comment else ""


def made(pull: PullRequest, mark: Marker, outcome: Outcome, comment: str, *, close: bool = False) -> Step:
    """Return the end of a pull request; its body is the same but for the outcome."""
    body = marker.rewritten(pull.body, replace(mark, outcome=outcome))
    return Step(pull, outcome, body, comment, close)
