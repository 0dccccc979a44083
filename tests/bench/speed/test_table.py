from __future__ import annotations

import pytest
from bench.speed.table import Row, growth, rate, ratio, text


def test_a_ratio_is_the_median_of_the_rounds_and_not_of_the_parts() -> None:
    # The second round was slow for both, the third for one of them.
    assert ratio([2.0, 20.0, 2.0], [1.0, 10.0, 8.0]) == 2.0


def test_a_ratio_needs_the_same_rounds() -> None:
    with pytest.raises(ValueError, match="zip"):
        ratio([1.0, 2.0], [1.0])


def test_a_rate_is_that_of_the_median_round() -> None:
    assert rate(100, [1.0, 50.0, 2.0]) == 50.0


@pytest.mark.parametrize(
    ("seconds", "exponent"), [([1, 10, 100], 1.0), ([1, 1, 1], 0.0), ([1, 100, 1e4], 2.0)]
)
def test_growth_is_the_exponent(seconds: list[float], exponent: float) -> None:
    assert growth([10**4, 10**5, 10**6], seconds) == pytest.approx(exponent)


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (Row("a", 2.0, "s", 4.0), "met"),
        (Row("a", 8.0, "s", 4.0), "missed x2"),
        (Row("a", 8.0, "x", 4.0, at_most=False), "met"),
        (Row("a", 25.0, "x", 100.0, at_most=False), "missed x4"),
        (Row("a", 25.0, "x"), ""),
        (Row("a", float("nan"), "x", 1.0), "missed xnan"),
    ],
)
def test_a_target_is_met_or_missed_by_a_factor(row: Row, verdict: str) -> None:
    assert row.verdict == verdict


def test_the_table_shows_numbers_targets_and_notes_in_columns() -> None:
    rows = [Row("first", 1234567.0, "points/s"), Row("second one", 0.5, "s", 0.6, note="cold 12 s")]
    assert text("speed", rows).splitlines() == [
        "speed",
        "                      measured    target",
        "first       1,234,567 points/s",
        "second one               0.5 s  <= 0.6 s  met cold 12 s",
    ]
