"""What a real tool made of a folder before and after an edit: exactly one field may differ.

The tool runs in `edges.render_tools`; here it is said what it shall run on, and its two outputs are
compared: what kustomize builds of a folder, or Helm of a chart with the values of its release. A
plain file is not, nor what an Application or a Flux object adds to a kustomization or to a chart's
output.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from aiops.domain import Edit, Target
from aiops.errors import EditRefused
from aiops.gitops import choose, repository_map, splice
from aiops.gitops.clusters import Cluster
from aiops.gitops.nodes import Alias, Mapping, Node, Scalar, entries_at, scalar_tag, text_at
from aiops.gitops.snapshot import Snapshot
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


@dataclass(frozen=True, slots=True)
class Chart:
    """What Helm is asked to make: the chart in a folder, under a name, with values.

    `values`: in order, each (path of a file, "") or ("", text). `parameters`: as `--set` takes them.
    """

    folder: str
    name: str
    namespace: str
    values: tuple[tuple[str, str], ...]
    parameters: tuple[str, ...]


def chart(files: Files, target: Target, clusters: Sequence[Cluster]) -> Chart | None:
    """Return the chart that makes a workload, None when it is of no chart.

    Raises EditRefused when the chart or one layer of its values is not in this commit.
    """
    repository = repository_map.read(files)
    _, found = choose.choose(repository, target.workload, choose.own(target.workload, clusters))
    release = found.made_by
    if release is None:
        return None
    if release.folder is None:
        raise EditRefused("cannot be rendered: its chart is not in this repository", where=release.file)
    missing = _missing(repository.snapshot, release.folder)
    if missing:
        raise EditRefused(
            f"cannot be rendered: its dependency {missing[:80]} is not vendored", where=release.folder
        )
    own = posixpath.join(release.folder, "values.yaml")
    values = []
    for layer in release.layers:
        if layer.problem:
            raise EditRefused(f"cannot be rendered: {layer.problem}", where=layer.file)
        if layer.prefix:
            values.append(("", _flow(layer.node)))
        elif layer.file != repository.snapshot.real(own):
            values.append((layer.file, ""))
    unknown = next((spot for _, spot in release.parameters if spot.problem), None)
    if unknown is not None:
        raise EditRefused(f"cannot be rendered: {unknown.problem}", where=unknown.file)
    parameters = tuple(f"{name}={_escaped(spot.value)}" for name, spot in release.parameters)
    return Chart(release.folder, release.name, release.namespace, tuple(values), parameters)


def _missing(snapshot: Snapshot, folder: str) -> str:
    """Return a dependency of a chart that is not below `charts/`, "" when all are: none is fetched."""
    for file in ("Chart.yaml", "requirements.yaml"):  # the latter of Helm 2
        path = posixpath.join(folder, file)
        documents = snapshot.nodes(snapshot.real(path)) if snapshot.exists(path) else ()
        for entry in entries_at(documents[0] if documents else None, "dependencies"):
            name = text_at(entry, "name")
            beside = posixpath.join(folder, "charts", name)
            packed = (one.startswith(f"{beside}-") and one.endswith(".tgz") for one in snapshot.paths)
            if beside not in snapshot.folders and not any(packed):
                return name or "without a name"
    return ""


def _flow(node: Node | None) -> str:
    """Return values as one line of YAML: numbers, truth values and null as written, the rest as text."""
    if node is None:
        return "{}"
    if isinstance(node, Scalar):
        return json.dumps(node.value) if scalar_tag(node) == "str" else node.value
    if isinstance(node, Alias) or (isinstance(node, Mapping) and node.merges):
        raise EditRefused("cannot be rendered: anchors in the values")
    if isinstance(node, Mapping):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(value)}" for key, value in node.pairs) + "}"
    return "[" + ", ".join(map(_flow, node.entries)) + "]"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace(",", "\\,")


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
