"""YAML inside a YAML string: inline patches, `helm.values` of an Application, ConfigMap data.

Only literal blocks (`|`) keep their lines as they are, so only there does a character of the inner
text stand at a known place of the file. Folded and quoted strings are read and never edited.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiops.errors import EditRefused
from aiops.gitops.nodes import Node, Scalar, compose

INSIDE = "|"  # a step of a key path: what follows stands in the YAML that this string holds
Path = tuple[str | int, ...]
_HEADER = re.compile(r"\|(?:([1-9])[+-]?|[+-]([1-9])?)?[ \t]*(?:#[^\n]*)?\r?\n")
_LINES = 20_000


def split(path: Path) -> tuple[Path, Path | None]:
    """Return the path to the string and the path inside of it, None when nothing is inside."""
    if INSIDE not in path:
        return path, None
    at = path.index(INSIDE)
    return path[:at], path[at + 1 :]


@dataclass(frozen=True, slots=True)
class Embedded:
    """The text of a literal block and where its lines start in the file that holds it."""

    text: str
    starts: tuple[int, ...]
    indent: int
    end: int

    def outer(self, character: int) -> int:
        """Return the character of the file at which a character of the inner text stands."""
        line = self.text.count("\n", 0, character)
        column = character - (self.text.rfind("\n", 0, character) + 1)
        if line >= len(self.starts):
            raise EditRefused("the end of a string cannot be edited")
        return self.starts[line] + self.indent + column


def embedded(text: str, node: Scalar) -> Embedded:
    """Return the inner text of a literal block. Raises EditRefused for every other kind of string."""
    raw = text[node.start : node.end]
    header = _HEADER.match(raw)
    if node.style != "|" or header is None:
        raise EditRefused("YAML inside a string that is not a literal block (|)")
    lines = raw[header.end() :].split("\n")
    inner = node.value.split("\n")
    if len(lines) > _LINES:
        raise EditRefused(f"a string of more than {_LINES} lines")
    first = next((line for line in lines if line.strip()), "")
    written = next((line for line in inner if line.strip()), "")
    indent = len(first.rstrip("\r")) - len(written)
    starts, at = [], node.start + header.end()
    for line, read in zip(lines, inner, strict=False):
        if line.rstrip("\r")[indent:] != read:
            raise EditRefused("a string whose lines cannot be told from its indentation")
        starts.append(at)
        at += len(line) + 1
    return Embedded(node.value, tuple(starts), indent, node.end)


def document(value: str, *, pure: bool) -> Node | None:
    """Return the one document a string holds. Raises EditRefused for none or several."""
    found = [root for root in compose(value, pure=pure) if root is not None]
    if len(found) != 1:
        raise EditRefused("a string that does not hold one YAML document")
    return found[0]
