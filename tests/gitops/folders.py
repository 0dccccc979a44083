"""A folder of files as the `Files` and `Repository` ports show it, for tests without git."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from aiops.domain import Checkout, Commit, TreeFile
from aiops.errors import EditRefused
from aiops.gitops.splice import blob_id


class MemoryFiles:
    """One commit in memory. `modes`: path -> git mode where it is not 100644."""

    def __init__(
        self,
        files: Mapping[str, bytes],
        modes: Mapping[str, str] | None = None,
        checkout: Checkout | None = None,
    ) -> None:
        self.sha = "0" * 40
        self.checkout = checkout or Checkout()
        self._files = dict(files)
        self._modes = dict(modes or {})
        self._tree = {
            path: TreeFile(path, self._modes.get(path, "100644"), blob_id(content), len(content))
            for path, content in sorted(self._files.items())
        }

    def tree(self) -> Mapping[str, TreeFile]:
        return self._tree

    def read(self, path: str) -> bytes:
        if path not in self._files or self._modes.get(path, "100644") not in {"100644", "100755"}:
            raise EditRefused("not a regular file", where=path)
        return self._files[path]

    def link(self, path: str) -> str:
        if self._modes.get(path) != "120000":
            raise EditRefused("not a symbolic link", where=path)
        return self._files[path].decode()


class MemoryRepository:
    """A first-parent history in memory, oldest first: (time, content of the one file or None)."""

    shallow = False

    def __init__(self, path: str, history: list[tuple[int, bytes | None]]) -> None:
        self._path = path
        self._history = history

    def head(self, base: str) -> str:
        return str(len(self._history) - 1)

    def files(self, sha: str) -> MemoryFiles:
        content = self._history[int(sha)][1]
        return MemoryFiles({} if content is None else {self._path: content})

    def commits(self, sha: str, path: str, limit: int) -> tuple[Commit, ...]:
        newest_first = range(int(sha), -1, -1)
        made = (
            Commit(str(n), self._history[n][0], f"change {n}", (path, "other.yaml")) for n in newest_first
        )
        return tuple(made)[:limit]


def of_folder(folder: Path, checkout: Checkout | None = None) -> MemoryFiles:
    """Return the files below a folder as one commit; `checkout`: of which branch of which repository."""
    found = sorted(path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    names = {path.relative_to(folder).as_posix(): path for path in found}
    return MemoryFiles(
        {
            name: str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
            for name, path in names.items()
        },
        {name: "120000" for name, path in names.items() if path.is_symlink()},
        checkout,
    )
