"""Holds kept plans against what happened: what a job that only wrote plans would have opened.

Comes in: the plans of `aiops run --plan`, checked, each with the name of its file. Goes out: the same
`Replay` as of history. The second half of each run is `pipeline.propose` at the commit that the plan
was made at, so that guardrails, and what makes two plans one pull request, are those of the job.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median_low

from aiops import pipeline
from aiops.detect.windows import EVALUATION_DELAY_S
from aiops.domain import Commit, Plan, State
from aiops.errors import ConfigError
from aiops.evaluate.backtest import Replay
from aiops.evaluate.ledger import Ledger
from aiops.evaluate.looking import analysed
from aiops.job import Job, Progress
from aiops.ports import Files, Repository
from aiops.propose import marker

_MOST_COMMITS = 100_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A plan and the name of the file that it was kept in."""

    name: str
    plan: Plan


class Commits:
    """The repository as each plan saw it: the base branch points to the commit of the plan."""

    def __init__(self, repository: Repository, base: str) -> None:
        self._repository = repository
        self._base = base
        self.shallow = repository.shallow
        found = repository.commits(repository.head(base), ".", _MOST_COMMITS)
        self._known = {commit.sha for commit in found}
        self.now = ""

    def refusal(self, plan: Plan) -> str:
        """Return why a plan cannot be held against this repository, "" when it can."""
        if plan.base != self._base:
            return f"it is about the branch {plan.base!r}, not {self._base!r}"
        if plan.base_sha not in self._known:
            return f"its commit {plan.base_sha[:12]} is not on {self._base!r} of this repository"
        return ""

    def head(self, base: str) -> str:
        """Return the commit of the plan that is looked at."""
        if base != self._base:
            raise ConfigError(f"no plan is about the branch {base!r}", where="repository")
        return self.now

    def files(self, sha: str) -> Files:
        """Return the manifests of one commit."""
        return self._repository.files(sha)

    def commits(self, sha: str, path: str, limit: int) -> tuple[Commit, ...]:
        """Return the commits behind `sha` that touched `path`, newest first."""
        return self._repository.commits(sha, path, limit)


def run_s(plan: Plan) -> int:
    """Return when the run that wrote the plan began at the latest: it holds no wall time."""
    return plan.data_time_s + EVALUATION_DELAY_S


def compare(job: Job, commits: Commits, kept: Sequence[Kept], tell: Progress) -> Replay:
    """Propose, as if the forge were there, what each plan holds. `kept`: not empty, none refused."""
    ledger, looked, head = Ledger(), 0, ""
    ordered = sorted(kept, key=lambda one: (run_s(one.plan), one.name))
    for count, one in enumerate(ordered):
        if count % 100 == 0:
            tell(f"plan {count + 1:,} of {len(ordered):,}")
        plan, now_s = one.plan, run_s(one.plan)
        seen, head = head, plan.base_sha
        commits.now = head
        firing = {
            marker.workload_hash(item.workload) for item in plan.items if item.incident.state is State.FIRING
        }
        if ledger.matters(firing, moved=head != seen):
            looked += 1
            found = pipeline.propose(job, analysed(plan), commits, ledger.forge, now_s, lambda _: None)
            ledger.note(now_s, found, one.name)
    times = [run_s(one.plan) for one in ordered]
    return Replay(times[0], times[-1], _pace(times), len(ordered), looked, 0, ledger.proposals())


def _pace(times: Sequence[int]) -> int | None:
    """Return the usual time between two plans."""
    gaps = [later - earlier for earlier, later in pairwise(times) if later > earlier]
    return median_low(gaps) if gaps else None
