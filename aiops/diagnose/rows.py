"""Reads single numbers out of the answers of context queries.

A row is one series of an `Answer`, float64 [T]. Label values are hostile text: they are compared
and shown, never interpreted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from aiops.domain import Answer, FloatArray, Workload

# Steps at the end of a grid that count as "now". Longer than one scrape, so that one lost scrape
# is no "not measured", and short enough that what ended is not reported as going on.
NOW_STEPS = 5

# (cluster, namespace, name) -> kind, as `panels.workload_kinds` reads it from the metrics.
Kinds = Mapping[tuple[str, str, str], str]


def named(labels: Mapping[str, str], kinds: Kinds, *, namespace: str, name: str) -> Workload:
    """Return the workload that two labels name; kind "" when no metric tells it."""
    key = (labels.get("cluster", ""), labels.get(namespace, ""), labels.get(name, ""))
    return Workload(key[0], key[1], kinds.get(key, ""), key[2])


def of_workload(
    answer: Answer | None, workload: Workload, namespace: str = "namespace", name: str = "workload"
) -> Iterator[tuple[Mapping[str, str], FloatArray]]:
    """Yield (labels, [T]) of the rows that belong to one workload, in the order of the answer."""
    if answer is None:
        return
    for labels, values in zip(answer.labels, answer.values, strict=True):  # [N, T] -> [T]
        if (labels.get("cluster", ""), labels.get(namespace, ""), labels.get(name, "")) == workload.key:
            yield labels, values


def newest(values: FloatArray) -> float | None:
    """Return the newest finite value of the last `NOW_STEPS` steps, None when there is none."""
    recent = values[-NOW_STEPS:]
    finite = recent[np.isfinite(recent)]
    return float(finite[-1]) if finite.size else None


def median(values: FloatArray) -> float | None:
    """Return the median of the finite values, None when there is none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else None


def worst_now(
    answer: Answer | None,
    workload: Workload,
    pick: Callable[[list[float]], float] = max,
    name: str = "workload",
) -> float | None:
    """Return `pick` over the newest values of all rows of a workload, None when there is none."""
    values = [newest(row) for _, row in of_workload(answer, workload, name=name)]
    known = [value for value in values if value is not None]
    return pick(known) if known else None
