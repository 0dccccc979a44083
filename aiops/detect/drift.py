"""Notice what changes so slowly that yesterday always looks alike: a report, never an incident.

Comes in: the reference of a run, 28 days at one-hour steps. Goes out: the signals that drift, and
which workloads could be watched at all. The level of each day, against the same hours of the other
weeks, is explained in two ways: a straight line since some day, or one step. What a step explains
better is a new level, which is no drift; what a line explains, and what the last week shows
against the first, is reported.

Levels are logarithms of positive samples, so a rate is a share a day, whatever the unit. Daily and
weekly seasons cancel, an incident of some hours is outvoted by the other hours of its day.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from aiops.detect.bands import directions
from aiops.detect.settings import DAY_S, Calendar
from aiops.domain import Drift, DriftWatch, FloatArray, Panel, Workload

_WEEKS, _WEEK_DAYS, _DAY_HOURS = 4, 7, 24
_DAYS = _WEEKS * _WEEK_DAYS
_HOURS = _DAYS * _DAY_HOURS
# 1 % a day must be noticed, and makes 0.25 (as a logarithm) in 28 days; half of it makes 0.13.
# Nearer to the latter, because a drift that is not noticed costs more than a report too many.
_LEAST = 0.17
# Noise alone makes a line fit a little worse than a step at times; the line has the benefit.
_BENEFIT = 0.95
# A rise of 28 days is three quarters of itself between the middles of its first and last week, and
# less when the line began later.
_FIRST_TO_LAST = 0.6
_LEAST_HOURS = 4  # of a day, and days of the first and the last week: a service of office hours has 8
_LEAST_DAYS = 3
_ABSURD = 1e30  # no measurement
_WILD = 1.0  # as a logarithm: a day further off its weekday is an incident
# Day by day from 00:00 of the reference: a line that rises from day k on, a step at day k.
_SINCE = np.arange(15)  # two weeks at least: a shorter line looks like a step
_LINES = np.clip(np.arange(_DAYS) + 0.5 - _SINCE[:, None], 0.0, None)  # [K, 28]
_STEPS = (np.arange(_DAYS) >= np.arange(1, _DAYS)[:, None]).astype(np.float64)  # [K', 28]


def watch(
    reference: Panel, workloads: tuple[Workload, ...], history_s: Sequence[int], calendar: Calendar
) -> tuple[DriftWatch, ...]:
    """Return for each workload whether drift can be seen, and which of its signals drift.

    `reference`: 28 days at one-hour steps. `history_s`: sustained traffic of each workload, see
    `experience`; it is only told. Watched means that some signal has samples in the first
    and in the last week; a change smaller than the signal's `min_deviation` in 28 days is none.
    """
    days = [seconds // DAY_S for seconds in history_s]
    if len(reference.times) < _HOURS or not reference.workloads:
        short = zip(workloads, days, strict=True)
        return tuple(DriftWatch(one, watched=False, days=many, drifts=()) for one, many in short)
    times, signals = reference.times[-_HOURS:], reference.signals
    flat = reference.values.reshape(-1, len(reference.times))[:, -_HOURS:].astype(np.float64)
    values = np.where(
        calendar.learnable(times) & (flat < _ABSURD) & (flat >= 0), flat, np.nan
    )  # [W * S, 672]
    old, new = _weeks(values)  # [W * S] each
    watched: NDArray[np.bool_] = np.isfinite(old + new).reshape(-1, len(signals)).max(axis=1)
    count = len(reference.workloads)
    least = np.tile([signal.min_deviation for signal in signals], count)
    moved = _moved(old, new, np.tile(directions(signals), count), least)
    rate, since = _line(values[moved], np.sign(new - old)[moved])
    drifts: list[list[Drift]] = [[] for _ in reference.workloads]
    for i in np.flatnonzero(np.isfinite(rate)):  # only what drifts
        row = int(moved[i])
        signal, first = signals[row % len(signals)], int(times[0]) + int(since[i]) * DAY_S
        one = Drift(
            signal.name, signal.unit, float(np.expm1(rate[i])), float(old[row]), float(new[row]), first
        )
        drifts[row // len(signals)].append(one)
    at = {workload.key: i for i, workload in enumerate(reference.workloads)}
    rows = [at.get(workload.key) for workload in workloads]
    return tuple(
        DriftWatch(workload, watched=False, days=many, drifts=())
        if i is None
        else DriftWatch(workload, watched=bool(watched[i]), days=many, drifts=tuple(drifts[i]))
        for workload, i, many in zip(workloads, rows, days, strict=True)
    )


def _weeks(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the level of the first and the last week [B]: the median of the means of their days."""
    by_day = values.reshape(len(values), _DAYS, _DAY_HOURS)
    count = np.isfinite(by_day).sum(axis=2)
    means = np.nansum(by_day, axis=2) / np.maximum(count, 1)
    means = np.where(count >= _LEAST_HOURS, means, np.nan)  # [B, 28]
    return _median(means[:, :_WEEK_DAYS], _LEAST_DAYS), _median(means[:, -_WEEK_DAYS:], _LEAST_DAYS)


def _moved(
    old: FloatArray, new: FloatArray, direction: NDArray[np.int64], least: FloatArray
) -> NDArray[np.int64]:
    """Return the rows whose last week is far enough from the first, towards the bad side."""
    with np.errstate(divide="ignore", invalid="ignore"):
        far = np.abs(np.log(new / old)) >= _FIRST_TO_LAST * _LEAST
    far &= np.abs(new - old) >= least * (_WEEKS - 1) / _WEEKS  # in three of the four weeks
    return np.flatnonzero(far & (old > 0) & (np.sign(new - old) * direction >= 0))


def _line(values: FloatArray, sign: FloatArray) -> tuple[FloatArray, NDArray[np.int64]]:
    """Return the rate per day as a logarithm, NaN = no drift, and its first day: [B, 672] -> [B] each."""
    levels = _levels(values)  # [B, 28]
    slopes, by_line = _explained(levels, _LINES, sign)  # [B, K]
    _, by_step = _explained(levels, _STEPS, sign)
    best = by_line.argmax(axis=1, keepdims=True)
    rate = np.take_along_axis(slopes, best, axis=1)[:, 0]
    since = _SINCE[best[:, 0]]
    drifts = (by_line.max(axis=1) > _BENEFIT * by_step.max(axis=1)) & (
        np.abs(rate) * (_DAYS - since) >= _LEAST
    )
    return np.where(drifts, rate, np.nan), since


def _levels(values: FloatArray) -> FloatArray:
    """Return the level of each day against the other weeks: [B, 672] -> [B, 28], NaN = too few hours."""
    rows = len(values)
    positive = np.where(values > 0, values, np.nan)
    weeks = np.log(positive).reshape(rows, _WEEKS, _WEEK_DAYS * _DAY_HOURS)
    usual = np.nansum(weeks, axis=1) / np.maximum(np.isfinite(weeks).sum(axis=1), 1)  # [B, 168]
    hours = (weeks - usual[:, None]).reshape(rows * _DAYS, _DAY_HOURS)
    days = np.clip(_median(hours, _LEAST_HOURS).reshape(rows, _WEEKS, _WEEK_DAYS), -_WILD, _WILD)
    count = np.isfinite(days).sum(axis=1)
    usual = np.nansum(days, axis=1) / np.maximum(count, 1)  # [B, 7]: a median leaves a rest of the week
    rest: FloatArray = days - usual[:, None]
    return rest.reshape(rows, _DAYS)


def _explained(levels: FloatArray, shapes: FloatArray, sign: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the size of each shape [K, 28] in the levels [B, 28] and what it explains: [B, K] each.

    Least squares with a free level for each day of the week; missing days do not count. A shape of
    the wrong sign explains nothing.
    """
    seen = np.isfinite(levels).astype(np.float64).reshape(-1, _WEEKS, _WEEK_DAYS)
    by_week = shapes.reshape(-1, _WEEKS, _WEEK_DAYS)
    total = np.einsum("bwd,kwd->bkd", seen, by_week)
    squares = np.einsum("bwd,kwd->bk", seen, by_week**2)
    spread = squares - (total**2 / np.maximum(seen.sum(axis=1), 1.0)[:, None]).sum(axis=2)
    along = np.nan_to_num(levels) @ shapes.T  # the levels of a weekday add up to 0
    size = np.divide(along, spread, out=np.zeros_like(along), where=spread > 1e-9)
    return size, np.where(size * sign[:, None] > 0, size * along, 0.0)


def _median(values: FloatArray, least: int) -> FloatArray:
    """Return the median of each row, NaN with fewer than `least` values: [B, T] -> [B]."""
    ordered = np.sort(values, axis=1)  # NaN last
    count = np.isfinite(values).sum(axis=1)
    at = np.arange(len(values))
    middle = (ordered[at, np.maximum((count - 1) // 2, 0)] + ordered[at, count // 2]) / 2
    return np.where(count >= least, middle, np.nan)
