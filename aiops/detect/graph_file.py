"""What an ONNX file declares, read without running or trusting anything in it.

A reader of the protobuf wire format for the few fields that matter: inputs, outputs and their
shapes, operators, and whether weights lie outside of the file. ONNX Runtime would follow such a
path; the `onnx` package is not installed where models are only scored.

Source: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto3 (field numbers) and
https://protobuf.dev/programming-guides/encoding/.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

# Field numbers of onnx.proto3, by message.
_MODEL_GRAPH, _MODEL_FUNCTIONS = 7, 25
_GRAPH_NODE, _GRAPH_INITIALIZER, _GRAPH_INPUT, _GRAPH_OUTPUT, _GRAPH_SPARSE = 1, 5, 11, 12, 15
_NODE_OPERATOR, _NODE_ATTRIBUTE, _NODE_DOMAIN = 4, 5, 7
_ATTRIBUTE_TENSOR, _ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS = 5, 6, 11
_TENSOR_DIMS, _TENSOR_EXTERNAL, _TENSOR_LOCATION = 1, 13, 14
_VALUE_NAME, _VALUE_TYPE = 1, 2


@dataclass(frozen=True, slots=True)
class GraphFile:
    """What one file declares.

    `inputs`, `outputs`: name -> shape, None where a dimension is free. `largest`: elements of the
    largest tensor. `plain`: no subgraph, function, custom domain or outside weight.
    """

    inputs: dict[str, tuple[int | None, ...]]
    outputs: dict[str, tuple[int | None, ...]]
    operators: frozenset[str]
    largest: int
    plain: bool


def parse(data: bytes) -> GraphFile:
    """Return what the file declares. Raises ValueError when it is not an ONNX graph."""
    model = list(_fields(data))
    graphs = [value for number, value in model if number == _MODEL_GRAPH and isinstance(value, bytes)]
    if len(graphs) != 1:
        raise ValueError("it holds no graph, or more than one")
    plain = all(number != _MODEL_FUNCTIONS for number, _ in model)
    inputs: dict[str, tuple[int | None, ...]] = {}
    outputs: dict[str, tuple[int | None, ...]] = {}
    operators: set[str] = set()
    largest = 0
    for number, value in _fields(graphs[0]):
        if not isinstance(value, bytes):
            continue
        if number in {_GRAPH_INPUT, _GRAPH_OUTPUT}:
            name, shape = _value(value)
            (inputs if number == _GRAPH_INPUT else outputs)[name] = shape
        elif number == _GRAPH_INITIALIZER:
            size, inside = _tensor(value)
            largest, plain = max(largest, size), plain and inside
        elif number == _GRAPH_NODE:
            operator, size, inside = _node(value)
            operators.add(operator)
            largest, plain = max(largest, size), plain and inside
        elif number == _GRAPH_SPARSE:
            plain = False
    return GraphFile(inputs, outputs, frozenset(operators), largest, plain)


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Yield (field number, value) of one message; ValueError when it is cut or malformed."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == 2:
            length, at = _varint(data, at)
        elif kind in {1, 5}:
            length = 8 if kind == 1 else 4
        else:
            raise ValueError(f"wire type {kind} is not in use")
        if at + length > len(data):
            raise ValueError("it is cut off")
        yield number, data[at : at + length]
        at += length


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("it is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number is longer than 10 bytes")


def _message(data: int | bytes) -> bytes:
    if not isinstance(data, bytes):
        raise ValueError("expected a message")  # noqa: TRY004 - the file is wrong, not our types
    return data


def _value(data: bytes) -> tuple[str, tuple[int | None, ...]]:
    """Return name and shape of a ValueInfoProto."""
    name = ""
    shape: tuple[int | None, ...] = ()
    for number, value in _fields(data):
        if number == _VALUE_NAME:
            name = _message(value).decode("utf-8", "replace")
        elif number == _VALUE_TYPE:
            # TypeProto.tensor_type = 1, .shape = 2, .dim = 1, .dim_value = 1
            for tensor in _inner(_message(value), 1):
                for dims in _inner(tensor, 2):
                    shape = tuple(_dimension(one) for one in _inner(dims, 1))
    return name, shape


def _inner(data: bytes, wanted: int) -> list[bytes]:
    return [_message(value) for number, value in _fields(data) if number == wanted]


def _dimension(data: bytes) -> int | None:
    return next((value for number, value in _fields(data) if number == 1 and isinstance(value, int)), None)


def _tensor(data: bytes) -> tuple[int, bool]:
    """Return (elements, all inside the file) of a TensorProto."""
    size, inside = 1, True
    for number, value in _fields(data):
        if number == _TENSOR_DIMS:
            for one in [value] if isinstance(value, int) else _packed(value):
                size *= one
        elif number == _TENSOR_EXTERNAL or (number == _TENSOR_LOCATION and value != 0):
            inside = False
    return size, inside


def _packed(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _varint(data, at)
        yield value


def _node(data: bytes) -> tuple[str, int, bool]:
    """Return (operator, elements of its largest tensor, plain) of a NodeProto."""
    operator, size, plain = "", 0, True
    for number, value in _fields(data):
        if number == _NODE_OPERATOR:
            operator = _message(value).decode("utf-8", "replace")
        elif number == _NODE_DOMAIN and value not in {b"", b"ai.onnx"}:
            plain = False
        elif number == _NODE_ATTRIBUTE:
            for inner, part in _fields(_message(value)):
                if inner == _ATTRIBUTE_TENSOR:
                    found, inside = _tensor(_message(part))
                    size, plain = max(size, found), plain and inside
                elif inner in {_ATTRIBUTE_GRAPH, _ATTRIBUTE_GRAPHS}:
                    plain = False
    return operator, size, plain
