from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.mesh import queueing

rhos = st.floats(0.0, 60.0)
places = st.integers(2, 150)


def slow_queue(rho: float, size: int) -> tuple[float, float]:
    """Return (share blocked, mean number in system) of M/M/1/K from its balance equations."""
    top = max(rho, 1.0)
    weights = [(rho / top) ** n * top ** (n - size) for n in range(size + 1)]
    total = sum(weights)
    return weights[-1] / total, sum(n * w for n, w in enumerate(weights)) / total


@settings(deadline=None)
@given(rhos, places)
def test_a_pod_is_the_queue_of_the_textbook(rho: float, size: int) -> None:
    blocked, inside = slow_queue(rho, size)
    assert blocked == pytest.approx(float(queueing.blocked(np.array([rho]), size)[0]), rel=1e-4, abs=1e-12)
    # Near 1 the closed form is replaced by its limit, which is off by less than 3 %.
    assert inside == pytest.approx(float(queueing.in_system(np.array([rho]), size)[0]), rel=0.03, abs=1e-9)


@settings(deadline=None)
@given(st.lists(rhos, min_size=2, max_size=20), places, st.integers(1, 8))
def test_more_load_never_makes_a_pod_faster_or_kinder(loads: list[float], size: int, workers: int) -> None:
    rho = np.sort(np.array(loads))
    work_ms = np.full(rho.size, 20.0)
    assert (np.diff(queueing.blocked(rho, size)) >= -1e-9).all()
    response = queueing.response_ms(rho, work_ms, workers, size)
    assert (np.diff(response) >= -0.03 * response[:-1]).all()
    assert (response >= 20.0 * 0.97).all()
    assert (response <= 20.0 + 20.0 / workers * (size + 1)).all()


@settings(deadline=None)
@given(st.floats(0.1, 50_000.0), st.floats(2.1, 8.0))
def test_bucket_shares_are_a_distribution(mean_ms: float, tail: float) -> None:
    shares = queueing.bucket_shares(np.array([mean_ms]), tail)
    assert shares.shape == (1, len(queueing.BOUNDS_MS) + 1)
    assert (shares >= 0).all()
    assert float(shares.sum()) == pytest.approx(1.0)


def test_a_slower_service_fills_higher_buckets() -> None:
    fast, slow = queueing.bucket_shares(np.array([20.0, 400.0]), 3.5)
    bounds = np.array(queueing.BOUNDS_MS)
    assert fast[:-1][bounds <= 100].sum() > 0.98
    assert slow[:-1][bounds <= 100].sum() < 0.05


def test_throttling_starts_before_the_limit_and_is_complete_at_it() -> None:
    expected = [0.0, 0.0, 0.25, 1.0, 1.0]
    actual = queueing.throttled_share(np.array([0.0, 0.6, 0.8, 1.0, 1.4]))
    np.testing.assert_allclose(actual, expected)
