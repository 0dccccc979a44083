"""ConfigMaps that Flux reads variables from, and whether one entry can be changed for one reader.

Comes in: what deploys a workload. Goes out: the one scalar of `data` that fills in a variable, or why
it cannot be known. Nothing is read before a winning value is such a variable. An entry counts when
its ConfigMap is a manifest that reaches the cluster as it is written, beside the Kustomization that
names it, and when the whole repository writes the variable once: whoever else reads it would change.
Source: fluxcd kustomize-controller docs/spec/v1/kustomizations.md#post-build-variable-substitution.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from aiops.errors import EditRefused
from aiops.gitops import sources
from aiops.gitops.nodes import Mapping, Node, Scalar, entries_at, look, text_at
from aiops.gitops.pointers import Pointer
from aiops.gitops.rendered import placeholder
from aiops.gitops.snapshot import Snapshot
from aiops.gitops.sources import Part

Path = tuple[str | int, ...]
_YAML = (".yaml", ".yml", ".json")
_WRITTEN = re.compile(rb"\$\{([^{}$\n]*)")  # `${A:=${B}}` reads A and B
_WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN = frozenset({"apiVersion", "kind", "metadata", "data"})  # neither encrypted nor immutable
_LISTS = frozenset({"apiVersion", "kind", "resources", "namespace"})  # changes nothing of what it lists
_CHANGES = ("patches", "patchesStrategicMerge", "patchesJson6902", "components", "namePrefix", "nameSuffix")
_LISTING = ("resources", "bases", "components")


@dataclass(slots=True)
class ConfigMaps:
    """The ConfigMaps of one commit. `pointers`: everything that deploys folders of it."""

    snapshot: Snapshot
    pointers: list[Pointer]
    _written: dict[str, list[str]] | None = None  # variable -> the file of each `${variable}`
    _seen: dict[tuple[str, str, str], tuple[Part | None, str]] = field(default_factory=dict)

    def find(self, pointer: Pointer, variable: str) -> tuple[Part | None, str]:
        """Return the entry that fills in a variable, or who does and why that is not known."""
        for kind, name in reversed(pointer.others):  # a later one wins
            what = f"{kind}/{name}"
            if kind != "ConfigMap":
                return None, what
            key = (name, pointer.home, posixpath.dirname(pointer.file))
            if key not in self._seen:
                self._seen[key] = self._config_map(pointer, name)
            part, problem = self._seen[key]
            if part is None:
                return None, f"{what}, {problem}"
            value, problem = look(part.node, "data", variable)
            if value is None and not problem:
                continue
            problem = problem or _unfit(value) or self._other_reader(variable)
            if problem:
                return None, f"{what} ({part.file}), {problem}"
            return Part(part.file, part.document, ("data", variable), value), ""
        return None, ""

    def _config_map(self, pointer: Pointer, name: str) -> tuple[Part | None, str]:
        found: list[Part] = []
        for path in self._mentioning(name):
            try:
                documents = self.snapshot.nodes(path)
            except EditRefused:
                if self.snapshot.mentions(path, "onfigMap"):
                    return None, f"which {path} may define or read: it cannot be parsed"
                continue
            for index, root in enumerate(documents):
                if _is_config_map(root, name):
                    found.append(Part(path, index, (), root))
                if root is not None and _is_read(root, name):
                    return None, f"which {path} names too"
        here = [one for one in found if self._is_beside(one.file, pointer.file)]
        same = [one for one in here if posixpath.dirname(one.file) == posixpath.dirname(pointer.file)]
        here = same or here
        if len(here) != 1:
            where = ", ".join(one.file for one in here[:4])
            return None, f"which several files define: {where}" if here else f"not beside {pointer.file}"
        problem = (
            _odd(here[0], pointer)
            or self._changed_by(here[0].file, pointer.home, "which")
            or self._changed_by(pointer.file, pointer.home, f"whose reader in {pointer.file}")
        )
        return (None, problem) if problem else (here[0], "")

    def _mentioning(self, name: str) -> list[str]:
        return [
            path
            for path in self.snapshot.paths
            if path.endswith(_YAML) and self.snapshot.mentions(path, name)
        ]

    def _is_beside(self, file: str, other: str) -> bool:
        """Tell whether one thing deploys both files; without that, another cluster may own the one."""
        if posixpath.dirname(file) == posixpath.dirname(other):
            return True
        nearest = self._over(file)
        return bool(nearest) and nearest[0].folder in sources.above(other)

    def _over(self, path: str) -> list[Pointer]:
        """Return what deploys the folders that hold a path, the nearest first."""
        return [one for folder in sources.above(path) for one in self.pointers if one.folder == folder]

    def _changed_by(self, file: str, home: str, which: str) -> str:
        """Return what may change an object between its file and the cluster, "" when nothing does."""
        todo, seen = [file], {file}
        while todo:
            path = todo.pop()
            for over in self._over(path):
                if over.problem:
                    return over.problem
                changes = [key for key in _CHANGES if look(over.node, key)[0] is not None]
                if over.source is not None or changes or over.namespace not in {"", home}:
                    return f"{which} {over.file} deploys and may change"
            for folder, lister in self._listing(path):
                root = self.snapshot.nodes(lister)[0]
                keys = {getattr(key, "value", "") for key, _ in getattr(root, "pairs", ())}
                if not keys <= _LISTS or text_at(root, "namespace") not in {"", home}:
                    return f"{which} {lister} may change"
                inner = posixpath.join(folder, posixpath.basename(lister))
                if inner not in seen:
                    seen.add(inner)
                    todo.append(inner)
        return ""

    def _listing(self, path: str) -> Iterable[tuple[str, str]]:
        """Yield (folder, file) of the kustomizations that build a file or a folder with one."""
        own = self.snapshot.kustomization(posixpath.dirname(path)) == path
        targets = {path, posixpath.dirname(path)} if own else {path}
        for folder in sorted(self.snapshot.folders | {""}):
            file = self.snapshot.kustomization(folder)
            if file is None or file == path:
                continue
            try:
                root = self.snapshot.nodes(file)[0]
            except (EditRefused, IndexError):
                continue
            names = (text_at(entry) for key in _LISTING for entry in entries_at(root, key))
            listed = (sources.folder(posixpath.join(folder, name)) for name in names if name)
            if any(self.snapshot.real(one) in targets for one in listed):
                yield folder, file

    def _other_reader(self, variable: str) -> str:
        if self._written is None:
            self._written = self._variables()
        places = self._written.get(variable, [])
        if len(places) == 1:
            return ""
        return f"and {len(places)} places read it: {', '.join(dict.fromkeys(places[:4]))}"

    def _variables(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in self.snapshot.paths:
            if not self.snapshot.mentions(path, "${"):
                continue
            for written in _WRITTEN.finditer(self.snapshot.content(path)):
                for word in _WORD.findall(written[1]):
                    found.setdefault(word.decode(), []).append(path)
        return found


def _is_config_map(node: Node | None, name: str) -> bool:
    return text_at(node, "kind") == "ConfigMap" and text_at(node, "metadata", "name") == name


def _odd(part: Part, pointer: Pointer) -> str:
    """Return why a ConfigMap is not a plain manifest in the namespace where Flux looks for it."""
    if text_at(part.node, "metadata", "namespace") not in {"", pointer.home}:
        return f"which {part.file} defines in another namespace"
    keys = {getattr(key, "value", "") for key, _ in getattr(part.node, "pairs", ())}
    if not keys <= _PLAIN:
        return f"which {part.file} makes {', '.join(sorted(keys - _PLAIN))[:60]}"
    notes, why = look(part.node, "metadata", "annotations")
    names = [getattr(key, "value", "") for key, _ in getattr(notes, "pairs", ())]
    if why or any(one.startswith("kustomize.toolkit.fluxcd.io/") for one in names):
        return f"which {part.file} has annotations for Flux on"
    return ""


def _unfit(value: Node | None) -> str:
    """Return why an entry cannot stand for a variable: Flux takes a text of one line as it is."""
    if not isinstance(value, Scalar) or value.style in {"|", ">"} or value.tag or value.anchor:
        return "whose entry is no plain text of one line"
    return placeholder(value.value)


def _is_read(root: Node, name: str) -> bool:
    """Tell whether a document names a ConfigMap otherwise than as `substituteFrom` or by being it.

    A string of several lines that has the name (an inline patch) counts as naming it.
    """
    todo: list[tuple[Path, Node]] = [((), root)]
    while todo:
        path, node = todo.pop()
        if isinstance(node, Mapping):
            if path and _is_config_map(node, name):
                return True
            todo.extend(((*path, getattr(key, "value", "")), value) for key, value in node.pairs)
        elif isinstance(node, Scalar):
            named = node.value == name and path[-1:] == ("name",) and path[-2:-1] != ("metadata",)
            if (named and "substituteFrom" not in path) or ("\n" in node.value and name in node.value):
                return True
        else:
            entries = getattr(node, "entries", ())
            todo.extend(((*path, index), entry) for index, entry in enumerate(entries))
    return False
