"""Replays history: what the scheduled job would have proposed, run by run, knowing nothing later.

Comes in: the job, real metrics and a real repository. Goes out: `Replay`. Each run that may do
something is `pipeline.analyse` and `pipeline.propose` on the world of its time; the others are
those in which no workload fires and nothing is open, or all that fires is proposed already.
Proposals stay open and unmerged until aiops itself closes them: nobody's merge changes history.
"""

from __future__ import annotations

from dataclasses import dataclass

from aiops import pipeline
from aiops.detect.settings import DAY_S
from aiops.errors import DataUnusable
from aiops.evaluate.ledger import Ledger, Proposed
from aiops.evaluate.spans import LEVELS, Spans
from aiops.evaluate.worlds import PastMetrics, PastRepository
from aiops.job import Job, Progress
from aiops.ports import Metrics, Repository


@dataclass(frozen=True, slots=True)
class Replay:
    """A whole replay, of history or of kept plans.

    `every_s`: between runs, None where there is no schedule. `runs`: scheduled, or plans; `looked`: of
    them, something had to be decided; `unusable`: of all runs, those without the samples for a single
    verdict. They are neither calm nor the opposite. `workload_days`: whole days of the span that a
    workload was scored on; `reached`: on how many of them it would have fired at each of `spans.LEVELS`.
    """

    start_s: int
    end_s: int
    every_s: int | None
    runs: int
    looked: int
    unusable: int
    proposals: tuple[Proposed, ...]
    workload_days: int = 0
    reached: tuple[int, ...] = ()


def replay(
    job: Job,
    metrics: Metrics,
    repository: Repository,
    span: tuple[int, int, int],
    tell: Progress,
    *,
    every_run: bool = False,
) -> Replay:
    """Replay the runs of `span` (first, last, seconds between). `every_run`: skip none, to compare."""
    start_s, end_s, every_s = span
    world, past, ledger = PastMetrics(metrics, end_s), PastRepository(repository, job.base), Ledger()
    spans = Spans(job, world)
    looked = unusable = 0
    head = ""
    times = range(start_s, end_s + 1, every_s)
    days = -(-(end_s - start_s) // DAY_S)
    for count, now_s in enumerate(times):
        if count % max(1, DAY_S // every_s) == 0 and now_s < end_s:
            tell(f"day {(now_s - start_s) // DAY_S + 1} of {days}")
        world.now = past.now = now_s
        seen, head = head, past.head(job.base)
        unusable += not spans.judged(now_s)
        if every_run or ledger.matters(spans.firing(now_s), moved=head != seen):
            looked += 1
            try:
                scored = None if every_run else spans.scores
                found = pipeline.analyse(job, world, past, now_s, _quiet, scored=scored)
                ledger.note(now_s, pipeline.propose(job, found, past, ledger.forge, now_s, _quiet))
            except DataUnusable:
                pass  # counted above; what is open stays open
        ledger.weigh(now_s, spans.strength)
    peaks = spans.peaks(start_s, end_s)
    return Replay(
        *(start_s, end_s, every_s, len(times), looked, unusable, ledger.proposals()),
        workload_days=len(peaks),
        reached=tuple(int((peaks >= level).sum()) for level in LEVELS) if len(peaks) else (),
    )


def _quiet(_: str) -> None:
    """Say nothing: a replay has its own progress."""
