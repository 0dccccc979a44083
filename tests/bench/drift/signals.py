"""Ninety days of hourly signals: healthy, drifting, or with something that is no drift."""

from __future__ import annotations

import dataclasses

import numpy as np

from aiops.detect import drift, experience
from aiops.detect.settings import Calendar
from aiops.domain import DriftWatch, FloatArray, Panel, Signal, Workload

DAYS, HOURS = 90, 24
START_S = 1_767_225_600  # 2026-01-01, a Thursday
RATE = Signal("request_rate", "req/s", "both", 0.5)
LATENCY = Signal("latency_p95", "ms", "up", 30.0, 300.0)
T = np.arange(DAYS * HOURS) / HOURS  # [2160] days


def healthy(
    rows: int, noise: float, season: str, seed: int, *, level: float = 100.0, wander: float = 0.03
) -> FloatArray:
    """Return [rows, 2160]: `season` none, day or week; `noise` per hour, `wander` of the days' levels."""
    rng = np.random.default_rng(seed)
    base = np.full((rows, T.size), level)
    if season != "none":
        base *= 1 + 0.6 * np.cos(2 * np.pi * (T + rng.random((rows, 1))))
    if season == "week":
        base *= np.where((T.astype(int) + 3) % 7 >= 5, 0.5, 1.0)
    levels = rng.standard_normal((rows, DAYS + 1)) * wander
    slow = np.stack([np.interp(T, np.arange(DAYS + 1), row) for row in levels])
    return base * np.exp(slow + noise * rng.standard_normal(base.shape))


def drifting(values: FloatArray, rate: float, shape: str, onset_day: int) -> FloatArray:
    """Return the same, growing by `rate` a day from `onset_day` on: of the old level, or of itself."""
    since = np.clip(T - onset_day, 0, None)
    return values * (1 + rate * since if shape == "linear" else (1 + rate) ** since)


def during(values: FloatArray, factor: float, day: float, length_days: float) -> FloatArray:
    """Return the same, `factor` times as high from `day` on, for so long."""
    return values * np.where((day <= T) & (day + length_days > T), factor, 1.0)


def deployed(values: FloatArray, spread: float, seed: int) -> FloatArray:
    """Return the same, with a new level (log-normal by `spread`) at 12 deploys on random days."""
    rng = np.random.default_rng(seed)
    at = np.sort(rng.uniform(0, DAYS, (len(values), 12)), axis=1)
    levels = rng.normal(0, spread, (len(values), 13))
    return values * np.exp(np.take_along_axis(levels, (T[None, :, None] >= at[:, None]).sum(axis=2), axis=1))


def reference(values: FloatArray, end_day: float, signal: Signal = RATE) -> Panel:
    """Return what a run at the end of a day reads: the last 28 days, both ends, NaN before the start."""
    end = round(end_day * HOURS)
    at = np.arange(end - 28 * HOURS, end + 1)
    inside = (at >= 0) & (at < values.shape[1])
    read = np.where(inside, values[:, np.clip(at, 0, values.shape[1] - 1)], np.nan)
    workloads = tuple(Workload("", "shop", "Deployment", f"w{i}") for i in range(len(values)))
    return Panel(read[:, None].astype(np.float32), START_S + at * 3_600, 3_600, workloads, (signal,))


def watch(
    values: FloatArray, end_day: float, signal: Signal = RATE, calendar: Calendar | None = None
) -> tuple[DriftWatch, ...]:
    """Return what a run at the end of `end_day` says of each row."""
    read = reference(values, end_day, signal)
    return of_panel(read, calendar or Calendar())


def of_panel(reference: Panel, calendar: Calendar) -> tuple[DriftWatch, ...]:
    """Return what a run that reads this reference says of each of its workloads."""
    known = experience.sustained_s(reference, reference.workloads, int(reference.times[-1]))
    return drift.watch(reference, reference.workloads, known.tolist(), calendar)


def first_noticed(values: FloatArray, days: range, signal: Signal = RATE) -> FloatArray:
    """Return the first of the daily runs that reports each row [rows], NaN = none of them."""
    first = np.full(len(values), np.nan)
    for day in days:
        seen = np.array([bool(one.drifts) for one in watch(values, day, signal)])
        first = np.where(seen & np.isnan(first), day, first)
    return first


def ending_at(panel: Panel, end: int) -> Panel:
    """Return the 28 days of a longer panel that end at column `end`."""
    span = slice(end - 28 * HOURS, end + 1)
    return dataclasses.replace(panel, values=panel.values[:, :, span], times=panel.times[span])
