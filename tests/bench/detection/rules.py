"""The peers that are plain rules: seasonal-naive and the bands of grafana/promql-anomaly-detection.

Both read rows <= t for row t; a score has its own meaning of 1.0 only in the bands.
"""

from __future__ import annotations

import numpy as np
from bench.detection.measures import DAY_S, forward_filled
from numpy.typing import NDArray

Floats = NDArray[np.float64]

HOUR_S = 3_600
_MOST = 50.0  # scales; one column that went mad must not hide what the others do


def seasonal_naive(values: Floats, train_len: int, step_s: int) -> Floats:
    """Return the mean over columns of |x - x a day ago| in robust scales of the history [R].

    The scale is 1.4826 times the median absolute difference, over the columns' own history; where
    the history has no second day, differences of neighbours stand in for it.
    """
    filled = np.stack([forward_filled(column) for column in values.T])  # [C, R]
    day = max(1, round(DAY_S / step_s))
    lag = day if train_len > day + day // 4 else 1
    seen = filled[:, :train_len]
    usual = np.abs(seen[:, lag:] - seen[:, :-lag])
    scale = 1.4826 * np.median(usual, axis=1)
    spread = np.ptp(seen, axis=1)
    scale = np.where(scale > 0, scale, np.where(usual.mean(axis=1) > 0, usual.mean(axis=1), spread))
    scale = np.where(scale > 0, scale, 1.0)
    off = np.zeros(filled.shape)
    off[:, day:] = np.abs(filled[:, day:] - filled[:, :-day]) / scale[:, None]
    return np.minimum(off, _MOST).mean(axis=0)


def promql_bands(values: Floats, train_len: int, step_s: int) -> Floats:
    """Return how far out of its band the worst column is: 1.0 = at the edge, where the rule fires.

    rules/adaptive.yml of grafana/promql-anomaly-detection (commit 738e34ee): the middle is the
    mean of the last hour; the band is the widest of twice the 26 h mean of the hourly standard
    deviations above half the mean, of half the middle, and of mean + 2 standard deviations of the
    hour around the same time a day and a week ago. Samples that are not positive are dropped, the
    lower band is never below 0, `for: 5m` is left out. An hour is at least 12 rows: the rule is
    made for steps of a minute. It has nothing to fit, so `train_len` is not read.
    """
    del train_len
    worst = np.zeros(len(values))
    for column in values.T:
        level = np.where(column > 0, column, np.nan)
        hour = max(12, round(HOUR_S / step_s))
        day = round(DAY_S / step_s)
        mean, deviation = _mean(level, hour), _deviation(level, hour)
        loud = np.where(deviation > 0.5 * mean, deviation, np.nan)
        short = 2.0 * _mean(loud, max(hour, day + round(2 * HOUR_S / step_s)))
        upper, lower = np.fmax(mean + short, 1.5 * mean), np.fmin(mean - short, 0.5 * mean)
        for back in (day - hour // 2, 7 * day - hour // 2):
            upper = np.fmax(upper, _shifted(mean + 2.0 * deviation, back))
            lower = np.fmin(lower, _shifted(mean - 2.0 * deviation, back))
        lower = np.maximum(lower, 0.0)
        with np.errstate(invalid="ignore", divide="ignore"):
            above, below = (level - mean) / (upper - mean), (mean - level) / (mean - lower)
        worst = np.maximum(worst, np.nan_to_num(np.where(level > mean, above, below), posinf=0.0))
    return worst


def _sums(values: Floats, rows: int) -> Floats:
    """Return the sum of the last `rows` values, NaN as nothing."""
    total = np.cumsum(np.nan_to_num(values))
    total[rows:] -= total[:-rows].copy()
    return total


def _mean(values: Floats, rows: int) -> Floats:
    count = np.round(_sums(np.isfinite(values).astype(float), rows))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, _sums(values, rows) / count, np.nan)


def _deviation(values: Floats, rows: int) -> Floats:
    # Around a fixed value of the past: sums of squares of large numbers would lose the difference.
    known = values[np.isfinite(values)]
    near = values - (known[0] if len(known) else 0.0)
    return np.sqrt(np.maximum(_mean(near**2, rows) - _mean(near, rows) ** 2, 0.0))


def _shifted(values: Floats, rows: int) -> Floats:
    return np.concatenate([np.full(min(rows, len(values)), np.nan), values[:-rows]])[: len(values)]
