"""The last resort and the fixed rules: bands that need no model.

`bands`: as yesterday and a week ago at this time, as wide as that was wrong before.
`fixed`: series that never move (and signals that are zero while all is well) are expected to stay.
"""

from __future__ import annotations

import numpy as np

from aiops.detect import features
from aiops.detect.bands import Bands, Batch
from aiops.detect.settings import DAY_S, PACE_S
from aiops.domain import FloatArray

# The edge is 1.5 times what 98 % of the history stayed within: at 3 of 5 steps and 15 minutes of
# hold, noise of that size does not fire, and a series twice as far off does.
_SHARE, _MARGIN = 0.98, 1.5
_FLAT_SHARE = 0.1  # of its value: how far a constant may move before it counts
_TINY = 1e-9


def bands(batch: Batch) -> Bands:
    """Return seasonal bands [B, T]; the median of the history where no season is known."""
    centre, _, _ = features.fit_scale(batch.fit, batch.min_deviation)
    expected = seasonal(batch, centre)
    return around(expected, np.abs(batch.fit - expected[:, : batch.fit_steps]))


def around(expected: FloatArray, error: FloatArray) -> Bands:
    """Return a band of one width around `expected` [B, T], from the errors of the past [B, F]; NaN = none."""
    ordered = np.sort(error, axis=1)  # NaN last
    count = np.isfinite(error).sum(axis=1)
    at = np.clip(np.rint(_SHARE * (count - 1)), 0, max(error.shape[1] - 1, 0)).astype(np.int64)
    usual = ordered[np.arange(len(ordered)), at] if error.shape[1] else np.zeros(len(ordered))
    width = np.maximum(_MARGIN * np.nan_to_num(usual), _TINY)[:, None]
    return Bands(expected, expected - width, expected + width)


def fixed(batch: Batch, zero_when_new: np.ndarray) -> Bands:
    """Return the band of a constant [B, T]: its median, a tenth of it to both sides.

    `zero_when_new`: [B] bool, signals that are zero while all is well: without history, 0 is
    expected of them; any other series without history has no band.
    """
    centre, _, _ = features.fit_scale(batch.fit, batch.min_deviation)
    centre = np.where(np.isnan(centre) & zero_when_new, 0.0, centre)
    width = np.maximum(_FLAT_SHARE * np.abs(centre), _TINY)
    expected = np.repeat(centre[:, None], batch.values.shape[1], axis=1)
    return Bands(expected, expected - width[:, None], expected + width[:, None])


def seasonal(batch: Batch, otherwise: FloatArray) -> FloatArray:
    """Return the mean of yesterday and a week ago, each smoothed over 25 minutes: [B, T].

    Where yesterday was a day of another kind (a Sunday, and today a Monday), a week ago alone; where
    neither is known, `otherwise` [B].
    """
    per = max(1, round(PACE_S / batch.step_s))
    pace = per * batch.step_s
    now = features.fold(batch.values, per)  # [B, N]
    buckets, per_day = now.shape[1], max(1, round(DAY_S / pace))
    if batch.week_ago is None:
        week, back = now, -features.season_length(7 * per_day)
    else:
        week, back = features.fold(batch.week_ago, per), 0
    day = features.season_length(per_day)
    yesterday, last_week = _smooth(now, -day, buckets), _smooth(week, back, buckets)
    clock = batch.calendar.clock(int(batch.times[0]) + np.arange(buckets, dtype=np.int64) * pace)
    turned = features.turned(clock, 0, buckets, day) & np.isfinite(last_week)
    seasons = [np.where(turned, np.nan, yesterday), last_week]
    known = np.isfinite(seasons).sum(axis=0)
    total = np.nansum(seasons, axis=0)
    expected = np.where(known > 0, total / np.maximum(known, 1), otherwise[:, None])
    return np.repeat(expected, per, axis=1)[:, : batch.values.shape[1]]


def _smooth(values: FloatArray, start: int, length: int) -> FloatArray:
    parts = np.stack([features.columns(values, start + o, length) for o in range(-2, 3)])
    count = np.isfinite(parts).sum(axis=0)
    return np.where(count > 0, np.nansum(parts, axis=0) / np.maximum(count, 1), np.nan)
