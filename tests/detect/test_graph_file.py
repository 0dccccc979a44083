from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.detect import graph_file

STARTER = (Path(__file__).parents[2] / "models" / "starter" / "model.onnx").read_bytes()


def test_the_declared_shapes_are_read() -> None:
    found = graph_file.parse(STARTER)
    assert found.inputs["x"] == (None, None, 11)
    assert set(found.outputs) == {"quantiles", "h1", "c1"}
    assert "LSTM" in found.operators
    assert found.plain


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_by_value_error(data: bytes) -> None:
    with contextlib.suppress(ValueError):
        graph_file.parse(data)


@given(st.integers(0, len(STARTER) - 1), st.integers(1, 255))
def test_a_flipped_byte_never_crashes_the_reader(place: int, mask: int) -> None:
    data = bytearray(STARTER)
    data[place] ^= mask
    with contextlib.suppress(ValueError):
        graph_file.parse(bytes(data))


def test_weights_outside_of_the_file_are_seen() -> None:
    onnx = pytest.importorskip("onnx")
    tensor = onnx.helper.make_tensor("w", onnx.TensorProto.FLOAT, [2], [1.0, 2.0])
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    tensor.data_location = onnx.TensorProto.EXTERNAL
    graph = onnx.helper.make_graph([], "g", [], [], [tensor])
    assert not graph_file.parse(onnx.helper.make_model(graph).SerializeToString()).plain


def test_a_huge_declared_tensor_is_seen_without_making_it() -> None:
    onnx = pytest.importorskip("onnx")
    tensor = onnx.TensorProto(dims=[1 << 20, 1 << 13], data_type=1, name="w")
    graph = onnx.helper.make_graph([], "g", [], [], [tensor])
    assert graph_file.parse(onnx.helper.make_model(graph).SerializeToString()).largest == 1 << 33
