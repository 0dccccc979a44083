"""Scores of a span of history, a UTC day at a time: what every run of that day would have computed.

Law 8: a step gets the same score in every run that judges it. So each day is scored once, and a
run of the past takes its twelve hours out of two of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from aiops.detect import calibration, scoring, sustain
from aiops.detect.settings import DAY_S, JUDGED_S, DetectSettings, History
from aiops.detect.windows import EVALUATION_DELAY_S
from aiops.domain import Float32Array, Panel, Scorer, Scores, TimesArray, Workload
from aiops.errors import DataUnusable
from aiops.evaluate.worlds import PastMetrics
from aiops.job import Job
from aiops.propose import marker
from aiops.reading import Reader, read_history

_PLANES = ("values", "expected", "lower", "upper")  # [W, S, T]
_FIRING = 2
# Thresholds that are tried: close together where a little matters, round for people.
LEVELS = (
    *(1.0, 1.1, 1.2, 1.3, 1.5, 1.7, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0, 12.0, 15.0, 20.0, 25.0),
    *(30.0, 40.0, 50.0, 60.0, 80.0, 100.0, 150.0, 200.0, 300.0, 500.0, 1_000.0),
)


@dataclass(frozen=True, slots=True, eq=False)
class _Day:
    """One day's scores.

    `kinds`: the worst of each kind that the machine of `sustain` sees, [W, T]. `there`: where all that a
    workload usually has is there, as a verdict needs it, and where that is so of a signal that is bad.
    """

    scores: Scores
    kinds: tuple[Float32Array, Float32Array]
    there: tuple[NDArray[np.bool_], NDArray[np.bool_]]


@dataclass(frozen=True, slots=True, eq=False)
class _TwoDays:
    """The hashes of one day, and of it and the day before what the runs of that day look at: [W, T] each."""

    hashes: list[str]
    slow: Float32Array
    fast: Float32Array
    whole: NDArray[np.bool_]
    broken: NDArray[np.bool_]


class Spans:
    """Scores of the days that were asked for last; two are kept."""

    def __init__(self, job: Job, metrics: PastMetrics) -> None:
        self._job = job
        self._metrics = metrics
        self._days: dict[int, _Day | None] = {}
        self._joined: tuple[int, _TwoDays] | None = None
        self._peaks: dict[int, NDArray[np.float64]] = {}

    def firing(self, now_s: int) -> set[str]:
        """Return the hashes of the workloads that a run at `now_s` finds firing."""
        days, window = self._judged_steps(now_s)
        return {days.hashes[row] for row in np.flatnonzero(self._state(days, window) == _FIRING)}

    def strengths(self, now_s: int) -> dict[str, float]:
        """Return the highest of `LEVELS` at which a run at `now_s` would find each firing workload firing.

        Infinity where no threshold counts: a crash loop.
        """
        days, window = self._judged_steps(now_s)
        rows = np.flatnonzero(self._state(days, window) == _FIRING)
        step, settings = self._job.step_s, self._job.detect
        fast = sustain.track(days.fast[rows, window], step, settings.fatal_hold_s, settings).state
        slow = days.slow[rows, window]
        # At a higher level fewer steps are bad, so what is calm stays calm: halve what is left of the levels.
        levels, low, high = np.array(LEVELS), np.zeros(len(rows), int), np.full(len(rows), len(LEVELS))
        while (high - low > 1).any():
            middle = (low + high) // 2
            state = sustain.track(
                slow / levels[middle].astype(np.float32)[:, None], step, settings.hold_s, settings
            ).state
            fires = state == _FIRING
            low, high = np.where(fires, middle, low), np.where(fires, high, middle)
        found = np.where(fast == _FIRING, np.inf, np.maximum(levels[low], settings.threshold))
        return {days.hashes[row]: float(one) for row, one in zip(rows, found, strict=True)}

    def peaks(self, days: Sequence[int]) -> NDArray[np.float64]:
        """Return the highest level at which each workload would have fired on each of the days: [N].

        Of the days that were scored; a workload without a score on half of the day is left out.
        """
        found = [self._peaks[number] for number in days if number in self._peaks]
        return np.concatenate(found) if found else np.zeros(0)

    def judged(self, now_s: int) -> bool:
        """Tell whether a run at `now_s` has a verdict for any workload, or no usable data.

        As `sustain` says it: samples are whole, or those of what broke are.
        """
        days, window = self._judged_steps(now_s)
        if bool(days.whole[:, window.stop - 1].any()):
            return True
        newest = slice(window.stop - self._job.detect.window_steps, window.stop)
        return bool((days.broken[:, newest].any(axis=1) & (self._state(days, window) > 0)).any())

    def _judged_steps(self, now_s: int) -> tuple[_TwoDays, slice]:
        """Return two days, and which of their steps a run at `now_s` judges."""
        step = self._job.step_s
        newest = (now_s - EVALUATION_DELAY_S) // step * step
        end = (newest - (newest // DAY_S - 1) * DAY_S) // step + 1
        return self._joined_up(newest // DAY_S), slice(end - JUDGED_S // step, end)

    def _state(self, days: _TwoDays, window: slice) -> NDArray[np.int8]:
        step, settings = self._job.step_s, self._job.detect
        slow = sustain.track(days.slow[:, window] / settings.threshold, step, settings.hold_s, settings).state
        fast = sustain.track(days.fast[:, window], step, settings.fatal_hold_s, settings).state
        return np.maximum(slow, fast)

    def _joined_up(self, number: int) -> _TwoDays:
        if self._joined is None or self._joined[0] != number:
            before, today = self._day(number - 1), self._day(number)
            workloads = today.scores.workloads if today else ()
            steps = DAY_S // self._job.step_s
            times = (number - 1) * DAY_S + np.arange(2 * steps, dtype=np.int64) * self._job.step_s
            both = np.full((2, len(workloads), len(times)), np.nan, dtype=np.float32)
            there = np.zeros((2, len(workloads), len(times)), dtype=bool)
            for day in (before, today):
                if day is not None:
                    rows, source = _rows(workloads, day.scores.workloads)
                    at, found = _overlap(times, day.scores.times)
                    for kind, worst in zip(both, day.kinds, strict=True):
                        kind[np.ix_(rows, at)] = worst[np.ix_(source, found)]
                    for to, given in zip(there, day.there, strict=True):
                        to[np.ix_(rows, at)] = given[np.ix_(source, found)]
            hashes = [marker.workload_hash(one) for one in workloads]
            self._joined = (number, _TwoDays(hashes, *both, *there))
        return self._joined[1]

    def scores(self, history: History) -> Scores:
        """Return what a run that read this history would have computed."""
        recent = history.recent
        times = recent.times[recent.times >= history.judged_from_s]
        shape = (len(recent.workloads), len(recent.signals), len(times))
        planes = {name: np.full(shape, np.nan, dtype=np.float32) for name in _PLANES}
        worst = np.full((shape[0], shape[2]), np.nan, dtype=np.float32)
        scorer: list[Scorer] = ["baseline"] * shape[0]
        reason: list[str | None] = ["no samples before"] * shape[0]
        found = self._two(int(times[-1]))
        if not found:
            raise DataUnusable("no workload has samples on that day")
        for day in found:
            rows, source = _rows(recent.workloads, day.scores.workloads)
            at, there = _overlap(times, day.scores.times)
            for name, plane in planes.items():
                plane[rows[:, None], :, at] = getattr(day.scores, name)[source[:, None], :, there]
            worst[np.ix_(rows, at)] = day.scores.workload[np.ix_(source, there)]
            for row, one in zip(rows, source, strict=True):
                scorer[row], reason[row] = day.scores.scorer[one], day.scores.fallback_reason[one]
        return Scores(
            values=planes["values"],
            workload=worst,
            expected=planes["expected"],
            lower=planes["lower"],
            upper=planes["upper"],
            times=times,
            step_s=recent.step_s,
            workloads=recent.workloads,
            signals=recent.signals,
            scorer=tuple(scorer),
            fallback_reason=tuple(reason),
        )

    def _two(self, newest_s: int) -> list[_Day]:
        """Return the days that the twelve hours before touch, the older one first."""
        first = (newest_s - JUDGED_S + self._job.step_s) // DAY_S
        days = [self._day(number) for number in range(first, newest_s // DAY_S + 1)]
        return [day for day in days if day is not None]

    def _day(self, number: int) -> _Day | None:
        if number not in self._days:
            self._days = {old: day for old, day in self._days.items() if old == number - 1}
            try:
                self._days[number] = self._scored(number)
            except DataUnusable:
                self._days[number] = None
        return self._days[number]

    def _scored(self, number: int) -> _Day:
        """Score one day up to its end, or to the end of the data."""
        job, before = self._job, self._metrics.now
        newest = min((number + 1) * DAY_S - job.step_s, self._metrics.end_s)
        self._metrics.now = newest + EVALUATION_DELAY_S
        try:
            read, _ = read_history(job, Reader(self._metrics), newest + EVALUATION_DELAY_S)
        finally:
            self._metrics.now = before
        history = replace(read, judged_from_s=number * DAY_S)
        scores = scoring.score(history, job.model, job.detect)
        observed = history.recent.values[:, :, -len(scores.times) :]
        kinds = sustain.kinds(scores, observed)
        self._peaks[number] = _peaks(kinds[0], job)
        return _Day(scores, kinds, _there(history.recent, scores, job.detect))


def _there(
    recent: Panel, scores: Scores, settings: DetectSettings
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where every usual signal has the samples that a verdict needs, and where a bad one has: [W, T].

    As `sustain` counts, but what is usual is looked up once a day. Whoever has nine tenths of the tail
    has a fresh sample too.
    """
    seen: NDArray[np.bool_] = np.isfinite(recent.values)  # [W, S, T]
    usual = sustain.usual(seen)[:, :, None]  # [W, S, 1]
    tail = settings.tail_s // recent.step_s
    counted = np.cumsum(seen[:, :, -(len(scores.times) + tail) :], axis=2, dtype=np.int32)
    enough = (counted[:, :, tail:] - counted[:, :, :-tail] >= settings.coverage * tail) | ~usual
    bad = np.nan_to_num(scores.values) >= 1.0
    whole: NDArray[np.bool_] = enough.all(axis=1) & usual.any(axis=1)  # type: ignore[assignment]
    broken: NDArray[np.bool_] = (enough & bad).any(axis=1)  # type: ignore[assignment]
    return whole, broken


def _peaks(worst: Float32Array, job: Job) -> NDArray[np.float64]:
    """Return the highest level at which each workload would have fired: [W, T] -> [N]."""
    enough = np.isfinite(worst).sum(axis=1) * 2 * job.step_s >= DAY_S
    held = calibration.sustained(worst[enough].astype(np.float64), job.detect.hold_s // job.step_s)
    return np.asarray(held.max(axis=1, initial=0.0))


def _rows(
    wanted: tuple[Workload, ...], there: tuple[Workload, ...]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the rows of what both have: in `wanted`, and in `there`."""
    at = {one.key: row for row, one in enumerate(there)}
    pairs = [(row, at[one.key]) for row, one in enumerate(wanted) if one.key in at]
    found = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return found[:, 0], found[:, 1]


def _overlap(wanted: TimesArray, there: TimesArray) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the columns of the times that both have."""
    _, first, second = np.intersect1d(wanted, there, assume_unique=True, return_indices=True)
    return first, second
