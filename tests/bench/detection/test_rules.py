from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from bench.detection.rules import promql_bands, seasonal_naive
from hypothesis import given, settings
from hypothesis import strategies as st

Rule = Callable[[np.ndarray, int, int], np.ndarray]


def _days(days: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    rows = np.arange(days * 288)
    return (100 + 30 * np.sin(rows / 288 * 2 * np.pi) + rng.normal(size=len(rows)))[:, None]


@pytest.mark.parametrize("rule", [seasonal_naive, promql_bands])
@settings(max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(700, 2_015))
def test_a_rule_reads_the_past_alone(rule: Rule, seed: int, cut: int) -> None:
    values = _days(7, seed % 97)
    values[np.random.default_rng(seed).random(values.shape) < 0.05] = np.nan
    changed = values.copy()
    changed[cut:] = 1e6
    np.testing.assert_allclose(rule(changed, 600, 300)[:cut], rule(values, 600, 300)[:cut], rtol=1e-6)


def test_seasonal_naive_counts_robust_scales_of_the_history() -> None:
    values = np.tile(np.arange(288.0), 4)[:, None]
    values[288:576:2] += 3.0  # half of the history differs by 3 from a day ago, half by nothing
    values[900] += 30.0
    found = seasonal_naive(values, 576, 300)
    assert found[900] == pytest.approx(30 / (1.4826 * 1.5))


def test_the_same_every_day_is_no_anomaly_to_seasonal_naive() -> None:
    values = np.tile(np.arange(288.0), 4)[:, None]
    assert seasonal_naive(values, 600, 300).max() == 0


def test_half_above_the_mean_of_the_hour_is_the_edge_of_a_calm_band() -> None:
    values = np.full((9 * 288, 1), 100.0)
    values[2_500] = 200.0
    found = promql_bands(values, 600, 300)
    mean = (11 * 100 + 200) / 12  # the hour contains the row itself, as the recording rule's does
    # One loud hour is not above half the mean: only the margin is left.
    assert found[2_500] == pytest.approx((200 - mean) / (0.5 * mean))
    assert found[:2_500].max() == 0


def test_the_band_remembers_the_same_hour_of_yesterday() -> None:
    values = np.full((9 * 288, 1), 100.0)
    values[2_000:2_012] = 300.0
    values[2_288:2_300] = 300.0
    found = promql_bands(values, 600, 300)
    assert found[2_000] > 1
    assert found[2_289:2_300].max() < 1


def test_a_sample_that_is_not_positive_is_not_judged_by_the_bands() -> None:
    values = _days(3)
    values[700] = 0.0
    values[701] = np.nan
    assert promql_bands(values, 600, 300)[700:702].tolist() == [0, 0]
