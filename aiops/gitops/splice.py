"""Change one value by splicing its bytes, and prove that nothing else changed.

Law 4: a manifest is never dumped. One scalar is replaced, one key or list entry is inserted, or
one marker of an image automation is removed; two YAML readers (`proof`, `structure`) then must see
exactly that and nothing else.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from collections.abc import Sequence
from typing import Literal

from aiops.domain import Edit, Insertion, Place
from aiops.errors import EditRefused
from aiops.gitops import image_reference, structure
from aiops.gitops import insert as insert_
from aiops.gitops.inside import INSIDE
from aiops.gitops.nodes import Scalar, scalar_tag
from aiops.gitops.proof import prove
from aiops.gitops.quoting import SAFE, reads_as_text
from aiops.gitops.rendered import MAX_REPLICAS
from aiops.gitops.snapshot import Spot, locate, scalar_at
from aiops.gitops.structure import parsed

_INTEGER = re.compile(r"0|[1-9][0-9]*")
# Flux writes it behind a scalar; fluxcd.io/flux/guides/image-update/
_MARKER = re.compile(
    r"""[ \t]*#[ \t]*\{[ \t]*"\$imagepolicy"[ \t]*:[ \t]*"[A-Za-z0-9:._-]{1,300}"[ \t]*\}[ \t]*"""
)
_COUNTS = frozenset({"count", "replicas", "replicacount", "minreplicas", "maxreplicas", "minreplicacount",
                     "maxreplicacount"})  # fmt: skip
_LONGEST_MARKER = 400  # bytes
_LIST = re.compile(
    r"(?! )[A-Za-z0-9_.:/@+,*~^<>= -]{1,512}(?<! )"
)  # comma-separated tags, for an ignore rule


def edit(content: bytes, place: Place, new: str, blob: str) -> Edit:
    """Return the edit that makes `new` the value at `place`, proved on `content`.

    `new`: an integer for counts; for images a tag, a digest, `tag@digest` or a whole reference
    of the same image. Only the version changes where the scalar holds a whole reference.
    `blob`: the git id of `content`. Raises EditRefused when the place moved or the value does not fit.
    """
    spot = Spot(place.file, place.document, place.path, place.value, place.kind)
    found = located(content, spot)
    if (found.value, found.start, found.end) != (place.value, place.start, place.end):
        found_text = f"{found.value!r} at byte {found.start}"
        raise EditRefused(
            f"{place.path_text}: expected {place.value!r} at byte {place.start}, found {found_text}",
            where=place.file,
            todo="the file changed; run again",
        )
    read, documents = parsed(content, place.file)
    node = scalar_at(read.text, documents[place.document], place.path)
    value, text = _new_text(node, place, new)
    if value == place.value:
        raise EditRefused(f"{place.path_text}: is {value} already", where=place.file)
    made = Edit(
        place.file, place.document, place.path, place.value, value, text, place.start, place.end, blob
    )
    replace(content, [made])
    return made


def edit_list(content: bytes, place: Place, new: str, blob: str) -> Edit:
    """Return the edit of a comma-separated list of tags to ignore, in the style of the old text."""
    read, documents = parsed(content, place.file)
    style = scalar_at(read.text, documents[place.document], place.path).style or '"'
    text = f"{style}{new}{style}"
    made = Edit(
        place.file, place.document, place.path, place.value, new, text, place.start, place.end, blob,
        role="pin",
    )  # fmt: skip
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
    value = new_version(place, new)
    if not SAFE.fullmatch(value):
        raise EditRefused(f"expected an image version, got {new[:80]!r}", where=place.file)
    if place.kind == "Flux substitute, alone" and not reads_as_text(value):
        raise EditRefused(f"Flux would fill in {value} without quotes: no text", where=place.file)
    if node.style:
        return value, f"{node.style}{value}{node.style}"
    return value, value if reads_as_text(value) else f'"{value}"'


def _is_count(node: Scalar, place: Place) -> bool:
    key = _key(place.path)
    if place.kind.startswith(("Flux substitute", "kustomize replacement")):  # they copy texts
        return False
    if key == "value":  # a JSON patch or an Application parameter: its own type says what it is
        return scalar_tag(node) == "int"
    return key in _COUNTS


def _key(path: tuple[str | int, ...]) -> str:
    return next((str(part) for part in reversed(path) if isinstance(part, str)), "").lower()


def new_version(place: Place, new: str) -> str:
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


def insert(
    content: bytes, at: Insertion, old: str, new: str, blob: str, role: Literal["value", "pin"] = "value"
) -> Edit:
    """Return the edit that writes one key or list entry with the value `new`, proved on `content`.

    `old`: the value that counted until now. Raises EditRefused when the file does not allow it.
    """
    empty = Edit(at.file, at.document, at.path, old, new, "", 0, 0, blob, "insert", at.entry, role)
    start, made = _derived(content, empty)
    edit_ = dataclasses.replace(empty, new_text=made.text, start=start, end=start)
    replace(content, [edit_])
    return edit_


def remove_marker(content: bytes, place: Place, blob: str) -> Edit:
    """Return the edit that takes away the image automation's marker behind a scalar."""
    line = content[place.end : place.end + _LONGEST_MARKER].split(b"\n", 1)[0].decode("utf-8", "replace")
    found = _MARKER.match(line)
    if found is None:
        raise EditRefused("no image policy marker stands behind the value", where=place.file)
    end = place.end + len(found[0].rstrip())
    edit_ = Edit(
        place.file, place.document, place.path, found[0].strip(), "", "", place.end, end, blob, "remove",
        role="pin",
    )  # fmt: skip
    replace(content, [edit_])
    return edit_


def _derived(content: bytes, one: Edit) -> tuple[int, insert_.Insertion]:
    """Return where an insertion goes, in bytes, and what it is; never taken from the edit itself."""
    text, documents = parsed(content, one.file)
    root = documents[one.document] if one.document < len(documents) else None
    key = _key(one.path)
    count = one.role == "value" and key in _COUNTS and "parameters" not in one.path
    if count and (not _INTEGER.fullmatch(one.new) or int(one.new) > MAX_REPLICAS):
        raise EditRefused(f"expected an integer up to {MAX_REPLICAS}, got {one.new[:40]!r}", where=one.file)
    try:
        made = insert_.derive(text.text, root, one.path, one.entry, int(one.new) if count else one.new)
    except EditRefused as error:
        raise EditRefused(f"{one.path_text}: {error.message}", where=one.file) from error
    return text.byte(made.at), made


def replace(content: bytes, edits: Sequence[Edit]) -> bytes:
    """Return the content with every edit spliced in, each proved alone and all proved together.

    Raises EditRefused when the content is another blob, an old value is not where it was, edits
    overlap, or either reader sees anything else change.
    """
    if not edits:
        raise EditRefused("there is nothing to edit")
    changes = []
    for one in edits:
        if blob_id(content, len(one.blob)) != one.blob:
            raise EditRefused("the file changed since the edit was made", where=one.file, todo="run again")
        changes.append((one, _checked(content, one)))
    if len(edits) > 1:
        for change in changes:
            _prove(content, _splice(content, [change[0]]), [change])
    spliced = _splice(content, edits)
    _prove(content, spliced, changes)
    return spliced


def _prove(old: bytes, new: bytes, changes: Sequence[structure.Change]) -> None:
    if all(one.change == "replace" and INSIDE not in one.path for one, _ in changes):
        prove(old, new, [one for one, _ in changes])
    else:
        structure.prove(old, new, changes)


def _checked(content: bytes, one: Edit) -> insert_.Insertion | None:
    """Refuse what an edit may not write: a plan is data from another job, whatever it says."""
    if one.change == "insert":
        start, made = _derived(content, one)
        safe = _LIST if one.role == "pin" else SAFE
        if not safe.fullmatch(one.new) or (one.entry and not SAFE.fullmatch(one.entry)):
            raise EditRefused("the text to write is not the new value", where=one.file)
        if (one.start, one.end, one.new_text) != (start, start, made.text):
            raise EditRefused("the text to write is not the new key", where=one.file)
        return made
    if one.change == "remove":
        written = content[one.start : one.end].decode("utf-8", "replace")
        place = located(content, Spot(one.file, one.document, one.path, "", ""))
        follows = content[one.end : one.end + 1] in {b"", b"\n", b"\r"}
        if one.new or one.new_text or place.end != one.start or not follows or not _MARKER.fullmatch(written):
            raise EditRefused("only the marker behind the value may be removed", where=one.file)
        return None
    safe = _LIST if one.role == "pin" else SAFE
    if not safe.fullmatch(one.new) or one.new_text not in {one.new, f"'{one.new}'", f'"{one.new}"'}:
        raise EditRefused("the text to write is not the new value", where=one.file)
    place = located(content, Spot(one.file, one.document, one.path, one.old, ""))
    if (place.value, place.start, place.end) != (one.old, one.start, one.end):
        raise EditRefused(f"{one.path_text}: expected {one.old!r}, found {place.value!r}", where=one.file)
    return None


def blob_id(content: bytes, characters: int = 40) -> str:
    """Return the git id of a blob; `characters` 64 means a SHA-256 repository."""
    header = b"blob %d\0" % len(content)
    # SHA-1 is git's name for the content, not a protection against anything.
    return (hashlib.sha256 if characters == 64 else hashlib.sha1)(header + content).hexdigest()


def _splice(content: bytes, edits: Sequence[Edit]) -> bytes:
    result, before = content, len(content)
    for one in sorted(edits, key=lambda item: (item.start, item.end), reverse=True):
        if not 0 <= one.start <= one.end <= before or (one.start == one.end) != (one.change == "insert"):
            raise EditRefused("edits overlap or lie outside of the file", where=one.file)
        result = result[: one.start] + one.new_text.encode() + result[one.end :]
        before = one.start
    return result


def located(content: bytes, spot: Spot) -> Place:
    """Return the place of a spot, measured exactly. Raises EditRefused."""
    return locate(*parsed(content, spot.file), spot)
