"""The GitOps repository read through GitHub's REST, for runs without a checkout.

Takes the PyGithub `Repository` that `github_client` made (its origin is pinned there). A tree
comes in one answer, blobs one by one and kept by their id. Errors are mapped by `github_errors`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING

from aiops.domain import Checkout, Commit, TreeFile
from aiops.edges import github_client
from aiops.edges.github_errors import NotThere, Rejected, speaking
from aiops.errors import ConfigError, EditRefused, ForgeRefused

if TYPE_CHECKING:
    from github.Repository import Repository

MAX_BLOB_BYTES = 5_000_000
MAX_LINK_BYTES = 4_096
# GitHub allows 5,000 calls an hour; a repository with more manifests needs a checkout beside it.
MAX_BLOBS = 2_000
_REGULAR = frozenset({"100644", "100755"})


class GitHubRepository:
    """One repository on GitHub, read only."""

    shallow = False

    def __init__(self, repository: Repository) -> None:
        self.repository = repository
        connection = github_client.connection(repository)
        self.secrets = (connection.token,)
        # https://api.github.com, https://api.acme.ghe.com or https://github.acme.com/api/v3
        self._host = (connection.host or "").removeprefix("api.")
        self._files: dict[str, GitHubFiles] = {}
        self._checkouts: dict[str, Checkout] = {}
        self._blobs: dict[str, bytes] = {}

    def head(self, base: str) -> str:
        """Return the id of the commit that the branch `base` points to."""
        try:
            with speaking(f"reading branch {base}", self.secrets):
                sha = str(self.repository.get_branch(base).commit.sha)
                default = self.repository.default_branch
        except NotThere as error:
            raise ConfigError(
                f"no branch {base!r}",
                where=self.repository.full_name,
                todo="set repository.base to a branch that exists",
            ) from error
        known = isinstance(default, str) and bool(default)
        address = f"https://{self._host}/{self.repository.full_name}"
        self._checkouts[sha] = Checkout(base, default == base if known else None, (address,))
        return sha

    def files(self, sha: str) -> GitHubFiles:
        """Return the files of one commit; the same object for the same commit."""
        if sha not in self._files:
            self._files[sha] = GitHubFiles(self, sha, self._checkouts.get(sha, Checkout()))
        return self._files[sha]

    def commits(self, sha: str, path: str, limit: int) -> tuple[Commit, ...]:
        """Return the commits that touched `path`, newest first.

        GitHub lists the simplified history of the path, not the first parents: a merge that only
        brought the change in is left out, the commit that made it stands there instead.
        """
        try:
            with speaking(f"listing the commits of {path}", self.secrets):
                found = islice(self.repository.get_commits(sha=sha, path=path), limit)
                return tuple(
                    Commit(
                        one.sha,
                        int(one.commit.committer.date.timestamp()),
                        (one.commit.message or "").partition("\n")[0],
                        tuple(sorted(file.filename for file in one.files)),
                    )
                    for one in found
                )
        except NotThere as error:
            raise ConfigError(f"no commit {sha[:12]!r}", where=self.repository.full_name) from error

    def blob(self, sha: str, path: str) -> bytes:
        """Return the content of a blob by its id, kept for the time of the run."""
        if sha not in self._blobs:
            if len(self._blobs) >= MAX_BLOBS:
                raise ForgeRefused(
                    f"more than {MAX_BLOBS} manifests to read one by one",
                    where=self.repository.full_name,
                    todo="check the repository out and set repository.path beside repository.github",
                )
            with speaking(f"reading {path}", self.secrets):
                found = self.repository.get_git_blob(sha)
                if found.encoding != "base64":
                    raise ForgeRefused(f"expected a blob in base64, found {found.encoding!r}", where=path)
                self._blobs[sha] = base64.b64decode(found.content)
        return self._blobs[sha]


class GitHubFiles:
    """The files of one commit on GitHub."""

    def __init__(self, parent: GitHubRepository, sha: str, checkout: Checkout) -> None:
        self.sha = sha
        self.checkout = checkout
        self._parent = parent
        self._tree: Mapping[str, TreeFile] | None = None

    def tree(self) -> Mapping[str, TreeFile]:
        """Return every entry of the commit by path, sorted. Raises ForgeRefused for a partial list."""
        if self._tree is None:
            name = self._parent.repository.full_name
            try:
                with speaking("listing the repository", self._parent.secrets):
                    found = self._parent.repository.get_git_tree(self.sha, recursive=True)
                    partial = bool(found.raw_data.get("truncated"))
            except (NotThere, Rejected) as error:
                raise ConfigError(f"no commit {self.sha[:12]!r}", where=name) from error
            if partial:
                raise ForgeRefused(
                    "the repository is too large for one listing, and half a list is no list",
                    where=name,
                    todo="check the repository out and set repository.path beside repository.github",
                )
            entries = {
                one.path: TreeFile(one.path, one.mode, one.sha, one.size or 0)
                for one in found.tree
                if one.type != "tree"
            }
            self._tree = MappingProxyType(dict(sorted(entries.items())))
        return self._tree

    def read(self, path: str) -> bytes:
        """Return the content of a regular file. Raises EditRefused for anything else."""
        if self._tree is None:
            return self._read_past(path)
        entry = self._tree.get(path)
        if entry is None:
            raise EditRefused("not in this commit", where=path)
        if entry.mode not in _REGULAR:
            what = {"120000": "a symbolic link", "160000": "a submodule"}.get(
                entry.mode, "not a regular file"
            )
            raise EditRefused(what, where=path)
        if entry.size > MAX_BLOB_BYTES:
            raise EditRefused(f"larger than {MAX_BLOB_BYTES} bytes", where=path)
        return self._parent.blob(entry.blob, path)

    def link(self, path: str) -> str:
        """Return where a symbolic link points, as written. Raises EditRefused for anything else."""
        entry = self.tree().get(path)
        if entry is None or entry.mode != "120000" or entry.size > MAX_LINK_BYTES:
            raise EditRefused("not a symbolic link that can be read", where=path)
        return self._parent.blob(entry.blob, path).decode("utf-8", "surrogateescape")

    def _read_past(self, path: str) -> bytes:
        """Read one file of a commit whose tree was not listed: one call for its id, one for it."""
        try:
            with speaking(f"reading {path}", self._parent.secrets):
                found = self._parent.repository.get_contents(path, ref=self.sha)
        except NotThere as error:
            raise EditRefused("not in this commit", where=path) from error
        if isinstance(found, list) or found.type != "file":
            raise EditRefused("not a regular file", where=path)
        if found.size > MAX_BLOB_BYTES:
            raise EditRefused(f"larger than {MAX_BLOB_BYTES} bytes", where=path)
        return self._parent.blob(found.sha, path)
