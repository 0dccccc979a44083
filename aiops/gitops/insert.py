"""Write one key or one list entry where it will win: the text to insert, and nothing around it.

Comes in: the text of a file and the path that is to exist. Goes out: one position and one text, in
the style of its neighbours (indentation, line ends, block or flow, JSON). What is there already is
never touched, so a parent that is null, an alias or the end of nothing refuses.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace

from aiops.errors import EditRefused
from aiops.gitops import inside, patch_entry
from aiops.gitops.nodes import Alias, Mapping, Node, Scalar, Sequence
from aiops.gitops.quoting import SAFE, reads_as_text

Path = tuple[str | int, ...]
Value = str | int | dict[str, "Value"] | list["Value"]
_REST = re.compile(r"[ \t]*(?:#[^\r\n]*)?")


@dataclass(frozen=True, slots=True)
class Insertion:
    """`text` goes in at character `at`; the container at `parent` then has `value` in addition."""

    at: int
    text: str
    parent: Path
    value: Value


def derive(text: str, root: Node | None, path: Path, entry: str, new: str | int) -> Insertion:
    """Return what to insert so that `path` holds `new`. Raises EditRefused when it cannot.

    `entry`: the `name` of a list entry that is new. `new`: an int is written as a number.
    """
    outer, inner = inside.split(path)
    if inner is not None and patch_entry.is_at(path) and _is_new(root, outer[:-1]):
        lines = _Writer("").block(patch_entry.tree(entry, inner, new))
        return _placed(text, root, outer, "", "\n".join(lines))
    if inner is not None:
        return _embedded(text, root, outer, inner, entry, new)
    return _placed(text, root, path, entry, new)


def _is_new(root: Node | None, path: Path) -> bool:
    node = root
    for part in path:
        node = _step(node, part)
        if node is None:
            return True
    return False


def _placed(text: str, root: Node | None, path: Path, entry: str, new: str | int) -> Insertion:
    node = root
    for depth, part in enumerate(path):
        below = _step(node, part)
        if below is None:
            added = value_of(path[depth + 1 :], entry, new)
            added = named(entry, added) if isinstance(part, int) else added
            writer = _Writer(text)
            at, written = writer.insert(node, part, added)
            return Insertion(at, written, path[:depth], added)
        node = below
    raise EditRefused("it is written there already")


def _embedded(
    text: str, root: Node | None, outer: Path, inner: Path, entry: str, new: str | int
) -> Insertion:
    node = root
    for part in outer:
        node = _step(node, part)
    if not isinstance(node, Scalar):
        raise EditRefused("no string stands there")
    block = inside.embedded(text, node)
    made = derive(block.text, inside.document(block.text, pure=True), inner, entry, new)
    eol = "\r\n" if text[node.start : node.end].count("\r\n") else "\n"
    written = made.text.replace("\n", eol + " " * block.indent)
    return Insertion(block.outer(made.at), written, (*outer, inside.INSIDE, *made.parent), made.value)


def value_of(rest: Path, entry: str, new: str | int) -> Value:
    """Return the tree below a new key: nested keys, and a list entry with its name first."""
    if not rest:
        return new
    below = value_of(rest[1:], entry, new)
    if isinstance(rest[0], int):
        return [named(entry, below)]
    return {rest[0]: below}


def named(entry: str, below: Value) -> Value:
    """Return a list entry with its name first, when it has one."""
    return {"name": entry, **below} if entry and isinstance(below, dict) else below


def _step(node: Node | None, part: str | int) -> Node | None:
    if isinstance(node, Alias) or (isinstance(node, Mapping) and node.merges):
        raise EditRefused("an alias or a merge key stands there")
    if isinstance(part, int):
        if not isinstance(node, Sequence) or part > len(node.entries):
            raise EditRefused("no list stands there")
        return node.entries[part] if part < len(node.entries) else None
    if not isinstance(node, Mapping):
        raise EditRefused("no keys stand there")
    return node.get(part)


class _Writer:
    """Writes in the style that the file has around the place."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._eol = "\r\n" if "\r\n" in text else "\n"
        self._json = False  # double quotes around every key and text

    def insert(self, node: Node | None, part: str | int, value: Value) -> tuple[int, str]:
        if not isinstance(node, (Mapping, Sequence)) or node.anchor or node.tag:
            raise EditRefused("what stands there carries an anchor or a tag")
        children = node.pairs if isinstance(node, Mapping) else [(None, one) for one in node.entries]
        if node.flow and _has_text_block(value):
            raise EditRefused("a patch cannot be written on one line")
        self._json = node.flow and _has_quoted_keys(node)
        flow = self._flow(value)
        flow = flow if isinstance(part, int) else f"{self._scalar(part)}: {flow}"
        if not children:
            if not node.flow:
                raise EditRefused("nothing stands there")
            return node.start + 1, flow
        if node.flow:
            return self._into_flow(children[-1], flow)
        if isinstance(node, Mapping):
            node = _with_values(node)
        at = self._line_end(self._tail(node))
        if isinstance(part, int):
            assert isinstance(node, Sequence)  # noqa: S101 - an index steps into a list
            column = self._column(node.start)
            gap = self._column(node.entries[0].start) - column
            lines = self._item(value, column, max(gap, 2))
        else:
            assert isinstance(node, Mapping)  # noqa: S101 - a key steps into a mapping
            column = self._column(node.start)
            lines = self._pair(part, value, column, (self._step_of(node), self._flush(node)))
        return at, "".join(self._eol + line for line in lines)

    def block(self, value: dict[str, Value]) -> list[str]:
        """Return the lines of a document of its own."""
        return [line for key, below in value.items() for line in self._pair(key, below, 0, (2, True))]

    def _into_flow(self, last: tuple[Node | None, Node], flow: str) -> tuple[int, str]:
        end = self._tail(last[1])
        start = (last[0] or last[1]).start
        line = self._text.rfind("\n", 0, start) + 1
        before = self._text[line:start]
        if not before.strip(" \t"):  # the last entry has a line of its own
            return end, f",{self._eol}{before}{flow}"
        return end, f", {flow}"

    def _tail(self, node: Node) -> int:
        """Return the character after the last content of a node, without comments behind it."""
        if isinstance(node, Scalar) and node.style in {"|", ">"}:
            return len(self._text[: node.end].rstrip(" \t\r\n")) if node.value.strip() else node.end - 1
        if isinstance(node, (Scalar, Alias)) or node.flow:
            return node.end
        last = node.pairs[-1][1] if isinstance(node, Mapping) else node.entries[-1]
        if isinstance(last, Scalar) and not last.value and not last.style:
            raise EditRefused("the last key there has no value")
        return self._tail(last)

    def _line_end(self, at: int) -> int:
        rest = _REST.match(self._text, at)
        end = rest.end() if rest else at
        if self._text[end : end + 1] not in {"", "\r", "\n"}:
            raise EditRefused("something else stands on the last line there")
        return end

    def _column(self, at: int) -> int:
        return at - (self._text.rfind("\n", 0, at) + 1)

    def _step_of(self, node: Mapping) -> int:
        """Return by how much a nested mapping is indented here; 2 when nothing tells."""
        column = self._column(node.start)
        for _, value in node.pairs:
            if isinstance(value, Mapping) and not value.flow and value.pairs:
                return max(self._column(value.start) - column, 1)
        return 2

    def _flush(self, node: Mapping) -> bool:
        """Tell whether list dashes stand at the column of their key here; they do by default."""
        column = self._column(node.start)
        for _, value in node.pairs:
            if isinstance(value, Sequence) and not value.flow and value.entries:
                return self._column(value.start) == column
        return True

    def _pair(self, key: str, value: Value, column: int, style: tuple[int, bool]) -> list[str]:
        step, flush = style
        head = " " * column + self._scalar(key)
        if isinstance(value, dict):
            return [
                f"{head}:",
                *(
                    line
                    for name, below in value.items()
                    for line in self._pair(name, below, column + step, style)
                ),
            ]
        if isinstance(value, list):
            return [
                f"{head}:",
                *(line for one in value for line in self._item(one, column + (0 if flush else step), 2)),
            ]
        if isinstance(value, str) and "\n" in value:
            return [f"{head}: |-", *(f"{' ' * (column + step)}{line}" for line in value.split("\n"))]
        return [f"{head}: {self._flow(value)}"]

    def _item(self, value: Value, column: int, gap: int) -> list[str]:
        dash = " " * column + "-" + " " * (gap - 1)
        if not isinstance(value, dict):
            return [dash + self._flow(value)]
        lines = [
            line for name, below in value.items() for line in self._pair(name, below, column + gap, (2, True))
        ]
        return [dash + lines[0].lstrip(), *lines[1:]]

    def _flow(self, value: Value) -> str:
        if isinstance(value, dict):
            inner = ", ".join(f"{self._scalar(key)}: {self._flow(below)}" for key, below in value.items())
            return f"{{{inner}}}"
        if isinstance(value, list):
            return f"[{', '.join(self._flow(one) for one in value)}]"
        if isinstance(value, int):
            return str(value)
        return self._scalar(value)

    def _scalar(self, value: str) -> str:
        if not self._json and SAFE.fullmatch(value) and value[-1] != ":" and reads_as_text(value):
            return value
        return json.dumps(value)


def _with_values(node: Mapping) -> Mapping:
    """Return a mapping without the last keys that have no value: what follows one may belong to it.

    `components:` and commented-out entries below it; a new key goes in before both.
    """
    pairs = list(node.pairs)
    while pairs and isinstance(last := pairs[-1][1], Scalar) and not last.value and not last.style:
        pairs.pop()
    if not pairs:
        raise EditRefused("no key there has a value")
    return replace(node, pairs=pairs)


def _has_text_block(value: Value) -> bool:
    if isinstance(value, dict):
        return any(map(_has_text_block, value.values()))
    if isinstance(value, list):
        return any(map(_has_text_block, value))
    return isinstance(value, str) and "\n" in value


def _has_quoted_keys(node: Node) -> bool:
    todo: list[Node] = [node]
    while todo:
        one = todo.pop()
        if isinstance(one, Mapping) and one.pairs:
            key = one.pairs[0][0]
            return isinstance(key, Scalar) and key.style == '"'
        if isinstance(one, Sequence):
            todo.extend(one.entries)
    return False
