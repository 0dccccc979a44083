"""How git is run: argument lists, a cleaned environment, and long-running object readers.

Nothing that a repository configures is run: hooks, file-system monitors, signature checks, pagers
and transports are off. `cat-file` knows no filters, so content is what was committed.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import weakref
from pathlib import Path
from typing import IO

from aiops.errors import ConfigError

_SAFE = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "protocol.allow=never",
    "log.showSignature=false",
    "log.follow=false",
    "log.showRoot=true",
    "i18n.logOutputEncoding=UTF-8",
)


class Objects:
    """Two long-running `git cat-file` processes: a name in, an object out.

    Sizes are asked for first, so that a huge blob is never read into memory.
    """

    def __init__(self, folder: Path) -> None:
        self._check = _start(folder, "--batch-check")
        self._batch = _start(folder, "--batch")
        self._stop = weakref.finalize(self, _end, (self._check, self._batch))

    def read(self, name: str, most: int | None) -> tuple[str, bytes]:
        """Return (type, content); ("", b"") when it is missing, ("too large", b"") above `most` bytes.

        `most` None: the size is known to be small enough, and is not asked for again.
        """
        if "\n" in name:
            return "", b""
        if most is not None:
            kind, size = _header(self._check, name)
            if not kind:
                return "", b""
            if size > most:
                return "too large", b""
        kind, size = _header(self._batch, name)
        if not kind:
            return "", b""
        content = _pipe(self._batch.stdout).read(size)
        _pipe(self._batch.stdout).read(1)
        return kind, content


def _start(folder: Path, flag: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        command(folder, "cat-file", flag),
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _header(process: subprocess.Popen[bytes], name: str) -> tuple[str, int]:
    """Ask for an object; return (type, size), or ("", 0) when it is missing or ambiguous."""
    pipe = _pipe(process.stdin)
    try:
        pipe.write(name.encode("utf-8", "surrogateescape") + b"\n")
        pipe.flush()
    except BrokenPipeError:  # git gave up, for one on an object that a partial clone lacks
        return "", 0
    line = _pipe(process.stdout).readline().split()
    if len(line) != 3 or not line[2].isdigit():
        return "", 0
    return line[1].decode(), int(line[2])


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:  # both ends were asked for in _start
        raise ConfigError("git cat-file has no pipes")
    return pipe


def _end(processes: tuple[subprocess.Popen[bytes], ...]) -> None:
    for process in processes:
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                with contextlib.suppress(BrokenPipeError):
                    pipe.close()
        process.wait()


def command(folder: Path, *arguments: str) -> list[str]:
    """Return the argument list of a git command with everything that could run code switched off."""
    settings = [part for setting in _SAFE for part in ("-c", setting)]
    return ["git", "--no-pager", "--no-replace-objects", f"--git-dir={folder}", *settings, *arguments]


def environment() -> dict[str, str]:
    """Return the environment of git: nothing from outside but where programs are."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "LC_ALL": "C.UTF-8",
        "HOME": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_NO_LAZY_FETCH": "1",  # a partial clone asks its remote for missing objects otherwise
    }


def tree_entry(content: bytes, name: bytes, id_bytes: int) -> tuple[str, str]:
    r"""Return (mode, object id) of a name in a raw tree object, ("", "") when it is not there.

    The records are `mode name\0id`, the id as bytes. Source: Pro Git, 10.2 Git Internals - Git Objects.
    """
    at = 0
    while at < len(content):
        space, end = content.index(b" ", at), content.index(b"\0", at)
        identity = content[end + 1 : end + 1 + id_bytes]
        if content[space + 1 : end] == name:
            return content[at:space].decode(), identity.hex()
        at = end + 1 + id_bytes
    return "", ""
