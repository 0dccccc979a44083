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
from aiops.evaluate import spread
from aiops.evaluate.ledger import Ledger, Proposed
from aiops.evaluate.looking import Look, analysed
from aiops.evaluate.spans import LEVELS
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
    doors: spread.Doors | None = None,
) -> Replay:
    """Replay the runs of `span` (first, last, seconds between). `every_run`: skip none, to compare.

    `doors`: opens job, metrics and repository in another process; None = this one does all.
    """
    look, workers = Look(job, metrics, repository, span[1]), spread.processes()
    if doors is None or workers == 1 or span[1] - span[0] <= spread.PART_S:
        return follow(job, look, span, tell, every_run=every_run)
    return follow(job, spread.ahead(doors, look, span, workers, tell), span, tell)


def follow(
    job: Job,
    look: Look | spread.Ahead,
    span: tuple[int, int, int],
    tell: Progress,
    *,
    every_run: bool = False,
) -> Replay:
    """Go through the runs in order: open, close, and write down."""
    start_s, end_s, every_s = span
    ledger, looked, unusable, head = Ledger(), 0, 0, ""
    times = range(start_s, end_s + 1, every_s)
    days = -(-(end_s - start_s) // DAY_S)
    for count, now_s in enumerate(times):
        if count % max(1, DAY_S // every_s) == 0 and now_s < end_s:
            tell(f"day {(now_s - start_s) // DAY_S + 1} of {days}")
        run = look.at(now_s)
        before, head = head, run.head
        unusable += not run.judged
        if every_run or ledger.matters(run.firing, moved=before != head):
            looked += 1
            plan = look.plan(now_s, afresh=every_run)
            if plan is not None:  # else it was counted above, and what is open stays open
                found = pipeline.propose(job, analysed(plan), look.past, ledger.forge, now_s, _quiet)
                ledger.note(now_s, found)
        if run.firing and ledger.open():
            ledger.weigh(look.strengths(now_s))
    peaks = look.peaks(range(-(-start_s // DAY_S), end_s // DAY_S))
    return Replay(
        *(start_s, end_s, every_s, len(times), looked, unusable, ledger.proposals()),
        workload_days=len(peaks),
        reached=tuple(int((peaks >= level).sum()) for level in LEVELS) if len(peaks) else (),
    )


def _quiet(_: str) -> None:
    """Say nothing: a replay has its own progress."""
