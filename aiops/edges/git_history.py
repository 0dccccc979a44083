"""Writes commits that exist as data to a real bare repository, for the demo and for tests.

One `git fast-import`: no work tree, no hooks, no configuration of the user's, and dates from the
data, so that the same commits always get the same ids.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from aiops.errors import ConfigError
from aiops.mesh.repository import Revision

BRANCH = "main"
TIMEOUT_S = 120


def write_history(directory: Path, commits: Sequence[Revision]) -> str:
    """Write the commits to a new bare repository `directory` and return the id of the newest.

    Raises ConfigError when the folder exists and is not empty, or when git is missing or refuses.
    """
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ConfigError(
            "expected a new or empty folder for the repository", where=str(directory), todo="name another"
        )
    directory.mkdir(parents=True, exist_ok=True)
    _git(directory, "init", "--quiet", "--bare", f"--initial-branch={BRANCH}", "--template=", str(directory))
    _git(directory, "fast-import", "--quiet", "--done", stdin=b"".join(_stream(commits)))
    return _git(directory, "rev-parse", f"refs/heads/{BRANCH}").decode().strip()


def _stream(commits: Sequence[Revision]) -> Iterator[bytes]:
    """Yield the fast-import stream (git-fast-import(1)): whole contents inline, oldest commit first."""
    for commit in commits:
        who = f"{commit.author} {commit.time_s} +0000".encode()
        message = commit.message.encode()
        yield b"commit refs/heads/%s\n" % BRANCH.encode()
        yield b"author %s\ncommitter %s\n" % (who, who)
        yield b"data %d\n%s\n" % (len(message), message)
        for path, content in sorted(commit.files.items()):
            if content is None:
                yield b"D %s\n" % path.encode()
            else:
                yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(content), content)
        yield b"\n"
    yield b"done\n"


def _git(directory: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    """Run git on the repository, without the user's settings, and return what it printed."""
    git = shutil.which("git")
    if git is None:
        raise ConfigError("git is not on PATH", where="git", todo="install git")
    # Nothing of the surrounding repository or user may leak in (GIT_DIR inside a hook, templates).
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    clean |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "LC_ALL": "C"}
    where = ["--git-dir", str(directory)] if arguments[0] != "init" else []
    command = [git, "-c", f"core.hooksPath={os.devnull}", *where, *arguments]
    try:
        done = subprocess.run(
            command, input=stdin, env=clean, capture_output=True, check=False, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired as error:
        raise ConfigError(f"git did not end in {TIMEOUT_S} s", where=str(directory)) from error
    if done.returncode != 0:
        raise ConfigError(
            f"git {arguments[0]} failed: {done.stderr.decode(errors='replace').strip()[-300:]}",
            where=str(directory),
        )
    return done.stdout
