"""The fallback: an isolation forest per workload and day, over all its signals at once.

A row is one step: each signal against its median, and against the same time yesterday, the latter
as the median of five steps. The forest is fitted on the days before the judged one, so it knows
the hours of the day by their values. It says *that* a step is odd; the seasonal baseline says
which signal, and on which side.

Source: Liu, Ting & Zhou 2008 (https://doi.org/10.1109/ICDM.2008.17), scikit-learn's
implementation. Its `score_samples` is lower for the odd ones: the sign is turned here, once.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from aiops.detect import baseline, calibration, features
from aiops.detect.bands import Bands, Batch, guarded, scores
from aiops.detect.settings import DAY_S
from aiops.domain import FloatArray, Workload

TREES = 100  # the paper's: path lengths settle well before
SAMPLE = 256  # the paper's: more rows per tree swamp the odd ones
# 1.0 lies a quarter above what the 99 % quantile of the sustained statistic of the history is.
_QUANTILE, _MARGIN = 0.99, 1.25
# Path lengths end somewhere: a forest never says more than about 0.8, so the edge stays below.
_HIGHEST_EDGE = 0.66
# A step is odd for the forest and yet no signal is halfway to its edge: nobody could say why.
_HALFWAY = 0.5


def seed(workload: Workload, day_s: int) -> int:
    """Return the seed of one workload and day: the same in every run, shard and order."""
    text = "\0".join((*workload.key, str(day_s)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def judge(batch: Batch, seed: int, hold_steps: int) -> tuple[FloatArray, Bands]:
    """Score the signals of one workload: [S, T] and the bands to show, [S, T].

    Only series that move (`features.fit_scale`); rows with a missing signal take its median for
    the forest and stay unscored for that signal.
    """
    from sklearn.ensemble import IsolationForest

    bands = guarded(baseline.bands(batch), batch.min_deviation)
    single = scores(batch.values, bands, batch.direction)  # [S, T]
    rows = _rows(batch)  # [T, 2 S]
    seen: NDArray[np.bool_] = np.isfinite(batch.values).any(axis=0)  # type: ignore[assignment]
    fit = np.flatnonzero(seen[: batch.fit_steps])
    forest = IsolationForest(n_estimators=TREES, max_samples=min(SAMPLE, len(fit)), random_state=seed)
    forest.fit(rows[fit])
    odd = np.where(seen, -forest.score_samples(rows), np.nan)[None]  # [1, T], higher is odder
    usual = float(np.median(odd[0, fit]))
    levels = calibration.sustained(odd[:, : batch.fit_steps], hold_steps)[0][fit]
    edge = usual + _MARGIN * max(float(np.quantile(levels, _QUANTILE)) - usual, 0.05)
    # Linear from the usual (0) to the edge (1): the same meaning as every other scorer's.
    whole = np.maximum((odd[0] - usual) / (min(edge, _HIGHEST_EDGE) - usual), 0.0)  # [T]
    top = np.nanmax(np.where(np.isnan(single), -1.0, single), axis=0)  # [T]
    share = np.where(top > 0, single / np.maximum(top, 1e-12), 0.0)
    return np.where(np.isnan(single), np.nan, whole * share * np.clip(top / _HALFWAY, 0.0, 1.0)), bands


def _rows(batch: Batch) -> FloatArray:
    """Return what the forest sees: [T, 2 S], finite."""
    centre, scale, _ = features.fit_scale(batch.fit, batch.min_deviation)
    level = features.squash(batch.values, np.nan_to_num(centre), scale)  # [S, T]
    day = max(5, DAY_S // batch.step_s)  # at least what `smooth` reaches back
    smooth = calibration.middle_of_five(level)
    change = smooth - features.columns(smooth, -day, level.shape[1])
    rows: FloatArray = np.nan_to_num(np.concatenate([level, change]).T)  # [2 S, T] -> [T, 2 S]
    return rows
