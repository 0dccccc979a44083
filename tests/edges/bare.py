"""A bare git repository written object by object, without a process of git: what a server has behind it.

`git` itself reads and checks the result; only writing is done here, because a campaign writes
thousands of commits and a process for each would be most of its time.
"""

from __future__ import annotations

import hashlib
import subprocess
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

Entries = Mapping[str, tuple[str, str]]  # path -> (mode, blob), all folders in one


@dataclass(frozen=True, slots=True)
class Bare:
    """`folder`: where objects and refs go; None = only the names that git would give are computed."""

    folder: Path | None = None

    def create(self) -> None:
        assert self.folder is not None
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(self.folder)], check=True)

    def blob(self, content: bytes) -> str:
        return self._object("blob", content)

    def tree(self, entries: Entries) -> str:
        """Write the trees of all folders; return the topmost."""
        here: dict[str, tuple[str, str]] = {}
        below: dict[str, dict[str, tuple[str, str]]] = {}
        for path, entry in entries.items():
            name, _, rest = path.partition("/")
            if rest:
                below.setdefault(name, {})[rest] = entry
            else:
                here[name] = entry
        here |= {name: ("40000", self.tree(inside)) for name, inside in below.items()}
        # git orders a folder as if its name ended with a slash.
        order = sorted(here, key=lambda name: name + "/" if here[name][0] == "40000" else name)
        lines = [f"{here[name][0]} {name}\0".encode() + bytes.fromhex(here[name][1]) for name in order]
        return self._object("tree", b"".join(lines))

    def commit(self, tree: str, parents: Iterable[str], message: str, at_s: int) -> str:
        who = f"bot <bot@example.com> {at_s} +0000"
        head = [f"tree {tree}", *(f"parent {one}" for one in parents), f"author {who}", f"committer {who}"]
        return self._object("commit", ("\n".join(head) + f"\n\n{message}").encode())

    def point(self, refs: Mapping[str, str]) -> None:
        """Make the refs of the repository these, and no others."""
        if self.folder is None:
            return
        for path in sorted((self.folder / "refs" / "heads").rglob("*")):
            if path.is_file() and str(path.relative_to(self.folder / "refs")) not in refs:
                path.unlink()
        for name, sha in refs.items():
            path = self.folder / "refs" / name
            if not path.is_file() or path.read_text() != f"{sha}\n":
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{sha}\n")

    def _object(self, kind: str, content: bytes) -> str:
        data = f"{kind} {len(content)}\0".encode() + content
        sha = hashlib.sha1(data).hexdigest()  # noqa: S324 - git's own name
        if self.folder is not None:
            path = self.folder / "objects" / sha[:2] / sha[2:]
            if not path.is_file():
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(zlib.compress(data, 1))
        return sha
