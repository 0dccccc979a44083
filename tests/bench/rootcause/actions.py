"""What the rules would propose on a case: its incidents through `diagnose` and `decide`.

Every gate that data could close stands open: one Deployment without an autoscaler per workload,
one pod, room for more, no missing source, no deploy (the data has none), a place for each field.
What holds is then held by the diagnosis alone.
"""

from __future__ import annotations

import numpy as np
from bench.rootcause import ours
from bench.rootcause.cases import Case

from aiops.decide import policy
from aiops.diagnose import diagnosis
from aiops.diagnose.moves import Moves, moves
from aiops.domain import (
    Breach,
    CallEdge,
    Capacity,
    Context,
    Incident,
    Panel,
    Place,
    Rollout,
    Scores,
    State,
    Target,
    Verdict,
    Workload,
)
from aiops.ingest import presets
from aiops.limits import LIMITS

# Metric of the data set -> (signal of the presets, factor to its unit).
# fmt: off
SIGNALS = {
    "ops": ("request_rate", 1.0), "requests_Sum": ("request_rate", 1 / 300),
    "success_pct": ("error_ratio", 0.01), "availability_Average": ("error_ratio", 0.01),
    "server_p95": ("latency_p95", 1000.0), "latency_p95": ("latency_p95", 1000.0),
    "cpu_pct": ("cpu_utilization", 0.01), "mem_pct": ("memory_utilization", 0.01),
}
# fmt: on


def proposed(case: Case, found: ours.Found, firing: tuple[str, ...]) -> list[str]:
    """Return "ACTION workload" for every incident that ends in a scale or a rollback."""
    if found.onset is None:
        return []
    panel = _panel(case)
    seen = moves(
        panel.values.astype(float),
        found.onset,
        LIMITS.baseline_s // case.step_s,
        np.zeros(len(panel.signals)),
    )
    incidents = [_incident(case, panel, seen, name, found.onset) for name in firing]
    contexts = {one.workload: _context(case, panel, one.workload) for one in incidents}
    queries = {query.name: query for query in presets.signal_queries(("istio", "kubernetes"))}
    out = []
    for one, incident in zip(
        diagnosis.diagnose(incidents, contexts, panel, _scores(panel), queries),
        sorted(incidents, key=lambda i: i.workload),
        strict=True,
    ):
        asked = contexts[one.workload]
        targets = {name: _target(one.workload, name) for name in policy.fields(one, asked)}
        decision = policy.decide(incident, one, asked, targets, LIMITS, panel)
        if decision.action != "hold":
            out.append(f"{decision.action} {one.workload.name}")
    return out


def _workload(name: str) -> Workload:
    return Workload("", "", "Deployment", name)


def _panel(case: Case) -> Panel:
    known = {
        query.signal.name: query.signal
        for query in presets.signal_queries(("istio", "kubernetes"))
        if query.signal
    }
    columns = {metric: SIGNALS[metric] for _, metric in case.columns if metric in SIGNALS}
    signals = tuple(known[name] for name, _ in columns.values())
    place = {metric: at for at, metric in enumerate(columns)}
    values = np.full((len(case.workloads), len(signals), len(case.times)), np.nan, dtype=np.float32)
    for at, (workload, metric) in enumerate(case.columns):
        if metric in columns:
            series = case.values[:, at]
            failed = 100.0 - series if metric == "availability_Average" else series
            values[case.workloads.index(workload), place[metric]] = failed * columns[metric][1]
    return Panel(values, case.times, case.step_s, tuple(_workload(name) for name in case.workloads), signals)


def _incident(case: Case, panel: Panel, seen: Moves, name: str, onset: int) -> Incident:
    row = case.workloads.index(name)
    sizes = seen.sizes(seen.moved)[row]
    start, end = int(case.times[onset]), int(case.times[-1])
    breaches = tuple(
        Breach(signal.name, before + moved, before, signal.unit, size, start, end)
        for signal, before, moved, size in zip(
            panel.signals, seen.before[row].tolist(), seen.moved[row].tolist(), sizes.tolist(), strict=True
        )
        if size >= LIMITS.split_sigma
    )
    return Incident(
        _workload(name),
        Verdict.ANOMALOUS,
        State.FIRING,
        start,
        breaches,
        1.0,
        "lstm",
        None,
        1.0,
        end,
        30 * 3600,
    )


def _context(case: Case, panel: Panel, workload: Workload) -> Context:
    def edge(caller: str, callee: str) -> CallEdge:
        callers = sum(other == callee for _, other in case.calls)
        names = [signal.name for signal in panel.signals]
        load = panel.values[case.workloads.index(callee), names.index("request_rate")] / callers
        hour = case.first - 3600 // case.step_s
        return CallEdge(
            _workload(caller),
            _workload(callee),
            float(np.nan_to_num(np.nanmedian(load[case.first :]))),
            None,
            float(np.nan_to_num(np.nanmedian(load[hour : case.first]))),
            None,
        )

    return Context(
        workload=workload,
        changes=(),
        callees=tuple(edge(a, b) for a, b in case.calls if a == workload.name),
        callers=tuple(edge(a, b) for a, b in case.calls if b == workload.name),
        autoscaler=None,
        capacity=Capacity(1, 1, None, None, 0),
        rollout=Rollout(in_progress=False, stuck=False, waiting=(), restarts=0.0),
        versions=(),
        images=(),
        missing=(),
    )


def _target(workload: Workload, name: str) -> Target:
    place = Place("workload.yaml", 0, ("spec", "replicas"), "1", 0, 1, "Deployment")
    return Target(workload, name, (place,), place, None, (), None)  # type: ignore[arg-type]


def _scores(panel: Panel) -> Scores:
    empty = np.full((*panel.values.shape[:2], 1), np.nan, dtype=np.float32)
    count = len(panel.workloads)
    return Scores(
        empty, empty[:, 0], empty, empty, empty, panel.times[-1:], panel.step_s,
        panel.workloads, panel.signals, ("lstm",) * count, (None,) * count,
    )  # fmt: skip
