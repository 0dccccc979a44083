"""Several Prometheus servers, one for each cluster, read as one.

Comes in: named sources. Goes out: one Answer whose series carry the name of their cluster, unless
the server's own relabelling says it already. One source that fails fails the read: a cluster that
is missing must not look like a cluster that is calm.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from aiops.domain import Answer, Grid, Query


class Source(Protocol):
    """What this room needs of one server."""

    def read(self, query: Query, grid: Grid) -> Answer:
        """Answer one named query on a grid."""
        ...

    def now_s(self) -> int:
        """Return the server's time."""
        ...


class SeveralMetrics:
    """Reads every named source and joins the answers, in the order of their names."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = dict(sorted(sources.items()))

    def read(self, query: Query, grid: Grid) -> Answer:
        """Return all series of all clusters. Raises what the first failing source raises."""
        label = query.cluster_label or "cluster"
        answers = {name: source.read(query, grid) for name, source in self._sources.items()}
        labels = [
            {**one, label: one.get(label) or name}
            for name, answer in answers.items()
            for one in answer.labels
        ]
        values = np.concatenate([answer.values for answer in answers.values()])  # [N1+N2+.., T]
        order = sorted(range(len(labels)), key=lambda row: sorted(labels[row].items()))
        counted = [answer.samples for answer in answers.values()]
        return Answer(
            query=query,
            labels=tuple(labels[row] for row in order),
            values=values[order],
            times=grid.times,
            warnings=tuple(f"{name}: {text}" for name, one in answers.items() for text in one.warnings),
            samples=None if None in counted else sum(count or 0 for count in counted),
        )

    def now_s(self) -> int:
        """Return the earliest of the servers' times: no cluster is judged before its samples are in."""
        return min(source.now_s() for source in self._sources.values())
