"""Reads single numbers out of the answers of context queries.

A row is one series of an `Answer`, float64 [T]. Label values are hostile text: they are compared
and shown, never interpreted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from aiops.domain import Answer, FloatArray, Workload

# Steps at the end of a grid that count as "now". Longer than one scrape, so that one lost scrape
# is no "not measured", and short enough that what ended is not reported as going on.
NOW_STEPS = 5

# (cluster, namespace, name) -> kind, as `panels.workload_kinds` reads it from the metrics.
Kinds = Mapping[tuple[str, str, str], str]
Row = tuple[Mapping[str, str], FloatArray]


def named(labels: Mapping[str, str], kinds: Kinds, *, namespace: str, name: str) -> Workload:
    """Return the workload that two labels name; kind "" when no metric tells it."""
    key = (labels.get("cluster", ""), labels.get(namespace, ""), labels.get(name, ""))
    return Workload(key[0], key[1], kinds.get(key, ""), key[2])


class Sources:
    """The answers of one run, found by workload.

    An index per answer, made when first asked: in a storm, looking through every row for every
    incident would be quadratic.
    """

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = answers
        self._index: dict[tuple[str, str, str], dict[tuple[str, str, str], list[int]]] = {}

    def rows(
        self, source: str, workload: Workload, namespace: str = "namespace", name: str = "workload"
    ) -> list[Row]:
        """Return (labels, [T]) of the rows whose two labels name a workload, in the order of the answer."""
        answer = self.answers.get(source)
        if answer is None:
            return []
        found = self._index.setdefault((source, namespace, name), {})
        if not found:
            for row, labels in enumerate(answer.labels):
                key = (labels.get("cluster", ""), labels.get(namespace, ""), labels.get(name, ""))
                found.setdefault(key, []).append(row)
        return [(answer.labels[row], answer.values[row]) for row in found.get(workload.key, [])]

    def newest(
        self,
        source: str,
        workload: Workload,
        pick: Callable[[list[float]], float] = max,
        name: str = "workload",
    ) -> float | None:
        """Return `pick` over the newest values of the rows of a workload, None when there is none."""
        values = [newest(row) for _, row in self.rows(source, workload, name=name)]
        known = [value for value in values if value is not None]
        return pick(known) if known else None


def newest(values: FloatArray) -> float | None:
    """Return the newest finite value of the last `NOW_STEPS` steps, None when there is none."""
    recent = values[-NOW_STEPS:]
    finite = recent[np.isfinite(recent)]
    return float(finite[-1]) if finite.size else None


def median(values: FloatArray) -> float | None:
    """Return the median of the finite values, None when there is none."""
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if finite.size else None
