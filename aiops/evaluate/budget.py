"""The threshold that would have met a wished number of proposals a week.

It comes from scores alone: each proposal knows the highest threshold at which its incident would still
have fired. What people did is not looked at, or the threshold would be fitted to what it is judged by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiops.evaluate.backtest import Replay
from aiops.evaluate.spans import LEVELS

WEEK_S = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Kept:
    """How many proposals a threshold would have left: `places` of them in the replay."""

    threshold: float
    places: tuple[int, ...]
    a_week: float


def curve(found: Replay, lowest: float) -> tuple[Kept, ...]:
    """Return each threshold from the one in force on at which another number is left, lowest first.

    Empty where strengths are not known, or no time passed.
    """
    strengths = [one.strength for one in found.proposals]
    weeks = (found.end_s - found.start_s) / WEEK_S
    if not weeks or not strengths or any(strength is None for strength in strengths):
        return ()
    rows: list[Kept] = []
    for level in (lowest, *(one for one in LEVELS if one > lowest)):
        left = tuple(at for at, strength in enumerate(strengths) if (strength or 0.0) >= level)
        if level == lowest:  # opened at this threshold: its incident fired
            left = tuple(range(len(strengths)))
        if not rows or len(left) < len(rows[-1].places):
            rows.append(Kept(level, left, len(left) / weeks))
    return tuple(rows)


def meeting(rows: Sequence[Kept], a_week: float) -> Kept | None:
    """Return the lowest threshold with at most so many proposals a week, None when none has so few."""
    return next((one for one in rows if one.a_week <= a_week), None)
