"""Clones of public repositories in a folder that is never part of the project.

A clone is any git folder, bare or ordinary. Its newest commit is unpacked into a temporary folder,
because kustomize and Helm read files; the code under test reads the git objects.
"""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Clone:
    """One repository: what to call it, its git folder, and the commit that is looked at."""

    name: str
    path: Path
    commit: str


def find(folder: Path) -> list[Clone]:
    """Return the clones in a folder, or one level deeper (`owner+name/repo`), by name."""
    found = []
    for one in sorted(folder.iterdir()):
        for path in (one, one / "repo"):
            if (path / ".git").exists() or ((path / "HEAD").is_file() and (path / "objects").is_dir()):
                commit = _git(path, "rev-parse", "HEAD^{commit}").decode().strip()
                found.append(Clone(one.name, path, commit))
                break
    return found


def unpack(clone: Clone, folder: Path) -> None:
    """Write the files of the commit that are there and not large; links only when they stay inside."""
    listing = _git(clone.path, "ls-tree", "-r", "-z", clone.commit).decode("utf-8", "surrogateescape")
    entries = [line.split("\t", 1) for line in listing.split("\0") if line]
    blobs = [(facts.split()[0], facts.split()[2], path) for facts, path in entries]
    answer = BytesIO(
        _git(clone.path, "cat-file", "--batch", stdin="\n".join(one[1] for one in blobs).encode())
    )
    for mode, _, path in blobs:
        head = answer.readline().split()
        if len(head) != 3 or head[1] != b"blob":  # a submodule, or missing in this snapshot
            continue
        content = answer.read(int(head[2]))
        answer.read(1)
        target = folder / path
        if mode not in {"100644", "100755", "120000"} or len(content) > MOST_BYTES or "\0" in path:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        if mode != "120000":
            target.write_bytes(content)
        elif (target.parent / content.decode("utf-8", "replace")).resolve().is_relative_to(folder.resolve()):
            target.symlink_to(content.decode("utf-8", "replace"))


def _git(path: Path, *arguments: str, stdin: bytes = b"") -> bytes:
    command = ["git", "-c", "core.hooksPath=/dev/null", "-C", str(path), *arguments]
    environment = {"PATH": os.environ["PATH"], "GIT_NO_LAZY_FETCH": "1", "HOME": "/nonexistent"}
    return subprocess.run(
        command, input=stdin, env=environment, capture_output=True, check=True, timeout=120
    ).stdout
