from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aiops.detect.impact import counted
from aiops.domain import Signal

RATE = Signal("request_rate", "req/s", "both", 0.5, None, 2)
LATENCY = Signal("latency_p95", "ms", "up", 30, 300, 2)
ERRORS = Signal("error_ratio", "ratio", "up", 0.01, 0.02)
SIGNALS = (RATE, LATENCY, ERRORS)


def _one(score: dict[Signal, float], observed: dict[Signal, float]) -> list[float]:
    """Return what counts of the scores of one step, where 100 was expected of each signal."""
    values = np.array([[[score.get(signal, 0.0)] for signal in SIGNALS]], dtype=np.float32)
    seen = np.array([[[observed.get(signal, 100.0)] for signal in SIGNALS]], dtype=np.float32)
    return counted(values, seen, np.full_like(seen, 100.0), SIGNALS)[0, :, 0].tolist()


def test_more_load_alone_does_not_count() -> None:
    assert _one({RATE: 3}, {RATE: 400}) == [0, 0, 0]


def test_more_load_beside_errors_counts_as_much_as_they_do() -> None:
    assert _one({RATE: 3, ERRORS: 2}, {RATE: 400}) == [2, 0, 2]


def test_a_loss_of_more_than_half_of_the_load_counts() -> None:
    assert _one({RATE: 3}, {RATE: 60}) == [0, 0, 0]
    assert _one({RATE: 3}, {RATE: 40}) == [3, 0, 0]


def test_latency_counts_when_it_doubles_or_a_user_notices() -> None:
    assert _one({LATENCY: 3}, {LATENCY: 150}) == [0, 0, 0]
    assert _one({LATENCY: 3}, {LATENCY: 200}) == [0, 3, 0]
    signals = (Signal("latency_p95", "ms", "up", 30, 140, 2),)
    one = np.full((1, 1, 1), 3, dtype=np.float32)
    assert counted(one, one * 50, one / 3 * 100, signals)[0, 0, 0] == 3


def test_two_that_do_not_count_alone_do_not_count_together() -> None:
    assert _one({RATE: 3, LATENCY: 3}, {RATE: 400, LATENCY: 150}) == [0, 0, 0]


@given(arrays(np.float32, (2, 3, 4), elements=st.floats(0, 10, width=32)), st.integers(0, 23))
def test_nothing_counts_more_than_its_score_and_no_score_stays_none(values: np.ndarray, hole: int) -> None:
    values.flat[hole] = np.nan
    seen = np.full_like(values, 120)
    found = counted(values, seen, np.full_like(values, 100), SIGNALS)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    assert (np.nan_to_num(found) <= np.nan_to_num(values)).all()
    np.testing.assert_array_equal(found[:, 2], values[:, 2])
