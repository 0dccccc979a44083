"""Writes the same data in the many ways people write YAML, and knows where each value stands.

A value that an edit is about is written between two private-use characters; when the file is
finished they are taken out and their places are the byte span. So the span is known by
construction, and no YAML reader of the code under test has any part in it.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from typing import Any

OPEN, MIDDLE, CLOSE = "\ue000", "\ue001", "\ue002"
_MARK = re.compile(f"{OPEN}([^{MIDDLE}]*){MIDDLE}([^{CLOSE}]*){CLOSE}")
# What every reader takes for text without quotes. Deliberately narrower than the code under test.
_PLAIN = re.compile(r"v[0-9][A-Za-z0-9._-]*|[0-9]+\.[0-9]+\.[0-9]+(?:-[a-z][a-z0-9.]*)?|[a-z][a-z-]{3,}")
_WORDS = frozenset({"true", "false", "null", "none"})
COMMENTS = (
    "why",
    "",
    "replicas: 9",
    "image: a:1",
    "äöü 世界 🚀",
    '{"key": "value"}',
    'it\'s "quoted" & *starred',
    "---",
    "tab\there",
    "TODO: 50 % [of] {this}",
)
TEXTS = (
    "plain words",
    "it's",
    'say "hi"',
    "replicas: 3",
    "image: web:1 # no comment",
    "ünïcode 🚀 — 世界",
    "- not a list",
    "{not: a map}",
    "",
    "http://x.example.com:80/a?b#c",
    "tab\there",
    "back\\slash",
    "line one\nline two",
    "yes",
    "0o7",
    "2026-11-23",
    "~",
)
BLOCKS = ("replicas: 3\nimage: a:1", "#!/bin/sh\nexec web --port 80", "a\n\n  indented\nb", "one line")


@dataclass(frozen=True, slots=True)
class Value:
    """A scalar that an edit is about. `count`: an integer, never quoted."""

    name: str
    text: str
    count: bool = False


@dataclass(frozen=True, slots=True)
class Anchored:
    """A value that an alias elsewhere in the document stands for."""

    name: str
    value: Any


@dataclass(frozen=True, slots=True)
class Alias:
    """The value of an anchor again."""

    name: str


@dataclass(frozen=True, slots=True)
class Span:
    """Where a value stands in the finished file: bytes, quotes included."""

    start: int
    end: int
    text: str


@dataclass(slots=True)
class Writer:
    """The habits of one file. Shares: of 1."""

    chance: random.Random
    step: int
    flush: bool
    flow: float
    comments: float
    blanks: float
    quotes: float
    odd: float

    def block(self, value: Any, indent: int) -> list[str]:
        """Return the lines of a mapping or list in block style."""
        if isinstance(value, dict):
            return self._mapping(value, indent)
        lines = []
        for item in value:
            gap = self.chance.choice((1, 1, 1, 1, 2, 3)) if isinstance(item, dict) and item else 1
            dash = " " * indent + "-" + " " * gap
            if isinstance(item, dict) and item and self.chance.random() >= self.flow:
                inner = self._mapping(item, indent + 1 + gap)
                lines += [dash + inner[0][len(dash) :], *inner[1:]]
            elif isinstance(item, list) and item:
                lines.append(" " * indent + "- " + self.inline(item, indent))
            else:
                lines.append(dash + self.inline(item, indent) + self._tail())
        return lines

    def _mapping(self, pairs: dict[str, Any], indent: int) -> list[str]:
        lines: list[str] = []
        for number, (key, value) in enumerate(pairs.items()):
            if number:  # a comment before the first key would stand after a list's dash
                lines += self._between(indent)
            head = " " * indent + self._key(key)
            if number and self.chance.random() < self.odd / 4:
                lines += [" " * indent + "? " + self._key(key), " " * indent + ":"]
                head = " " * indent
                lines[-1] += " " + self.inline(value, indent) + self._tail()
            elif isinstance(value, Anchored):
                lines.append(f"{head}: &{value.name}{self._tail()}")
                lines += self.block(value.value, indent + self.step)
            elif isinstance(value, (dict, list)) and value and self.chance.random() >= self.flow:
                lines.append(head + ":" + self._tail())
                deeper = 0 if isinstance(value, list) and self.flush else self.step
                lines += self.block(value, indent + deeper)
            elif isinstance(value, str) and "\n" in value and self.chance.random() < 0.7:
                lines += self._literal(head, value, indent)
            else:
                lines.append(head + ":" + self._space() + self.inline(value, indent) + self._tail())
        return lines

    def _literal(self, head: str, value: str, indent: int) -> list[str]:
        mark = self.chance.choice(("|", "|-", ">-", ">", "|+"))
        inner = " " * (indent + self.step)
        return [f"{head}: {mark}", *(inner + line if line else "" for line in value.split("\n"))]

    def inline(self, value: Any, indent: int) -> str:
        """Return a value as it stands on one line, or in flow style over several."""
        match value:
            case Value():
                return f"{OPEN}{value.name}{MIDDLE}{self._value(value)}{CLOSE}"
            case Alias():
                return f"*{value.name} "
            case Anchored():
                return f"&{value.name} {self.inline(value.value, indent)}"
            case dict():
                inner = [self._pair(key, item, indent) for key, item in value.items()]
            case list():
                inner = [self.inline(item, indent) for item in value]
            case str():
                return self.scalar(value)
            case _:
                return json.dumps(value)
        return self._flow("{}" if isinstance(value, dict) else "[]", inner, indent)

    def _pair(self, key: str, value: Any, indent: int) -> str:
        name = self._key(key)
        tight = name.startswith('"') and self.chance.random() < 0.3
        return f"{name}:{'' if tight else ' '}{self.inline(value, indent)}"

    def _flow(self, ends: str, inner: list[str], indent: int) -> str:
        pad = self.chance.choice(("", "", " "))
        broken = len(inner) > 1 and self.chance.random() < 0.2
        deep = "\n" + " " * (indent + self.step + 1)
        comment = f" # {self.chance.choice(COMMENTS)}" if broken and self.chance.random() < 0.2 else ""
        joint = f",{comment}{deep}" if broken else self.chance.choice((", ", ", ", ",  "))
        comma = "," if inner and self.chance.random() < self.odd else ""
        return f"{ends[0]}{pad}{joint.join(inner)}{comma}{pad}{ends[1]}"

    def scalar(self, text: str) -> str:
        """Return text so that every reader takes it for this text."""
        safe = _PLAIN.fullmatch(text) and text not in _WORDS
        if safe and self.chance.random() >= self.quotes:
            return text
        if "\n" in text or "\t" in text or self.chance.random() < 0.5:
            return json.dumps(text, ensure_ascii=self.chance.random() < 0.5 and "🚀" not in text)
        return "'" + text.replace("'", "''") + "'"

    def _value(self, value: Value) -> str:
        if value.count:
            return value.text
        is_image = "/" in value.text or re.search(r"[a-z]:", value.text)
        safe = is_image or (_PLAIN.fullmatch(value.text) and value.text not in _WORDS)
        if safe and self.chance.random() >= self.quotes:
            return value.text
        quote = self.chance.choice("'\"")
        return f"{quote}{value.text}{quote}"

    def _key(self, key: str) -> str:
        if self.chance.random() < self.odd and key != "<<":
            return self.chance.choice((f'"{key}"', f"'{key}'"))
        return key if re.fullmatch(r"[A-Za-z][A-Za-z0-9._/-]+|<<", key) else f'"{key}"'

    def _space(self) -> str:
        return " " if self.chance.random() >= self.odd else self.chance.choice(("  ", "    "))

    def _tail(self) -> str:
        if self.chance.random() < self.comments:
            gap = "\t" if self.chance.random() < self.odd / 100 else self.chance.choice((" ", "  ", "      "))
            return f"{gap}# {self.chance.choice(COMMENTS)}"
        return "  " if self.chance.random() < self.odd else ""

    def _between(self, indent: int) -> list[str]:
        lines = []
        if self.chance.random() < self.comments:
            wide = self.chance.choice((indent, indent, 0))
            lines.append(" " * wide + "# " + self.chance.choice(COMMENTS))
        if self.chance.random() < self.blanks:
            lines.append(self.chance.choice(("", "", "   ")))
        return lines


def writer(chance: random.Random) -> Writer:
    """Return the habits of one file."""
    return Writer(
        chance,
        step=chance.choice((1, 2, 2, 2, 2, 3, 4, 8)),
        flush=chance.random() < 0.5,
        flow=chance.choice((0.0, 0.0, 0.1, 0.5, 1.0)),
        comments=chance.choice((0.0, 0.1, 0.5)),
        blanks=chance.choice((0.0, 0.05, 0.3)),
        quotes=chance.choice((0.0, 0.3, 1.0)),
        odd=chance.choice((0.0, 0.0, 0.05, 0.3)),
    )


def write(chance: random.Random, documents: list[Any], *, alone: bool) -> tuple[bytes, dict[str, Span]]:
    """Return a file of the documents and where its values stand, by name.

    `alone`: what reads the file takes one document.
    """
    texts = [_document(writer(chance), one) for one in documents]
    text = "---\n" if chance.random() < 0.4 else ""
    if chance.random() < 0.01:
        text = "%YAML 1.2\n---\n"
    for number, one in enumerate(texts):
        text += one if number == 0 else _separator(chance) + one
    if chance.random() < 0.05:
        more = () if alone else ("---\n", "---\n# nothing\n")
        text += chance.choice(("...\n", "# the end\n", "\n\n\n", *more))
    if chance.random() < 0.15 and text.endswith("\n") and not text.endswith("|\n"):
        text = text[:-1]
    if chance.random() < 0.15:
        text = text.replace("\n", "\r\n")
    return _finished(text, bom=chance.random() < 0.07)


def _document(how: Writer, value: Any) -> str:
    if how.chance.random() < 0.04:
        return how.inline(value, 0) + "\n"
    before = how._between(0)
    return "\n".join([*before, *how.block(value, 0)]) + "\n"


def _separator(chance: random.Random) -> str:
    return chance.choice(
        ("---\n", "---\n", "---\n", "--- # next\n", "---   \n", "...\n---\n", "---\n\n# next\n")
    )


def _finished(text: str, *, bom: bool) -> tuple[bytes, dict[str, Span]]:
    """Take the marks out; count bytes while doing so."""
    out = bytearray(b"\xef\xbb\xbf" if bom else b"")
    spans: dict[str, Span] = {}
    at = 0
    for match in _MARK.finditer(text):
        out += text[at : match.start()].encode()
        start = len(out)
        out += match[2].encode()
        spans[match[1]] = Span(start, len(out), match[2])
        at = match.end()
    out += text[at:].encode()
    return bytes(out), spans
