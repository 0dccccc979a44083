"""Training examples: one panel, one judged UTC day and the 48 hours before it.

The same three days that scoring sees, scaled by the same rule on the same first 48 hours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aiops.detect import features
from aiops.detect.bands import Batch, directions
from aiops.detect.features import AHEAD, LEADS
from aiops.detect.settings import DAY_S, FATAL_SIGNALS, PACE_S, WARM_UP_S, WEEK_S, Calendar
from aiops.domain import Float32Array, FloatArray, Panel, Signal, Workload

_SPAN_S = WARM_UP_S + DAY_S
_NO_DAY = 1_000_000  # an offset beyond any history: "yesterday is not known"
# How often a lesson is taught with something missing, so that the network has seen each of them:
# no week ago, no day ago, a scrape gap, another time zone. Shares by judgement, not by measurement.
_WITHOUT_WEEK, _WITHOUT_DAY, _WITH_GAP, _OTHER_ZONE = 0.5, 0.15, 0.3, 0.5
_LONGEST_GAP = 24  # buckets: 2 h, a Prometheus that was down


class Inputs(NamedTuple):
    """[B, L, F], [B, L, J, K], target [B, L, J], observed bool [B, L, J]."""

    x: Float32Array
    known: Float32Array
    target: Float32Array
    observed: NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Example:
    """Three days of every series of a panel that is not flat. `workloads`, `signals`: [B], whose each is.

    `clean`, `week`: squashed [B, N], [B, N + AHEAD]. `batch`: the samples they came from.
    """

    clean: FloatArray
    week: FloatArray
    batch: Batch
    workloads: tuple[Workload, ...]
    signals: tuple[Signal, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """[B] the name of the signal of each series."""
        return tuple(signal.name for signal in self.signals)


def split(panels: Sequence[Panel], held_out: float) -> tuple[list[Example], list[Example]]:
    """Return the examples of the first days of each panel, and of its last share of days."""
    train: list[Example] = []
    held: list[Example] = []
    for panel in panels:
        found = days([panel])
        cut = len(found) - max(1, round(len(found) * held_out))
        train, held = train + found[:cut], held + found[cut:]
    return train, held


def days(panels: Sequence[Panel]) -> list[Example]:
    """Return one example per panel and whole UTC day that has 48 hours before it."""
    found = []
    for panel in panels:
        first = -(-int(panel.times[0]) // DAY_S) * DAY_S
        last = int(panel.times[-1]) + panel.step_s
        starts = range(first, last - _SPAN_S + 1, DAY_S)
        made = (_example(panel, start) for start in starts)
        found += [one for one in made if len(one.names)]
    return found


def inputs(example: Example, calendar: Calendar) -> Inputs:
    """Return an example as the network sees it in scoring."""
    return _inputs(
        example.clean, example.clean, example.week, _clock(example, calendar, 0), _per_day(example)
    )


def disturbed(example: Example, rows: int, calendar: Calendar, rng: np.random.Generator) -> Inputs:
    """Return at most `rows` series of an example with gaps, and without what history may lack.

    The targets keep what was really observed. The clock is shifted at times: when the peak comes
    is to be learned from yesterday, not from the habits of the services in the training set.
    """
    pick = rng.permutation(len(example.names))[:rows]
    clean, week = example.clean[pick], example.week[pick]
    seen = clean.copy()
    gaps = rng.random(len(pick)) < _WITH_GAP
    start = rng.integers(0, clean.shape[1], size=len(pick))
    length = rng.integers(1, _LONGEST_GAP + 1, size=len(pick))
    at = np.arange(clean.shape[1])
    inside = (at >= start[:, None]) & (at < (start + length)[:, None]) & gaps[:, None]
    seen[inside] = np.nan
    week = np.where((rng.random(len(pick)) < _WITHOUT_WEEK)[:, None], np.nan, week)
    day = _NO_DAY if rng.random() < _WITHOUT_DAY else _per_day(example)
    shift = int(rng.integers(24)) * 3_600 if rng.random() < _OTHER_ZONE else 0
    return _inputs(seen, clean, week, _clock(example, calendar, shift), day)


def _example(panel: Panel, start_s: int) -> Example:
    scored = [i for i, signal in enumerate(panel.signals) if signal.name not in FATAL_SIGNALS]
    signals = [panel.signals[i] for i in scored]
    owners = [workload for workload in panel.workloads for _ in signals]
    tiled = signals * len(panel.workloads)
    rows = panel.values[:, scored].reshape(len(tiled), -1)  # [W, S, T] -> [W * S, T]
    first = (start_s - int(panel.times[0])) // panel.step_s
    steps = _SPAN_S // panel.step_s
    back = WEEK_S // panel.step_s
    values = features.columns(rows, first, steps)
    week = features.columns(rows, first - back, steps + AHEAD * PACE_S // panel.step_s)
    least = np.array([signal.min_deviation for signal in tiled])
    fit_steps = WARM_UP_S // panel.step_s
    centre, scale, flat = features.fit_scale(values[:, :fit_steps], least)
    keep = np.flatnonzero(~flat)
    batch = Batch(
        values[keep],
        week[keep],
        panel.times[0] + panel.step_s * (first + np.arange(steps, dtype=np.int64)),
        panel.step_s,
        fit_steps,
        least[keep],
        directions(tiled)[keep],
        Calendar(),
    )
    per = max(1, round(PACE_S / panel.step_s))

    def bucket(one: FloatArray) -> FloatArray:
        return features.squash(features.fold(one[keep], per), centre[keep], scale[keep])

    clean = bucket(values)
    week_ago = features.columns(bucket(week), 0, clean.shape[1] + AHEAD)
    return Example(clean, week_ago, batch, tuple(owners[i] for i in keep), tuple(tiled[i] for i in keep))


def _inputs(seen: FloatArray, clean: FloatArray, week: FloatArray, clock: Float32Array, day: int) -> Inputs:
    buckets = clean.shape[1]
    x, known = features.block(seen, week, clock, 0, buckets, day)
    target = np.stack([features.columns(clean, lead, buckets) for lead in LEADS], axis=2)  # [B, L, J]
    observed = np.isfinite(target)
    return Inputs(x, known, np.nan_to_num(target).astype(np.float32), observed)


def _clock(example: Example, calendar: Calendar, shift_s: int) -> Float32Array:
    pace = _SPAN_S // example.clean.shape[1]
    count = example.clean.shape[1] + AHEAD
    return calendar.clock(int(example.batch.times[0]) + shift_s + np.arange(count, dtype=np.int64) * pace)


def _per_day(example: Example) -> int:
    return int(example.clean.shape[1] * DAY_S // _SPAN_S)
