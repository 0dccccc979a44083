"""An evidence bundle: one zip file with everything that a decision was made of.

Comes in: what was read in a run (`bundle_writing`), or such a file from anywhere. Goes out: the
file, or its checked manifest and objects. `bundle.json` is the manifest; everything large is an
object of its own, `objects/<sha256>`, so that the same content is kept once and damage is found.
Nothing says that nobody edited a bundle: whoever has to know keeps the sha256 that `run` printed.

Samples are little-endian float64 [N, T], byte planes first (all first bytes, all second ones, ...),
which deflates better: `numpy.frombuffer(data, "u1").reshape(8, -1).T.copy().view("<f8")`.

A bundle from elsewhere is untrusted: the directory of the zip is measured before it is parsed, sizes
before memory is taken; no name in it becomes a path, and nothing in it is executed.
"""

from __future__ import annotations

import hashlib
import json
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import msgspec

from aiops.domain import Checkout, Commit, Grid, TreeFile
from aiops.errors import ConfigError

SCHEMA = "aiops.bundle/1"
MANIFEST = "bundle.json"
MAX_BYTES = 2**30  # all of it, unpacked
MAX_OBJECTS = 50_000
MAX_JSON_BYTES = 2**25  # the manifest, or one object of JSON
MAX_OBJECT_BYTES = 2**29
LAST_S = 250_000_000_000  # far from the year 10,000, where calendars end
_MAX_DIRECTORY_BYTES = 2**23
_END = struct.Struct("<4s4H2LH")  # the last record of a zip: 22 bytes
_LOCATOR_BYTES = 20  # of what says before it that the zip is a large one (ZIP64); `run` writes none
_NAME = re.compile(r"objects/[0-9a-f]{64}")
_ZIP_RAISES = (
    zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError, NotImplementedError,
    struct.error, MemoryError, OverflowError,
)  # fmt: skip
_T = TypeVar("_T")


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A read that ended in an error; only an EditRefused has words, because a decision tells them."""

    code: str
    message: str = ""
    where: str = ""
    todo: str = ""


class Answered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One range query: its text, and the objects that hold its series and its samples."""

    name: str
    expr: str
    grid: Grid
    rows: int = 0
    labels: str = ""
    values: str = ""
    warnings: tuple[str, ...] = ()
    samples: int | None = None
    refusal: Refusal | None = None


class CommitFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was read of one commit. `tree`: the object that lists it, "" = nobody asked."""

    checkout: Checkout
    tree: str
    read: dict[str, str | Refusal]
    links: dict[str, str | Refusal]


class History(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The commits that touched a path."""

    sha: str
    path: str
    limit: int
    commits: tuple[Commit, ...]


class RepositoryRead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was read of the GitOps repository."""

    shallow: bool
    heads: dict[str, str]
    files: dict[str, CommitFiles]
    histories: tuple[History, ...]


class Muted(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What Alertmanager said of some alerts, or that it did not answer."""

    alerts: tuple[dict[str, str], ...]
    at_s: int
    names: tuple[str | None, ...] = ()
    refusal: Refusal | None = None


class ModelFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The objects that hold the model folder."""

    card: str
    onnx: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`bundle.json`. `settings`: the keys of aiops.yaml that decide; `silences`: None = not asked."""

    schema: str
    aiops: str
    now_s: int
    settings: dict[str, Any]
    model_id: str
    model: ModelFiles | None
    answers: tuple[Answered, ...]
    repository: RepositoryRead
    silences: tuple[Muted, ...] | None
    plan: str


class Bundle:
    """An opened bundle: its manifest, and its objects by their sha256."""

    def __init__(self, path: Path) -> None:
        """Check the zip and read the manifest. Raises ConfigError, one line, for anything odd."""
        self._path = path
        try:
            _measure(path)
            self._zip = zipfile.ZipFile(path)
        except _ZIP_RAISES as error:
            refuse(_words(error), path)
        self._entries = _entries(self._zip.infolist(), path)
        if MANIFEST not in self._entries:
            refuse(f"no {MANIFEST} in it", path)
        self.manifest = self._decode(self._read(MANIFEST, MAX_JSON_BYTES), Manifest)
        if self.manifest.schema != SCHEMA or not 0 <= self.manifest.now_s <= LAST_S:
            refuse(f"expected a bundle of schema {SCHEMA}", path)

    def object(self, name: str, most: int = MAX_OBJECT_BYTES) -> bytes:
        """Return the content with this sha256. Raises ConfigError when it is missing or damaged."""
        data = self._read(f"objects/{name}", most)
        if hashlib.sha256(data).hexdigest() != name:
            refuse(f"object {name[:12]} is damaged", self._path)
        return data

    def json(self, name: str, kind: type[_T]) -> _T:
        """Return an object of JSON as a type."""
        return self._decode(self.object(name, MAX_JSON_BYTES), kind)

    def _read(self, name: str, most: int) -> bytes:
        entry = self._entries.get(name)
        if entry is None or entry.file_size > most:
            refuse(f"expected {name[:20]!r} of at most {most} bytes in it", self._path)
        try:
            with self._zip.open(entry) as file:
                return file.read(entry.file_size)  # with a size: never unpacks more than it says
        except _ZIP_RAISES as error:
            refuse(_words(error), self._path)

    def _decode(self, data: bytes, kind: type[_T]) -> _T:
        # json, not msgspec: a path in git may hold bytes that only a lone surrogate can spell.
        try:
            return msgspec.convert(json.loads(data.decode("ascii")), kind)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            refuse(f"expected JSON as `aiops run --bundle` writes it: {_words(error)}", self._path)


def encode(value: Any) -> bytes:
    """Return structs, dataclasses and plain values as one JSON text; the same value, the same bytes."""
    text = json.dumps(msgspec.to_builtins(value), sort_keys=True, separators=(",", ":"), allow_nan=False)
    return text.encode("ascii")


def tree_rows(tree: Mapping[str, TreeFile]) -> list[TreeFile]:
    """Return a tree as what stands in its object."""
    return list(tree.values())


def refuse(message: str, path: Path) -> NoReturn:
    """Raise the one error of this room."""
    raise ConfigError(
        message, where=path.name, todo="name a file that `aiops run --bundle` wrote, as it wrote it"
    ) from None


def _measure(path: Path) -> None:
    """Refuse a zip whose directory is too large to be read. Raises OSError, struct.error, ConfigError."""
    if not path.is_file():
        refuse("no such file", path)
    size = path.stat().st_size
    if size > MAX_BYTES:
        refuse(f"expected at most {MAX_BYTES} bytes, found {size}", path)
    with path.open("rb") as file:
        file.seek(max(0, size - _END.size - _LOCATOR_BYTES))
        tail = file.read()
    mark, disk, first_disk, here, entries, directory, _, comment = _END.unpack(tail[-_END.size :])
    # Where this locator stands, zipfile believes another record than the one that is measured here.
    wide = tail[: -_END.size].startswith(b"PK\6\7")
    if mark != b"PK\5\6" or disk or first_disk or comment or here != entries or wide:
        refuse("expected a small zip file in one part, without a comment", path)
    if entries > MAX_OBJECTS or directory > _MAX_DIRECTORY_BYTES:
        refuse(f"expected at most {MAX_OBJECTS} objects", path)


def _entries(infos: list[zipfile.ZipInfo], path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the members by name; all of them are ours, each stands once, together they are not too large."""
    found = {info.filename: info for info in infos}
    strange = [name for name in found if name != MANIFEST and not _NAME.fullmatch(name)]
    if strange:
        refuse(f"{strange[0][:60]!a} has no business in it", path)
    if len(found) < len(infos):
        refuse("a name stands in it twice", path)
    plain = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
    if any(info.flag_bits & 1 or info.compress_type not in plain for info in infos):
        refuse("expected members that are stored or deflated", path)
    if sum(info.file_size for info in infos) > MAX_BYTES:
        refuse(f"expected at most {MAX_BYTES} bytes unpacked", path)
    return found


def _words(error: BaseException) -> str:
    return ascii(" ".join(str(error).split())[:200] or type(error).__name__)[1:-1]
