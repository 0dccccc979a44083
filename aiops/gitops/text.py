"""Bytes of a manifest to text, and the reasons why a whole file is never edited.

Offsets: a `Place` counts bytes of the file, a parser counts characters after the byte order mark.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiops.errors import EditRefused
from aiops.gitops.nodes import Mapping, Node, Scalar, compose, text_at

MAX_BYTES = 5_000_000  # larger files are data or generated; nobody reviews a one-line change in them
# Exact marks cost 1 s a megabyte, more on a busy machine, and an answer is due within 1 s.
MAX_EDIT_BYTES = 600_000
_BOM = b"\xef\xbb\xbf"
_CONFLICT = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)
_GENERATED = re.compile(r"^[ \t]*#.*(?:\bDO NOT EDIT\b|@generated\b)", re.MULTILINE | re.IGNORECASE)
_HEAD_CHARACTERS = 4_096  # generators sign at the top


@dataclass(frozen=True, slots=True)
class Text:
    """The decoded content; `skipped`: bytes of the byte order mark that `text` lacks."""

    text: str
    skipped: int
    ascii: bool

    def byte(self, character: int) -> int:
        """Return the offset in the file of a character of `text`."""
        if self.ascii:
            return character + self.skipped
        return len(self.text[:character].encode()) + self.skipped


def decode(content: bytes) -> Text:
    """Return the text of a file. Raises EditRefused when it is not UTF-8 text of a usable size."""
    if len(content) > MAX_BYTES:
        raise EditRefused(f"larger than {MAX_BYTES} bytes")
    if content[:2] in {b"\xff\xfe", b"\xfe\xff"} or b"\0" in content[:_HEAD_CHARACTERS]:
        raise EditRefused("UTF-16 or binary, not UTF-8 text")
    skipped = len(_BOM) if content.startswith(_BOM) else 0
    try:
        text = content[skipped:].decode("utf-8")
    except UnicodeDecodeError as error:
        raise EditRefused("not UTF-8 text") from error
    return Text(text, skipped, text.isascii())


def read(content: bytes, *, pure: bool) -> tuple[Text, tuple[Node | None, ...]]:
    """Return the text and the documents of a file. Raises EditRefused when it must be left alone."""
    if pure and len(content) > MAX_EDIT_BYTES:
        raise EditRefused(f"larger than {MAX_EDIT_BYTES} bytes: too large to be edited by value")
    decoded = decode(content)
    if _CONFLICT.search(decoded.text):
        raise EditRefused("has conflict markers (<<<<<<<)")
    if _GENERATED.search(decoded.text[:_HEAD_CHARACTERS]):
        raise EditRefused('generated ("DO NOT EDIT"); change what generates it')
    documents = compose(decoded.text, pure=pure)
    for root in documents:
        _check_document(root, decoded.text)
    return decoded, documents


def _check_document(root: Node | None, text: str) -> None:
    if not isinstance(root, Mapping):
        return
    if isinstance(root.get("sops"), Mapping):
        raise EditRefused("encrypted with SOPS")
    if text_at(root, "kind") == "SealedSecret":
        raise EditRefused("encrypted (SealedSecret)")
    if "{{" in text and _has_braces(root):
        # `replicas: {{ .Values.r }}` is YAML: a mapping whose key is a mapping.
        raise EditRefused("templated ({{ }} outside quotes); edit its values instead")


def _has_braces(root: Node) -> bool:
    todo = [root]
    while todo:
        node = todo.pop()
        if isinstance(node, Mapping):
            for key, value in node.pairs:
                if not isinstance(key, Scalar):
                    return True
                todo.append(value)
        elif not isinstance(node, Scalar) and hasattr(node, "entries"):
            todo.extend(node.entries)
    return False
