"""The Applications that an ApplicationSet makes, as far as the repository alone tells.

List, git directory and git file generators, and matrix and merge of them, are read; a cluster
generator tells nothing but the folders that match the template's path. `{{name}}` and `{{.name}}`
are filled in; any other expression stays, so that what it would make is refused.
Source: argo-cd docs/operator-manual/applicationset (Generators, GoTemplate).
"""

from __future__ import annotations

import fnmatch
import itertools
import posixpath
import re
from dataclasses import dataclass, replace

from aiops.errors import EditRefused
from aiops.gitops.nodes import Mapping, Node, Scalar, Sequence, entries_at, look, text_at
from aiops.gitops.rendered import Rendered
from aiops.gitops.revisions import is_other, problem
from aiops.gitops.snapshot import Snapshot

Path = tuple[str | int, ...]
_MARK = re.compile(r"\{\{-?\s*(?:index\s+)?\.?([A-Za-z_][\w.\-]*(?:\[\d+\])?)(?:\s+(\d+))?\s*-?\}\}")
_UNKNOWN = re.compile(r"\{\{[^{}]*\}\}")
_MOST = 2_000  # Applications of one set


@dataclass(frozen=True, slots=True)
class Filled:
    """One parameter: its text, and the scalar it stands in (() when it is a path)."""

    text: str
    origin: tuple[str, int, Path] | tuple[()] = ()


Parameters = dict[str, Filled]


def expand(snapshot: Snapshot, found: Rendered, named: frozenset[str]) -> list[Rendered]:
    """Return one Application for every set of parameters. Their places stand in the set or a generator.

    `named`: the addresses of repositories that this one names.
    """
    root = (*found.root, "spec", "template")
    template, _ = look(found.node, "spec", "template")
    if template is None:
        return []
    several = [
        each
        for index, one in enumerate(entries_at(found.node, "spec", "generators"))
        for each in _generate(snapshot, found, named, one, (*found.root, "spec", "generators", index))
    ]
    patched = look(found.node, "spec", "templatePatch")[0] is not None
    made = []
    for parameters in several[:_MOST]:
        for more in _by_folder(snapshot, template, parameters):
            node = fill(template, more, patched=patched)
            name = text_at(node, "metadata", "name")
            made.append(
                Rendered(
                    "Application", [name], found.namespace, found.file, found.document, node=node, root=root
                )
            )
    return made


def _generate(
    snapshot: Snapshot, found: Rendered, named: frozenset[str], one: Node, path: Path
) -> list[Parameters]:
    listed, _ = look(one, "list")
    if listed is not None:
        return [
            _flat(element, found, (*path, "list", "elements", index))
            for index, element in enumerate(entries_at(listed, "elements"))
        ]
    git, _ = look(one, "git")
    if git is not None:
        return _git(snapshot, git, f"ApplicationSet/{found.name}", named)
    for kind in ("matrix", "merge"):
        inner, _ = look(one, kind)
        if inner is not None:
            parts = [
                _generate(snapshot, found, named, each, (*path, kind, "generators", index))
                for index, each in enumerate(entries_at(inner, "generators"))
            ]
            return _matrix(parts) if kind == "matrix" else _merge(parts, inner)
    return [{}]  # clusters, pull requests, ...: known only inside the cluster


def _matrix(parts: list[list[Parameters]]) -> list[Parameters]:
    found = itertools.islice(itertools.product(*parts), _MOST)
    return [{key: value for part in each for key, value in part.items()} for each in found]


def _merge(parts: list[list[Parameters]], inner: Node) -> list[Parameters]:
    keys = [text_at(one) for one in entries_at(inner, "mergeKeys")]
    found = [dict(one) for one in parts[0]] if parts else []
    for part in parts[1:]:
        for one in found:
            for other in part:
                if all(key in one and key in other and one[key].text == other[key].text for key in keys):
                    one.update(other)
    return found


def _flat(node: Node | None, found: Rendered | str, path: Path, document: int = 0) -> Parameters:
    """Return every scalar below a node by its dotted name."""
    file, document = (found, document) if isinstance(found, str) else (found.file, found.document)
    flat: Parameters = {}
    todo: list[tuple[tuple[str, ...], Path, Node | None]] = [((), path, node)]
    while todo:
        names, at, one = todo.pop()
        if isinstance(one, Scalar):
            flat[".".join(names)] = Filled(one.value, (file, document, at))
        elif isinstance(one, Mapping):
            for key, value in one.pairs:
                if isinstance(key, Scalar):
                    todo.append(((*names, key.value), (*at, key.value), value))
    return flat


def _git(snapshot: Snapshot, git: Node, what: str, named: frozenset[str]) -> list[Parameters]:
    """Return the parameters of folders and files; those of another revision are read, never edited.

    What stands in another repository is as unknown as what only the cluster knows. Without one
    Application for it, the values that the template overrides would seem to be free.
    """
    if is_other(snapshot.checkout, text_at(git, "repoURL"), named):
        return [{}]
    elsewhere = bool(problem(snapshot.checkout, what, text_at(git, "revision")))
    found: list[Parameters] = []
    patterns = [
        (text_at(one, "path"), text_at(one, "exclude") == "true") for one in entries_at(git, "directories")
    ]
    taken = [pattern for pattern, exclude in patterns if not exclude]
    left = [pattern for pattern, exclude in patterns if exclude]
    found += [
        _of_path(folder)
        for folder in (sorted(snapshot.folders) if taken else ())
        if any(_matches(folder, one) for one in taken) and not any(_matches(folder, one) for one in left)
    ]
    for pattern in (text_at(one, "path") for one in entries_at(git, "files")):
        for path in snapshot.paths:
            if _matches(path, pattern):
                found += _of_file(snapshot, path)
    if elsewhere:
        return [{name: Filled(one.text) for name, one in each.items()} for each in found]
    return found


def _of_file(snapshot: Snapshot, path: str) -> list[Parameters]:
    try:
        documents = snapshot.nodes(path)
    except EditRefused:
        return [{}]
    found = []
    for index, root in enumerate(documents):
        entries: list[tuple[Path, Node | None]] = [((), root)]
        if isinstance(root, Sequence):
            entries = [((number,), one) for number, one in enumerate(root.entries)]
        name = {"path.filename": Filled(posixpath.basename(path)), **_of_path(posixpath.dirname(path))}
        found += [{**name, **_flat(one, path, at, index)} for at, one in entries]
    return found


def _of_path(folder: str) -> Parameters:
    parts = folder.split("/")
    names = {"path": folder, "path.path": folder, "path.basename": parts[-1]}
    names["path.basenameNormalized"] = re.sub(r"[^a-z0-9.-]", "-", parts[-1].lower())
    for index, part in enumerate(parts):
        names[f"path[{index}]"] = names[f"path.segments {index}"] = part
    return {name: Filled(text) for name, text in names.items()}


def _matches(path: str, pattern: str) -> bool:
    """Match a glob whose `*` stays within one path segment; `**` is any depth."""
    wanted, parts = pattern.strip("/").split("/"), path.split("/")
    if "**" in wanted:
        at = wanted.index("**")
        head, tail = wanted[:at], wanted[at + 1 :]
        if len(parts) < len(head) + len(tail):
            return False
        ends = list(zip(parts, head, strict=False)) + list(zip(reversed(parts), reversed(tail), strict=False))
    elif len(wanted) != len(parts):
        return False
    else:
        ends = list(zip(parts, wanted, strict=True))
    return all(fnmatch.fnmatchcase(part, one) for part, one in ends)


def _by_folder(snapshot: Snapshot, template: Node, parameters: Parameters) -> list[Parameters]:
    """Fill in what only the cluster knows from the folders that the template's path may mean."""
    path = _text(text_at(template, "spec", "source", "path"), parameters)[0]
    if not _UNKNOWN.search(path):
        return [parameters]
    names = [match[1] for match in _MARK.finditer(path)]
    if len(names) != len(_UNKNOWN.findall(path)) or len(set(names)) != len(names):
        return [parameters]
    pieces = [re.escape(piece) for piece in _MARK.split(path)[::3]]
    pattern = re.compile("([^/]+)".join(pieces))
    found = [match for match in map(pattern.fullmatch, sorted(snapshot.folders)) if match is not None]
    return [
        {**parameters, **{name: Filled(text) for name, text in zip(names, one.groups(), strict=True)}}
        for one in found
    ] or [parameters]


def fill(node: Node, parameters: Parameters, *, patched: bool) -> Node:
    """Return a copy with the placeholders filled in; each filled scalar knows where it came from."""
    if isinstance(node, Scalar):
        if "{{" not in node.value:
            return replace(node, origin=()) if patched else node
        text, origin = _text(node.value, parameters)
        return replace(node, value=text, origin=() if patched else origin)
    if isinstance(node, Mapping):
        pairs = [(key, fill(value, parameters, patched=patched)) for key, value in node.pairs]
        return replace(node, pairs=pairs)
    if isinstance(node, Sequence):
        return replace(node, entries=[fill(one, parameters, patched=patched) for one in node.entries])
    return node


def _text(text: str, parameters: Parameters) -> tuple[str, tuple[str, int, Path] | tuple[()]]:
    """Return the filled-in text, and the scalar that alone decides it (or the version of an image)."""
    origin: tuple[str, int, Path] | tuple[()] = ()

    def one(match: re.Match[str]) -> str:
        nonlocal origin
        name = match[1] if match[2] is None else f"{match[1]} {match[2]}"
        known = parameters.get(name)
        if known is None:
            return match[0]
        if match.end() == len(text) and (match.start() == 0 or text[match.start() - 1] in ":@"):
            origin = known.origin
        return known.text

    filled = _MARK.sub(one, text)
    return filled, origin if text.count("{{") == 1 else ()
