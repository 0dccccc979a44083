from __future__ import annotations

from typing import get_args

import pytest

from aiops.domain import Cause, FieldName
from aiops.propose import words


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (None, "ratio", "not measured"),
        (float("nan"), "ms", "not measured"),
        (float("inf"), "ms", "not measured"),
        (0.213, "ratio", "21.3 %"),
        (0.9, "ratio of request", "90 % of request"),
        (812.0, "ms", "812 ms"),
        (45.25, "req/s", "45.2 req/s"),
        (123_456.7, "req/s", "123457 req/s"),
        (0.0, "ratio", "0 %"),
        (1.0, "pods", "1 pod"),
        (0.0, "pods", "0 pods"),
        (0.00001234, "", "0.000012"),
        (1e-9, "", "1.00e-09"),
        (1e15, "", "1.00e+15"),
        (-3.0, "<b>", "-3 `%3Cb%3E`"),
    ],
)
def test_a_value_has_its_unit_and_three_digits(value, unit, expected):
    assert expected == words.quantity(value, unit)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.213, "about 21 %"), (0.004, "under 1 %"), (1.7, "about 100 %"), (float("nan"), "an unknown share")],
)
def test_a_share_claims_no_more_digits_than_it_has(value, expected):
    assert expected == words.share(value)


@pytest.mark.parametrize(
    ("at_s", "expected"),
    [
        (1_795_435_200, "2026-11-23 12:00 UTC"),
        (0, "1970-01-01 00:00 UTC"),
        (None, "an unknown time"),
        (-1, "an unknown time"),
        (10**15, "an unknown time"),
    ],
)
def test_times_are_utc_and_unknown_ones_say_so(at_s, expected):
    assert expected == words.utc(at_s)


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (60, "60 s"),
        (840, "14 min"),
        (7_200, "2 h"),
        (93_600, "26 h"),
        (21 * 86_400, "21 d"),
        (-1, "0 s"),
    ],
)
def test_a_length_of_time_has_its_largest_fitting_unit(seconds, expected):
    assert expected == words.duration(seconds)


def test_every_field_and_cause_has_a_word():
    assert set(words.FIELDS) == set(get_args(FieldName))
    assert set(words.CAUSES) == set(Cause)


@pytest.mark.parametrize(
    ("at_s", "beside_s", "expected"),
    [
        (1_795_435_200, 1_795_399_200, "12:00 UTC"),
        (1_795_435_200, 1_795_435_200 - 86_400, "2026-11-23 12:00 UTC"),
        (None, 1_795_435_200, "an unknown time"),
        (1_795_435_200, -1, "2026-11-23 12:00 UTC"),
    ],
)
def test_a_day_that_was_told_is_not_told_again(at_s, beside_s, expected):
    assert expected == words.clock(at_s, beside_s)
