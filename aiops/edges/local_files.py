"""How the local forge writes: one lock, whole files, the same words for times.

Comes in: what pull requests and issues say. Goes out: files that a reader never sees half of.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiops.errors import ForgeBusy, ForgeRefused

MAX_BYTES = 1_000_000
# What a file that a person wrote can make of reading it: `Infinity` and a thousand brackets are JSON.
MALFORMED = (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError)


@contextlib.contextmanager
def locked(folder: Path, inside: str) -> Iterator[None]:
    """Hold the one lock of a forge; the system frees it when a run is killed. `inside`: made if missing."""
    import fcntl

    try:
        (folder / inside).mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise ForgeRefused(
            f"cannot write beside the repository: {error.strerror}", where=folder.name
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def write(path: Path, content: bytes) -> None:
    """Replace a file at once: readers see the old or the new one, never half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as out:
            out.write(content)
            out.flush()
            os.fsync(out.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ForgeBusy(f"cannot write: {error.strerror}", where=path.name, todo="run again") from None


def read(path: Path) -> dict[str, Any]:
    """Return the JSON of one file. What is longer than allowed is cut, and then not JSON: ValueError."""
    with path.open("rb") as given:
        found: dict[str, Any] = json.loads(given.read(MAX_BYTES))
    return found


def unreadable(path: Path, what: str, error: Exception) -> ForgeRefused:
    """Return the error for a file that does not say what it has to."""
    said = " ".join(str(error).split())[:200]
    todo = "correct the file, or move it away"
    return ForgeRefused(
        f"not {what} of the local forge: {said}", where=f"{path.parent.name}/{path.name}", todo=todo
    )


def body(path: Path, marker: str) -> str:
    """Return the text beside a JSON file. A marker that is not there, or older, is replaced by the JSON's."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    if text.startswith(marker):
        return text
    rest = text.partition("\n")[2] if text.startswith("<!-- aiops:1 ") else f"\n{text}"
    return f"{marker}\n{rest}"


def as_json(data: dict[str, Any]) -> bytes:
    """Return what stands in a file."""
    return (json.dumps(data, indent=2) + "\n").encode("ascii")


def iso(at_s: int) -> str:
    """Return a time as the files have it."""
    return f"{datetime.fromtimestamp(at_s, UTC):%Y-%m-%dT%H:%M:%SZ}"


def seconds(text: str | None) -> int | None:
    """Return unix seconds, None for a time that is not there."""
    return None if text is None else required(text)


def required(text: str) -> int:
    """Return unix seconds. Raises ValueError or TypeError; a person may write it without a zone."""
    at = datetime.fromisoformat(text)
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
