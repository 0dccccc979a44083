"""A workload without a past is scored by what its first half hour of today taught.

Comes in: the series of one UTC day. Goes out: those that have nothing to learn from before
00:00 UTC, grouped by when they began, each group with its first half hour as history. That half
hour is a property of the series, so every run finds the same one (law 8); steps before its end are
not scored. Whether anybody acts on a workload this young is decided elsewhere (`learning`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from aiops.detect.bands import Bands, Batch
from aiops.detect.settings import DAY_S
from aiops.domain import FloatArray, TimesArray

# As long as the forecaster needs to make its first forecast that judges anything.
FIRST_S = 1_800
# A few hours show no shape of the day: bands that were learned from them are so much wider.
_UNSURE = 2.0
_PRESENT = 0.8  # of the steps of a half hour: less is a stray sample, not a beginning


def without_strays(values: FloatArray, times: TimesArray, begun_s: TimesArray) -> FloatArray:
    """Return the series without what came before their sustained beginning: [B, T], `begun_s` [B]."""
    if not (begun_s > times[0]).any():
        return values
    return np.where(times >= begun_s[:, None], values, np.nan)


def unsure(bands: Bands, little: NDArray[np.bool_]) -> Bands:
    """Return the bands, twice as wide where `little` [B] was there to learn from."""
    if not little.any():
        return bands
    lower = bands.expected - _UNSURE * (bands.expected - bands.lower)
    upper = bands.expected + _UNSURE * (bands.upper - bands.expected)
    pick = little[:, None]  # the bits of the other rows stay as they are
    return Bands(bands.expected, np.where(pick, lower, bands.lower), np.where(pick, upper, bands.upper))


def is_young(batch: Batch) -> NDArray[np.bool_]:
    """Return which series have less than half an hour before 00:00 UTC: [B]."""
    young: NDArray[np.bool_] = np.isfinite(batch.fit).sum(axis=1) * batch.step_s < FIRST_S
    return young


def begun_today(batch: Batch, rows: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], Batch]]:
    """Yield the `rows` that began in the judged day, and their batch: at most one per half hour.

    The history of such a batch ends where the first half hour with samples ends.
    """
    per = max(1, FIRST_S // batch.step_s)
    today = np.isfinite(batch.values[rows, batch.fit_steps :])
    blocks = min(today.shape[1], DAY_S // batch.step_s) // per
    seen = today[:, : blocks * per].reshape(len(rows), blocks, per).mean(axis=2) >= _PRESENT
    first = np.where(seen.any(axis=1), np.argmax(seen, axis=1), -1) if blocks else np.full(len(rows), -1)
    for block in np.unique(first[first >= 0]):
        mine = rows[first == block]
        start = batch.fit_steps + int(block) * per
        group = batch.rows(mine)
        values = group.values.copy()
        values[:, :start] = np.nan
        yield mine, replace(group, values=values, fit_steps=start + per)
