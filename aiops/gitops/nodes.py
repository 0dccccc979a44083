"""YAML text to nodes with positions, without ever building what the text describes.

One loop over the event stream of PyYAML instead of its recursive composer: depth, aliases,
documents and nodes are counted while reading, so a bomb is refused before it costs anything.
Aliases stay aliases and merge keys stay keys: nothing is expanded.

`pure=True` reads with PyYAML's own scanner, whose marks are exact; `pure=False` uses libyaml,
13 times faster, whose marks are not used (measured: off by one after a byte order mark).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from aiops.errors import EditRefused

MAX_DEPTH = 64
MAX_ALIASES = 100
MAX_DOCUMENTS = 1_000
# PyYAML's own scanner is far slower than the C one, but its marks are right and it reads one file per edit.
MAX_NODES_PURE = 40_000
MAX_NODES = 100_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVERS: dict[Any, list[tuple[str, re.Pattern[str]]]] = yaml.SafeLoader.yaml_implicit_resolvers


@dataclass(slots=True)
class Scalar:
    """One scalar. `start`, `end`: characters from the start of the text, quotes included.

    `style`: "" plain, ' or " quoted, | or > block. `tag`: written out, "" when not. `origin`: the
    scalar this one was filled in from, () when it was filled in and nothing can be changed.
    """

    value: str
    style: str
    tag: str
    anchor: str
    start: int
    end: int
    line: int
    origin: tuple[str, int, tuple[str | int, ...]] | tuple[()] | None = None


@dataclass(slots=True)
class Mapping:
    """Keys and values in the order of the file.

    `start`, `end`: characters; of a block collection the end is where the next thing starts.
    """

    tag: str
    anchor: str
    line: int
    start: int = 0
    end: int = 0
    flow: bool = False
    pairs: list[tuple[Node, Node]] = field(default_factory=list)
    _index: dict[str, Node] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self._index = {name.value: value for name, value in self.pairs if type(name) is Scalar}

    def add(self, key: Node, value: Node) -> None:
        """Append a pair; found by `get` from now on when its key is a scalar."""
        self.pairs.append((key, value))
        if type(key) is Scalar:
            self._index[key.value] = value

    def get(self, key: str) -> Node | None:
        """Return the value of a key that is written here; merge keys are not followed."""
        return self._index.get(key)

    @property
    def merges(self) -> bool:
        """Whether `<<` may supply keys that are not written here."""
        return "<<" in self._index


@dataclass(slots=True)
class Sequence:
    """Entries in the order of the file; `start` of a block sequence is its first dash."""

    tag: str
    anchor: str
    line: int
    start: int = 0
    end: int = 0
    flow: bool = False
    entries: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Alias:
    """`*name`: the value stands somewhere else."""

    name: str
    line: int
    start: int = 0
    end: int = 0


Node = Scalar | Mapping | Sequence | Alias


class _Open:
    """A container that is being read; `key` waits for its value."""

    __slots__ = ("key", "node")

    def __init__(self, node: Mapping | Sequence) -> None:
        self.node = node
        self.key: Node | None = None

    def add(self, node: Node) -> None:
        if type(self.node) is Sequence:
            self.node.entries.append(node)
        elif self.key is not None:
            self.node.add(self.key, node)  # type: ignore[union-attr]
            self.key = None
        else:
            if type(node) is Scalar and self.node.get(node.value) is not None:  # type: ignore[union-attr]
                raise _twice(self.node, node)
            self.key = node


def _twice(mapping: Mapping | Sequence, key: Scalar) -> EditRefused:
    pairs = mapping.pairs if isinstance(mapping, Mapping) else []
    line = next(one.line for one, _ in pairs if isinstance(one, Scalar) and one.value == key.value)
    return EditRefused(f"key {key.value!r} stands twice, in lines {line + 1} and {key.line + 1}")


def compose(text: str, *, pure: bool) -> tuple[Node | None, ...]:
    """Return the root node of every document of the stream, None for an empty one.

    Raises EditRefused for what is not YAML, has a key twice, or exceeds the limits above.
    """
    documents: list[Node | None] = []
    stack: list[_Open] = []
    root: Node | None = None
    nodes = aliases = 0
    limit = MAX_NODES_PURE if pure else MAX_NODES
    for event in _events(text, yaml.SafeLoader if pure else _LOADER):
        node = _node(event)
        if node is None:
            kind = type(event)
            if kind is MappingEndEvent or kind is SequenceEndEvent:
                stack.pop().node.end = event.end_mark.index
            elif kind is DocumentEndEvent:
                documents.append(None if _is_empty(root) else root)
                root = None
            continue
        nodes += 1
        kind = type(node)
        aliases += kind is Alias
        if (
            nodes > limit
            or len(stack) > MAX_DEPTH
            or aliases > MAX_ALIASES
            or len(documents) >= MAX_DOCUMENTS
        ):
            raise _too_much(nodes, limit, len(stack), aliases)
        if stack:
            stack[-1].add(node)
        else:
            root = node
        if kind is not Scalar and kind is not Alias:
            stack.append(_Open(node))  # type: ignore[arg-type]
    return tuple(documents)


def _node(event: Any) -> Node | None:
    """Return the node that an event begins, None for events that end or frame something."""
    kind = type(event)
    start, end = event.start_mark, event.end_mark
    if kind is ScalarEvent:
        style, implicit = event.style, event.implicit
        return Scalar(
            event.value,
            "" if style is None or style == ":" else style,
            "" if implicit[0] or implicit[1] else (event.tag or ""),
            event.anchor or "",
            start.index,
            end.index,
            start.line,
        )
    if kind is MappingStartEvent or kind is SequenceStartEvent:
        made = Mapping if kind is MappingStartEvent else Sequence
        tag = "" if event.implicit else (event.tag or "")
        return made(tag, event.anchor or "", start.line, start.index, end.index, bool(event.flow_style))
    if kind is AliasEvent:
        return Alias(event.anchor or "", start.line, start.index, end.index)
    return None


def _too_much(nodes: int, limit: int, depth: int, aliases: int) -> EditRefused:
    """Return the refusal that names the limit that was exceeded."""
    for found, allowed, what in (
        (nodes, limit, "YAML nodes"),
        (depth, MAX_DEPTH, "levels of nesting"),
        (aliases, MAX_ALIASES, "aliases"),
    ):
        if found > allowed:
            return EditRefused(f"expected at most {allowed} {what}, found more")
    return EditRefused(f"expected at most {MAX_DOCUMENTS} documents, found more")


def _events(text: str, loader: Any) -> Iterator[Any]:
    """Yield parser events; what the parser cannot read becomes a refusal."""
    try:
        reader = loader(text)
        while (event := reader.get_event()) is not None:
            yield event
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f" (line {mark.line + 1})" if mark else ""
        problem = str(getattr(error, "problem", None) or "not YAML").splitlines()[0]
        if "{{" in text or "{%" in text:
            raise EditRefused(f"templated: {problem}{line}; edit its values instead") from error
        raise EditRefused(f"not readable as YAML: {problem}{line}") from error
    except (RecursionError, ValueError) as error:
        raise EditRefused("not readable as YAML: a directive or number that makes no sense") from error


def _is_empty(root: Node | None) -> bool:
    return root is None or (isinstance(root, Scalar) and not root.value and not root.style)


def scalar_tag(node: Scalar) -> str:
    """Return the YAML 1.1 type of a scalar as a short word: str, int, float, bool, null, ..."""
    if node.tag:
        return node.tag.rpartition(":")[2]
    if node.style:
        return "str"
    return resolve_plain(node.value)


def resolve_plain(text: str) -> str:
    """Return what YAML 1.1 (PyYAML) takes an unquoted scalar for."""
    first = text[0] if text else ""
    for tag, pattern in [*_RESOLVERS.get(first, []), *_RESOLVERS.get(None, [])]:
        if pattern.match(text):
            return tag.rpartition(":")[2]
    return "str"


def look(node: Node | None, *path: str | int) -> tuple[Node | None, str]:
    """Walk down written keys and entries. Returns (node, ""), (None, "") or (None, why not).

    The reason is set when an alias or a merge key may supply what is not written here.
    """
    for part in path:
        if type(node) is Mapping and type(part) is str:
            below = node.get(part)
            if below is None:
                return None, "a merge key (<<) may supply the value" if node.merges else ""
            node = below
        elif isinstance(node, Alias):
            return None, f"an alias (*{node.name}) supplies the value"
        elif type(node) is Sequence and type(part) is int and 0 <= part < len(node.entries):
            node = node.entries[part]
        else:
            return None, ""
    if isinstance(node, Alias):
        return None, f"an alias (*{node.name}) supplies the value"
    return node, ""


def text_at(node: Node | None, *path: str | int) -> str:
    """Return the scalar at a path as text; "" when nothing, or no scalar, stands there."""
    found, _ = look(node, *path)
    return found.value if isinstance(found, Scalar) else ""


def entries_at(node: Node | None, *path: str | int) -> list[Node]:
    """Return the entries of the sequence at a path; empty when there is none."""
    found, _ = look(node, *path)
    return found.entries if isinstance(found, Sequence) else []
