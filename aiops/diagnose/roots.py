"""Ranks the workloads of a call graph by how much of a change each has that nobody else explains.

Only a change of state can be a root, never a symptom (a rule of the project). What an instance
uses (CPU, memory), what it sends and whether it runs is its own state, as far as its load does not
explain it: half the requests are half the traffic. Latency and errors are symptoms: what the
callees of a workload show as well came from them, and only the rest is its own. A caller that
waits longer than its callees say they took points at the way to them: at the callees all of whose
callers wait.

What is left is counted in usual moves (`moves.py`); less than `sigma` of them is no evidence.
Different kinds of evidence add up as logarithms: a workload with three strange kinds comes before
one with a single larger number, and no number alone drowns the rest. Of many series one is always
odd, so `named` ranks calm moments of the history as well: a first suspect no stronger than theirs
is none. An incident that leaves no trace has no root: `unknown`, not a guess.

Source: the walk along anomalous callees is that of MonitorRank (https://doi.org/10.1145/2465529.2465753)
and MicroRCA (https://doi.org/10.1109/NOMS47738.2020.9110353), here by amounts instead of correlation;
the units follow BARO's comparison of before and after (https://doi.org/10.1145/3660805).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from aiops.diagnose import moves
from aiops.diagnose.moves import Moves
from aiops.domain import FloatArray


class Kind(StrEnum):
    """What a signal says of its workload."""

    LOAD = "load"  # requests it gets
    LATENCY = "latency"  # of its answers
    ERRORS = "errors"  # of its answers, up is bad
    WAIT = "wait"  # latency of its calls, as it sees them
    CPU = "cpu"
    MEMORY = "memory"
    TRAFFIC = "traffic"  # bytes or system calls: follow load
    INSTANCE = "instance"  # restarts, pods that wait


# A first suspect as strong as one in twenty calm moments has is no news: the usual 5 % of a test.
_CHANCE = 0.05
_OWN = (Kind.CPU, Kind.MEMORY, Kind.TRAFFIC)


@dataclass(frozen=True, slots=True)
class Measure:
    """One signal. `wait`: the column where the same quantity is seen by the caller, for latency."""

    name: str
    kind: Kind
    wait: int | None = None


@dataclass(frozen=True, slots=True)
class Trace:
    """One kind of evidence of a suspect: the signal that moved most, by so many usual moves.

    `moved`: what nobody else explains of it, in units.
    """

    kind: Kind
    signal: str
    size: float
    moved: float


@dataclass(frozen=True, slots=True)
class Suspect:
    """A workload by its row. `strength`: sum of log(1 + size) of its traces, strongest first."""

    row: int
    strength: float
    traces: tuple[Trace, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """What is ranked: [S] measures, (caller, callee) rows, and what counts.

    `sigma`: usual moves that are evidence. `outside`: [W], rows that nobody here can change (a name
    that only its callers measure): they explain, and are not ranked.
    """

    measures: Sequence[Measure]
    calls: Sequence[tuple[int, int]]
    sigma: float
    outside: NDArray[np.bool_] | None = None


def named(
    values: FloatArray, at: int, calm_until: int, before_steps: int, least: FloatArray, graph: Graph
) -> tuple[Suspect, ...]:
    """Return the suspects of a change of [W, S, T] at a step; none where calm moments have as strong ones.

    The history is calm before step `calm_until`; too short a one knows no calm, and nobody is named.
    """
    found = moves.moves(values, at, before_steps, least)
    suspects = rank(found, graph.measures, graph.calls, graph.sigma, graph.outside)
    usual = moves.calm(values, calm_until, values.shape[2] - at, before_steps, found.usual)
    if not suspects or not usual:
        return ()
    others = [rank(one, graph.measures, graph.calls, graph.sigma, graph.outside) for one in usual]
    strength = [one[0].strength if one else 0.0 for one in others]
    return suspects if suspects[0].strength > float(np.quantile(strength, 1 - _CHANCE)) else ()


def rank(
    found: Moves,
    measures: Sequence[Measure],
    calls: Sequence[tuple[int, int]],
    sigma: float,
    outside: NDArray[np.bool_] | None = None,
) -> tuple[Suspect, ...]:
    """Return the workloads with evidence of their own, the strongest first; ties by row."""
    callees = _matrix(calls, len(found.moved))  # [W, W]
    left = unexplained(found, measures, callees)
    sizes = found.sizes(left)
    kinds = np.array([measure.kind for measure in measures])
    waits = kinds == Kind.WAIT
    sizes[:, waits] = _ways(sizes[:, waits], callees)
    sizes[:, kinds == Kind.LOAD] = 0.0
    suspects = []
    for row in range(len(sizes)):
        if outside is not None and outside[row]:
            continue
        traces = _traces(sizes[row], left[row], measures, kinds, sigma)
        if traces:
            suspects.append(Suspect(row, float(sum(np.log1p(trace.size) for trace in traces)), traces))
    return tuple(sorted(suspects, key=lambda one: (-one.strength, one.row)))


def unexplained(found: Moves, measures: Sequence[Measure], callees: FloatArray) -> FloatArray:
    """Return what load and callees do not explain of the moves: [W, S] in units."""
    left = np.nan_to_num(found.moved)
    load = _share_of_load(found, measures)
    for column, measure in enumerate(measures):
        moved = np.nan_to_num(found.moved[:, column])
        if measure.kind in _OWN:
            left[:, column] = _beyond(moved, found.before[:, column], load)
        elif measure.kind in (Kind.LATENCY, Kind.ERRORS):
            rise = np.maximum(moved, 0.0)
            theirs = callees @ rise
            if measure.wait is not None:
                theirs = np.maximum(theirs, np.nan_to_num(found.moved[:, measure.wait]))
            left[:, column] = np.maximum(rise - theirs, 0.0)
            if measure.wait is not None:
                # One slow callee is enough to wait for; what callees took together is not waited for.
                waited = np.nan_to_num(found.moved[:, measure.wait]) - (callees * rise).max(axis=1)
                left[:, measure.wait] = np.maximum(waited, 0.0)
    return left


def _share_of_load(found: Moves, measures: Sequence[Measure]) -> FloatArray:
    """Return by what share the load of each workload moved: [W], 0 when it is not known."""
    columns = [column for column, measure in enumerate(measures) if measure.kind is Kind.LOAD]
    if not columns:
        return np.zeros(len(found.moved))
    moved, before = found.moved[:, columns[0]], found.before[:, columns[0]]
    known = np.isfinite(moved) & (before > 0)
    share: FloatArray = np.where(known, moved / np.where(known, before, 1.0), 0.0)
    return share


def _beyond(moved: FloatArray, before: FloatArray, load: FloatArray) -> FloatArray:
    """Return what load does not explain of a quantity that moves at most in proportion to it: [W]."""
    explained = load * np.nan_to_num(before)
    same = np.sign(explained) == np.sign(moved)
    rest: FloatArray = np.sign(moved) * np.maximum(
        np.abs(moved) - np.where(same, np.abs(explained), 0.0), 0.0
    )
    return rest


def _ways(waits: FloatArray, callees: FloatArray) -> FloatArray:
    """Return how strange the way to each workload is: the least of what its callers wait: [W, K].

    A caller that does not wait clears it. A workload without callers has no way to it.
    """
    calling = np.where(callees.sum(axis=1)[:, None] > 0, waits, 0.0)  # who calls nobody waits for nobody
    least = np.where(callees.T[:, :, None] > 0, calling[None], np.inf).min(axis=1, initial=np.inf)
    return np.where(np.isfinite(least), least, 0.0)


def _traces(
    sizes: FloatArray,
    left: FloatArray,
    measures: Sequence[Measure],
    kinds: NDArray[np.str_],
    sigma: float,
) -> tuple[Trace, ...]:
    """Return the strongest signal of each kind that reaches `sigma`, strongest kind first."""
    made = []
    for kind in dict.fromkeys(measure.kind for measure in measures):
        columns = np.flatnonzero(kinds == kind)
        column = int(columns[np.argmax(sizes[columns])])
        if sizes[column] >= sigma:
            made.append(Trace(kind, measures[column].name, float(sizes[column]), float(left[column])))
    return tuple(sorted(made, key=lambda trace: (-trace.size, trace.kind)))


def _matrix(calls: Sequence[tuple[int, int]], rows: int) -> FloatArray:
    """Return 1.0 where the row of the caller calls the column: [W, W]."""
    made = np.zeros((rows, rows))
    for caller, callee in calls:
        if caller != callee:
            made[caller, callee] = 1.0
    return made
