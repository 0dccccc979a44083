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
from aiops.domain import Hold, Outcome, PullRequest, Workload
from aiops.errors import DataUnusable
from aiops.evaluate.spans import Spans
from aiops.evaluate.worlds import PastForge, PastMetrics, PastRepository
from aiops.job import Job, Progress, Result
from aiops.ports import Metrics, Repository
from aiops.propose import marker


@dataclass(frozen=True, slots=True)
class Proposed:
    """One pull request that would have been opened. `ended_s`, `outcome`: when and why aiops closed it."""

    workload: Workload
    action: str
    field: str
    old: str
    new: str
    cause: str
    rule: str
    reason: str
    onset_s: int
    opened_s: int
    ended_s: int | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Replay:
    """A whole replay.

    `runs`: scheduled; `looked`: of them, something had to be decided; `unusable`: of all runs, those
    without the samples for a single verdict. They are neither calm nor the opposite.
    """

    start_s: int
    end_s: int
    every_s: int
    runs: int
    looked: int
    unusable: int
    proposals: tuple[Proposed, ...]


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
    world, past, forge = PastMetrics(metrics, end_s), PastRepository(repository, job.base), PastForge()
    spans = Spans(job, world)
    opened: dict[int, tuple[int, Result]] = {}
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
        if not every_run and not _matters(spans.firing(now_s), _open(forge), moved=head != seen):
            continue
        looked += 1
        try:
            found = pipeline.analyse(
                job, world, past, now_s, _quiet, scored=None if every_run else spans.scores
            )
        except DataUnusable:
            continue
        found = pipeline.propose(job, found, past, forge, now_s, _quiet)
        for sent in found.sent.values():
            if sent.state == "opened" and sent.pull is not None:
                opened[sent.pull.number] = (now_s, found)
    proposals = [_proposed(pull, *opened[pull.number]) for pull in reversed(forge.pulls())]
    return Replay(start_s, end_s, every_s, len(times), looked, unusable, tuple(proposals))


def _quiet(_: str) -> None:
    """Say nothing: a replay has its own progress."""


def _open(forge: PastForge) -> set[str]:
    marks = [marker.parse(pull.body) for pull in forge.pulls() if pull.state == "open"]
    return {mark.workload for mark in marks if mark is not None}


def _matters(firing: set[str], proposed: set[str], *, moved: bool) -> bool:
    """Tell whether a run can open or close anything: what fires and what is open differ, or a commit came."""
    return firing != proposed or (moved and bool(proposed))


def _proposed(pull: PullRequest, opened_s: int, found: Result) -> Proposed:
    sent = {one.pull.number: workload for workload, one in found.sent.items() if one.pull is not None}
    (item,) = [one for one in found.plan.items if one.workload == sent[pull.number]]
    decision, mark = item.decision, marker.parse(pull.body)
    if isinstance(decision, Hold) or mark is None:
        raise ValueError("a pull request without a change")
    return Proposed(
        workload=item.workload,
        action=decision.action,
        field=decision.field,
        old=str(decision.old),
        new=str(decision.new),
        cause=item.diagnosis.cause.value,
        rule=decision.rule,
        reason=decision.reason,
        onset_s=item.incident.onset_s or opened_s,
        opened_s=opened_s,
        ended_s=pull.closed_at_s,
        outcome=mark.outcome,
    )
