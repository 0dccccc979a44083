"""The world as it was at a time: metrics, repository and forge that know nothing later.

Each wraps a real port. What lies after `now_s` is not there: not a sample, not a commit, not a pull
request. The forge is nobody's: what it is given is kept, and nothing is merged.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field, replace

import numpy as np

from aiops.domain import Answer, Commit, Grid, IssueText, Proposal, PullRequest, Query, TrackingIssue
from aiops.errors import ConfigError, DataUnusable
from aiops.ingest.grids import columns
from aiops.ports import Files, Metrics, Repository

_MOST_COMMITS = 100_000
# Context is asked for around an incident, run after run: read once for so long, then cut.
_BLOCK_S = 6 * 3_600
_BACK_S = 27 * 3_600
_SLICED_STEPS = 2_000  # longer grids are read once a day anyway, and are not kept


@dataclass(slots=True, eq=False)
class PastMetrics:
    """Samples up to `now_s`; `end_s`: the newest sample that the whole replay may ever read."""

    metrics: Metrics
    end_s: int
    now: int = 0
    _blocks: dict[tuple[str, int], Answer] = field(default_factory=dict, repr=False)

    def now_s(self) -> int:
        """Return the time of the replayed run."""
        return self.now

    def read(self, query: Query, grid: Grid) -> Answer:
        """Return what the server answered then. Steps after `now` have no sample."""
        end_s = min(self.now, self.end_s)
        whole = self._block(query, grid)
        answer = self.metrics.read(query, grid) if whole is None else whole
        found = columns(Grid(int(answer.times[0]), int(answer.times[-1]), grid.step_s), grid)
        if found is None:
            raise DataUnusable("the grid of a block does not hold this one", where=query.name)
        inside = min(found[0], found[-1]) >= 0  # then the steps stand side by side
        values = answer.values[:, found[0] : found[-1] + 1] if inside else answer.values[:, found]
        there = (found >= 0) & (grid.times <= end_s)
        if not there.all():  # most reads end before now, and days of samples need not be copied
            values = np.where(there, values, np.nan)
        kept = np.flatnonzero(np.isfinite(values).any(axis=1))
        if len(kept) == len(values):
            return replace(answer, values=values, times=grid.times)
        labels = tuple(answer.labels[row] for row in kept)
        return replace(answer, labels=labels, values=values[kept], times=grid.times)

    def _block(self, query: Query, grid: Grid) -> Answer | None:
        """Return a longer answer that holds the grid, read once; None for a grid that is read alone."""
        if len(grid.times) > _SLICED_STEPS or grid.step_s > 3_600:
            return None
        step = grid.step_s
        start = grid.end_s // _BLOCK_S * _BLOCK_S
        if grid.start_s < start - _BACK_S:
            return None
        key = (query.name, step)
        known = self._blocks.get(key)
        if known is None or not int(known.times[0]) <= grid.start_s <= grid.end_s <= int(known.times[-1]):
            first = (start - _BACK_S) // step * step + grid.start_s % step
            last = min(start + _BLOCK_S, self.end_s)
            steps = max((last - first) // step, (grid.end_s - first) // step)
            known = self.metrics.read(query, Grid(first, first + steps * step, step))
            self._blocks[key] = known
        return known


class PastRepository:
    """The repository whose base branch points to its newest commit of then, by commit time.

    First parents only: when a merge commit was made is when the branch moved.
    """

    def __init__(self, repository: Repository, base: str) -> None:
        self._repository = repository
        self._base = base
        self.shallow = repository.shallow
        found = repository.commits(repository.head(base), ".", _MOST_COMMITS)
        self._commits: tuple[Commit, ...] = tuple(reversed(found))
        newest = 0
        times = []
        for one in self._commits:  # a clock that went back does not hide what came after
            newest = max(newest, one.time_s)
            times.append(newest)
        self._times = times
        self.now = 0

    def head(self, base: str) -> str:
        """Return the commit the base branch pointed to. Raises ConfigError before the first."""
        at = bisect_right(self._times, self.now)
        if base != self._base or not at:
            raise ConfigError(
                f"no commit of {base!r} at that time", where="repository", todo="choose a later --from"
            )
        return self._commits[at - 1].sha

    def files(self, sha: str) -> Files:
        """Return the manifests of one commit."""
        return self._repository.files(sha)

    def commits(self, sha: str, path: str, limit: int) -> tuple[Commit, ...]:
        """Return the commits behind `sha` that touched `path`, newest first."""
        return self._repository.commits(sha, path, limit)


class PastForge:
    """Keeps what it is given. Proposals stay open and unmerged until aiops itself closes them."""

    def __init__(self) -> None:
        self._pulls: list[PullRequest] = []

    def pulls(self) -> tuple[PullRequest, ...]:
        """Return all, newest first."""
        return tuple(reversed(self._pulls))

    def open(self, proposal: Proposal, now_s: int) -> PullRequest:
        """Keep one more."""
        number = len(self._pulls) + 1
        pull = PullRequest(
            number=number,
            url="",
            branch=proposal.branch,
            state="open",
            title=proposal.title,
            body=proposal.body,
            author="aiops",
            labels=("aiops",),
            created_at_s=now_s,
            closed_at_s=None,
            merged_at_s=None,
            closed_by=None,
        )
        self._pulls.append(pull)
        return pull

    def update(self, pull: PullRequest, proposal: Proposal, now_s: int) -> PullRequest:
        """Bring value and text up to date."""
        del now_s
        return self._put(replace(pull, title=proposal.title, body=proposal.body))

    def settle(self, pull: PullRequest, body: str, comment: str, *, close: bool, now_s: int) -> PullRequest:
        """Write down how one ended."""
        del comment
        said = replace(pull, body=body)
        if close:
            said = replace(said, state="closed", closed_at_s=now_s, closed_by="aiops")
        return self._put(said)

    def issues(self) -> tuple[TrackingIssue, ...]:
        """Return none: who replays looks for proposals."""
        return ()

    def track(self, text: IssueText, now_s: int) -> TrackingIssue:
        """Keep nothing."""
        return TrackingIssue(0, "", "open", text.title, text.body, (), now_s, None)

    def _put(self, pull: PullRequest) -> PullRequest:
        self._pulls[pull.number - 1] = pull
        return pull
