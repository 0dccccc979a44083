"""PromQL, the part that the named queries are written in, as a tree.

Comes in: the text of a query. Goes out: frozen nodes. Grammar and precedence:
https://prometheus.io/docs/prometheus/latest/querying/operators/. What it does not know, it
refuses with the place in the text, instead of answering something else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\s*(?:(?P<duration>\d+(?:ms|[smhdwy]))|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)"
    r'|(?P<text>"(?:[^"\\]|\\.)*")|(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)'
    r"|(?P<sign>=~|!~|!=|==|>=|<=|[-+*/=<>(){}\[\],]))"
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_LEVELS: tuple[tuple[str, ...], ...] = (
    ("or",), ("and", "unless"), ("==", "!=", ">=", "<=", ">", "<"), ("+", "-"), ("*", "/"),
)  # fmt: skip
_AGGREGATIONS = ("sum", "max", "min", "count", "group")


@dataclass(frozen=True, slots=True)
class Number:
    """A scalar."""

    value: float


@dataclass(frozen=True, slots=True)
class Text:
    """A string argument."""

    value: str


@dataclass(frozen=True, slots=True)
class Matcher:
    """One condition on a label: `operator` is =, !=, =~ or !~."""

    label: str
    operator: str
    value: str

    def matches(self, labels: dict[str, str]) -> bool:
        """Return whether the labels of a series meet it; an absent label is ""."""
        have = labels.get(self.label, "")
        equal = re.fullmatch(self.value, have) is not None if "~" in self.operator else have == self.value
        return equal != self.operator.startswith("!")


@dataclass(frozen=True, slots=True)
class Selector:
    """Series of one metric; `range_s` is None for an instant."""

    metric: str
    matchers: tuple[Matcher, ...]
    range_s: int | None


@dataclass(frozen=True, slots=True)
class Apply:
    """A function of its arguments."""

    name: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """`sum by (labels) (inner)` and its like."""

    name: str
    labels: tuple[str, ...]
    inner: Node


@dataclass(frozen=True, slots=True)
class Binary:
    """An operator between two sides; `on` is None when all labels are matched."""

    operator: str
    left: Node
    right: Node
    truth: bool
    on: tuple[str, ...] | None
    group_left: tuple[str, ...] | None


Node = Number | Text | Selector | Apply | Aggregate | Binary


def parse(text: str) -> Node:
    """Return the tree of a query. Raises ValueError where the text leaves the known grammar."""
    reader = _Reader(text)
    node = reader.level(0)
    if reader.at < len(reader.tokens):
        raise ValueError(f"cannot read {reader.tokens[reader.at][1]!r} in {text!r}")
    return node


class _Reader:
    """Reads tokens from left to right; each method consumes what it returns."""

    def __init__(self, text: str) -> None:
        self.text, self.at, position = text, 0, 0
        self.tokens: list[tuple[str, str]] = []
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if match is None or match.lastgroup is None:
                raise ValueError(f"cannot read {text[position : position + 20]!r} in {text!r}")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            position = match.end()

    def peek(self, *values: str) -> bool:
        return self.at < len(self.tokens) and self.tokens[self.at][1] in values

    def take(self, *values: str) -> str:
        if self.at >= len(self.tokens) or (values and self.tokens[self.at][1] not in values):
            found = self.tokens[self.at][1] if self.at < len(self.tokens) else "the end"
            raise ValueError(f"expected {' or '.join(values) or 'more'}, found {found!r} in {self.text!r}")
        self.at += 1
        return self.tokens[self.at - 1][1]

    def level(self, depth: int) -> Node:
        if depth == len(_LEVELS):
            return self.unit()
        left = self.level(depth + 1)
        while self.peek(*_LEVELS[depth]):
            operator = self.take()
            truth = bool(self.peek("bool") and self.take())
            on = self.names_after("on")
            group_left = self.names_after("group_left")
            left = Binary(operator, left, self.level(depth + 1), truth, on, group_left)
        return left

    def names_after(self, word: str) -> tuple[str, ...] | None:
        if not self.peek(word):
            return None
        self.take(word)
        self.take("(")
        found: list[str] = []
        while not self.peek(")"):
            found.append(self.take())
            if self.peek(","):
                self.take(",")
        self.take(")")
        return tuple(found)

    def unit(self) -> Node:
        if self.peek("("):
            self.take("(")
            node = self.level(0)
            self.take(")")
            return node
        kind, value = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        self.take()
        if kind == "number":
            return Number(float(value))
        if kind == "text":
            return Text(_unquoted(value))
        if kind == "name" and value in _AGGREGATIONS:
            labels = self.names_after("by")
            inner = self.unit()
            return Aggregate(value, labels or self.names_after("by") or (), inner)
        if kind == "name" and self.peek("("):
            return Apply(value, self.arguments())
        if kind == "name":
            return self.selector(value)
        raise ValueError(f"cannot read {value!r} in {self.text!r}")

    def arguments(self) -> tuple[Node, ...]:
        found: list[Node] = []
        self.take("(")
        while not self.peek(")"):
            found.append(self.level(0))
            if self.peek(","):
                self.take(",")
        self.take(")")
        return tuple(found)

    def selector(self, metric: str) -> Selector:
        matchers: list[Matcher] = []
        if self.peek("{"):
            self.take("{")
            while not self.peek("}"):
                label, operator = self.take(), self.take("=", "!=", "=~", "!~")
                matchers.append(Matcher(label, operator, _unquoted(self.take())))
                if self.peek(","):
                    self.take(",")
            self.take("}")
        span = None
        if self.peek("["):
            self.take("[")
            duration = self.take()
            span = int(duration[:-1]) * _SECONDS[duration[-1]]
            self.take("]")
        return Selector(metric, tuple(matchers), span)


def _unquoted(text: str) -> str:
    """Return the string inside the quotes."""
    return re.sub(r"\\(.)", r"\1", text[1:-1])
