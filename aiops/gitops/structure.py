"""The proof of edits that add something or stand inside a string: nothing else differs.

`proof` is faster and enough where one scalar is replaced; here trees are compared. The file is read
before and after by YAML 1.1 rules (PyYAML) and by YAML 1.2 rules (ruamel.yaml). A string that holds
YAML is opened the same way, so that an inner value is proved alone too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from aiops.domain import Edit
from aiops.errors import EditRefused
from aiops.gitops import inside
from aiops.gitops.insert import Insertion, Value
from aiops.gitops.nodes import Alias, Mapping, Node, Scalar, scalar_tag
from aiops.gitops.text import Text, decode, read

Path = tuple[str | int, ...]
Key = tuple[int, Path]
Leaves = dict[Key, tuple[str, str]]  # (document, path) -> (type, value)
Change = tuple[Edit, Insertion | None]


def prove(old: bytes, new: bytes, changes: Sequence[Change]) -> None:
    """Raise EditRefused unless both readers see exactly the changes. `Insertion`: of inserted ones."""
    file = changes[0][0].file
    for name, leaves in (("1.1", leaves_11), ("1.2", leaves_12)):
        try:
            _compare(old, new, changes, leaves, file)
        except EditRefused as error:
            raise EditRefused(f"by YAML {name} rules {error.message}", where=file) from error


def parsed(content: bytes, file: str) -> tuple[Text, tuple[Node | None, ...]]:
    """Return the text and documents of a file with exact positions. Raises EditRefused."""
    try:
        return _read(content)
    except EditRefused as error:
        raise EditRefused(error.message, where=file) from error


@lru_cache(maxsize=4)  # an edit looks at the old and the new content several times
def _read(content: bytes) -> tuple[Text, tuple[Node | None, ...]]:
    return read(content, pure=True)


def _compare(
    old: bytes, new: bytes, changes: Sequence[Change], leaves: Callable[[bytes, str], Leaves], file: str
) -> None:
    before, after = leaves(old, file), leaves(new, file)
    inner: dict[Key, list[Change]] = {}
    for edit, insertion in changes:
        outer, rest = inside.split(edit.path)
        if rest is not None and (insertion is None or len(insertion.parent) > len(outer)):
            inner.setdefault((edit.document, outer), []).append((edit, insertion))
        else:
            _expect(before, edit, insertion, after)
    for key, those in inner.items():
        pair = before.get(key), after.get(key)
        if pair[0] is None or pair[1] is None:
            raise EditRefused("the edit changes the structure")
        before[key] = pair[1]
        _compare_inside(pair[0][1], pair[1][1], those, leaves, file)
    if before.keys() != after.keys():
        raise EditRefused("the edit changes the structure")
    if before != after:
        raise EditRefused("something else changes too")


def _compare_inside(
    old: str, new: str, changes: Sequence[Change], leaves: Callable[[bytes, str], Leaves], file: str
) -> None:
    """Prove changes inside of a string as those of a file of its own."""
    opened = []
    for edit, insertion in changes:
        depth = edit.path.index(inside.INSIDE) + 1
        made = insertion and Insertion(
            insertion.at, insertion.text, insertion.parent[depth:], insertion.value
        )
        opened.append((_at(edit, edit.path[depth:]), made))
    _compare(old.encode(), new.encode(), opened, leaves, file)


def _at(edit: Edit, path: Path) -> Edit:
    from dataclasses import replace

    return replace(edit, document=0, path=path)


def _expect(before: Leaves, edit: Edit, insertion: Insertion | None, after: Leaves) -> None:
    """Change `before` into what must be seen after one edit."""
    key = (edit.document, edit.path)
    if edit.change == "remove":
        return  # a comment: no reader sees it
    if insertion is not None:
        _add(before, edit, insertion)
        return
    kind, value = before.get(key, ("", ""))
    if value != edit.old:
        raise EditRefused(f"{edit.path_text}: expected {edit.old!r}, found {value!r}")
    seen = after.get(key, ("", ""))[0]
    if seen not in {kind, "str"}:
        raise EditRefused(f"the value becomes a {seen or 'key'}")
    before[key] = (seen, edit.new)


def _add(before: Leaves, edit: Edit, insertion: Insertion) -> None:
    parent = (edit.document, insertion.parent)
    kind, count = before.get(parent, ("", ""))
    if not count.isdigit():
        raise EditRefused("nothing can be inserted there")
    before[parent] = (kind, str(int(count) + 1))
    first = edit.path[len(insertion.parent)]
    todo: list[tuple[Path, Value]] = [((*insertion.parent, first), insertion.value)]
    while todo:
        path, value = todo.pop()
        key = (edit.document, path)
        if key in before:
            raise EditRefused("it is written there already")
        if isinstance(value, dict):
            before[key] = ("map", str(len(value)))
            todo.extend(((*path, name), below) for name, below in value.items())
        elif isinstance(value, list):
            before[key] = ("seq", str(len(value)))
            todo.extend(((*path, index), below) for index, below in enumerate(value))
        else:
            before[key] = ("int" if isinstance(value, int) else "str", str(value))


def leaves_11(content: bytes, file: str) -> Leaves:
    """Return every scalar, key and container by YAML 1.1. Raises EditRefused."""
    leaves: Leaves = {}
    for index, root in enumerate(parsed(content, file)[1]):
        todo: list[tuple[Path, Node]] = [((), root)] if root is not None else []
        while todo:
            path, node = todo.pop()
            key = (index, path)
            if isinstance(node, Scalar):
                leaves[key] = (scalar_tag(node), node.value)
            elif isinstance(node, Alias):
                leaves[key] = ("alias", node.name)
            elif isinstance(node, Mapping):
                leaves[key] = (f"map{node.tag}{_anchor(node.anchor)}", str(len(node.pairs)))
                for number, (name, value) in enumerate(node.pairs):
                    todo.append(((*path, name.value if isinstance(name, Scalar) else number), value))
            else:
                leaves[key] = (f"seq{node.tag}{_anchor(node.anchor)}", str(len(node.entries)))
                todo.extend(((*path, number), entry) for number, entry in enumerate(node.entries))
    return leaves


def _anchor(name: str | None) -> str:
    return f"&{name}" if name else ""


def leaves_12(content: bytes, file: str) -> Leaves:
    """Return the same by YAML 1.2, read by another parser; an alias is the second sight of a node."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.nodes import MappingNode, ScalarNode

    leaves: Leaves = {}
    try:
        roots = list(YAML(typ="safe", pure=True).compose_all(decode(content).text))
    except (YAMLError, ValueError, RecursionError) as error:
        problem = str(getattr(error, "problem", None) or "not readable").splitlines()[0]
        raise EditRefused(f"it is not readable: {problem}", where=file) from error
    for index, root in enumerate(roots):
        seen: set[int] = set()
        todo: list[tuple[Path, Any]] = [((), root)] if root is not None else []
        while todo:
            path, node = todo.pop()
            key = (index, path)
            if id(node) in seen:
                leaves[key] = ("alias", str(node.anchor))
                continue
            seen.add(id(node))
            kind = str(node.tag).rpartition(":")[2]
            if isinstance(node, ScalarNode):
                leaves[key] = (kind, node.value)
            elif isinstance(node, MappingNode):
                leaves[key] = (f"{kind}{_anchor(node.anchor)}", str(len(node.value)))
                for number, (name, value) in enumerate(node.value):
                    todo.append(((*path, name.value if isinstance(name, ScalarNode) else number), value))
            else:
                leaves[key] = (f"{kind}{_anchor(node.anchor)}", str(len(node.value)))
                todo.extend(((*path, number), entry) for number, entry in enumerate(node.value))
    return leaves
