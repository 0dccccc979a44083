"""What a real tool made of a folder before and after an edit: exactly one field may differ.

The tool runs in `edges.kustomize`; here its two outputs are compared. Only what kustomize itself
builds is compared: a chart, a plain file or what an Application adds on top is not.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiops.domain import Edit, Target
from aiops.errors import EditRefused
from aiops.gitops import choose, repository_map, splice
from aiops.gitops.clusters import Cluster
from aiops.gitops.nodes import Alias, Mapping, Node, Scalar
from aiops.gitops.text import read
from aiops.ports import Files

Path = tuple[str | int, ...]


def folder(files: Files, target: Target, clusters: Sequence[Cluster]) -> str:
    """Return the folder that kustomize builds for a workload. Raises EditRefused when there is none."""
    repository = repository_map.read(files)
    unit, _ = choose.choose(repository, target.workload, choose.own(target.workload, clusters))
    if repository.snapshot.kustomization(unit.path) is None:
        raise EditRefused("cannot be rendered: no kustomization builds it", where=unit.path or ".")
    return unit.path


def contents(files: Files, edits: Sequence[Edit]) -> dict[str, bytes]:
    """Return the new content of every file that the edits change."""
    return {
        path: splice.replace(files.read(path), [one for one in edits if one.file == path])
        for path in dict.fromkeys(one.file for one in edits)
    }


def only_one(before: bytes, after: bytes, new: str) -> str:
    """Return the one field that differs, in words. Raises EditRefused when it is not one, or not `new`."""
    old_leaves, new_leaves = _leaves(before), _leaves(after)
    different = [
        key for key in old_leaves.keys() | new_leaves.keys() if old_leaves.get(key) != new_leaves.get(key)
    ]
    if not different:
        raise EditRefused("rendered, nothing differs: another layer wins")
    document, path = min(different, key=str)
    name = "/".join(old_leaves.get((document, key), "") for key in (("kind",), ("metadata", "name")))
    field = ".".join(map(str, path))
    if len(different) > 1:
        raise EditRefused(f"rendered, {len(different)} fields differ, {field} of {name} for one")
    was, now = old_leaves.get((document, path), "nothing"), new_leaves.get((document, path), "nothing")
    if now != new and not now.endswith((f":{new}", f"@{new}")):
        raise EditRefused(f"rendered, {field} of {name} becomes {now[:120]}, not {new[:120]}")
    return f"{field} of {name}: {was[:120]} -> {now[:120]}"


def _leaves(content: bytes) -> dict[tuple[int, Path], str]:
    """Return the text of every scalar by document and path, and the size of what holds some."""
    found: dict[tuple[int, Path], str] = {}
    for index, root in enumerate(read(content, pure=False)[1]):
        todo: list[tuple[Path, Node | None]] = [((), root)]
        while todo:
            path, node = todo.pop()
            if isinstance(node, Scalar):
                found[index, path] = node.value
            elif isinstance(node, Alias):
                found[index, path] = f"*{node.name}"
            elif isinstance(node, Mapping):
                found[index, path] = f"{len(node.pairs)} keys"
                todo += [((*path, getattr(key, "value", n)), one) for n, (key, one) in enumerate(node.pairs)]
            elif node is not None:
                found[index, path] = f"{len(node.entries)} entries"
                todo += [((*path, n), one) for n, one in enumerate(node.entries)]
    return found
