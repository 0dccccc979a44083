"""What the runs of the past saw: who fired, and the plan that each would have made.

Nothing here depends on what was opened before, so runs can be looked at in any order, and days of
them in several processes (`spread`). What is opened and closed is for one after the other: `ledger`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiops import pipeline
from aiops.domain import Grid, Plan
from aiops.errors import DataUnusable
from aiops.evaluate.spans import Spans
from aiops.evaluate.worlds import PastMetrics, PastRepository
from aiops.job import Job, Result
from aiops.ports import Metrics, Repository


@dataclass(frozen=True, slots=True)
class Seen:
    """One run. `head`: the commit of then; `firing`: hashes; `judged`: there was a verdict on anything."""

    head: str
    firing: frozenset[str]
    judged: bool


class Look:
    """Looks at one run after the other; what a day needs is computed once and kept for that day."""

    def __init__(self, job: Job, metrics: Metrics, repository: Repository, end_s: int) -> None:
        self._job = job
        self._world = PastMetrics(metrics, end_s)
        self._spans = Spans(job, self._world)
        self.past = PastRepository(repository, job.base)

    def at(self, now_s: int) -> Seen:
        """Return what a run at `now_s` saw at once."""
        self.past.now = now_s
        return Seen(self.past.head(self._job.base), self.firing(now_s), self._spans.judged(now_s))

    def firing(self, now_s: int) -> frozenset[str]:
        """Return the hashes of the workloads that a run at `now_s` finds firing."""
        self._world.now = now_s
        return frozenset(self._spans.firing(now_s))

    def strengths(self, now_s: int) -> Mapping[str, float]:
        """Return the highest threshold at which each firing workload would still have fired."""
        return self._spans.strengths(now_s)

    def plan(self, now_s: int, *, afresh: bool = False) -> Plan | None:
        """Return the plan of a run, None without usable data. `afresh`: score it as that run would have."""
        self._world.now = self.past.now = now_s
        scored = None if afresh else self._spans.scores
        try:
            found = pipeline.analyse(self._job, self._world, self.past, now_s, lambda _: None, scored=scored)
        except DataUnusable:
            return None
        return found.plan

    def peaks(self, days: Sequence[int]) -> NDArray[np.float64]:
        """Return the highest level at which each workload would have fired on each of the days: [N]."""
        return self._spans.peaks(days)


def analysed(plan: Plan) -> Result:
    """Return the first half of a run, as far as its plan tells: all that the second half reads."""
    return Result(
        plan=plan,
        window=Grid(plan.data_time_s, plan.data_time_s, plan.step_s),
        incidents=(),
        scores=None,
        sent={},
        guardrails=(),
        unresolved=(),
        errors=(),
    )
