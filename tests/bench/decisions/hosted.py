"""A GitOps repository and its pull requests in memory: no process of git, the same answers.

Comes in: the revisions of `aiops.mesh.repository`. Goes out: the ports `Repository` and `Forge`
(test_hosted.py compares them with a real repository). Merging is what a person does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import ClassVar

from aiops.domain import Checkout, Commit, IssueText, Proposal, PullRequest, TrackingIssue, TreeFile
from aiops.errors import EditRefused
from aiops.mesh.repository import Revision
from aiops.propose import lifecycle

BOT = "aiops[bot]"


@dataclass(frozen=True, eq=False)  # without slots: maps of it are remembered by weak references
class HeldFiles:
    """The files of one revision."""

    sha: str
    content: Mapping[str, bytes]
    checkout: ClassVar[Checkout] = Checkout()

    def tree(self) -> Mapping[str, TreeFile]:
        return {
            path: TreeFile(path, "100644", _blob(text), len(text))
            for path, text in sorted(self.content.items())
        }

    def read(self, path: str) -> bytes:
        if path not in self.content:
            raise EditRefused("not in this commit", where=path)
        return self.content[path]

    def link(self, path: str) -> str:
        raise EditRefused("the mesh commits no links", where=path)


def _blob(text: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(text) + text).hexdigest()  # noqa: S324 - git's own name


@dataclass(slots=True)
class HeldRepository:
    """Revisions, oldest first; the newest is the head of every branch."""

    revisions: list[Revision]
    _snapshots: list[HeldFiles] = field(default_factory=list)

    def __post_init__(self) -> None:
        waiting, self.revisions = self.revisions, []
        for revision in waiting:
            self.add(revision)

    def add(self, revision: Revision) -> None:
        """Commit."""
        content = dict(self._snapshots[-1].content) if self._snapshots else {}
        for path, text in revision.files.items():
            if text is None:
                content.pop(path, None)
            else:
                content[path] = text
        seen = self._snapshots[-1].sha if self._snapshots else ""
        sha = hashlib.sha1(f"{seen} {revision.time_s} {revision.message}".encode())  # noqa: S324
        self.revisions.append(revision)
        self._snapshots.append(HeldFiles(sha.hexdigest(), content))

    def head(self, base: str) -> str:
        return self._snapshots[-1].sha

    def files(self, sha: str) -> HeldFiles:
        return next(one for one in self._snapshots if one.sha == sha)

    def commits(self, sha: str, path: str, limit: int) -> tuple[Commit, ...]:
        found = []
        newest = next(at for at, one in enumerate(self._snapshots) if one.sha == sha)
        for at in range(newest, -1, -1):
            before = self._snapshots[at - 1].content if at else {}
            after = self._snapshots[at].content
            paths = sorted(p for p in {*before, *after} if before.get(p) != after.get(p))
            if path in paths:
                revision = self.revisions[at]
                subject = revision.message.splitlines()[0]
                found.append(Commit(self._snapshots[at].sha, revision.time_s, subject, tuple(paths)))
        return tuple(found[:limit])


@dataclass(slots=True)
class HeldForge:
    """Pull requests of ours."""

    kept: list[PullRequest] = field(default_factory=list)
    proposals: dict[int, Proposal] = field(default_factory=dict)
    comments: list[tuple[int, str]] = field(default_factory=list)
    tracked: list[TrackingIssue] = field(default_factory=list)

    def pulls(self) -> tuple[PullRequest, ...]:
        return tuple(reversed(self.kept))

    def open(self, proposal: Proposal, now_s: int) -> PullRequest:
        same = lifecycle.match(proposal, self.kept)
        if same is not None:
            return same
        wanted = lifecycle.numbered(proposal, lifecycle.next_number(proposal, self.kept))
        number = len(self.kept) + 1
        pull = PullRequest(
            number, f"memory:{number}", wanted.branch, "open", wanted.title, wanted.body, BOT, (), now_s,
            None, None, None,
        )  # fmt: skip
        self.kept.append(pull)
        self.proposals[number] = wanted
        return pull

    def update(self, pull: PullRequest, proposal: Proposal, now_s: int) -> PullRequest:
        self.proposals[pull.number] = proposal
        updated = replace(pull, title=proposal.title, body=proposal.body)
        self.kept[pull.number - 1] = updated
        return updated

    def settle(self, pull: PullRequest, body: str, comment: str, *, close: bool, now_s: int) -> PullRequest:
        self.comments += [(pull.number, comment)] if comment else []
        said = replace(pull, body=body)
        ended = replace(said, state="closed", closed_at_s=now_s, closed_by=BOT) if close else said
        self.kept[pull.number - 1] = ended
        return self.kept[pull.number - 1]

    def issues(self) -> tuple[TrackingIssue, ...]:
        return tuple(self.tracked)

    def track(self, text: IssueText, now_s: int) -> TrackingIssue:
        if text.number is None:
            self.tracked.append(
                TrackingIssue(len(self.tracked) + 1, "", "open", text.title, text.body, (), now_s, None)
            )
            return self.tracked[-1]
        old = self.tracked[text.number - 1]
        state = text.state or old.state
        closed_at_s = now_s if state == "closed" else None
        changed = replace(old, title=text.title, body=text.body, state=state, closed_at_s=closed_at_s)
        self.tracked[text.number - 1] = changed
        return changed

    def merge(self, pull: PullRequest, repository: HeldRepository, now_s: int) -> None:
        """Do what a person does who agrees: the proposal's files become the newest commit."""
        proposal = self.proposals[pull.number]
        repository.add(Revision(now_s, BOT, proposal.commit_message, proposal.files))
        self.kept[pull.number - 1] = replace(pull, state="merged", closed_at_s=now_s, merged_at_s=now_s)


def held(revisions: Sequence[Revision]) -> HeldRepository:
    """Return a repository of the revisions."""
    return HeldRepository(list(revisions))
