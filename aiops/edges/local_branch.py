"""One commit on one branch of a local git repository, by plumbing only.

Comes in: a proposal. Goes out: a branch that carries the base plus our edit. Index and work tree of
an ordinary repository are never touched, no hook, filter or user setting of git runs, and a branch
is created or moved only if it is still where we saw it.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from aiops.domain import Proposal
from aiops.errors import ConfigError, ForgeBusy, ForgeRefused
from aiops.propose.proposal import is_our_commit

TIMEOUT_S = 60.0
_NOBODY = "aiops"
_EMAIL = "aiops@localhost"
# Whatever the configuration of a repository could make git run is off. So its owner does not
# matter either, and the check of git for that, which a container cannot satisfy, is answered.
_OFF = tuple(
    flag
    for setting in (
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "log.showSignature=false",
        "i18n.logOutputEncoding=UTF-8",
        "gc.auto=0",
        "safe.directory=*",
    )
    for flag in ("-c", setting)
)


class LocalBranches:
    """The branches of one repository, bare or ordinary."""

    def __init__(self, path: Path) -> None:
        """Take the path of the repository; nothing runs yet."""
        self._path = path

    def tip(self, branch: str) -> str | None:
        """Return the commit that a branch points to, None when there is no such branch."""
        done = self._run(["rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}"])
        return done.stdout.decode().strip() if done.returncode == 0 else None

    def contains(self, base: str, commit: str) -> bool:
        """Tell whether `commit` is an ancestor of the base branch. A commit that is gone is none."""
        done = self._run(["merge-base", "--is-ancestor", commit, f"refs/heads/{base}"])
        return done.returncode == 0

    def merged_at_s(self, base: str, commit: str) -> int:
        """Return the committer time of the oldest base commit that contains `commit`."""
        path = ["--first-parent", "--ancestry-path", "--format=%ct", f"{commit}..refs/heads/{base}"]
        times = self._ok(["log", *path]).decode().split()
        own = self._ok(["log", "-1", "--format=%ct", commit]).decode().split()
        return int((times or own)[-1])

    def carry(self, wanted: Proposal, now_s: int) -> str | None:
        """Return the commit of the branch that carries the proposal; None when it is a person's."""
        tip = self.tip(wanted.branch)
        if tip is not None:
            return self.advance(wanted.branch, tip, wanted, now_s)
        commit = self._commit(wanted, self._tree(wanted), [wanted.base_sha], now_s)
        self._point(wanted.branch, commit, "0" * len(commit))
        return commit

    def advance(self, branch: str, tip: str, wanted: Proposal, now_s: int) -> str | None:
        """Put the proposal on top of a branch of ours; None when a person wrote its tip.

        The base becomes a second parent when it moved: the difference to it stays our edit.
        """
        message = self._ok(["log", "-1", "--format=%B", tip]).decode("utf-8", "replace")
        if not is_our_commit(message, wanted.branch):
            return None
        shown = self._ok(["log", "-1", "--format=%T %P", tip]).decode().split()
        tree, parents = self._tree(wanted), shown[1:]
        if tree == shown[0] and wanted.base_sha in parents:
            return tip
        above = [tip] if wanted.base_sha in parents else [tip, wanted.base_sha]
        commit = self._commit(wanted, tree, above, now_s)
        self._point(branch, commit, tip)
        return commit

    def is_ours(self, branch: str) -> bool:
        """Tell whether we wrote the tip of a branch; a branch that is gone is nobody's work."""
        tip = self.tip(branch)
        if tip is None:
            return True
        return is_our_commit(self._ok(["log", "-1", "--format=%B", tip]).decode("utf-8", "replace"), branch)

    def _tree(self, wanted: Proposal) -> str:
        """Write the base tree with our files into the object store; return its id."""
        with tempfile.TemporaryDirectory(prefix="aiops-index-") as folder:
            index = {"GIT_INDEX_FILE": str(Path(folder) / "index")}
            self._ok(["read-tree", wanted.base_sha], extra=index)
            for path in sorted(wanted.files):
                blob = self._ok(["hash-object", "-w", "--stdin"], given=wanted.files[path]).decode().strip()
                entry = f"{wanted.modes[path]} {blob}\t{path}\0".encode()
                self._ok(["update-index", "-z", "--index-info"], given=entry, extra=index)
            return self._ok(["write-tree"], extra=index).decode().strip()

    def _commit(self, wanted: Proposal, tree: str, parents: Sequence[str], now_s: int) -> str:
        date = {"GIT_AUTHOR_DATE": f"@{now_s} +0000", "GIT_COMMITTER_DATE": f"@{now_s} +0000"}
        given = wanted.commit_message.encode()
        flags = [flag for parent in parents for flag in ("-p", parent)]
        return self._ok(["commit-tree", tree, *flags, "-F", "-"], given=given, extra=date).decode().strip()

    def _point(self, branch: str, commit: str, old: str) -> None:
        done = self._run(["update-ref", f"refs/heads/{branch}", commit, old])
        if done.returncode != 0:
            raise ForgeBusy(
                f"the branch moved meanwhile: {_first_line(done.stderr)}", where=branch, todo="run again"
            )

    def _ok(self, args: Sequence[str], given: bytes = b"", extra: Mapping[str, str] | None = None) -> bytes:
        done = self._run(args, given, extra)
        if done.returncode != 0:
            raise ForgeRefused(f"git {args[0]}: {_first_line(done.stderr)}", where=str(self._path))
        return done.stdout

    def _run(
        self, args: Sequence[str], given: bytes = b"", extra: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                ["git", *_OFF, "-C", str(self._path), *args],
                input=given,
                env=_environment(extra or {}),
                capture_output=True,
                timeout=TIMEOUT_S,
                check=False,
            )
        except FileNotFoundError:
            raise ConfigError("git was not found", where="PATH", todo="install git") from None
        except subprocess.TimeoutExpired:
            raise ForgeBusy(
                f"git {args[0]} took longer than {TIMEOUT_S:g} s", where=str(self._path)
            ) from None


def _environment(extra: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {
        **kept,
        "LC_ALL": "C",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "none",  # a partial clone would fetch what is missing, by any command
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_AUTHOR_NAME": _NOBODY,
        "GIT_AUTHOR_EMAIL": _EMAIL,
        "GIT_COMMITTER_NAME": _NOBODY,
        "GIT_COMMITTER_EMAIL": _EMAIL,
        **extra,
    }


def _first_line(text: bytes) -> str:
    return (text.decode("utf-8", "replace").strip().splitlines() or ["no message"])[0][:200]
