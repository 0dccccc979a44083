"""A clock change is not an incident: people come by the clock on the wall, not by UTC.

The detector looks back whole days, of 24 hours. Where clocks changed in between, samples are moved
to where the wall clock of the judged steps would show the same time: after that every day has 24
hours, and yesterday is where everybody looks for it. Away from clock changes nothing is moved.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiops.detect.settings import DAY_S, WEEK_S, Calendar
from aiops.domain import FloatArray, TimesArray

_HOUR_S = 3_600


@dataclass(frozen=True, slots=True)
class Span:
    """The part of one UTC day, [start_s, end_s), in which clocks are `offset_s` ahead of UTC."""

    day_s: int
    start_s: int
    end_s: int
    offset_s: int


def spans(day_s: int, calendar: Calendar) -> tuple[Span, ...]:
    """Return the spans of one UTC day: one, or two where clocks change within it."""
    hours = np.arange(day_s, day_s + DAY_S, _HOUR_S, dtype=np.int64)
    ahead = calendar.ahead_s(hours)
    starts = [0, *(np.flatnonzero(np.diff(ahead)) + 1).tolist()]
    ends = [*(int(hours[at]) for at in starts[1:]), day_s + DAY_S]
    return tuple(
        Span(day_s, int(hours[at]), end, int(ahead[at])) for at, end in zip(starts, ends, strict=True)
    )


def changes(times: TimesArray, offset_s: int, calendar: Calendar) -> bool:
    """Tell if clocks are not always `offset_s` ahead of UTC, at `times` or a week before."""
    return bool((calendar.ahead_s(np.concatenate([times, times - WEEK_S])) != offset_s).any())


def moved(
    values: FloatArray, times: TimesArray, step_s: int, offset_s: int, calendar: Calendar
) -> FloatArray:
    """Return each sample in the column that shows its local time if `offset_s` had always held.

    [B, T] -> [B, T]. The hour that clocks skipped is NaN; of the hour that they showed twice, the
    one with `offset_s` is kept. What is moved out of the columns is lost.
    """
    by = calendar.ahead_s(times) - offset_s  # [T]
    if not by.any():
        return values
    out = np.full(values.shape, np.nan)
    for seconds in sorted(set(by.tolist()), key=abs, reverse=True):  # two or three offsets
        source = np.flatnonzero(by == seconds)
        to = source + int(seconds / step_s)
        inside = (to >= 0) & (to < values.shape[1])
        out[:, to[inside]] = values[:, source[inside]]
    return out
