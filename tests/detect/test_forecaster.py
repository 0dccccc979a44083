from __future__ import annotations

import numpy as np
import pytest

from aiops.detect import forecaster
from aiops.detect.features import INPUTS, KNOWN, LEADS
from aiops.detect.model import open_session

SMALL = forecaster.Architecture(hidden=8, head=6)


def _inputs(rows: int, length: int, hidden: int = 8) -> list[np.ndarray]:
    rng = np.random.default_rng(rows * 100 + length)
    x = rng.normal(size=(rows, length, INPUTS)).astype(np.float32)
    known = rng.normal(size=(rows, length, len(LEADS), KNOWN)).astype(np.float32)
    x[..., [1, 3, 5, 7]] = 1
    known[..., [1, 5]] = 1
    state = rng.normal(size=(2, 1, rows, hidden)).astype(np.float32)
    return [x, known, state[0], state[1]]


@pytest.fixture(scope="module")
def network():
    torch = pytest.importorskip("torch")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    return forecaster.build(SMALL)


def _torch(network, arrays: list[np.ndarray]) -> list[np.ndarray]:
    import torch

    with torch.no_grad():
        return [one.numpy() for one in network(*(torch.from_numpy(part) for part in arrays))]


def test_shapes(network) -> None:
    quantiles, h1, c1 = _torch(network, _inputs(5, 7))
    assert (5, 7, len(LEADS), 3) == quantiles.shape
    assert (1, 5, 8) == h1.shape == c1.shape


def test_the_quantiles_are_in_order_and_apart(network) -> None:
    quantiles, _, _ = _torch(network, _inputs(50, 7))
    assert (np.diff(quantiles, axis=3) > 0.01).all()


def test_a_day_that_is_missing_has_no_weight(network) -> None:
    absurd = _inputs(4, 3)
    absurd[1][..., 0] = 1e3
    followed = np.abs(_torch(network, absurd)[0]).max()
    absurd[1][..., 1] = 0  # the day is not known
    ignored = np.abs(_torch(network, absurd)[0]).max()
    # The head sees the value as a feature and saturates; the mixture must not follow it.
    assert ignored < 20 < followed


@pytest.mark.parametrize(("rows", "length"), [(1, 1), (3, 4), (84, 6), (7, 50)])
def test_onnx_runtime_computes_what_torch_computes(network, rows: int, length: int) -> None:
    session = open_session(forecaster.export(network, SMALL))
    arrays = _inputs(rows, length)
    found = session.run(None, dict(zip(("x", "known", "h0", "c0"), arrays, strict=True)))
    for expected, one in zip(_torch(network, arrays), found, strict=True):
        np.testing.assert_allclose(expected, one, atol=1e-5)


def test_a_missing_target_leaves_every_gradient_finite(network) -> None:
    import torch

    arrays = [torch.from_numpy(part) for part in _inputs(3, 4)]
    quantiles, _, _ = network(*arrays)
    target = torch.zeros(3, 4, len(LEADS))
    target[0, 0, 0] = float("nan")
    loss = forecaster.pinball(quantiles, target, torch.isfinite(target))
    loss.backward()
    assert all(bool(torch.isfinite(one.grad).all()) for one in network.parameters())


def test_the_loss_of_nothing_observed_is_zero() -> None:
    torch = pytest.importorskip("torch")
    target = torch.full((1, 1, 3), float("nan"))
    assert forecaster.pinball(torch.ones(1, 1, 3, 3), target, torch.isfinite(target)).item() == 0.0
