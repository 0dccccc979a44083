"""Replace one scalar by splicing its bytes, and prove that nothing else changed.

Law 4: a manifest is never dumped. After the splice the file is read by YAML 1.1 rules and by YAML
1.2 rules (see proof.py); both must see exactly that one scalar of that one document differ, with
the value that was meant. Otherwise the edit is refused.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from functools import lru_cache

from aiops.domain import Edit, Place
from aiops.errors import EditRefused
from aiops.gitops import image_reference
from aiops.gitops.nodes import Node, Scalar, look, resolve_plain, scalar_tag
from aiops.gitops.proof import prove, type_12
from aiops.gitops.rendered import MAX_REPLICAS
from aiops.gitops.snapshot import Spot, locate
from aiops.gitops.text import Text, read

# What a version can be made of; nothing in it needs escaping in any quoting style.
_SAFE = re.compile(r"[A-Za-z0-9_.:/@+-]{1,512}")
_INTEGER = re.compile(r"0|[1-9][0-9]*")
# Other YAML 1.1 readers (go-yaml v2, Ruby) take these for numbers, dates or booleans too.
_NUMBER_LIKE = re.compile(
    r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?"  # 3, 0123, 1_000, 1.10, 1e3
    r"|[-+]?[0-9][0-9_]*(?::[0-9]+)+(?:\.[0-9]*)?"  # base 60: 12:30
    r"|0[xob][0-9a-fA-F_]+"
)
_WORD_LIKE = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"})


def edit(content: bytes, place: Place, new: str, blob: str) -> Edit:
    """Return the edit that makes `new` the value at `place`, proved on `content`.

    `new`: an integer for counts; for images a tag, a digest, `tag@digest` or a whole reference
    of the same image. Only the version changes where the scalar holds a whole reference.
    `blob`: the git id of `content`. Raises EditRefused when the place moved or the value does not fit.
    """
    spot = Spot(place.file, place.document, place.path, place.value, place.kind)
    found = _located(content, spot)
    if (found.value, found.start, found.end) != (place.value, place.start, place.end):
        found_text = f"{found.value!r} at byte {found.start}"
        raise EditRefused(
            f"{place.path_text}: expected {place.value!r} at byte {place.start}, found {found_text}",
            where=place.file,
            todo="the file changed; run again",
        )
    _, documents = _parsed(content, place.file)
    node, _ = look(documents[place.document], *place.path)
    if not isinstance(node, Scalar):
        raise EditRefused(f"{place.path_text}: no single value stands there", where=place.file)
    value, text = _new_text(node, place, new)
    if value == place.value:
        raise EditRefused(f"{place.path_text}: is {value} already", where=place.file)
    made = Edit(
        place.file, place.document, place.path, place.value, value, text, place.start, place.end, blob
    )
    replace(content, [made])
    return made


def value_of(place_path: tuple[str | int, ...], value: str) -> str:
    """Return the value of the field that a scalar holds: the version of a whole image reference."""
    reference = image_reference.stands_in(place_path, value)
    return reference.version if reference else value


def _new_text(node: Scalar, place: Place, new: str) -> tuple[str, str]:
    """Return (value as YAML reads it, scalar as written) in the style of the old scalar."""
    if _is_count(node, place):
        if scalar_tag(node) != "int" or node.style or not _INTEGER.fullmatch(node.value):
            raise EditRefused(
                f"{place.path_text}: expected a plain integer, found {place.value!r}", where=place.file
            )
        if not _INTEGER.fullmatch(new) or int(new) > MAX_REPLICAS:
            raise EditRefused(f"expected an integer up to {MAX_REPLICAS}, got {new[:40]!r}", where=place.file)
        return new, new
    value = _new_version(place, new)
    if not _SAFE.fullmatch(value):
        raise EditRefused(f"expected an image version, got {new[:80]!r}", where=place.file)
    if node.style:
        return value, f"{node.style}{value}{node.style}"
    return value, value if reads_as_text(value) else f'"{value}"'


def _is_count(node: Scalar, place: Place) -> bool:
    key = next((str(part) for part in reversed(place.path) if isinstance(part, str)), "").lower()
    if key == "value":  # a JSON patch or an Application parameter: its own type says what it is
        return scalar_tag(node) == "int"
    return key in {"count", "replicas"} or key.endswith(("replicas", "replicacount"))


def _new_version(place: Place, new: str) -> str:
    """Return the scalar's new value: the version itself, or the old reference in that version."""
    old = image_reference.stands_in(place.path, place.value)
    whole = image_reference.parse(new)
    if old is None:
        if not image_reference.is_version(new):
            raise EditRefused(f"expected a tag or a digest, got {new[:80]!r}", where=place.file)
        if (":" in new) != (":" in place.value):
            raise EditRefused(
                f"a tag cannot stand for a digest or the reverse: {new[:80]!r}", where=place.file
            )
        return new
    if image_reference.is_version(new):
        if old.digest and "@" not in new and (":" not in new or old.tag):
            raise EditRefused(
                "pinned by digest: tag and digest change together, as tag@digest", where=place.file
            )
        return str(image_reference.with_version(old, new))
    if whole is None or whole.name != old.name or not whole.version:
        raise EditRefused(f"expected another version of {old.name}, got {new[:80]!r}", where=place.file)
    return str(whole)


def reads_as_text(value: str) -> bool:
    """Tell whether every YAML reader takes the unquoted value for the same string.

    Field guide: 5.6 % of short commit ids look like a number to some reader (helm#3246).
    """
    if value.lower().lstrip(".+-") in _WORD_LIKE or _NUMBER_LIKE.fullmatch(value):
        return False
    return resolve_plain(value) == "str" and type_12(value) == "str" and value[0] not in "-:@."


def replace(content: bytes, edits: Sequence[Edit]) -> bytes:
    """Return the content with every edit spliced in, each proved alone and all proved together.

    Raises EditRefused when the content is another blob, an old value is not where it was, edits
    overlap, or either reader sees anything else change.
    """
    if not edits:
        raise EditRefused("there is nothing to edit")
    for one in edits:
        if blob_id(content, len(one.blob)) != one.blob:
            raise EditRefused("the file changed since the edit was made", where=one.file, todo="run again")
        # A plan is data from another job: what it writes must be its value and nothing around it.
        if not _SAFE.fullmatch(one.new) or one.new_text not in {one.new, f"'{one.new}'", f'"{one.new}"'}:
            raise EditRefused("the text to write is not the new value", where=one.file)
    if len(edits) > 1:
        for one in edits:
            _prove(content, _splice(content, [one]), [one])
    spliced = _splice(content, edits)
    _prove(content, spliced, edits)
    return spliced


def blob_id(content: bytes, characters: int = 40) -> str:
    """Return the git id of a blob; `characters` 64 means a SHA-256 repository."""
    header = b"blob %d\0" % len(content)
    # SHA-1 is git's name for the content, not a protection against anything.
    return (hashlib.sha256 if characters == 64 else hashlib.sha1)(header + content).hexdigest()


def _splice(content: bytes, edits: Sequence[Edit]) -> bytes:
    result, before = content, len(content)
    for one in sorted(edits, key=lambda item: item.start, reverse=True):
        if not 0 <= one.start < one.end <= before:
            raise EditRefused("edits overlap or lie outside of the file", where=one.file)
        result = result[: one.start] + one.new_text.encode() + result[one.end :]
        before = one.start
    return result


def _prove(old: bytes, new: bytes, edits: Sequence[Edit]) -> None:
    """Raise EditRefused unless the old values are where they were and nothing else differs."""
    for one in edits:
        place = _located(old, Spot(one.file, one.document, one.path, one.old, ""))
        if (place.value, place.start, place.end) != (one.old, one.start, one.end):
            raise EditRefused(f"{one.path_text}: expected {one.old!r}, found {place.value!r}", where=one.file)
    prove(old, new, edits)


@lru_cache(maxsize=4)  # an edit looks at the old and the new content several times
def _read(content: bytes) -> tuple[Text, tuple[Node | None, ...]]:
    return read(content, pure=True)


def _parsed(content: bytes, file: str) -> tuple[Text, tuple[Node | None, ...]]:
    try:
        return _read(content)
    except EditRefused as error:
        raise EditRefused(error.message, where=file) from error


def _located(content: bytes, spot: Spot) -> Place:
    return locate(*_parsed(content, spot.file), spot)
