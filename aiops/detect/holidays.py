"""A holiday behaves like a Sunday, and is no guide to the same day of the next week.

Comes in: what was seen one week before each step, and the 28-day reference. Goes out: the same,
where today is a holiday with the last Sundays instead, and where last week was one with the two
weeks before. Away from holidays nothing is replaced.
"""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from aiops.detect.settings import DAY_S, Calendar
from aiops.domain import FloatArray, TimesArray

_WEEKS = 3  # what every run of a day has in its reference
_THURSDAY, _SUNDAY = 3, 6  # 1970-01-01 was a Thursday; 0 = Monday


def guided(
    week: FloatArray,
    times: TimesArray,
    offset_s: int,
    hourly: FloatArray,
    hours: TimesArray,
    calendar: Calendar,
) -> FloatArray:
    """Return `week` [B, T], one week before `times` [T], with the columns of holidays replaced.

    `offset_s`: how far clocks are ahead of UTC at `times`. `hourly`: [B, H] at `hours` [H], unix
    seconds on the hour, the reference. A column that the reference does not know is NaN.
    """
    days = (times + offset_s) // DAY_S  # local, since the epoch
    free = np.array([_day(text) for text in calendar.holidays], dtype=np.int64)
    is_free, was_free = np.isin(days, free), np.isin(days - 7, free)
    out = week
    for day in np.unique(days[is_free | was_free]).tolist():  # one or two days
        at = np.flatnonzero(days == day)
        local = times[at] + offset_s
        seen = [_at(hourly, hours, local - one * DAY_S, calendar) for one in _guides(day, free)]
        if out is week:
            out = week.copy()
        out[:, at] = _mean(seen) if seen else np.nan
    return out


def any_of(times: TimesArray, offset_s: int, calendar: Calendar) -> bool:
    """Tell if `guided` would replace anything."""
    days = np.unique((times + offset_s) // DAY_S)
    free = [_day(text) for text in calendar.holidays]
    return bool(np.isin(days, free).any() or np.isin(days - 7, free).any())


def _guides(day: int, free: NDArray[np.int64]) -> list[int]:
    """Return how many days back the days are that a local day is like."""
    back = range(1, 7 * _WEEKS + 1)
    if day in free:
        return [one for one in back if (day - one + _THURSDAY) % 7 == _SUNDAY]
    return [one for one in back if one % 7 == 0 and day - one not in free]


def _at(hourly: FloatArray, hours: TimesArray, local: TimesArray, calendar: Calendar) -> FloatArray:
    """Return the reference at local times [t], on straight lines between the hours: [B, t]."""
    # A first guess of the time, then its own offset.
    utc = local - calendar.ahead_s(local)
    utc = local - calendar.ahead_s(utc)
    low = np.clip((utc - hours[0]) // 3_600, 0, len(hours) - 2)
    share = (utc - hours[low]) / 3_600
    inside = (share >= 0) & (share <= 1)
    return np.where(inside, hourly[:, low] * (1 - share) + hourly[:, low + 1] * share, np.nan)


def _mean(parts: list[FloatArray]) -> FloatArray:
    stacked = np.stack(parts)
    count = np.isfinite(stacked).sum(axis=0)
    return np.where(count > 0, np.nansum(stacked, axis=0) / np.maximum(count, 1), np.nan)


def _day(text: str) -> int:
    return date.fromisoformat(text).toordinal() - date(1970, 1, 1).toordinal()
