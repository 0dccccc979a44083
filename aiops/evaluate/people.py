"""What people did in git beside what would have been proposed. Looks ahead on purpose: it judges.

A person agreed when the same field got the proposed value within a day; did otherwise when it got
another one; let it be when it kept its value, and a day is over. Also the other way round: rollbacks
that people made (a field goes back to an earlier value) and whether a proposal was there before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from aiops import deciding
from aiops.domain import PastValue, Workload
from aiops.evaluate.ledger import Proposed
from aiops.gitops import past, where
from aiops.job import Job
from aiops.ports import Repository

AGREE_S = 86_400
Answer = Literal["same", "other", "none", "early"]


@dataclass(frozen=True, slots=True)
class Reply:
    """What people did about one proposal: `at_s` None for nothing, "early" when their day is not over."""

    answer: Answer
    value: str
    at_s: int | None


@dataclass(frozen=True, slots=True)
class Act:
    """A rollback that people made. `ahead_s`: how much earlier a right proposal was open, None = none."""

    workload: Workload
    old: str
    new: str
    at_s: int
    ahead_s: int | None


def replies(job: Job, repository: Repository, proposals: Sequence[Proposed], now_s: int) -> tuple[Reply, ...]:
    """Return what people did about each proposal, in order. `now_s`: how far git can tell."""
    sha = repository.head(job.base)
    found = []
    for one in proposals:
        target = deciding.locate(job, repository, sha, one.workload, one.field, None)  # type: ignore[arg-type]
        found.append(_reply(one, target.history, now_s))
    return tuple(found)


def _reply(one: Proposed, history: Sequence[PastValue], now_s: int) -> Reply:
    later = [past for past in history if one.opened_s < past.since_s <= one.opened_s + AGREE_S]
    if not later:
        return Reply("early" if now_s < one.opened_s + AGREE_S else "none", one.old, None)
    first = min(later, key=lambda past: past.since_s)
    same = first.value == one.new
    if one.action == "scale" and first.value.isdigit() and one.old.isdigit():
        same = int(first.value) > int(one.old)  # more is what was asked for, how much is a person's choice
    return Reply("same" if same else "other", first.value, first.since_s)


def acts(
    job: Job, repository: Repository, proposals: Sequence[Proposed], start_s: int, end_s: int
) -> tuple[Act, ...]:
    """Return the rollbacks of image tags that people made in the span, oldest first."""
    files = repository.files(repository.head(job.base))
    found = []
    for workload, targets in where.workloads(files, job.clusters):
        for target in targets:
            if target.field not in where.IMAGES or target.winner is None:
                continue
            history = past.values(repository, files.sha, target).history  # newest first
            for at, one in enumerate(history):
                earlier = [old.value for old in history[at + 1 :]]
                if start_s <= one.since_s <= end_s and one.value in earlier[1:]:
                    found.append(_act(workload, earlier[0], one, proposals))
    return tuple(sorted(found, key=lambda act: (act.at_s, act.workload)))


def _act(workload: Workload, old: str, one: PastValue, proposals: Sequence[Proposed]) -> Act:
    ahead = [
        one.since_s - each.opened_s
        for each in proposals
        if is_same(each.workload, workload)
        and (each.old, each.new) == (old, one.value)
        and one.since_s - AGREE_S <= each.opened_s <= one.since_s
    ]
    return Act(workload, old, one.value, one.since_s, max(ahead, default=None))


def is_same(measured: Workload, written: Workload) -> bool:
    """Compare what metrics name with what the repository names, which may not know its cluster."""
    same = (measured.namespace, measured.name) == (written.namespace, written.name)
    return same and (measured.cluster == written.cluster or not written.cluster)
