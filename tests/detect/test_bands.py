from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from aiops.detect import baseline
from aiops.detect.bands import HIGHEST, Bands, Batch, guarded, scores
from aiops.detect.settings import Calendar

NAN = np.nan


def _row(expected: float, lower: float, upper: float) -> Bands:
    return Bands(*(np.array([[value]]) for value in (expected, lower, upper)))


@pytest.mark.parametrize(
    ("value", "direction", "expected"),
    [
        (10.0, 0, 0.0),
        (12.0, 0, 1.0),  # the upper edge
        (16.0, 0, 3.0),
        (9.0, 0, 1.0),  # the lower edge is nearer
        (7.0, 0, 3.0),
        (7.0, 1, 0.0),  # only up is bad
        (16.0, -1, 0.0),
        (NAN, 0, NAN),
        (np.inf, 0, HIGHEST),
        (1e30, 1, HIGHEST),
    ],
)
def test_one_is_the_edge_of_the_band(value: float, direction: int, expected: float) -> None:
    found = scores(np.array([[value]]), _row(10.0, 9.0, 12.0), np.array([direction]))
    np.testing.assert_allclose(found, [[expected]])


def test_small_moves_are_never_anomalous() -> None:
    bands = guarded(_row(10.0, 9.99, 10.01), np.array([0.5]))
    found = scores(np.array([[10.4]]), bands, np.array([0]))
    assert found[0, 0] == pytest.approx(0.8)


def _batch(values: np.ndarray, fit_steps: int) -> Batch:
    rows, steps = values.shape
    times = np.arange(steps, dtype=np.int64) * 300
    return Batch(
        values, None, times, 300, fit_steps, np.zeros(rows), np.zeros(rows, dtype=np.int64), Calendar()
    )


def test_the_baseline_expects_yesterday() -> None:
    values = np.sin(np.arange(864) / 288 * 2 * np.pi)[None] * 10
    bands = baseline.bands(_batch(values, 576))
    np.testing.assert_allclose(bands.expected[0, 576:], values[0, 288:576], atol=0.05)


def test_the_baseline_of_a_young_series_is_its_median() -> None:
    values = np.array([[1.0, 2.0, 3.0, 2.0, 9.0]])
    np.testing.assert_array_equal(baseline.bands(_batch(values, 4)).expected, np.full((1, 5), 2.0))


@pytest.mark.parametrize(
    ("history", "zero_when_new", "expected"),
    [([5.0] * 4, False, 5.0), ([NAN] * 4, True, 0.0), ([NAN] * 4, False, NAN), ([0.0] * 4, True, 0.0)],
)
def test_a_constant_is_expected_to_stay(
    history: list[float], *, zero_when_new: bool, expected: float
) -> None:
    bands = baseline.fixed(_batch(np.array([history]), 3), np.array([zero_when_new]))
    np.testing.assert_array_equal(bands.expected, np.full((1, 4), expected))


def test_the_baseline_of_a_saturday_is_last_saturday_and_not_a_friday() -> None:
    values = np.full((1, 3 * 288), 100.0)
    last_week = values.copy()
    last_week[:, 2 * 288 :] = 40.0  # 1970-01-03 was a Saturday
    batch = dataclasses.replace(_batch(values, 576), week_ago=last_week)
    expected = baseline.bands(batch).expected[0]
    np.testing.assert_allclose(expected[300:570], 100.0)
    np.testing.assert_allclose(expected[580:860], 40.0)
