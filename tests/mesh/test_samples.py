"""The fast array code against a slow port of what promql does for one series and one step."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.mesh import samples
from aiops.mesh.samples import Columns

NAN = float("nan")
raw = st.lists(st.one_of(st.just(NAN), st.integers(0, 50).map(float)), min_size=1, max_size=25)


def slow_increase(points: list[tuple[int, float]], start: int, end: int) -> float:
    inside = [(t, v) for t, v in points if start <= t <= end]
    if len(inside) < 2:
        return NAN
    growth = inside[-1][1] - inside[0][1]
    for (_, before), (_, after) in pairwise(inside):
        growth += before if after < before else 0.0
    spanned = inside[-1][0] - inside[0][0]
    gap = spanned / (len(inside) - 1)
    to_start, to_end = float(inside[0][0] - start), float(end - inside[-1][0])
    if growth > 0 and inside[0][1] >= 0:
        to_start = min(to_start, spanned * inside[0][1] / growth)
    whole = spanned + (to_start if to_start < 1.1 * gap else gap / 2)
    whole += to_end if to_end < 1.1 * gap else gap / 2
    return growth * whole / spanned


@settings(deadline=None)
@given(raw, st.integers(-400, 2000), st.sampled_from([120, 300, 900]))
def test_increase_is_what_prometheus_extrapolates(values: list[float], time: int, window: int) -> None:
    columns = Columns(np.array([values]), start_s=0, step_s=60)
    points = [(60 * i, v) for i, v in enumerate(values) if not np.isnan(v)]
    actual = samples.increase(columns, np.array([time]), window)[0, 0]
    assert slow_increase(points, time - window, time) == pytest.approx(float(actual), nan_ok=True)


@settings(deadline=None)
@given(raw, st.integers(-400, 2000))
def test_the_newest_sample_is_at_most_five_minutes_old(values: list[float], time: int) -> None:
    columns = Columns(np.array([values]), start_s=0, step_s=60)
    fresh = [(60 * i, v) for i, v in enumerate(values) if not np.isnan(v) and time - 300 <= 60 * i <= time]
    value, at = samples.newest(columns, np.array([time]))
    expected = fresh[-1] if fresh else (NAN, NAN)
    assert expected == pytest.approx((float(at[0, 0]), float(value[0, 0])), nan_ok=True)


def test_a_steady_counter_has_its_rate_without_extrapolation() -> None:
    columns = Columns(np.arange(0.0, 1200.0, 120.0)[None, :], start_s=0, step_s=60)
    np.testing.assert_allclose(samples.increase(columns, np.array([300, 540]), 300), [[600.0, 600.0]])


def test_a_counter_that_falls_has_started_again() -> None:
    columns = Columns(np.array([[100.0, 110.0, 120.0, 5.0, 15.0, 25.0]]), start_s=0, step_s=60)
    np.testing.assert_allclose(samples.increase(columns, np.array([300]), 300), [[45.0]])


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([0.0, 50.0, 100.0, 100.0], 190.0),  # the 95th of 100 is nine tenths into (100, 200]
        ([100.0, 100.0, 100.0, 100.0], 47.5),  # the first bucket starts at 0
        ([0.0, 0.0, 0.0, 10.0], 200.0),  # beyond the last bound: the last bound
        ([0.0, 0.0, 0.0, 0.0], NAN),  # nothing was observed
        ([NAN, NAN, NAN, NAN], NAN),
    ],
)
def test_quantiles_are_interpolated_inside_their_bucket(counts: list[float], expected: float) -> None:
    bounds = np.array([50.0, 100.0, 200.0, np.inf])
    actual = samples.quantile(0.95, bounds, np.array(counts)[:, None])
    assert expected == pytest.approx(float(actual[0]), nan_ok=True)
