"""Kustomize patches, read for the fields we know: strategic merge and JSON 6902, file or inline.

A patch in a file is a place like any other. An inline patch is YAML inside a YAML string: a literal
block is edited in place, another kind of string is known and refused. What a patch may do and we
cannot tell becomes a problem, so that a lower layer is never edited in vain.
Source: kubectl.docs.kubernetes.io/references/kustomize/kustomization/patches/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass

from aiops.errors import EditRefused
from aiops.gitops.inside import INSIDE, Path
from aiops.gitops.layers import Values
from aiops.gitops.nodes import Mapping, Node, Scalar, Sequence, compose, entries_at, look, text_at
from aiops.gitops.rendered import NUMBERS, POD_SPEC, Container, Rendered, number, overlay, set_image
from aiops.gitops.snapshot import Snapshot, Spot

# Products of two lists that a hostile repository makes long; real ones stay a hundred times below.
MAX_STEPS = 200_000
MAX_OPERATIONS = 1_000


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch document, at `prefix` of a document of a file when it is inline.

    `target`: the selector beside it, None when it names its object itself.
    """

    file: str
    document: int
    prefix: Path
    node: Node
    target: Node | None
    problem: str


def listed(
    snapshot: Snapshot,
    file: str,
    root: Node | None,
    *keys: str,
    document: int = 0,
    prefix: Path = (),
    folder: str | None = None,
) -> list[Patch]:
    """Return the patches a kustomization lists under the keys. Raises EditRefused for unreadable ones.

    `document`, `prefix`: where `root` stands in `file`. `folder`: that of the file when a link to it
    stands elsewhere.
    """
    found: list[Patch] = []
    for key in keys:
        for index, entry in enumerate(entries_at(root, key)):
            at = (*prefix, key, index)
            target, _ = look(entry, "target") if isinstance(entry, Mapping) else (None, "")
            path = text_at(entry, "path") or text_at(entry)
            text = look(entry, "patch")[0] if isinstance(entry, Mapping) else None
            if isinstance(entry, Scalar) and ("\n" in path or ": " in path):
                path, text = "", entry  # patchesStrategicMerge: a path, or YAML with line breaks
            if isinstance(text, Scalar):
                inner = (*at, "patch", INSIDE) if text is not entry else (*at, INSIDE)
                found.extend(_inline(file, document, inner, text, target))
            elif path:
                home = posixpath.dirname(file) if folder is None else folder
                source = snapshot.real(posixpath.normpath(posixpath.join(home, path)))
                nodes = enumerate(snapshot.nodes(source))
                found.extend(Patch(source, n, (), one, target, "") for n, one in nodes if one is not None)
    return found


def _inline(file: str, document: int, path: Path, text: Scalar, target: Node | None) -> Iterable[Patch]:
    try:
        documents = [one for one in compose(text.value, pure=False) if one is not None]
    except EditRefused as error:
        raise EditRefused(f"an inline patch is {error.message}", where=file) from error
    literal = text.style == "|" and len(documents) == 1
    problem = "" if literal else f"set by an inline patch in {file} that is not one literal block (|)"
    return [Patch(file, document, path, one, target, problem) for one in documents]


def patch(objects: list[Rendered], patches: Iterable[Patch]) -> list[Rendered]:
    """Return the objects after the patches; deleted ones are gone."""
    kept, patches = objects, list(patches)
    if len(kept) * len(patches) > MAX_STEPS:
        for found in kept:
            block(found, "more patches than can be compared may set it")
        return kept
    for one in patches:
        gone = [found for found in kept if matches(one, found) and _patch_one(one, found)]
        kept = [found for found in kept if not any(found is lost for lost in gone)]
    return kept


def matches(one: Patch, found: Rendered) -> bool:
    """Tell whether a patch is, or may be, for an object."""
    if one.target is None:
        return (
            _same_kind(text_at(one.node, "kind"), found)
            and text_at(one.node, "metadata", "name") in found.names
        )
    kind, name = text_at(one.target, "kind"), text_at(one.target, "name")
    return (_same_kind(kind, found) or selects(kind, [found.kind])) and selects(name, found.names)


def _same_kind(kind: str, found: Rendered) -> bool:
    """Tell whether a patch is for the kind; a workload of a chart may be any kind of workload."""
    return kind == found.kind or (not found.kind and kind in POD_SPEC)


def selects(pattern: str, names: list[str]) -> bool:
    """Tell whether an anchored regular expression of a kustomize target selects one of the names."""
    if not pattern or pattern in names:
        return True
    if len(pattern) > 256 or re.search(r"[)*+}]\s*[*+{]", pattern):
        return True  # a hostile pattern could run for ever; taking it for a match only adds refusals
    try:
        return any(re.fullmatch(pattern, name) for name in names)
    except re.error:
        return True


def _patch_one(one: Patch, found: Rendered) -> bool:
    """Merge a patch into an object; return True when it deletes the object."""
    problem = one.problem
    if not found.kind:
        block(found, f"a patch of what the chart renders may set it ({one.file})")
        return False
    if one.target is not None and (
        text_at(one.target, "labelSelector") or text_at(one.target, "annotationSelector")
    ):
        problem = f"a patch that selects by labels may set it ({one.file})"
    if isinstance(one.node, Sequence) and len(one.node.entries) > MAX_OPERATIONS:
        block(found, f"a JSON patch with more than {MAX_OPERATIONS} operations may set it ({one.file})")
        return False
    if isinstance(one.node, Sequence):
        for index, operation in enumerate(one.node.entries):
            _operation(one, found, index, operation, problem)
        return False
    if text_at(one.node, "$patch") == "delete":
        return not problem.startswith("a patch that selects")
    if _directs(one.node, found.kind):
        problem_ = f"a patch with a $patch directive may set it ({one.file})"
        block(found, problem_)
        if found.kind == "HelmRelease":
            found.values.append(Values(one.file, one.document, (), None, found.kind, problem_))
    if found.kind == "Rollout" and look(one.node, *POD_SPEC["Rollout"], "containers")[0] is not None:
        block_images(found.containers, f"a merge patch replaces the containers of a Rollout ({one.file})")
    overlay(found, one.file, one.document, one.prefix, one.node, problem)
    return False


def block(found: Rendered, problem: str) -> None:
    """Let something we cannot read win over every field of an object."""
    block_images(found.containers, problem)
    for name in NUMBERS.get(found.kind, {}) or found.numbers:
        found.numbers.setdefault(name, []).append(
            Spot(found.file, found.document, (), "", found.kind, problem)
        )


def elsewhere(found: Iterable[Rendered], problem: str) -> None:
    """Let nothing that was read so far count: what is deployed is another revision, which nobody read."""
    for one in found:
        block(one, problem)
        for container in one.containers:
            container.version = ""


def block_images(containers: Iterable[Container], problem: str) -> None:
    """Let something we cannot read win over the images of containers."""
    for container in containers:
        container.spots.append(Spot("", 0, (), "", "", problem))


def _operation(one: Patch, found: Rendered, index: int, operation: Node, problem: str) -> None:
    """Read one JSON 6902 operation (RFC 6902) for the fields we know."""
    op, pointer = text_at(operation, "op"), text_at(operation, "path")
    value, why = look(operation, "value")
    problem = problem or why
    if op not in {"add", "replace"}:
        problem = problem or f"a JSON patch may {op or 'change'} it ({one.file})"
    path: Path = (*one.prefix, index, "value")
    for name, keys in NUMBERS.get(found.kind, {}).items():
        full = "/" + "/".join(keys)
        if pointer == full:
            spot = number(one.file, one.document, path, value, "JSON patch", problem)
            found.numbers.setdefault(name, []).append(spot)
        elif full.startswith(f"{pointer}/"):
            lost = Spot(
                one.file, one.document, path, "", "JSON patch", f"a JSON patch sets {pointer} ({one.file})"
            )
            found.numbers.setdefault(name, []).append(lost)
    if found.kind not in POD_SPEC:
        return
    for part in ("containers", "initContainers"):
        full = "/" + "/".join((*POD_SPEC[found.kind], part))
        same = [container for container in found.containers if container.init == (part == "initContainers")]
        match = re.fullmatch(re.escape(full) + r"/(\d{1,4})/image", pointer)
        if match and int(match[1]) < len(same):
            spot = Spot(one.file, one.document, path, text_at(value), "JSON patch", problem)
            set_image(same[int(match[1])], spot)
        elif (
            full.startswith(f"{pointer}/")
            or pointer == full
            or re.fullmatch(re.escape(full) + r"/\d+", pointer)
        ):
            block_images(same, f"a JSON patch sets {pointer} ({one.file})")


def _directs(node: Node, kind: str) -> bool:
    """Tell whether a `$patch` directive stands where it reaches a field we know.

    One that stands deeper, in an entry of `env` say, reaches nothing but what it stands in.
    Source: kubernetes/community contributors/devel/sig-api-machinery/strategic-merge-patch.md
    """
    if kind not in POD_SPEC and kind not in NUMBERS:
        return _holds_directive(node)
    above = [path[:-1] for path in NUMBERS.get(kind, {}).values()]
    above += (
        [(*POD_SPEC[kind], part) for part in ("containers", "initContainers")] if kind in POD_SPEC else []
    )
    for path in above:
        nodes = [look(node, *path[:depth])[0] for depth in range(len(path) + 1)]
        if any(_is_directed(one) for one in (*nodes, *entries_at(node, *path))):
            return True
    return False


def _is_directed(node: Node | None) -> bool:
    return isinstance(node, Mapping) and node.get("$patch") is not None


def _holds_directive(node: Node) -> bool:
    todo = [node]
    while todo:
        one = todo.pop()
        if _is_directed(one):
            return True
        if isinstance(one, Mapping):
            todo.extend(value for _, value in one.pairs)
        elif isinstance(one, Sequence):
            todo.extend(one.entries)
    return False
