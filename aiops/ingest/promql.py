"""The grammar that the presets share: how a piece of PromQL becomes a named `Query`.

Forms that repeat in the presets, and the trap each avoids:
- `cluster` is in every `by` and `on`: without it, two clusters behind one Thanos are added up.
- a service that never failed has no error series, so its ratio would not exist: `or 0 * all`.
- a ratio is divided by `> 0` only: 0/0 is "NaN", which would hide the fallback after it.
- `A or B` joins by the whole label set: both sides are aggregated by the same labels.
- `max by` around an exporter's series: two replicas of the exporter must not count double.
"""

from __future__ import annotations

from aiops.domain import Query, Signal, Workload

WORKLOAD = ("cluster", "namespace", "workload")


def by(labels: tuple[str, ...]) -> str:
    """Return the grouping clause of an aggregation."""
    return f"by ({', '.join(labels)})"


def label_from(vector: str, label: str, sources: tuple[str, ...]) -> str:
    """Return the vector with `label` taken from the first of the `sources` that is not empty."""
    for source in reversed(sources):
        vector = f'label_replace({vector}, "{label}", "$1", "{source}", "(.+)")'
    return vector


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


def narrowed(query: Query, workload: Workload) -> str:
    """Return the query for this workload alone, as a person asks it; unchanged where it is not per workload.

    By `and on` a vector that has the two labels, so it holds for any expression, whatever it joins and
    renames inside. The cluster is left out: where several servers are read, it is no label of theirs.
    """
    if not query.namespace_label or not query.workload_label:
        return query.expr
    wanted = "vector(1)"
    pairs = ((query.namespace_label, workload.namespace), (query.workload_label, workload.name))
    for label, value in pairs:
        wanted = f'label_replace({wanted}, "{label}", "{_quoted(value)}", "", "")'
    return f"({query.expr}) and on ({query.namespace_label}, {query.workload_label}) {wanted}"


def _quoted(text: str) -> str:
    """Return a name inside a PromQL string and a replacement, where `$` refers to a group."""
    text = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return text.replace("$", "$$")
