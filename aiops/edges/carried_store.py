"""Keep between runs what the forecaster carried, in a folder: faster, never different.

One file per day that a run judged: one line of JSON (sizes, who wrote it, sha256), then the
arrays. What was written by other code, other libraries or another kind of processor is not ours:
their last bits may differ. A file that does not check out is left aside and replaced; a folder
that cannot be written is a warning. Nothing in a file is executed, and it holds no names.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import tempfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from aiops.detect.carried import ARRAYS, Carried

_SCHEMA = "aiops.carried/1"
_NAME = "carried-{}.bin"
_MAX_BYTES = 4 * 2**30  # 200,000 series at the end of a day, twice
_MAX_HEADER_BYTES = 4_096
_MAX_FILES = 8
_TYPES = {"digest": "<u8", "hidden": "<f4", "made": "<f4", "replaced": "|u1"}  # the others: <f8


def read(folder: Path) -> dict[str, Carried]:
    """Return what can be used of a folder, by key; nothing where there is nothing."""
    try:
        paths = [path for path in sorted(folder.glob(_NAME.format("*"))) if path.is_file()][:_MAX_FILES]
    except OSError:
        return {}
    found = [_read(path) for path in paths]
    return {one.key: one for one in found if one is not None}


def write(folder: Path, carried: Iterable[Carried]) -> None:
    """Replace what a folder holds; each file is whole or absent. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = set()
    for one in carried:
        name = _NAME.format(one.key[:16])
        arrays = [
            np.ascontiguousarray(getattr(one, field), dtype=_TYPES.get(field, "<f8")) for field in ARRAYS
        ]
        header = {
            "schema": _SCHEMA,
            "made_by": _made_by(),
            "key": one.key,
            "fed": one.fed,
            "shapes": [array.shape for array in arrays],
            "sha256": _hash(arrays),
        }
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(json.dumps(header).encode() + b"\n")
                for array in arrays:
                    file.write(array.data)
            Path(temporary).replace(folder / name)
        finally:
            Path(temporary).unlink(missing_ok=True)
        kept.add(name)
    for path in folder.glob(_NAME.format("*")):
        if path.name not in kept:
            path.unlink(missing_ok=True)


def _read(path: Path) -> Carried | None:
    """Return the content of one file; None when it is not one of ours, whole."""
    try:
        with path.open("rb") as file:
            first = file.readline(_MAX_HEADER_BYTES)
            header = json.loads(first)
            if header["schema"] != _SCHEMA or header["made_by"] != _made_by():
                return None
            shapes = [tuple(_whole(number) for number in shape) for shape in header["shapes"]]
            types = [np.dtype(_TYPES.get(field, "<f8")) for field in ARRAYS]
            counts = [math.prod(shape) for shape in shapes]
            expected = sum(count * kind.itemsize for count, kind in zip(counts, types, strict=True))
            if not expected == os.fstat(file.fileno()).st_size - len(first) <= _MAX_BYTES:
                return None
            flat = [np.fromfile(file, kind, count) for kind, count in zip(types, counts, strict=True)]
        arrays = [one.reshape(shape) for one, shape in zip(flat, shapes, strict=True)]
        if _hash(arrays) != header["sha256"]:
            return None
        named = dict(zip(ARRAYS, arrays, strict=True))
        named["replaced"] = named["replaced"] != 0
        return Carried(key=str(header["key"]), fed=_whole(header["fed"]), **named)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, MemoryError):
        return None


def _whole(number: Any) -> int:
    if type(number) is not int or not 0 <= number < 2**32:
        raise ValueError("expected a size")
    return number


def _hash(arrays: list[np.ndarray]) -> str:
    found = hashlib.sha256()
    for array in arrays:
        found.update(array.data if array.size else b"")
    return found.hexdigest()


def _made_by() -> str:
    """Return a hash of all that decides the last bit beside the data: code, libraries, processor."""
    found = hashlib.sha256()
    for path in sorted((Path(__file__).parents[1] / "detect").glob("*.py")):
        found.update(path.read_bytes())
    libraries = [f"{name} {metadata.version(name)}" for name in ("numpy", "onnxruntime")]
    features = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    found.update(repr((libraries, features)).encode())
    return found.hexdigest()
