from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aiops.detect import features

NAN = np.nan


def test_a_bucket_is_the_median_of_what_was_observed() -> None:
    values = np.array([[1.0, 2, 3, 4, 100], [NAN, 4, NAN, 2, NAN], [NAN] * 5])
    np.testing.assert_array_equal([[3.0], [3.0], [NAN]], features.fold(values, 5))


def test_the_last_bucket_may_still_fill() -> None:
    np.testing.assert_array_equal([[1.5, 3.0]], features.fold(np.array([[1.0, 2.0, 3.0]]), 2))


@given(arrays(np.float64, (2, 7), elements=st.floats(-1e6, 1e6)))
def test_squash_and_expand_are_inverse(values: np.ndarray) -> None:
    centre, scale = np.array([1.0, -5.0]), np.array([100.0, 3e5])
    back = features.expand(features.squash(values, centre, scale), centre, scale)
    np.testing.assert_allclose(values, back, rtol=1e-6, atol=1e-4)


@pytest.mark.parametrize(
    ("name", "values", "flat"),
    [
        ("constant", [5.0] * 10, True),
        ("zero", [0.0] * 10, True),
        ("empty", [NAN] * 10, True),
        ("two samples", [1.0, 2.0] + [NAN] * 8, True),
        ("moves", [1.0, 2.0, 3.0, 4.0, 5.0] * 2, False),
    ],
)
def test_flat_series_are_told_apart(name: str, values: list[float], *, flat: bool) -> None:
    _, scale, found = features.fit_scale(np.array([values]), np.array([0.1]))
    assert [flat] == found.tolist()
    assert (scale > 0).all()
    assert np.isfinite(scale).all()


def test_noise_below_a_quarter_of_what_matters_is_not_blown_up() -> None:
    _, scale, _ = features.fit_scale(np.array([[0.0, 1e-6, 2e-6] * 10]), np.array([0.04]))
    assert scale[0] == pytest.approx(0.01)


def _block(clean: np.ndarray, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    week = np.full((len(clean), clean.shape[1] + features.AHEAD), NAN)
    clock = np.zeros((clean.shape[1] + features.AHEAD, 3), dtype=np.float32)
    return features.block(clean, week, clock, start, stop, 288)


def test_shapes_are_what_the_network_expects() -> None:
    x, known = _block(np.zeros((3, 400)), 300, 306)
    assert x.shape == (3, 6, features.INPUTS)
    assert (3, 6, len(features.LEADS), features.KNOWN) == known.shape


def test_missing_is_masked_and_a_measured_zero_is_not() -> None:
    clean = np.zeros((2, 10))
    clean[1, 5] = NAN
    x, _ = _block(clean, 5, 6)
    assert x[:, 0, :2].tolist() == [[0.0, 1.0], [0.0, 0.0]]


def test_a_gap_keeps_the_last_level_for_three_hours() -> None:
    clean = np.full((1, 60), 2.0)
    clean[:, 10:] = NAN
    x, _ = _block(clean, 0, 60)
    assert x[0, 40, 2:4].tolist() == [2.0, 1.0]
    assert x[0, 50, 2:4].tolist() == [0.0, 0.0]


@given(st.integers(0, 2**32 - 1), st.integers(300, 590))
def test_no_feature_reads_a_bucket_after_its_origin(seed: int, origin: int) -> None:
    clean = np.random.default_rng(seed).normal(size=(1, 600))
    changed = clean.copy()
    changed[:, origin + 1 :] = 99.0
    for one, other in zip(
        _block(clean, origin, origin + 1), _block(changed, origin, origin + 1), strict=True
    ):
        np.testing.assert_array_equal(one, other)


@given(st.integers(1, 20))
def test_blocks_give_the_same_features_as_one_piece(width: int) -> None:
    clean = np.random.default_rng(width).normal(size=(2, 400))
    whole, _ = _block(clean, 300, 340)
    pieces = [_block(clean, i, min(i + width, 340))[0] for i in range(300, 340, width)]
    np.testing.assert_array_equal(whole, np.concatenate(pieces, axis=1))


@pytest.mark.parametrize(("last_week", "known"), [(2.0, 0.0), (0.5, 1.0), (NAN, 1.0)])
def test_yesterday_is_unknown_where_it_was_a_day_of_another_kind_and_last_week_differs(
    last_week: float, known: float
) -> None:
    clean = np.zeros((1, 600))
    week = np.full((1, 600 + features.AHEAD), last_week)
    clock = np.zeros((600 + features.AHEAD, 3), dtype=np.float32)
    clock[:288, 2] = 1.0  # a Sunday, and a Monday
    before, ahead = features.seasons(clean, week, clock, 300, 310, 288)
    assert (before[:, :, 1] == known).all()
    assert (ahead[:, :, :, 1] == known).all()
    clock[:, 2] = 1.0  # two days off
    before, ahead = features.seasons(clean, week, clock, 300, 310, 288)
    assert (before[:, :, 1] == 1).all()
    assert (ahead[:, :, :, 1] == 1).all()
