from __future__ import annotations

import pytest
from bench.incidents.intervals import poisson, wilson
from hypothesis import given
from hypothesis import strategies as st


def test_wilson_of_known_cases() -> None:
    # Newcombe 1998 (https://doi.org/10.1002/(SICI)1097-0258(19980430)17:8%3C857::AID-SIM777%3E3.0.CO;2-E).
    assert (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4)) == wilson(81, 263)
    assert (pytest.approx(0.0), pytest.approx(0.1135, abs=1e-4)) == wilson(0, 30)


def test_poisson_of_known_cases() -> None:
    # Garwood's table: 0 and 10 events.
    assert (0.0, pytest.approx(3.689, abs=1e-3)) == poisson(0, 1.0)
    assert (pytest.approx(4.795, abs=1e-3), pytest.approx(18.390, abs=1e-3)) == poisson(10, 1.0)
    assert (pytest.approx(0.04795, abs=1e-5), pytest.approx(0.1839, abs=1e-4)) == poisson(10, 100.0)


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_estimate_lies_in_its_interval(found: int, more: int) -> None:
    low, high = wilson(found, found + more)
    assert 0.0 <= low <= found / (found + more) + 1e-12 <= high + 1e-12 <= 1.0 + 1e-12
    low, high = poisson(found, float(more))
    assert low <= found / more <= high
