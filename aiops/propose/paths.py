"""Which paths a proposal may write.

Comes in: a path from a plan. Goes out: nothing, or a refusal. Purely lexical; symbolic links and
submodules are refused where the tree is read.
"""

from __future__ import annotations

from aiops.errors import EditRefused

MAX_PATH = 1_024
_DENIED = frozenset({"", ".", "..", ".git", ".github", ".gitmodules", ".gitattributes"})


def refuse_path(path: str) -> None:
    """Raise EditRefused unless `path` is a plain relative path outside `.git` and `.github`."""
    parts = path.split("/")
    plain = path.isprintable() and "\\" not in path and ":" not in path and 0 < len(path) <= MAX_PATH
    # Case and trailing dots or spaces: a checkout on some file systems folds them into .git.
    if not plain or any(part.lower().rstrip(". ") in _DENIED or part in _DENIED for part in parts):
        raise EditRefused(
            "a proposal may not write this path",
            where=repr(path[:200]),
            todo="expected a relative path without `..`, outside .git and .github",
        )
