from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aiops.detect.impact import counted
from aiops.domain import Signal

RATE = Signal("request_rate", "req/s", "both", 0.5, None, 2)
LATENCY = Signal("latency_p95", "ms", "up", 30, 300, 2)
ERRORS = Signal("error_ratio", "ratio", "up", 0.01, 0.02)
CPU = Signal("cpu_utilization", "ratio of request", "up", 0.15, None, 2, follows_load=True)
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


@pytest.mark.parametrize(
    ("load", "cpu", "counts"),
    [
        (300, 300, 0.0),  # three times the requests, three times the work
        (300, 590, 0.0),
        (300, 600, 3.0),  # twice the work per request
        (100, 200, 3.0),
        (50, 200, 3.0),  # less load excuses nothing, nor does it ask for more
        (50, 190, 0.0),
        (np.nan, 200, 3.0),
    ],
)
def test_work_counts_when_load_does_not_explain_it(load: float, cpu: float, counts: float) -> None:
    signals = (RATE, CPU)
    scores = np.array([[[0.0], [3.0]]], dtype=np.float32)
    seen = np.array([[[load], [cpu]]], dtype=np.float32)
    found = counted(scores, seen, np.full_like(seen, 100.0), signals)[0, :, 0]
    assert [0.0, counts] == found.tolist()


def test_work_of_a_workload_without_a_request_rate_is_judged_as_it_is() -> None:
    one = np.full((1, 1, 1), 3, dtype=np.float32)
    assert counted(one, one / 3 * 200, one / 3 * 100, (CPU,))[0, 0, 0] == 3


@given(arrays(np.float32, (2, 3, 4), elements=st.floats(0, 10, width=32)), st.integers(0, 23))
def test_nothing_counts_more_than_its_score_and_no_score_stays_none(values: np.ndarray, hole: int) -> None:
    values.flat[hole] = np.nan
    seen = np.full_like(values, 120)
    found = counted(values, seen, np.full_like(values, 100), SIGNALS)
    np.testing.assert_array_equal(np.isnan(found), np.isnan(values))
    assert (np.nan_to_num(found) <= np.nan_to_num(values)).all()
    np.testing.assert_array_equal(found[:, 2], values[:, 2])
