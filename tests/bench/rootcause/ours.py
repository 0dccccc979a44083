"""Our answer to a case: onset by our detector, ranking by `diagnose.roots`. One setting for all.

`detect.wide` scores the columns (nothing is said of them), the state machine of `detect.sustain`
opens an incident on the worst column of a workload, with a hold of two steps, and `moves.locate`
says when inside of it most changed.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from bench.rootcause.cases import Case

from aiops.detect import sustain, wide
from aiops.detect.model import Model
from aiops.detect.settings import DetectSettings
from aiops.diagnose import roots
from aiops.diagnose.moves import locate, moves
from aiops.diagnose.roots import Graph, Kind, Measure, Suspect
from aiops.domain import Float32Array, FloatArray
from aiops.limits import LIMITS

HOLD_STEPS = 2
_JUDGED_STEPS = 30  # before the case: the newest half hour at one-minute steps
_FIRING = 2
# What a metric says, by the last part of its column; `%` of success is turned into failures.
# fmt: off
KINDS = {
    "ops": Kind.LOAD, "requests_Sum": Kind.LOAD,
    "success_pct": Kind.ERRORS, "availability_Average": Kind.ERRORS,
    "cpu_m": Kind.CPU, "cpu_pct": Kind.CPU, "mem_mi": Kind.MEMORY, "mem_pct": Kind.MEMORY,
    "syscall_read": Kind.TRAFFIC, "syscall_write": Kind.TRAFFIC,
    "net_rx": Kind.TRAFFIC, "net_tx": Kind.TRAFFIC,
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Found:
    """`onset`: the row at which most changed, None = no incident. Names strongest first.

    `ranked`: everybody with evidence; `named`: the same, or nobody where calm moments have as much.
    """

    onset: int | None
    ranked: tuple[str, ...]
    named: tuple[str, ...]


def answer(case: Case, workload: Float32Array) -> Found:
    """Return what a run at the last row of the case says; `workload`: its scores."""
    first = first_bad(case, workload)
    if first is None:
        return Found(None, (), ())
    values, graph = grid(case)
    hour, least = _hour(case), np.zeros(values.shape[1])
    onset = locate(values, first, hour, least, LIMITS.split_sigma)
    sure = roots.named(values, onset, first, hour, least, graph)
    return Found(onset, names(case, ranked(case, onset)), names(case, sure))


def names(case: Case, suspects: tuple[Suspect, ...]) -> tuple[str, ...]:
    """Return the names of suspects, in their order."""
    return tuple(case.workloads[suspect.row] for suspect in suspects)


def scores(case: Case, model: Model) -> Float32Array:
    """Return the score of each workload [W, T'] in the judged rows: its worst column."""
    judged = case.first - _JUDGED_STEPS
    table = wide.Table(case.times, case.times, tuple(map("|".join, case.columns)), case.values)
    found = wide.score_table(table, judged, model).columns[judged:]  # [T', C]
    owner = np.array([workload for workload, _ in case.columns])
    found = np.where(np.isnan(found), -1.0, found)
    worst = np.array([found[:, owner == workload].max(axis=1) for workload in case.workloads])
    return np.where(worst < 0, np.nan, worst).astype(np.float32)


def first_bad(case: Case, workload: Float32Array) -> int | None:
    """Return the row of the earliest onset of the open incidents, None when there is none."""
    found = _track(case, workload)
    fires = found.state == _FIRING
    return len(case.times) - workload.shape[1] + int(found.onset[fires].min()) if fires.any() else None


def open_before(case: Case, workload: Float32Array) -> bool:
    """Tell whether an incident was open already at the last row before the case."""
    return bool((_track(case, workload).states[:, _JUDGED_STEPS - 1] == _FIRING).any())


def firing(case: Case, workload: Float32Array) -> tuple[str, ...]:
    """Return the workloads with an open incident that lasted for the hold."""
    return tuple(case.workloads[row] for row in np.flatnonzero(_track(case, workload).state == _FIRING))


def _track(case: Case, workload: Float32Array) -> sustain.Track:
    return sustain.track(workload, case.step_s, HOLD_STEPS * case.step_s, DetectSettings())


def ranked(case: Case, onset: int) -> tuple[Suspect, ...]:
    """Return everybody with evidence at an onset, strongest first."""
    values, graph = grid(case)
    found = moves(values, onset, _hour(case), np.zeros(values.shape[1]))
    return roots.rank(found, graph.measures, graph.calls, graph.sigma, graph.outside)


def _hour(case: Case) -> int:
    return LIMITS.baseline_s // case.step_s


def grid(case: Case) -> tuple[FloatArray, Graph]:
    """Return [W, S, T], what the signals are and who calls whom."""
    names = sorted({metric for _, metric in case.columns})
    values = np.full((len(case.workloads), len(names), len(case.times)), np.nan)
    for at, (workload, metric) in enumerate(case.columns):
        sign = -1.0 if kind_of(metric) is Kind.ERRORS else 1.0
        values[case.workloads.index(workload), names.index(metric)] = sign * case.values[:, at]
    waits = {
        name: names.index(other) for name in names if (other := name.replace("server_", "client_")) in names
    }
    measures = [
        Measure(name, kind_of(name), waits.get(name) if name.startswith("server_") else None)
        for name in names
    ]
    row = {name: at for at, name in enumerate(case.workloads)}
    return values, Graph(
        measures,
        [(row[caller], row[callee]) for caller, callee in case.calls],
        LIMITS.split_sigma,
        # AWS X-Ray shows what only a caller saw as a node: `remote` the far side, `client` the near one.
        np.array([name.endswith(("_remote", "_client")) for name in case.workloads]),
    )


def kind_of(metric: str) -> Kind:
    """Return what a metric says: `client_*` is seen by the caller, the other quantiles by who answers."""
    if metric.startswith("client_"):
        return Kind.WAIT
    return KINDS.get(metric, Kind.LATENCY)
