"""The GitOps repository read through GitHub's REST, for runs without a checkout.

Takes the PyGithub `Repository` that `github_client` made (its origin is pinned there). A tree
comes in one answer, blobs one by one and kept by their id. Errors are mapped once, here:
ForgeRefused when running again does not help, ForgeBusy when it may.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar

from aiops.domain import Commit, TreeFile
from aiops.errors import AiopsError, ConfigError, EditRefused, ForgeBusy, ForgeRefused

if TYPE_CHECKING:
    from github.Repository import Repository

MAX_BLOB_BYTES = 5_000_000
# GitHub allows 5,000 calls an hour; a repository with more manifests needs a checkout beside it.
MAX_BLOBS = 2_000
_REGULAR = frozenset({"100644", "100755"})
Made = TypeVar("Made")


class GitHubRepository:
    """One repository on GitHub, read only."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository
        self._files: dict[str, GitHubFiles] = {}
        self._blobs: dict[str, bytes] = {}

    def head(self, base: str) -> str:
        """Return the id of the commit that the branch `base` points to."""
        try:
            return self.ask(lambda: self._repository.get_branch(base).commit.sha)
        except FileNotFoundError as error:
            raise ConfigError(
                f"no branch {base!r}",
                where=self._repository.full_name,
                todo="set repository.base to a branch that exists",
            ) from error

    def files(self, sha: str) -> GitHubFiles:
        """Return the files of one commit; the same object for the same commit."""
        if sha not in self._files:
            self._files[sha] = GitHubFiles(self, self._repository, sha)
        return self._files[sha]

    def commits(self, sha: str, path: str, limit: int) -> tuple[Commit, ...]:
        """Return the commits that touched `path`, newest first.

        GitHub lists the simplified history of the path, not the first parents: a merge that only
        brought the change in is left out, the commit that made it stands there instead.
        """

        def listed() -> tuple[Commit, ...]:
            found = islice(self._repository.get_commits(sha=sha, path=path), limit)
            return tuple(
                Commit(
                    one.sha,
                    int(one.commit.committer.date.timestamp()),
                    (one.commit.message or "").partition("\n")[0],
                    tuple(sorted(file.filename for file in one.files)),
                )
                for one in found
            )

        try:
            return self.ask(listed)
        except FileNotFoundError as error:
            raise ConfigError(f"no commit {sha[:12]!r}", where=self._repository.full_name) from error

    def blob(self, sha: str, path: str) -> bytes:
        """Return the content of a blob by its id, kept for the time of the run."""
        if sha not in self._blobs:
            if len(self._blobs) >= MAX_BLOBS:
                raise ForgeRefused(
                    f"more than {MAX_BLOBS} manifests to read one by one",
                    where=self._repository.full_name,
                    todo="check the repository out and set repository.path beside repository.github",
                )
            found = self.ask(lambda: self._repository.get_git_blob(sha))
            if found.size > MAX_BLOB_BYTES:
                raise EditRefused(f"larger than {MAX_BLOB_BYTES} bytes", where=path)
            try:
                self._blobs[sha] = base64.b64decode(found.content)
            except (binascii.Error, ValueError) as error:
                raise ForgeBusy("the forge sent a blob that is not base64", where=path) from error
        return self._blobs[sha]

    def ask(self, call: Callable[[], Made]) -> Made:
        """Run one call; a 404 becomes FileNotFoundError, anything else one of our errors."""
        import requests
        from github import GithubException, UnknownObjectException

        where = self._repository.full_name
        try:
            return call()
        except UnknownObjectException as error:
            raise FileNotFoundError(where) from error
        except GithubException as error:
            raise _refusal(error.status, where) from error
        except requests.RequestException as error:
            raise ForgeBusy("the forge does not answer", where=where, todo="run again") from error


class GitHubFiles:
    """The files of one commit on GitHub."""

    def __init__(self, parent: GitHubRepository, repository: Repository, sha: str) -> None:
        self.sha = sha
        self._parent = parent
        self._repository = repository
        self._tree: Mapping[str, TreeFile] | None = None

    def tree(self) -> Mapping[str, TreeFile]:
        """Return every entry of the commit by path, sorted. Raises ForgeRefused for a partial list."""
        if self._tree is None:
            try:
                found = self._parent.ask(lambda: self._repository.get_git_tree(self.sha, recursive=True))
            except FileNotFoundError as error:
                raise ConfigError(f"no commit {self.sha[:12]!r}", where=self._repository.full_name) from error
            if found.raw_data.get("truncated"):
                raise ForgeRefused(
                    "the repository is too large for one listing, and half a list is no list",
                    where=self._repository.full_name,
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

    def _read_past(self, path: str) -> bytes:
        """Read one file of a commit whose tree was not listed: one call for its id, one for it."""
        try:
            found = self._parent.ask(lambda: self._repository.get_contents(path, ref=self.sha))
        except FileNotFoundError as error:
            raise EditRefused("not in this commit", where=path) from error
        if isinstance(found, list) or found.type != "file":
            raise EditRefused("not a regular file", where=path)
        if found.size > MAX_BLOB_BYTES:
            raise EditRefused(f"larger than {MAX_BLOB_BYTES} bytes", where=path)
        return self._parent.blob(found.sha, path)


def _refusal(status: int, where: str) -> AiopsError:
    """Map a status of GitHub to what the caller can do about it."""
    if status in {401, 403}:
        return ForgeRefused(
            f"the forge says no ({status})",
            where=where,
            todo="the token needs contents: read on this repository",
        )
    if status == 429 or status >= 500:
        return ForgeBusy(f"the forge is busy ({status})", where=where, todo="run again")
    return ForgeRefused(f"the forge refused the request ({status})", where=where)
