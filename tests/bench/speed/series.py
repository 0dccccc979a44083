"""Synthetic fleets: a day's shape, noise, and 8 signals a workload, in 5-minute buckets."""

from __future__ import annotations

import numpy as np

from aiops.detect.bands import Batch
from aiops.detect.settings import DAY_S, PACE_S, WARM_UP_S, WEEK_S, Calendar
from aiops.domain import FloatArray

SIGNALS = 8
MIDNIGHT = 1_773_878_400  # 2026-03-19 00:00 UTC
AHEAD_S = 5_400  # of a week ago, beyond the last judged step: what a run reads


def shaped(times: np.ndarray, rows: int, seed: int) -> FloatArray:
    """Return [rows, T]: another level and phase in each row, 5 % noise."""
    rng = np.random.default_rng(seed)
    level, phase = np.exp(rng.normal(3, 1, (rows, 1))), rng.random((rows, 1))
    season = 1 + 0.5 * np.sin(2 * np.pi * (times / DAY_S + phase))
    noise = rng.standard_normal((rows, len(times)), dtype=np.float32)
    return (level * season * np.exp(0.05 * noise)).astype(np.float32).astype(np.float64)


def weeks(rows: int, seed: int = 1) -> Batch:
    """Return a week of history and a week to score, as a table has them: what the peers get as well."""
    times = np.arange(MIDNIGHT - WEEK_S, MIDNIGHT + WEEK_S, PACE_S, dtype=np.int64)
    return Batch(
        values=shaped(times, rows, seed),
        week_ago=None,
        times=times,
        step_s=PACE_S,
        fit_steps=WEEK_S // PACE_S,
        min_deviation=np.full(rows, 0.5),
        direction=np.zeros(rows, dtype=np.int64),
        calendar=Calendar(),
    )


def batch(rows: int, judged_s: int, seed: int = 0, step_s: int = PACE_S) -> Batch:
    """Return what a run hands to the forecaster: 48 h before 00:00 UTC and `judged_s` from there on."""
    start = MIDNIGHT - WARM_UP_S
    times = np.arange(start, MIDNIGHT + judged_s, step_s, dtype=np.int64)
    before = np.arange(start - WEEK_S, MIDNIGHT + judged_s - WEEK_S + AHEAD_S, step_s, dtype=np.int64)
    return Batch(
        values=shaped(times, rows, seed),
        week_ago=shaped(before, rows, seed),
        times=times,
        step_s=step_s,
        fit_steps=WARM_UP_S // step_s,
        min_deviation=np.full(rows, 0.5),
        direction=np.zeros(rows, dtype=np.int64),
        calendar=Calendar(),
    )
