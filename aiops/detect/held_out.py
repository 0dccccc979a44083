"""How a trained network did on the held-out days, signal by signal, and one day of each to look at.

The day is chosen by a rule that flatters nobody: of all days of all workloads, the one in the middle by
its absolute error. Of two in the middle it is the worse one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from aiops.detect import calibrate, features
from aiops.detect.calibrate import Judged
from aiops.detect.examples import Example
from aiops.detect.model import Metrics, Model
from aiops.detect.settings import DAY_S, Calendar
from aiops.domain import FloatArray, Signal, Workload

_LEAST = 0.5  # of a day must have been observed: a handful of samples is no day to look at


@dataclass(frozen=True, slots=True, eq=False)
class Day:
    """One held-out day of one series, in its unit: [N] every `step_s` from 00:00 UTC; NaN = no sample.

    `lower`, `upper`: the 5 % and 95 % quantiles that were forecast, 30 to 60 minutes ahead.
    """

    workload: Workload
    start_s: int
    step_s: int
    error: float  # absolute, in scales of the series
    observed: FloatArray
    expected: FloatArray
    lower: FloatArray
    upper: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class OfSignal:
    """One signal on all held-out days of all workloads.

    `inside`: the share of the observations between the quantiles, 0.9 where these are right. `days`: of
    workloads, that could be shown; `typical`: the one in the middle, None when there is none.
    """

    signal: Signal
    errors: Metrics
    inside: float
    days: int
    typical: Day | None


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The held-out days, from 00:00 UTC of the first to 24:00 of the last."""

    from_s: int
    to_s: int
    days: int
    errors: Metrics
    signals: tuple[OfSignal, ...]


class _Row(NamedTuple):
    """One series of one example, with its place in it."""

    error: float
    workload: Workload
    start_s: int
    example: Example
    judged: Judged
    row: int


def judge(model: Model, held: Sequence[Example], calendar: Calendar) -> HeldOut | None:
    """Return how the model did on the last day of each example; None when there is nothing to compare."""
    judged = [calibrate.last_day(model, one, calendar) for one in held]
    pairs = [pair for pair in zip(held, judged, strict=True) if pair[1].both.any()]
    if not pairs:
        return None
    starts = {_start_s(one) for one, _ in pairs}
    every = {signal.name: signal for one, _ in pairs for signal in one.signals}
    found = (_of_signal(every[name], pairs) for name in sorted(every))
    return HeldOut(
        from_s=min(starts),
        to_s=max(starts) + DAY_S,
        days=len(starts),
        errors=calibrate.errors([one for _, one in pairs]),
        signals=tuple(one for one in found if one is not None),
    )


def _of_signal(signal: Signal, pairs: Sequence[tuple[Example, Judged]]) -> OfSignal | None:
    rows: list[_Row] = []
    parts: list[Judged] = []
    for example, judged in pairs:
        pick = np.array([i for i, name in enumerate(example.names) if name == signal.name], dtype=np.int64)
        part = Judged(*(one[pick] for one in judged))
        parts.append(part)
        off = np.where(part.both, np.abs(part.seen - part.forecast[..., 1]), np.nan)  # [B, N]
        enough = np.flatnonzero(part.both.mean(axis=1) >= _LEAST)
        rows += [
            _Row(float(np.nanmean(off[i])), example.workloads[at], _start_s(example), example, judged, at)
            for i, at in zip(enough.tolist(), pick[enough].tolist(), strict=True)
        ]
    seen = np.concatenate([one.seen[one.both] for one in parts])  # [P]
    if not len(seen):
        return None
    forecast = np.concatenate([one.forecast[one.both] for one in parts])  # [P, 3]
    rows.sort(key=lambda one: (one.error, str(one.workload), one.start_s))
    return OfSignal(
        signal=signal,
        errors=calibrate.errors(parts),
        inside=float(((seen >= forecast[:, 0]) & (seen <= forecast[:, 2])).mean()),
        days=len(rows),
        typical=_day(rows[len(rows) // 2]) if rows else None,
    )


def _day(row: _Row) -> Day:
    """Return a series in its unit again, as folded into buckets and not squashed."""
    pick = np.array([row.row])
    batch = row.example.batch.rows(pick)
    centre, scale, _ = features.fit_scale(batch.fit, batch.min_deviation)
    buckets = row.example.clean.shape[1]
    per = batch.values.shape[1] // buckets
    day = row.judged.seen.shape[1]
    lower, expected, upper = features.expand(row.judged.forecast[row.row].T, centre, scale)  # [3, N]
    return Day(
        workload=row.workload,
        start_s=row.start_s,
        step_s=per * batch.step_s,
        error=row.error,
        observed=features.fold(batch.values, per)[0, buckets - day :],
        expected=expected,
        lower=lower,
        upper=upper,
    )


def _start_s(example: Example) -> int:
    """Return 00:00 UTC of the last day, the one that is judged."""
    return int(example.batch.times[-1]) + example.batch.step_s - DAY_S
