from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aiops.detect import calibration
from aiops.detect.settings import DetectSettings
from aiops.detect.sustain import track


@given(arrays(np.float64, (2, 30), elements=st.floats(-5, 5)), st.integers(1, 9))
def test_the_running_maximum_is_the_maximum_of_the_last_steps(values: np.ndarray, width: int) -> None:
    expected = [values[:, max(0, i - width + 1) : i + 1].max(axis=1) for i in range(30)]
    np.testing.assert_array_equal(np.stack(expected, axis=1), calibration.rolling(values, width, np.fmax))


@settings(max_examples=30)
@given(
    arrays(np.float64, (1, 60), elements=st.sampled_from([0.0, 0.5, 1.5, 2.0])),
    st.sampled_from([0.4, 1.0, 1.8]),
)
def test_a_level_that_the_statistic_reaches_has_fired(ratios: np.ndarray, level: float) -> None:
    """The calibration counts firings by the statistic: where it is above, the machine must fire."""
    statistic = calibration.sustained(ratios, 15)[0]
    machine = DetectSettings()
    for stop in np.flatnonzero(statistic >= level) + 1:
        state = track((ratios[:, :stop] / level).astype(np.float32), 60, 840, machine).state[0]
        assert state == 2


def test_a_shift_reaches_the_statistic_after_the_hold_and_a_spike_never() -> None:
    shift, spike = np.zeros((1, 100)), np.zeros((1, 100))
    shift[0, 50:] = 3.0
    spike[0, 50:55] = 9.0
    statistic = calibration.sustained(np.concatenate([shift, spike]), 15)
    assert statistic[0, 60] == 0.0
    assert statistic[0, 70] == 3.0
    assert statistic[1].max() == 0.0


def test_a_noisy_series_gets_a_wider_band_and_a_calm_one_none_narrower() -> None:
    rng = np.random.default_rng(0)
    ratios = np.abs(rng.normal(size=(2, 2_880))) * np.array([[0.1], [5.0]])
    calm, noisy = calibration.widening(ratios, np.array([1.0, 1.0]), 15)
    assert calm == 1.0
    assert 1.5 < noisy <= calibration.WIDEST


def test_an_incident_of_two_hours_in_the_history_does_not_blind_the_next_day() -> None:
    ratios = np.full((1, 2_880), 0.5)
    ratios[0, 1_000:1_120] = 50.0
    assert calibration.widening(ratios, np.array([1.0]), 15).tolist() == [1.0]


def test_too_little_history_widens_by_half() -> None:
    assert calibration.widening(np.zeros((1, 100)), np.array([1.0]), 15).tolist() == [1.5]


@pytest.mark.parametrize("seed", range(5))
def test_the_threshold_of_an_exponential_tail_is_near_its_quantile(seed: int) -> None:
    maxima = np.random.default_rng(seed).exponential(size=2_000)
    assert calibration.threshold(maxima, 1e-3) == pytest.approx(-np.log(1e-3), rel=0.25)


@given(st.integers(0, 10_000))
def test_a_smaller_budget_never_lowers_the_threshold(seed: int) -> None:
    maxima = np.random.default_rng(seed).gamma(2.0, size=300)
    levels = [calibration.threshold(maxima, budget) for budget in (0.05, 1e-2, 1e-3, 1e-4)]
    assert sorted(levels) == levels


def test_one_long_incident_in_the_fit_window_widens_nothing_unless_the_history_is_trusted() -> None:
    ratios = np.abs(np.random.default_rng(0).normal(size=(3, 2_880)))
    ratios[1, 1_600:2_700] = 30.0  # 18 hours, one incident
    ratios[2].reshape(12, 240)[:, :60] = 30.0  # an hour in four: this is how the series is
    typical = np.ones(3)
    calm, incident, noisy = calibration.widening(ratios, typical, 15, trusted=False)
    assert calm == incident
    assert noisy == calibration.WIDEST
    trusted = calibration.widening(ratios, typical, 15)
    assert trusted.tolist() == [calm, calibration.WIDEST, calibration.WIDEST]


def test_an_edge_is_exceeded_by_as_many_blocks_as_it_is_set_for() -> None:
    values = np.random.default_rng(0).gumbel(size=(4, 60_000))
    edge = calibration.edge(values[:, :30_000], 1, 0.01)
    share = (values[:, 30_000:] > edge[:, None]).mean(axis=1)
    np.testing.assert_allclose(share, 0.01, atol=0.005)


def test_two_incidents_in_the_history_hardly_raise_the_edge() -> None:
    values = np.abs(np.random.default_rng(0).normal(size=(1, 240 * 12)))
    broken = values.copy()
    broken[0, 100:112] += 50
    broken[0, 300:312] += 50
    before, after = calibration.edge(values, 12, 0.002), calibration.edge(broken, 12, 0.002)
    assert after[0] == pytest.approx(before[0], rel=0.2)


def test_a_history_shorter_than_a_block_and_a_constant_one_have_a_finite_edge() -> None:
    assert calibration.edge(np.ones((1, 5)), 12, 0.002) == pytest.approx(1.0, abs=0.3)
