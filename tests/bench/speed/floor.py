"""What the machine could do at best: the matrix products of the model's own graph, and nothing else.

The shapes are read from the ONNX file, so another network has another floor.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

Product = tuple[int, int, int, int]  # how many, rows, inner, columns


def products(onnx_file: Path, rows: int, length: int) -> list[Product]:
    """Return the matrix products of one call on [rows, length]: an LSTM has two a step."""
    import onnx

    model = onnx.load(str(onnx_file))
    size = {"B": rows, "L": length}
    for value in model.graph.input:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_value = size[dim.dim_param]
    model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    shapes = {one.name: tuple(one.dims) for one in model.graph.initializer}
    for value in (*model.graph.value_info, *model.graph.input):
        shapes[value.name] = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
    found: list[Product] = []
    for node in model.graph.node:
        if node.op_type == "LSTM":
            _, gates, inner = shapes[node.input[1]]
            found += [(length, rows, inner, gates), (length, rows, gates // 4, gates)]
        elif node.op_type in ("MatMul", "Gemm"):
            inner, columns = shapes[node.input[1]]
            left = shapes[node.input[0]]
            if not all(left):
                raise ValueError(f"the size of {node.name} is not known: {left}")
            found.append((1, int(np.prod(left)) // inner, inner, columns))
    return found


def flops(found: list[Product]) -> int:
    """Return the floating-point operations of these products."""
    return sum(2 * many * rows * inner * columns for many, rows, inner, columns in found)


def seconds(found: list[Product], calls: int) -> float:
    """Return the CPU seconds of `calls` times these products, one thread: numpy's or torch's, the faster."""
    import torch

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)

    def noise(rows: int, columns: int) -> np.ndarray:
        return rng.standard_normal((rows, columns), dtype=np.float32)

    pairs = [(many, noise(rows, inner), noise(inner, columns)) for many, rows, inner, columns in found]
    tensors = [(many, torch.from_numpy(a), torch.from_numpy(b)) for many, a, b in pairs]
    best = float("inf")
    for sides in (pairs, tensors):
        out = [a @ b for _, a, b in sides]
        into: Callable[..., object] = np.matmul if sides is pairs else torch.matmul
        start = time.process_time()
        for _ in range(calls):
            for (many, a, b), c in zip(sides, out, strict=True):
                for _ in range(many):
                    into(a, b, out=c)
        best = min(best, time.process_time() - start)
    return best
