"""Read and write model folders: `model.onnx` and `card.json`. The only place that opens them.

`card.html` beside them is for people: it is written, and never read.

A model is data from somewhere else (T17): sizes are capped before reading, the hash and every
declared shape are checked before ONNX Runtime sees a byte. Nothing is ever unpickled.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from pathlib import Path

from pydantic import ValidationError

from aiops.detect import graph_file
from aiops.detect.features import INPUTS, KNOWN, LEADS
from aiops.detect.model import OUTPUTS, Card, Model, open_session
from aiops.errors import ConfigError, ModelRefused

CARD = "card.json"
PAGE = "card.html"
_CARD_BYTES = 256 * 1024
_MODEL_BYTES = 8 * 1024 * 1024  # the starter has 57 KB; a network of this kind has no use for more
_LARGEST = 2_000_000  # elements of one tensor
# What the exporter writes for this network. No loop, no control flow, no file, no text.
_OPERATORS = frozenset({
    "Add", "And", "Cast", "Concat", "Constant", "ConstantOfShape", "Div", "Equal", "Expand", "Gather", "LSTM",
    "MatMul", "Mul", "Not", "ReduceSum", "Reshape", "Shape", "Slice", "Softmax", "Softplus", "Squeeze", "Sub",
    "Tanh", "Transpose", "Unsqueeze", "Where",
})  # fmt: skip
_TODO = "train one with `aiops train`, or remove `model:` to use the starter"


def load(folder: Path) -> Model:
    """Return the model of a folder. Raises ModelRefused, one line, when anything does not check out."""
    card = _card(folder)
    onnx = _read(folder / "model.onnx", _MODEL_BYTES)
    found = hashlib.sha256(onnx).hexdigest()
    if found != card.sha256:
        raise _refused(folder, f"expected model.onnx with sha256 {card.sha256[:12]}, found {found[:12]}")
    _check_graph(folder, onnx, card)
    try:
        return Model(card, open_session(onnx))
    except Exception as error:
        raise _refused(folder, f"ONNX Runtime does not read it: {str(error).splitlines()[0]}") from error


def save(folder: Path, onnx: bytes, card: Card, page: str | None = None) -> None:
    """Write a model folder: each file whole or absent, the card last.

    So a card never names a network that is not there. Without a page, that of the model before goes: it
    would tell of another. Raises ConfigError where the folder does not let us.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder / "model.onnx", onnx)
        if page is None:
            (folder / PAGE).unlink(missing_ok=True)
        else:
            save_page(folder, page)
        _write(folder / CARD, _card_bytes(card))
    except OSError as error:
        raise ConfigError(
            f"cannot write: {error.strerror}", where=str(folder), todo="name another folder with --model"
        ) from error


def save_page(folder: Path, page: str) -> Path:
    """Write the page of the model of a folder; return where it is."""
    _write(folder / PAGE, page.encode("utf-8", "replace"))
    return folder / PAGE


def _write(path: Path, data: bytes) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(handle, "wb") as file:
        file.write(data)
    Path(temporary).chmod(0o644)
    Path(temporary).replace(path)


def _card(folder: Path) -> Card:
    data = _read(folder / CARD, _CARD_BYTES)
    try:
        found = json.loads(data)
        if isinstance(found, dict):
            found.pop("checksum", None)
        card = Card.model_validate_json(json.dumps(found))
    except (ValidationError, ValueError, RecursionError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"loc": (), "msg": str(error)}
        place = ".".join(str(part) for part in first["loc"]) or "card.json"
        raise _refused(folder, f"the card is not usable: {place}: {first['msg']}") from error
    # A flipped bit in a threshold is still a number. The file is one exact text or it is refused.
    if data != _card_bytes(card):
        raise _refused(folder, "the card was changed after it was written")
    return card


def _card_bytes(card: Card) -> bytes:
    """Return the one text of a card: its fields, and the hash of them as `checksum`."""
    body = card.model_dump(mode="json")
    checksum = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    return (json.dumps({**body, "checksum": checksum}, indent=1) + "\n").encode()


def _read(path: Path, limit: int) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise _refused(path.parent, f"{path.name}: {error.strerror or error}") from error
    if len(data) > limit:
        raise _refused(path.parent, f"{path.name}: expected at most {limit} bytes")
    return data


def _check_graph(folder: Path, onnx: bytes, card: Card) -> None:
    try:
        graph = graph_file.parse(onnx)
    except ValueError as error:
        raise _refused(folder, f"model.onnx is no ONNX file: {error}") from error
    leads = len(LEADS)
    inputs = {
        "x": (None, None, INPUTS),
        "known": (None, None, leads, KNOWN),
        "h0": (1, None, card.hidden),
        "c0": (1, None, card.hidden),
    }
    outputs = {"quantiles": 4, "h1": 3, "c1": 3}  # the exporter leaves their sizes open
    if card.leads != list(LEADS):
        raise _refused(folder, f"expected forecasts {list(LEADS)} buckets ahead, found {card.leads}")
    if graph.inputs != inputs:
        raise _refused(folder, f"expected inputs {inputs}, found {graph.inputs}")
    if {name: len(shape) for name, shape in graph.outputs.items()} != outputs or set(outputs) != set(OUTPUTS):
        raise _refused(folder, f"expected outputs {', '.join(outputs)}, found {', '.join(graph.outputs)}")
    strange = sorted(graph.operators - _OPERATORS)
    if strange or not graph.plain:
        raise _refused(folder, f"expected a plain graph, found {strange[0] if strange else 'outside parts'}")
    if graph.largest > _LARGEST:
        raise _refused(folder, f"expected tensors of at most {_LARGEST} elements, found {graph.largest}")


def _refused(folder: Path, message: str) -> ModelRefused:
    return ModelRefused(message[:300], where=f"model {folder.name}", todo=_TODO)
