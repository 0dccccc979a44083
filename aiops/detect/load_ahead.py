"""How much load is coming: what an autoscaler can be given before it arrives.

Comes in: the panels of one run. Goes out: per workload the highest five-minute median of `request_rate`
that is expected until a lead time is over; NaN where yesterday is not known, because a made-up number
would be scaled by.

As yesterday and a week ago at this time, at the level of the last half hour (PHPA and the cloud
providers' predictive modes do the same in spirit). Refused: the forecaster's own output; it is made
for the next minutes, and what it says beyond them was never judged.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from aiops.detect import features, past
from aiops.detect.settings import DAY_S, PACE_S, WEEK_S, History
from aiops.domain import FloatArray, TimesArray, Workload

SIGNAL = "request_rate"
LEAD_S = 1_200  # two runs of ten minutes: a prediction is used until its target time is over
_LEVEL_S = 1_800
_MOST = 3.0  # times the load of then: beyond that, today is not a day like the others
_KNOWN = 0.5  # share of samples below which a span is not known


def loads(history: History) -> Mapping[Workload, float]:
    """Return what is expected of each workload, without those of which nothing is known."""
    found = predicted(history)
    return {
        workload: float(load)
        for workload, load in zip(history.recent.workloads, found, strict=True)
        if np.isfinite(load)
    }


def predicted(history: History) -> FloatArray:
    """Return [W]: the highest load until `LEAD_S` after the newest step, in the unit of the signal."""
    recent = history.recent
    names = [signal.name for signal in recent.signals]
    if SIGNAL not in names:
        return np.full(len(recent.workloads), np.nan)
    column, step, end_s = names.index(SIGNAL), recent.step_s, int(recent.times[-1])
    level = _mean(recent.values[:, column], _steps(recent.times, end_s - _LEVEL_S, end_s))  # [W]
    ahead = []
    week = past.aligned(history.week_ago, recent)
    for panel, back_s in ((recent, DAY_S), (week, WEEK_S)):
        if panel is None:
            continue
        values = panel.values[:, column].astype(np.float64)  # [W, T]
        then = _mean(values, _steps(panel.times, end_s - back_s - _LEVEL_S, end_s - back_s))
        coming = values[:, _steps(panel.times, end_s - back_s, end_s - back_s + LEAD_S)]  # [W, L]
        folded = features.fold(coming, max(1, round(PACE_S / step)))  # [W, buckets]
        factor = np.divide(level, then, out=np.full(len(level), np.nan), where=then > 0)
        ahead.append(folded * np.minimum(factor, _MOST)[:, None])
    return _highest(ahead, level)


def _highest(ahead: list[FloatArray], level: FloatArray) -> FloatArray:
    """Return the highest bucket of the mean of the days [W]; at least the level that is there now."""
    whole = [days for days in ahead if days.shape[1]]
    if not whole:
        return np.full(len(level), np.nan)
    width = min(days.shape[1] for days in whole)
    days = np.stack([one[:, :width] for one in whole])  # [D, W, buckets]
    known = np.isfinite(days).sum(axis=0)
    mean = np.divide(np.nansum(days, axis=0), known, out=np.full(known.shape, np.nan), where=known > 0)
    top = np.where(np.isfinite(mean), mean, -np.inf).max(axis=1)
    return np.where(np.isfinite(top) & np.isfinite(level), np.maximum(top, level), np.nan)


def _steps(times: TimesArray, after_s: int, up_to_s: int) -> slice:
    """Return the steps in (after, up to]."""
    return slice(*np.searchsorted(times, [after_s + 1, up_to_s + 1]))


def _mean(values: FloatArray, steps: slice) -> FloatArray:
    """Return the means of a span [W]; NaN where less than half of it is known."""
    span = values[:, steps].astype(np.float64)
    count = np.isfinite(span).sum(axis=1)
    enough = (count > 0) & (count >= _KNOWN * span.shape[1])
    total = np.where(np.isfinite(span), span, 0.0).sum(axis=1)
    return np.where(enough, total / np.maximum(count, 1), np.nan)
