"""The named queries, answered from the plant's own series: a run without a Prometheus.

Comes in: a `Trace`, queries and grids. Goes out: what Prometheus 2.42 answers when it holds the
same series (tests/mesh/test_answers_real.py compares every named query with a real one). The text
of the query is evaluated, so presets may change freely.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from aiops.domain import Answer, Grid, Query
from aiops.errors import ConfigError
from aiops.mesh import expression
from aiops.mesh.evaluation import Evaluation, merged
from aiops.mesh.exposition import exposition
from aiops.mesh.families import Series
from aiops.mesh.plant import Trace

SHORT = 600  # steps; what is remembered of longer grids would fill the memory


@dataclass(frozen=True, slots=True, eq=False)
class MeshMetrics:
    """Metrics of a simulation (the port `Metrics`). Families are made when first asked for."""

    trace: Trace
    _store: dict[str, list[Series]] = field(default_factory=dict, repr=False)
    # Of short grids: most queries share the join of pods to workloads.
    _evaluations: dict[Grid, Evaluation] = field(default_factory=dict, repr=False)

    def now_s(self) -> int:
        """Return the time of the newest scrape."""
        return self.trace.end_s

    def read(self, query: Query, grid: Grid) -> Answer:
        """Return the answer of one query. Raises ConfigError for PromQL that it does not know."""
        if not self._store:
            for family in exposition(self.trace):
                for one in family.series:
                    self._store.setdefault(one.metric, []).append(one)
        times = grid.times
        try:
            found = self._evaluation(grid).vector(expression.parse(query.expr))
        except ValueError as error:
            raise ConfigError(str(error), where=query.name) from error
        named = [{label: labels.get(label, "") for label in query.labels} for labels in found.labels]
        joined = merged(named, found.values)
        kept = [i for i in range(len(joined.labels)) if not np.isnan(joined.values[i]).all()]
        order = sorted(kept, key=lambda i: sorted(joined.labels[i].items()))
        values = joined.values[order] if order else np.empty((0, times.size))
        return Answer(query, tuple(joined.labels[i] for i in order), values, times)

    def _evaluation(self, grid: Grid) -> Evaluation:
        if grid in self._evaluations:
            return self._evaluations[grid]
        short = grid.times.size <= SHORT
        made = Evaluation(self._store, self.trace.start_s, grid.times, {} if short else None)
        if short:
            self._evaluations[grid] = made
        return made
