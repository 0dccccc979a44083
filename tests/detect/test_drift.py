from __future__ import annotations

import numpy as np
import pytest
from bench.drift import signals
from bench.drift.signals import LATENCY, RATE, drifting, during, first_noticed, healthy, watch
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.detect import drift
from aiops.detect.settings import Calendar
from aiops.domain import Signal, Workload

ONSET = 40
SOON = range(ONSET + 1, ONSET + 29)
EVERY_DAY = range(28, signals.DAYS + 1)


@pytest.mark.parametrize("shape", ["linear", "exponential"])
@pytest.mark.parametrize("rate", [0.01, 0.02, 0.05])
@pytest.mark.parametrize(("season", "noise"), [("week", 0.05), ("week", 0.2), ("none", 0.1)])
def test_one_percent_a_day_is_noticed_within_28_days(
    rate: float, shape: str, season: str, noise: float
) -> None:
    found = first_noticed(drifting(healthy(12, noise, season, 3), rate, shape, ONSET), SOON)
    assert np.isfinite(found).all()


def test_what_falls_slowly_is_noticed_where_both_sides_matter() -> None:
    falling = drifting(healthy(8, 0.1, "week", 4), -0.01, "exponential", ONSET)
    assert np.isfinite(first_noticed(falling, SOON, RATE)).all()
    assert np.isnan(first_noticed(falling, SOON, LATENCY)).all()


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values,
        lambda values: during(values, 1.5, 45, signals.DAYS),  # a new level, months ago in the end
        lambda values: during(values, 0.5, 45, signals.DAYS),
        lambda values: during(values, 5.0, 45.2, 4 / 24),  # an incident of four hours
        lambda values: during(values, 20.0, 45.2, 1.25),  # a bad day
        lambda values: during(values, 0.65, 45, 7),  # a week of holidays
    ],
    ids=["nothing", "step up", "step down", "incident", "bad day", "holidays"],
)
def test_what_does_not_drift_is_not_reported_on_any_of_90_days(change) -> None:
    values = change(healthy(20, 0.08, "week", 5))
    assert np.isnan(first_noticed(values, EVERY_DAY)).all()


def test_an_incident_does_not_hide_a_drift() -> None:
    drifts = drifting(healthy(8, 0.1, "week", 6), 0.015, "linear", ONSET)
    assert np.isfinite(first_noticed(during(drifts, 4.0, ONSET + 9.3, 5 / 24), SOON)).all()


def test_a_clock_change_is_no_drift() -> None:
    values = healthy(10, 0.05, "week", 7)
    assert np.isnan(
        first_noticed(np.where(signals.T >= 50, np.roll(values, -1, axis=1), values), EVERY_DAY)
    ).all()


def test_a_move_too_small_to_matter_is_no_drift() -> None:
    small = drifting(healthy(5, 0.05, "week", 8, level=60.0), 0.01, "linear", ONSET)  # 17 ms in 28 days
    assert np.isnan(first_noticed(small, SOON, LATENCY)).all()
    assert np.isfinite(first_noticed(small * 3, SOON, LATENCY)).all()


def test_a_drift_says_how_fast_from_where_to_where_and_since_when() -> None:
    one = watch(drifting(healthy(1, 0.03, "week", 9), 0.015, "exponential", ONSET), ONSET + 21)[0]
    (found,) = one.drifts
    assert (one.watched, one.days, found.signal, found.unit) == (True, 28, "request_rate", "req/s")
    assert found.per_day == pytest.approx(0.015, abs=0.003)
    assert found.new / found.old == pytest.approx(1.015**17.5, rel=0.05)
    assert abs(found.since_s - (signals.START_S + ONSET * 86_400)) <= 3 * 86_400


@pytest.mark.parametrize("days", [2, 15, 21])
def test_with_less_retention_it_says_how_many_days_there_are(days: int) -> None:
    (one,) = watch(drifting(healthy(1, 0.03, "week", 10), 0.05, "linear", 0), days)
    assert (one.watched, one.days, one.drifts) == (False, days, ())


def test_a_service_of_office_hours_is_watched() -> None:
    hours, weekday = (signals.T * 24) % 24, (signals.T.astype(int) + 3) % 7
    open_now = (hours >= 8) & (hours < 17) & (weekday < 5)
    values = healthy(5, 0.1, "none", 11)
    drifts = np.where(open_now, drifting(values, 0.015, "linear", ONSET), 0.0)
    assert np.isfinite(first_noticed(drifts, SOON)).all()
    assert np.isnan(first_noticed(np.where(open_now, values, 0.0), EVERY_DAY)).all()


def test_excluded_spans_are_not_looked_at() -> None:
    values = during(drifting(healthy(6, 0.05, "week", 12), 0.012, "linear", ONSET), 0.1, ONSET + 20, 8)
    hidden = Calendar(excluded=(("2026-03-02", "2026-03-10"),))  # days 60 to 68
    assert not any(one.drifts for one in watch(values, ONSET + 26))
    assert all(one.drifts for one in watch(values, ONSET + 35, RATE, hidden))


def test_series_that_are_missing_wild_or_constant_are_no_drift() -> None:
    values = healthy(5, 0.1, "week", 13)
    values[0] = np.nan
    values[1] = 0.0
    values[2, ::3] = np.inf
    values[3, ::5] = -1e30
    values[4] = 7.0
    assert [one.drifts for one in watch(values, 60)] == [()] * 5
    assert [one.watched for one in watch(values, 60)] == [False, True, True, True, True]


def test_a_workload_that_the_reference_does_not_know_is_not_watched() -> None:
    read = signals.reference(healthy(1, 0.1, "week", 14), 60)
    stranger = Workload("", "shop", "Deployment", "new")
    (one,) = drift.watch(read, (stranger,), [0], Calendar())
    assert (one.watched, one.days) == (False, 0)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.permutations(range(6)), st.sampled_from([2.0, 0.25, 4096.0]))
def test_order_company_and_unit_change_nothing(seed: int, order: list[int], factor: float) -> None:
    values = drifting(healthy(6, 0.15, "week", seed), 0.008, "linear", 30)
    signal = Signal("x", "u", "both", 0.0)
    whole = [bool(one.drifts) for one in watch(values, 60, signal)]
    assert [whole[i] for i in order] == [bool(one.drifts) for one in watch(values[order], 60, signal)]
    assert whole[:1] == [bool(one.drifts) for one in watch(values[:1], 60, signal)]
    assert whole == [bool(one.drifts) for one in watch(values * factor, 60, signal)]
