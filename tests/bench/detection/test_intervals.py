from __future__ import annotations

import numpy as np
import pytest
from bench.detection.intervals import ratio


def test_the_ratio_is_of_the_means() -> None:
    found = ratio(np.array([0.4, 0.2]), np.array([0.1, 0.2]), ["a", "b"])
    assert found.value == pytest.approx(2.0)
    assert (found.low, found.high) == pytest.approx((1.0, 4.0))


def test_one_group_has_no_spread() -> None:
    found = ratio(np.array([0.4, 0.2]), np.array([0.1, 0.2]), ["a", "a"])
    assert (found.value, found.low, found.high, found.groups) == pytest.approx((2.0, 2.0, 2.0, 1))


def test_pairs_are_kept_together() -> None:
    rng = np.random.default_rng(3)
    peer = rng.random(40)
    found = ratio(peer * 1.5, peer, [str(i) for i in range(40)])
    assert (found.low, found.high) == pytest.approx((1.5, 1.5))


def test_a_series_without_a_measure_is_left_out_of_both() -> None:
    found = ratio(np.array([0.4, np.nan, 9.0]), np.array([0.1, 5.0, np.nan]), ["a", "b", "c"])
    assert (found.value, found.groups) == pytest.approx((4.0, 1))


def test_nothing_in_common_has_no_ratio() -> None:
    assert np.isnan(ratio(np.array([np.nan]), np.array([1.0]), ["a"]).value)
