"""`replacements` of a kustomization: one value of one place, copied into fields of other objects.

Evaluated where both ends are plainly known: the source is a literal (`sourceValue`), a field of a
workload, or an entry of a ConfigMap that kustomize itself leaves out of what it builds
(`local-config`), so that nobody else reads it; the target is one field of one object. Whatever else
may reach a field we know becomes a problem, so that no lower layer is edited in vain.
Source: kustomize api/filters/replacement/replacement.go and its documentation of `replacements`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from aiops.errors import EditRefused
from aiops.gitops import image_reference
from aiops.gitops.nodes import Mapping, Node, Scalar, entries_at, look, text_at
from aiops.gitops.patches import MAX_STEPS, block, selects
from aiops.gitops.rendered import NUMBERS, POD_SPEC, Container, Rendered, number, set_image
from aiops.gitops.snapshot import Snapshot, Spot
from aiops.gitops.sources import Part

KIND = "kustomize replacement"
Path = tuple[str | int, ...]
Field = Container | str  # a container, for its image, or the name of a number
_PART = re.compile(r"\[[^\]]*\]|(?:[^.\\]|\\.)+")
_KEY = re.compile(r"[A-Za-z0-9_-]+")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_SOURCE = frozenset({"group", "version", "kind", "name", "namespace", "fieldPath"})
_TARGET = frozenset({"select", "fieldPaths", "options"})
_SELECT = frozenset({"group", "version", "kind", "name"})
_LOCAL = "config.kubernetes.io/local-config"
_MAX_FIELDS = 50_000  # that the replacements of one kustomization may reach; real ones stay below 1,000
_NAMED = "metadata.name"  # what kustomize takes where no field is said


@dataclass(frozen=True, slots=True)
class Entry:
    """One replacement and where it is written."""

    file: str
    document: int
    path: Path
    node: Node


class Replacing:
    """The replacements of one kustomization after another; remembers where each source is written to."""

    def __init__(self) -> None:
        self._written: dict[object, set[object]] = {}  # key of a source -> the target fields

    def apply(
        self, found: list[Rendered], file: str, entries: Iterable[Entry], config_map: Callable[[str], Part]
    ) -> None:
        """Let the replacements of a kustomization win over what was set before, in their order.

        `config_map`: finds the ConfigMap of a name beside the kustomization, with why it cannot be used.
        """
        unknown = f"replacements of {file} may set it"
        entries = list(entries)
        targets = [one for entry in entries for one in entries_at(entry.node, "targets")]
        if _are_too_many(found, targets):
            for one in found:
                block(one, f"more `replacements` than can be compared may set it ({file})")
            return
        copied_to = [look(one, "select")[0] for one in targets]

        def untouched(name: str) -> Part:
            asked = Rendered("ConfigMap", [name], "", file, 0)
            if any(_may_select(select, asked) for select in copied_to):
                return Part(file, 0, (), None, "another replacement may change")
            return config_map(name)

        for entry in entries:
            spot = _source(found, entry, untouched, unknown)
            for index, target in enumerate(entries_at(entry.node, "targets")):
                for name in [text_at(one) for one in entries_at(target, "fieldPaths")] or [_NAMED]:
                    where = (entry.file, entry.document, entry.path, index, name)
                    self._written.setdefault(spot.key, set()).add(where)
                    _write(found, target, name, spot, unknown)

    def shared(self) -> frozenset[object]:
        """Return the keys of the sources that are written to several fields."""
        return frozenset(key for key, targets in self._written.items() if len(targets) > 1)


def _are_too_many(found: list[Rendered], targets: list[Node]) -> bool:
    if len(targets) * len(found) > MAX_STEPS:
        return True
    reached = 0
    for target in targets:
        select = look(target, "select")[0]
        fields = sum(len(one.containers) + 1 for one in found if _may_select(select, one))
        reached += fields * max(len(entries_at(target, "fieldPaths")), 1)
    return reached > _MAX_FIELDS


def alone(found: Iterable[Rendered], shared: frozenset[object]) -> None:
    """Leave sources alone that replacements write to several fields: an edit would change them all."""
    for one in found if shared else ():
        for spots in (*(container.spots for container in one.containers), *one.numbers.values()):
            if spots and spots[-1].kind == KIND and spots[-1].key in shared and not spots[-1].problem:
                spots.append(replace(spots[-1], problem="replacements write it to several fields"))


def _source(found: list[Rendered], entry: Entry, config_map: Callable[[str], Part], unknown: str) -> Spot:
    """Return the scalar that is copied. `problem`: why it is not known."""
    at = Spot(entry.file, entry.document, (*entry.path, "sourceValue"), "", KIND)
    literal, why = look(entry.node, "sourceValue")
    if literal is not None or why:
        value = literal.value if isinstance(literal, Scalar) else ""
        return replace(at, value=value, problem=why or ("" if value else unknown))
    source, _ = look(entry.node, "source")
    if not isinstance(source, Mapping) or not _keys(source) <= _SOURCE:
        return replace(at, problem=unknown)
    kind, name, field = (text_at(source, key) for key in ("kind", "name", "fieldPath"))
    if kind != "ConfigMap" or not field.startswith("data."):
        return _of_object(found, kind, name, field) or replace(at, problem=unknown)
    key = field.removeprefix("data.")
    if not _KEY.fullmatch(key):
        return replace(at, problem=unknown)
    part = config_map(name)
    value_node, why = look(part.node, "data", key)
    problem = part.problem or why
    if problem or not isinstance(value_node, Scalar):
        what = f"ConfigMap/{name}, which {problem or f'has no {key[:60]}'}"
        return replace(at, problem=f"{unknown.removesuffix('may set it')}set it from {what}")
    return Spot(part.file, part.document, ("data", key), value_node.value, KIND)


def _write(found: list[Rendered], target: Node, name: str, spot: Spot, unknown: str) -> None:
    """Let a source win over the fields of the objects that a target selects."""
    select, options = look(target, "select")[0], look(target, "options")[0]
    matched = [one for one in found if _may_select(select, one)]
    plain = (
        len(matched) == 1
        and isinstance(target, Mapping)
        and _keys(target) <= _TARGET
        and isinstance(select, Mapping)
        and _keys(select) <= _SELECT
        and _NAME.fullmatch(text_at(select, "name")) is not None
        and text_at(select, "kind") == matched[0].kind != ""
    )
    for one in matched:
        for field, exact in _fields(one, name):
            problem = spot.problem if plain and exact else unknown
            if isinstance(field, Container):
                _image(field, replace(spot, problem=problem), options)
                continue
            value = Scalar(spot.value, "", "", "", 0, 0, 0)  # a text there, a number here
            problem = problem or (unknown if _written(options) else "")
            made = number(spot.file, spot.document, spot.path, value, KIND, problem)
            one.numbers.setdefault(field, []).append(made)


def _image(container: Container, spot: Spot, options: Node | None) -> None:
    """Let a source win over the image of a container, or over a part of it (`delimiter`, `index`)."""
    if spot.problem:
        container.spots.append(spot)
    elif not _written(options):
        set_image(container, spot)
        whole = image_reference.stands_in(spot.path, spot.value)
        if not container.spots[-1].problem and (whole is None or whole.version != container.version):
            container.spots[-1] = replace(spot, problem="what is copied there is no whole image by its name")
    else:
        delimiter, index = text_at(options, "delimiter"), text_at(options, "index") or "0"
        text = f"{container.image}:{container.version}"
        parts = text.split(delimiter) if delimiter == ":" and container.version else []
        last = index.isdigit() and int(index) == len(parts) - 1 > 0
        plain = "@" not in text and _written(options) <= {"delimiter", "index"}
        version = image_reference.is_version(spot.value) and ":" not in spot.value
        if not (last and plain and version) or image_reference.stands_in(spot.path, spot.value) is not None:
            container.spots.append(replace(spot, problem="a replacement writes a part of the image"))
            return
        container.version = spot.value
        container.spots.append(spot)


def _of_object(found: list[Rendered], kind: str, name: str, field: str) -> Spot | None:
    """Return what sets the field of a workload or autoscaler that is copied, None when it is not known."""
    same = [one for one in found if one.kind == kind and name in one.names]
    fields = [each for one in same for each, exact in _fields(one, field) if exact]
    if len(same) != 1 or len(fields) != 1:
        return None
    part = fields[0]
    spots = same[0].numbers.get(part, []) if isinstance(part, str) else part.spots
    whole = isinstance(part, str) or (spots and image_reference.stands_in(spots[-1].path, spots[-1].value))
    return spots[-1] if spots and whole else None


def _fields(one: Rendered, text: str) -> Iterator[tuple[Field, bool]]:
    """Yield the fields we know that a field path reaches, and whether it means exactly that one."""
    if not one.kind or text == _NAMED:  # what a chart renders, or what is called otherwise then
        renamed = text == _NAMED
        yield from ((each, False) for each in one.containers if renamed or "image" in text)
        yield from ((name, False) for name in list(one.numbers) if renamed or "replicas" in text.lower())
        return
    parts = [match[0].replace("\\.", ".") for match in _PART.finditer(text)]
    for name, path in NUMBERS.get(one.kind, {}).items():
        if _reaches(parts, [{key} for key in path]):
            yield name, tuple(parts) == path
    for key in ("containers", "initContainers") if one.kind in POD_SPEC else ():
        same = [each for each in one.containers if each.init == (key == "initContainers")]
        path_ = [{part} for part in (*POD_SPEC[one.kind], key)]
        for index, each in enumerate(same):
            entry = {str(index), f"[name={each.name}]"}
            if _reaches(parts, [*path_, entry, {"image"}]):
                sure = len(parts) == len(path_) + 2 and "*" not in (*parts[: len(path_)], parts[-1])
                yield each, sure and (parts[-2] in entry or len(same) == 1)


def _reaches(parts: list[str], path: list[set[str]]) -> bool:
    """Tell whether a field path leads to a field, or to something that holds it."""
    return len(parts) <= len(path) and all(
        part == "*" or part in keys or (part.startswith("[") and not part.startswith("[name="))
        for part, keys in zip(parts, path, strict=False)
    )


def _may_select(select: Node | None, one: Rendered) -> bool:
    kind, name = text_at(select, "kind"), text_at(select, "name")
    if not one.kind:  # of a chart: what it is called there is not known for sure
        return not kind or kind in POD_SPEC
    return selects(kind, [one.kind]) and selects(name, one.names)


def _written(options: Node | None) -> set[str]:
    """Return the options that change what is written; `create` only says that it may be new."""
    if options is None:
        return set()
    return _keys(options) - {"create"} if isinstance(options, Mapping) else {""}


def _keys(node: Mapping) -> set[str]:
    return {key.value if isinstance(key, Scalar) else "" for key, _ in node.pairs}


class ConfigMapFiles:
    """The ConfigMaps in plain files beside a kustomization, read once when the first is asked for."""

    def __init__(self, snapshot: Snapshot, files: Iterable[str]) -> None:
        self._snapshot = snapshot
        self._files = files
        self._named: dict[str, list[Part]] | None = None
        self._broken: list[Part] = []

    def find(self, name: str) -> Part:
        """Return the ConfigMap of a name that nobody but kustomize ever reads, or why there is none."""
        if self._named is None:
            self._named = {}
            for path in self._files:
                if self._snapshot.mentions(path, "ConfigMap"):
                    self._read(path, self._named)
        for one in self._broken:
            if self._snapshot.mentions(one.file, name):
                return one
        found = self._named.get(name, [])
        if len(found) != 1:
            return Part("", 0, (), None, "is no one plain manifest beside it")
        if text_at(found[0].node, "metadata", "annotations", _LOCAL) != "true":
            return replace(found[0], node=None, problem="is deployed too: who else reads it is not known")
        return found[0]

    def _read(self, path: str, named: dict[str, list[Part]]) -> None:
        try:
            documents = self._snapshot.nodes(path)
        except EditRefused as error:
            self._broken.append(Part(path, 0, (), None, f"may stand in {path}: {error.message}"))
            return
        for index, root in enumerate(documents):
            if text_at(root, "kind") == "ConfigMap":
                named.setdefault(text_at(root, "metadata", "name"), []).append(Part(path, index, (), root))
