"""A git repository on this disk, read as objects: never its working tree, never its links.

git runs as an argument list with a cleaned environment. Nothing that the repository configures is
run: hooks, file-system monitors, signature checks, pagers and transports are off, and content is
read with `cat-file` and `ls-tree`, which know no filters. Raises ConfigError with the next step
when the path, the branch or a commit is not there.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from aiops.domain import Checkout, Commit, TreeFile
from aiops.edges.git_objects import Objects, command, environment, tree_entry
from aiops.errors import ConfigError, EditRefused

MAX_BLOB_BYTES = 5_000_000  # the largest manifest that is read; larger ones are refused unread
MAX_LINK_BYTES = 4_096
MAX_PAST = 64  # histories that are kept; the oldest question goes
TIMEOUT_S = 60  # a local git command that takes longer hangs
_REGULAR = frozenset({"100644", "100755"})


class GitRepository:
    """One bare or ordinary repository. `shallow`: its history ends before the first commit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._folder = _git_folder(path)
        self.shallow = (_common(self._folder) / "shallow").exists()
        self._boundary = self._read_boundary()
        self._objects: Objects | None = None
        self._files: dict[str, GitFiles] = {}
        self._checkouts: dict[str, Checkout] = {}
        self._past: dict[tuple[str, str, int], tuple[Commit, ...]] = {}

    def head(self, base: str) -> str:
        """Return the id of the commit that the branch `base` points to."""
        if base.startswith("-") or "\0" in base:
            raise ConfigError(f"{base!r} is no branch name", where=str(self._path))
        done = self._run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"refs/heads/{base}^{{commit}}"
        )
        if done.returncode:
            # A checkout in CI often has the branch only as a remote one.
            remote = f"refs/remotes/origin/{base}^{{commit}}"
            done = self._run("rev-parse", "--verify", "--quiet", "--end-of-options", remote)
        if done.returncode:
            raise ConfigError(
                f"no branch {base!r}",
                where=str(self._path),
                todo="set repository.base to a branch that exists",
            )
        sha = done.stdout.decode().strip()
        self._checkouts[sha] = self._checkout(base)
        return sha

    def _checkout(self, base: str) -> Checkout:
        """Return what others call the branch `base`; a remote's address is read, never used.

        The HEAD of an ordinary repository is what somebody works on, that of a bare one the default.
        """
        address = self._line("config", "--local", "--no-includes", "--get", "remote.origin.url")
        bare = not address and self._line("rev-parse", "--is-bare-repository") == "true"
        head = self._line("symbolic-ref", "--quiet", "HEAD" if bare else "refs/remotes/origin/HEAD")
        name = head.removeprefix("refs/remotes/origin/").removeprefix("refs/heads/")
        return Checkout(base, name == base if name else None, (address,) if address else ())

    def _line(self, *arguments: str) -> str:
        done = self._run(*arguments)
        return "" if done.returncode else done.stdout.decode("utf-8", "replace").strip()

    def files(self, sha: str) -> GitFiles:
        """Return the files of one commit; the same object for the same commit."""
        if sha not in self._files:
            self._files[sha] = GitFiles(self, sha, self._checkouts.get(sha, Checkout()))
        return self._files[sha]

    def commits(self, sha: str, path: str, limit: int) -> tuple[Commit, ...]:
        """Return the commits of the first-parent history of `sha` that touched `path`, newest first.

        The last commit of a shallow clone appears to touch everything, because its parent is
        missing: its `paths` are empty here, which means not known. Several fields of one file ask
        the same: a walk through 10,000 commits is kept.
        """
        asked = (sha, path, limit)
        if asked not in self._past:
            if len(self._past) >= MAX_PAST:
                del self._past[next(iter(self._past))]
            self._past[asked] = self._log(sha, path, limit)
        return self._past[asked]

    def _log(self, sha: str, path: str, limit: int) -> tuple[Commit, ...]:
        form = "--format=tformat:%x00%H%x00%ct%x00%s"
        flags = (
            "--first-parent",
            "-m",
            "--full-diff",
            "--no-renames",
            "--no-show-signature",
            "--no-ext-diff",
        )
        done = self._run(
            "log", "-z", f"--max-count={limit}", *flags, "--name-only", form, sha, "--", f":(literal){path}"
        )
        if done.returncode:
            raise ConfigError(
                f"no commit {sha[:12]!r}", where=str(self._path), todo="fetch the base branch first"
            )
        return tuple(self._known(commit) for commit in _parse_log(done.stdout))

    def _known(self, commit: Commit) -> Commit:
        if commit.sha not in self._boundary:
            return commit
        return Commit(commit.sha, commit.time_s, commit.subject, ())

    def _read_boundary(self) -> frozenset[str]:
        file = _common(self._folder) / "shallow"
        return frozenset(file.read_text(encoding="ascii").split()) if self.shallow else frozenset()

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                command(self._folder, *arguments),
                env=environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except FileNotFoundError as error:
            raise ConfigError("git is not installed", todo="install git") from error
        except subprocess.TimeoutExpired as error:
            raise ConfigError(f"git needed more than {TIMEOUT_S} s", where=str(self._path)) from error

    def object(self, name: str, most: int | None = MAX_BLOB_BYTES) -> tuple[str, bytes]:
        """Return (type, content) of an object; ("", b"") when it is missing, content b"" when too large."""
        if self._objects is None:
            self._objects = Objects(self._folder)
        return self._objects.read(name, most)

    def listing(self, sha: str) -> bytes:
        """Return the whole tree of a commit as `ls-tree -r -z -l` prints it."""
        done = self._run("ls-tree", "-r", "-z", "-l", "--full-tree", "--end-of-options", sha)
        if done.returncode and not self._run("cat-file", "-e", f"{sha}^{{tree}}").returncode:
            # Older git asks the remote of a partial clone for sizes, which is not allowed here.
            raise ConfigError(
                "a partial clone lacks the content of files",
                where=str(self._path),
                todo="clone without --filter",
            )
        if done.returncode:
            raise ConfigError(
                f"no commit {sha[:12]!r}", where=str(self._path), todo="fetch the base branch first"
            )
        return done.stdout


class GitFiles:
    """The files of one commit. Past commits are read file by file, without listing their tree."""

    def __init__(self, repository: GitRepository, sha: str, checkout: Checkout) -> None:
        self.sha = sha
        self.checkout = checkout
        self._repository = repository
        self._tree: Mapping[str, TreeFile] | None = None

    def tree(self) -> Mapping[str, TreeFile]:
        """Return every entry of the commit by path, sorted.

        The size is 0 for a submodule ("-") and for what a partial clone lacks ("BAD").
        """
        if self._tree is None:
            entries = {}
            for line in self._repository.listing(self.sha).split(b"\0"):
                if line:
                    facts, _, raw = line.partition(b"\t")
                    mode, _, blob, size = facts.decode().split()
                    path = raw.decode("utf-8", "surrogateescape")
                    entries[path] = TreeFile(path, mode, blob, int(size) if size.isdigit() else 0)
            self._tree = MappingProxyType(dict(sorted(entries.items())))
        return self._tree

    def read(self, path: str) -> bytes:
        """Return the content of a regular file. Raises EditRefused for anything else."""
        mode, blob = self._entry(path)
        if mode not in _REGULAR:
            what = {"120000": "a symbolic link", "160000": "a submodule", "": "not in this commit"}
            raise EditRefused(f"{what.get(mode, 'not a regular file')}", where=path)
        known = self._tree is not None and self._tree[path].size <= MAX_BLOB_BYTES
        kind, content = self._repository.object(blob, None if known else MAX_BLOB_BYTES)
        if kind == "too large":
            raise EditRefused(f"larger than {MAX_BLOB_BYTES} bytes", where=path)
        if kind != "blob":
            raise EditRefused("its content is missing in this clone", where=path, todo="fetch it completely")
        return content

    def link(self, path: str) -> str:
        """Return where a symbolic link points, as written. Raises EditRefused for anything else."""
        mode, blob = self._entry(path)
        kind, content = self._repository.object(blob, MAX_LINK_BYTES) if mode == "120000" else ("", b"")
        if kind != "blob":
            raise EditRefused("not a symbolic link that can be read", where=path)
        return content.decode("utf-8", "surrogateescape")

    def _entry(self, path: str) -> tuple[str, str]:
        """Return (mode, object id) of a path; ("", "") when the commit has no such path."""
        if self._tree is not None:
            entry = self._tree.get(path)
            return (entry.mode, entry.blob) if entry else ("", "")
        name = f"{self.sha}^{{tree}}"
        mode = "040000"
        for part in path.split("/"):
            kind, content = self._repository.object(name)
            if kind != "tree" or mode not in {"040000", "40000"}:
                return "", ""
            mode, name = tree_entry(content, part.encode("utf-8", "surrogateescape"), len(self.sha) // 2)
            if not mode:
                return "", ""
        return mode, name


def _git_folder(path: Path) -> Path:
    """Return the git folder of a path, without looking in the folders above it."""
    todo = "set repository.path to a git repository, bare or ordinary"
    if not path.is_dir():
        raise ConfigError("no such folder", where=str(path), todo=todo)
    inner = path / ".git"
    if inner.is_file():  # a linked work tree names its git folder
        text = inner.read_text(encoding="utf-8", errors="replace")
        inner = path / text.removeprefix("gitdir:").strip()
    for folder in (inner, path):
        if (folder / "HEAD").is_file() and (_common(folder) / "objects").is_dir():
            return folder.resolve()
    raise ConfigError("not a git repository", where=str(path), todo=todo)


def _common(folder: Path) -> Path:
    """Return the folder that holds objects and branches; linked work trees share it."""
    file = folder / "commondir"
    return folder / file.read_text(encoding="utf-8").strip() if file.is_file() else folder


def _parse_log(output: bytes) -> list[Commit]:
    """Read `log -z` records: "", id, time, subject, then the paths; only a record starts empty."""
    fields = [field.decode("utf-8", "replace") for field in output.split(b"\0")]
    commits = []
    at = 0
    while at + 3 < len(fields):
        sha, time_s, subject = fields[at + 1 : at + 4]
        at += 4
        paths: list[str] = []
        while at < len(fields) and fields[at]:
            # git puts a line break between the header and the first path.
            paths.append(fields[at].removeprefix("\n") if not paths else fields[at])
            at += 1
        commits.append(Commit(sha, int(time_s), subject, tuple(sorted(paths))))
    return commits
