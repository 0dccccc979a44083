"""Errors as bars: their lengths say what the numbers say."""

from __future__ import annotations

import math

import pytest

from aiops.page import bars
from aiops.page.bars import Pair
from aiops.page.drawing import WIDTH


def widths(svg) -> list[tuple[str, float]]:
    return [(bar.get("class"), float(bar.get("width"))) for bar in svg.iter("rect")]


def texts(svg) -> list[tuple[str, str]]:
    return [(text.get("class"), text.text) for text in svg.iter("text")]


def test_a_bar_is_as_long_as_its_error_and_the_longest_leaves_room_for_its_number():
    svg = bars.drawing("Absolute error", [Pair("a", 0.1, 0.2), Pair("b", 0.4, 0.1)])
    (_, a), (_, a_naive), (_, b), (_, b_naive) = widths(svg)

    assert [class_ for class_, _ in widths(svg)] == ["ours", "naive"] * 2
    assert (a_naive / b, a / b, b_naive / b) == pytest.approx((0.5, 0.25, 0.25), abs=0.001)
    assert b == WIDTH - 52


def test_lower_is_said_of_the_forecaster_only_where_it_is():
    svg = bars.drawing("Absolute error", [Pair("a", 0.1, 0.2), Pair("b", 0.2, 0.2), Pair("c", 0.1, 0.0)])
    said = [(class_, text) for class_, text in texts(svg) if class_.startswith("end")]

    assert said == [
        ("end good", "lower, x0.50"),
        ("end bad", "not lower, x1.00"),
        ("end bad", "not lower, of no error"),
    ]


@pytest.mark.parametrize("pairs", [[], [Pair("a", 0.0, 0.0)], [Pair("a", math.nan, 0.2)]])
def test_without_an_error_nothing_is_drawn(pairs):
    assert bars.drawing("Absolute error", pairs) is None


def test_a_long_name_is_cut_before_it_reaches_the_verdict():
    svg = bars.drawing("Absolute error", [Pair("x" * 500, 0.1, 0.2)])
    assert max(len(text) for _, text in texts(svg)) <= 34
