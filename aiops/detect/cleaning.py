"""Take out of the history what a model must not learn: excluded spans, and what was flagged then.

Comes in: a panel of history. Goes out: the same panel, NaN where nothing is to be learned. The
forecaster does not exist yet, so what is flagged is what the seasonal baseline would have fired
for, twice as far out as it asks for: an outage of last week is not what comes next week, a busy
hour is. Day by day and forward, so that a flagged day is not the yesterday of the next.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from aiops.detect import baseline, calibration, features
from aiops.detect.bands import Bands, Batch, directions, guarded, scores
from aiops.detect.settings import DAY_S, FATAL_SIGNALS, WARM_UP_S, Calendar, DetectSettings
from aiops.domain import FloatArray, Panel

_CLEAR = 2.0  # edges: what a careful band would flag, and not the noise of its own edge
# Whatever is odd on more of the days than this is a habit of the series, and must be learned.
_RARE = 0.2


def cleaned(panel: Panel, settings: DetectSettings) -> tuple[Panel, float]:
    """Return the panel without excluded and flagged samples, and the share of samples flagged."""
    calendar = settings.calendar
    rows = len(panel.workloads) * len(panel.signals)
    values = panel.values.reshape(rows, len(panel.times)).astype(np.float64)  # [W, S, T] -> [W * S, T]
    values = np.where(calendar.learnable(panel.times), values, np.nan)
    seen = np.isfinite(values)
    out = _flagged(values, panel, settings)
    kept = np.where(out, np.nan, values).astype(np.float32).reshape(panel.values.shape)
    return replace(panel, values=kept), float((out & seen).sum() / max(int(seen.sum()), 1))


def _flagged(values: FloatArray, panel: Panel, settings: DetectSettings) -> NDArray[np.bool_]:
    """Return [B, T] the samples that a careful detector would have fired for."""
    signals = list(panel.signals) * len(panel.workloads)
    least, direction = np.array([signal.min_deviation for signal in signals]), directions(signals)
    scored = np.array([signal.name not in FATAL_SIGNALS for signal in signals])
    step, hold = panel.step_s, max(1, settings.hold_s // panel.step_s)
    first = -(-int(panel.times[0]) // DAY_S) * DAY_S + WARM_UP_S
    starts = range(first, int(panel.times[-1]) - DAY_S + step + 1, DAY_S)
    out, days = np.zeros(values.shape, dtype=bool), np.zeros(len(values), dtype=np.int64)
    for midnight in starts:  # a loop over days: each needs the day before without what was flagged in it
        at = (midnight - WARM_UP_S - int(panel.times[0])) // step
        steps = (WARM_UP_S + DAY_S) // step
        known = np.where(out[:, at : at + steps], np.nan, values[:, at : at + steps])
        batch = _batch(known, panel.times[at : at + steps], step, least, direction, settings.calendar)
        _, _, flat = features.fit_scale(batch.fit, least)
        pick = np.flatnonzero(scored & ~flat)
        bands = guarded(_seasonal(batch.rows(pick)), least[pick])
        odd = scores(known[pick], bands, direction[pick])[:, batch.fit_steps :]
        fired = calibration.sustained(odd, hold) >= _CLEAR
        # It fires a hold after it began: what led to it goes as well.
        began = calibration.rolling(fired[:, ::-1].astype(np.float64), hold + 5, np.fmax)[:, ::-1] > 0
        out[pick, at + batch.fit_steps : at + steps] = began & (odd >= 1.0)
        days[pick] += began.any(axis=1)
    out[days > _RARE * max(len(starts), 1)] = False
    return out


def _seasonal(batch: Batch) -> Bands:
    """Return bands [B, T] around the days before; NaN where none is known, which flags nothing."""
    expected = baseline.seasonal(batch, np.full(len(batch.values), np.nan))
    return baseline.around(expected, np.abs(batch.fit - expected[:, : batch.fit_steps]))


def _batch(
    values: FloatArray,
    times: NDArray[np.int64],
    step_s: int,
    least: FloatArray,
    direction: NDArray[np.int64],
    calendar: Calendar,
) -> Batch:
    return Batch(
        values=values,
        week_ago=None,
        times=times,
        step_s=step_s,
        fit_steps=WARM_UP_S // step_s,
        min_deviation=least,
        direction=direction,
        calendar=calendar,
    )
