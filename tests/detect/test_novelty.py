from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.detect.novelty import novelty, together


def _noise(rows: int = 2, steps: int = 1_200, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, steps))


def _median_at(found: np.ndarray, span: slice) -> float:
    return float(np.median(found[0, span]))


@pytest.mark.parametrize("shape", ["shift", "noise", "burst"])
def test_what_the_history_never_did_is_new(shape: str) -> None:
    level = _noise() * 0.5 + np.sin(np.arange(1_200) / 20) * 2
    span = slice(900, 940)
    if shape == "shift":
        level[0, span] += 4
    elif shape == "noise":
        level[0, span] += _noise(1, 40, 1)[0] * 2
    else:
        level[0, 920:924] += 8
        span = slice(921, 928)
    found = novelty(level, level - np.sin(np.arange(1_200) / 20) * 2, 600)
    assert _median_at(found, span) > 1.3 * np.median(found[0, 700:890])
    assert _median_at(found, span) > 1.3 * np.median(found[1, span])


def test_what_the_history_did_often_is_not_new() -> None:
    level = _noise() * 0.1
    for start in range(40, 1_200, 100):
        level[:, start : start + 10] += 5  # a job that runs every 100 rows, badly forecast
    found = novelty(level, level, 800)
    assert found[:, 800:].max() < 2.0


def test_a_slow_wandering_is_new_to_the_long_window() -> None:
    level = _noise()
    level[0, 900:1_028] += 1.5  # within the noise of every row, never for 128 of them
    found = novelty(level, level, 600)
    assert _median_at(found, slice(1_000, 1_028)) > 1.2 * np.median(found[1, 1_000:1_028])


def test_a_window_is_over_soon_after_the_rows_are_normal_again() -> None:
    level = _noise() * 0.3
    level[0, 900:910] += 6
    found = novelty(level, level, 600)
    assert found[0, 909] > 3 * found[0, 990]


@settings(max_examples=15)
@given(st.integers(601, 1_199), st.integers(0, 99))
def test_later_rows_change_no_bit_of_earlier_ones(cut: int, seed: int) -> None:
    level, missed = _noise(seed=seed), _noise(seed=seed + 1)
    whole = novelty(level, missed, 600)
    np.testing.assert_array_equal(novelty(level[:, :cut], missed[:, :cut], 600), whole[:, :cut])


def test_a_series_scores_the_same_in_any_company() -> None:
    level, missed = _noise(20), _noise(20, seed=3)
    np.testing.assert_allclose(
        novelty(level[7:8], missed[7:8], 600)[0], novelty(level, missed, 600)[7], rtol=1e-5
    )


@pytest.mark.parametrize("steps", [2, 9, 50])
def test_short_histories_holes_and_constants_give_finite_numbers(steps: int) -> None:
    level = _noise(3, 2 * steps)
    level[0] = np.nan
    level[1] = 3.0
    level[2, ::2] = np.nan
    assert np.isfinite(novelty(level, level, steps)).all()


def test_columns_together_are_their_root_mean_square_of_those_seen() -> None:
    columns = np.array([[3.0, np.nan, np.nan], [4.0, 2.0, np.nan]])
    np.testing.assert_allclose(together(columns), [np.sqrt(12.5), 2.0, np.nan])
