"""The grammar that the presets share: how a piece of PromQL becomes a named `Query`.

Forms that repeat in the presets, and the trap each avoids:
- `cluster` is in every `by` and `on`: without it, two clusters behind one Thanos are added up.
- a service that never failed has no error series, so its ratio would not exist: `or 0 * all`.
- a ratio is divided by `> 0` only: 0/0 is "NaN", which would hide the fallback after it.
- `A or B` joins by the whole label set: both sides are aggregated by the same labels.
- `max by` around an exporter's series: two replicas of the exporter must not count double.
"""

from __future__ import annotations

from aiops.domain import Query, Signal

WORKLOAD = ("cluster", "namespace", "workload")


def by(labels: tuple[str, ...]) -> str:
    """Return the grouping clause of an aggregation."""
    return f"by ({', '.join(labels)})"


def signal_query(signal: Signal, expr: str, labels: tuple[str, ...] = WORKLOAD) -> Query:
    """Return a query that the detector scores; `labels`: cluster, namespace and workload in order."""
    cluster, namespace, workload = labels
    return Query(signal.name, expr, signal.unit, labels, cluster, namespace, workload, signal)


def context_query(
    name: str,
    expr: str,
    unit: str,
    labels: tuple[str, ...] = WORKLOAD,
    *,
    namespace: str = "namespace",
    workload: str = "workload",
) -> Query:
    """Return a query that is asked once something is wrong. `workload` "": not per workload."""
    return Query(name, expr, unit, labels, "cluster", namespace, workload)
