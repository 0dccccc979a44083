from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.detect import scoring, traffic_guard
from aiops.detect.bands import Bands
from aiops.detect.settings import DetectSettings
from aiops.domain import Signal

DAY = 86_400
AFTERNOON = 1_773_934_320
SIGNALS = (Signal("request_rate", "req/s", "both", 0.5), Signal("error_ratio", "ratio", "up", 0.01))
WINDOW = traffic_guard.WINDOW_S


def _tail(most: int, mean: float) -> float:
    """Return the chance of more than `most` when `mean` are expected, by adding up."""
    terms = np.cumprod(np.concatenate([[1.0], mean / np.arange(1, most + 1)])) * np.exp(-mean)
    return float(1 - terms.sum())


@given(st.floats(0.001, 200.0))
def test_chance_reaches_the_edge_in_one_window_of_fifty_at_most(mean: float) -> None:
    edge = float(traffic_guard.too_many(np.array(mean)))
    assert _tail(int(np.ceil(edge)) - 1, mean) < 0.02


def _edge(requests: float, failed: list[float], step_s: int = 60) -> float:
    """Return the upper edge of the error ratio after 15 minutes of `requests` per window."""
    hold = len(failed)
    values = np.array([[requests / WINDOW] * hold, failed])
    shown = Bands(np.zeros((2, 1)), np.full((2, 1), -0.01), np.full((2, 1), 0.01))
    found = traffic_guard.widened(shown, values, np.array([requests / WINDOW, 0]), SIGNALS, step_s, hold)
    return float(found.upper[1, 0])


@pytest.mark.parametrize(
    ("requests", "failed", "bad"),
    [
        (3, [1 / 3] * 5 + [0.0] * 5 + [1 / 3] * 5, False),  # two errors in a quarter of an hour
        (3, [0.0] * 14 + [1 / 3], False),
        (10, [0.0] * 14 + [0.8], True),  # eight of ten
        (10, [0.0] * 14 + [0.1], False),
        (1, [0.0] * 14 + [1.0], False),  # the only request failed
        (1, [1.0] * 15, True),  # and so did the two before
        (100_000, [0.0] * 14 + [0.011], True),  # many requests: the band is as it was
    ],
)
def test_errors_count_by_number(requests: float, failed: list[float], *, bad: bool) -> None:
    assert bad == (failed[-1] >= _edge(requests, failed))


def test_an_unknown_request_rate_widens_nothing() -> None:
    assert _edge(np.nan, [0.3] * 15) == 0.01


def test_a_few_slow_requests_are_held_against_a_band_learned_from_many() -> None:
    signals = (SIGNALS[0], Signal("latency_p95", "ms", "up", 30.0))
    shown = Bands(np.full((2, 3), 100.0), np.full((2, 3), 50.0), np.full((2, 3), 150.0))
    values = np.array([[4 / WINDOW, 25 / WINDOW, 900 / WINDOW], [100.0] * 3])
    busy = traffic_guard.widened(shown, values, np.array([900 / WINDOW, 100.0]), signals, 60, 1)
    np.testing.assert_allclose(busy.upper[1], [350.0, 200.0, 150.0])
    # Where a handful is usual, the band was learned from handfuls.
    quiet = traffic_guard.widened(shown, values, np.array([4 / WINDOW, 100.0]), signals, 60, 1)
    np.testing.assert_allclose(quiet.upper[1], [150.0] * 3)


def _sparse(requests: int, failed: int, from_s: int):
    """Return an event: workload 0 has so few requests per window, from `from_s` on some fail."""

    def event(values: np.ndarray, times: np.ndarray) -> None:
        values[0, 0] = requests / WINDOW
        values[0, 1] = np.where(times >= from_s, failed / requests, 0.0)

    return event


@pytest.mark.parametrize("with_model", [True, False])
@pytest.mark.parametrize(("requests", "failed", "bad"), [(3, 1, False), (10, 8, True)])
def test_one_error_of_three_requests_is_no_anomaly_and_eight_of_ten_are(
    world, starter, requests: int, failed: int, *, bad: bool, with_model: bool
) -> None:
    world.events.append(_sparse(requests, failed, AFTERNOON - 120 - 300))
    scores = scoring.score(world.history(AFTERNOON), starter if with_model else None, DetectSettings())
    assert bad == (scores.values[0, 1, -1] >= 1)


@pytest.mark.parametrize("with_model", [True, False])
def test_an_error_now_and_then_is_no_anomaly(world, starter, *, with_model: bool) -> None:
    """One request a minute, 1 % of them fail: counts, not a smooth ratio."""
    rng = np.random.default_rng(0)
    failed = rng.random(DAY * 11 // 60) < 0.01

    def event(values: np.ndarray, times: np.ndarray) -> None:
        values[0, 0] = 5 / WINDOW
        values[0, 1] = np.mean([failed[(times // 60 - back) % len(failed)] for back in range(5)], axis=0)

    world.events.append(event)
    scores = scoring.score(world.history(AFTERNOON), starter if with_model else None, DetectSettings())
    assert np.mean(scores.values[0, 1] >= 1) < 0.02
