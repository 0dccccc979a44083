"""An issue that comes most days and is not worse today is not news.

Stateless: a run reads 28 days at one-hour steps. Each hour of the last week is held against what its
hour of the day usually is; where a day has an hour about as far off as today, the issue was there
on that day. An hour shows one sample, so only what lasts for about an hour is found again.

Source of the idea: Dynatrace, frequent issue detection.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aiops.detect.settings import DAY_S
from aiops.domain import FloatArray, Incident, Panel, TimesArray

_DAYS, _OF_DAYS = 3, 7  # of the last week: twice may be chance, every other day is how it is
# Not worse: an earlier day had at least 4/5 of what is off today.
_COMPARABLE = 0.8
# Of the same hour on other days: half of the days may have the issue, and the quartile has not.
_USUAL = 0.25
_LEAST_DAYS = 7
_HOUR_S = 3_600


def reason(reference: Panel, incident: Incident, observed: Mapping[str, float]) -> str | None:
    """Say why an incident is no news; None when it is, or when nothing is known.

    `reference`: one-hour steps. `observed`: by signal, where it stands since the onset. Each signal that
    broke must have been about as far off, in the same direction, on three of the seven days before.
    """
    names = [signal.name for signal in reference.signals]
    rows = [i for i, one in enumerate(reference.workloads) if one.key == incident.workload.key]
    if not rows or not incident.signals or incident.onset_s is None:
        return None
    fewest = _OF_DAYS
    for breach in incident.signals:  # a handful
        if breach.signal not in names:
            return None
        series = reference.values[rows[0], names.index(breach.signal)].astype(np.float64)
        off_today = observed.get(breach.signal, breach.observed) - breach.expected
        fewest = min(fewest, _days(series, reference.times, incident.onset_s, off_today))
    if fewest < _DAYS:
        return None
    return f"frequent: as far off on {fewest} of the last {_OF_DAYS} days, and not worse today"


def _days(series: FloatArray, times: TimesArray, onset_s: int, off_today: float) -> int:
    """Return on how many of the days before the onset the series [T] was about as far off."""
    before = times < onset_s - _HOUR_S
    series, times = series[before], times[before]
    if np.isfinite(series).sum() * _HOUR_S < _LEAST_DAYS * DAY_S or off_today == 0:
        return 0
    side = np.sign(off_today)
    days = -(-len(series) // 24)
    grid = np.full(days * 24, np.nan)
    grid[days * 24 - len(series) :] = series * side  # the newest hour last: 24 columns, one per hour of day
    ordered = np.sort(grid.reshape(days, 24), axis=0)  # NaN last
    count = np.isfinite(ordered).sum(axis=0)
    usual = ordered[np.floor(_USUAL * np.maximum(count - 1, 0)).astype(np.int64), np.arange(24)]  # [24]
    off = grid.reshape(days, 24) - usual
    since = (onset_s - times[-1]) // _HOUR_S  # days are counted back from the newest hour before the onset
    week = off[-_OF_DAYS:] if since <= 24 else off[:0]
    return int((week >= _COMPARABLE * abs(off_today)).any(axis=1).sum())
