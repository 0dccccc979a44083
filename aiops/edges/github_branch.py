"""One commit on one branch of a GitHub repository, without a checkout and without force.

Comes in: a proposal and the branch it wants. Goes out: the branch, carrying exactly the base plus
our edit. Blob, tree and commit are invisible until the branch points to them, so a crash before
that leaves nothing, and a crash after it leaves a branch that the next run adopts.
"""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from aiops.domain import Proposal
from aiops.edges import github_client
from aiops.edges.github_errors import NotThere, OutcomeUnknown, Rejected, speaking
from aiops.propose.proposal import is_our_commit

if TYPE_CHECKING:
    from github.Repository import Repository

T = TypeVar("T")

TRIES = 3
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


class Branches:
    """The branches of one repository that `github_client.repository` returned."""

    def __init__(self, repo: Repository) -> None:
        """Share the connection of `repo`, its deadline included."""
        self._repo = repo
        self._connection = github_client.connection(repo)
        self._secrets = (self._connection.token,)
        self._trees: dict[str, str] = {}  # commit -> its tree, which never changes

    def tip(self, branch: str) -> str | None:
        """Return the commit that a branch points to, None when there is no such branch."""
        try:
            with speaking(f"reading branch {branch}", self._secrets):
                return _sha(self._repo.get_git_ref(f"heads/{branch}").object.sha)
        except NotThere:
            return None

    def carry(self, wanted: Proposal) -> bool:
        """Make the branch carry exactly this proposal; False when it is somebody else's."""
        tip = self.tip(wanted.branch)
        if tip is not None:  # left behind by a run that was killed, or made by another one just now
            return self.advance(wanted.branch, tip, wanted)
        commit = self._commit(wanted, self._tree(wanted), [wanted.base_sha])
        try:
            made = self.write(
                f"creating branch {wanted.branch}",
                lambda: _sha(self._repo.create_git_ref(f"refs/heads/{wanted.branch}", commit).object.sha),
                lambda: self.tip(wanted.branch),
            )
        except Rejected:
            found = self.tip(wanted.branch)
            if found is None:  # refused by a rule of the repository, not because it exists
                raise
            made = found
        return made == commit or self.advance(wanted.branch, made, wanted)

    def advance(self, branch: str, tip_sha: str, wanted: Proposal) -> bool:
        """Put the proposal on top of a branch of ours; False when a person wrote the tip.

        Never forced: should somebody push meanwhile, GitHub refuses and their work stays. The base
        becomes a second parent when it moved, so the difference to it is our edit and nothing else.
        """
        with speaking(f"reading branch {branch}", self._secrets):
            tip = self._repo.get_git_commit(tip_sha)
            message, tree_sha = tip.message, tip.tree.sha
            parents = [parent.sha for parent in tip.parents]
        if not is_our_commit(message, wanted.branch):
            return False
        tree = self._tree(wanted)
        if tree == tree_sha and wanted.base_sha in parents:
            return True
        above = [tip_sha] if wanted.base_sha in parents else [tip_sha, wanted.base_sha]
        commit = self._commit(wanted, tree, above)
        try:
            self.write(
                f"updating branch {branch}",
                lambda: self._move(branch, commit),
                lambda: commit if self.tip(branch) == commit else None,
            )
        except Rejected:
            return False
        return True

    def is_ours(self, branch: str) -> bool:
        """Tell whether we wrote the tip of a branch; a branch that is gone is nobody's work."""
        tip = self.tip(branch)
        if tip is None:
            return True
        with speaking(f"reading branch {branch}", self._secrets):
            return is_our_commit(self._repo.get_git_commit(tip).message, branch)

    def _move(self, branch: str, commit: str) -> str:
        # Not GitRef.edit(): it uses the address in an answer; ours is fixed.
        url = f"{self._repo.url}/git/refs/heads/{branch}"
        self._repo.requester.requestJsonAndCheck("PATCH", url, input={"sha": commit, "force": False})
        return commit

    def _tree(self, wanted: Proposal) -> str:
        entries = [
            {
                "path": path,
                "mode": wanted.modes[path],
                "type": "blob",
                "sha": self._blob(path, wanted.files[path]),
            }
            for path in sorted(wanted.files)
        ]
        base = self._trees.get(wanted.base_sha)
        if base is None:
            with speaking("reading the base tree", self._secrets):
                base = self._trees[wanted.base_sha] = _sha(
                    self._repo.get_git_commit(wanted.base_sha).tree.sha
                )
        return self._stored("the tree", "trees", {"base_tree": base, "tree": entries})

    def _blob(self, path: str, content: bytes) -> str:
        text = base64.b64encode(content).decode()
        return self._stored(path, "blobs", {"content": text, "encoding": "base64"})

    def _commit(self, wanted: Proposal, tree: str, parents: Iterable[str]) -> str:
        # Author and date are GitHub's: it signs what an App commits only when we leave them out.
        made = {"message": wanted.commit_message, "tree": tree, "parents": list(parents)}
        return self._stored("the commit", "commits", made)

    def _stored(self, what: str, kind: str, made: Mapping[str, Any]) -> str:
        """Store one git object; return its name.

        Not by PyGithub's methods: they want objects where GitHub wants names, and ask for each.
        """

        def send() -> str:
            url = f"{self._repo.url}/git/{kind}"
            _, answer = self._repo.requester.requestJsonAndCheck("POST", url, input=made)
            return _sha(answer["sha"])

        return self.write(f"storing {what}", send)

    def write(self, doing: str, send: Callable[[], T], look: Callable[[], T | None] | None = None) -> T:
        """Send a write; when its outcome is unknown look whether it happened, else send again.

        At most 3 times. Without `look` the write leaves nothing that anybody could see.
        """
        for attempt in range(TRIES):
            try:
                with speaking(doing, self._secrets):
                    return send()
            except OutcomeUnknown:
                found = look() if look is not None else None
                if found is not None:
                    return found
                if attempt == TRIES - 1:
                    raise
                time.sleep(min(0.5 * 2**attempt, self._connection.remaining_s()))
        raise AssertionError("unreachable")


def _sha(value: object) -> str:
    if not isinstance(value, str) or not _SHA.fullmatch(value):
        raise TypeError("an object without a sha")
    return value
