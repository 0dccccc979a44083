"""The four doors of a run: metrics in, manifests in, model in, pull requests out.

Small `Protocol`s, owned by the pipeline that calls them; `edges` and the simulated mesh fit them
by shape, without importing this. Only `Forge` writes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from aiops.domain import (
    Answer,
    Checkout,
    Commit,
    Grid,
    IssueText,
    Proposal,
    PullRequest,
    Query,
    TrackingIssue,
    TreeFile,
)


class Metrics(Protocol):
    """Where samples come from: a Prometheus, a recording, or the simulated mesh."""

    def read(self, query: Query, grid: Grid) -> Answer:
        """Answer one named query on a grid. Raises DataUnusable or ConfigError."""
        ...

    def now_s(self) -> int:
        """Return the time of this source: the clock of a server, the end of a recording."""
        ...


class Silences(Protocol):
    """Who asked not to be told of what: an Alertmanager."""

    def muting(self, alerts: Sequence[Mapping[str, str]], at_s: int) -> tuple[str | None, ...]:
        """Return for each label set the name of what mutes it. Raises DataUnusable."""
        ...


class Files(Protocol):
    """The manifests of one commit. `checkout`: what Applications and Flux call it."""

    sha: str
    checkout: Checkout

    def tree(self) -> Mapping[str, TreeFile]:
        """Return every entry of the commit by path."""
        ...

    def read(self, path: str) -> bytes:
        """Return the content of a regular file. Raises EditRefused for anything else."""
        ...

    def link(self, path: str) -> str:
        """Return where a symbolic link points, as written. Raises EditRefused for anything else."""
        ...


class Repository(Protocol):
    """The GitOps repository, read only. `shallow`: its history ends before the first commit."""

    shallow: bool

    def head(self, base: str) -> str:
        """Return the commit the base branch points to."""
        ...

    def files(self, sha: str) -> Files:
        """Return the manifests of one commit."""
        ...

    def commits(self, sha: str, path: str, limit: int) -> tuple[Commit, ...]:
        """Return the first-parent commits that touched `path`, newest first."""
        ...


class Forge(Protocol):
    """Where pull requests live. The only port that writes."""

    def pulls(self) -> tuple[PullRequest, ...]:
        """Return all pull requests of ours, in any state, newest first."""
        ...

    def open(self, proposal: Proposal, now_s: int) -> PullRequest:
        """Open one pull request with one commit."""
        ...

    def update(self, pull: PullRequest, proposal: Proposal, now_s: int) -> PullRequest:
        """Bring an open pull request of ours up to date."""
        ...

    def settle(self, pull: PullRequest, body: str, comment: str, *, close: bool, now_s: int) -> PullRequest:
        """Write down how a pull request of ours ended: its body, a comment once ("" = none), closed or not.

        Returns `pull` itself when it was not touched: a person pushed to the branch of an open one.
        """
        ...

    def issues(self) -> tuple[TrackingIssue, ...]:
        """Return our tracking issues, in any state. Asked only where the settings want such issues."""
        ...

    def track(self, text: IssueText, now_s: int) -> TrackingIssue:
        """Open one tracking issue, or write to the one that the text names."""
        ...
