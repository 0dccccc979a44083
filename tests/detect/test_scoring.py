from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from aiops.detect import scoring
from aiops.detect.model import Model
from aiops.detect.settings import DetectSettings, History
from aiops.domain import Panel, Scores

DAY = 86_400
# 15:30 UTC: all judged steps lie in one day. 05:00 UTC: they lie in two.
AFTERNOON, MORNING = 1_773_934_320, 1_773_896_520


def _chosen(history: History, rows: list[int]) -> History:
    def pick(panel: Panel) -> Panel:
        return dataclasses.replace(
            panel, values=panel.values[rows], workloads=tuple(panel.workloads[i] for i in rows)
        )

    assert history.week_ago is not None
    return History(
        pick(history.recent), pick(history.week_ago), pick(history.reference), history.judged_from_s
    )


def _score(history: History, model: Model | None) -> Scores:
    return scoring.score(history, model, DetectSettings())


def test_shapes_and_times_are_those_of_the_judged_steps(world, starter) -> None:
    scores = _score(world.history(), starter)
    assert (4, 4, 720) == scores.values.shape == scores.expected.shape == scores.upper.shape
    assert scores.workload.shape == (4, 720)
    assert len(scores.times) == 720
    assert scores.scorer == ("lstm",) * 4
    assert scores.fallback_reason == (None,) * 4


@pytest.mark.parametrize("with_model", [True, False])
def test_a_score_does_not_depend_on_who_else_is_scored(world, starter, *, with_model: bool) -> None:
    history = world.history()
    model = starter if with_model else None
    whole = _score(history, model)
    for rows in ([2], [3, 0], [3, 2, 1, 0]):
        part = _score(_chosen(history, rows), model)
        np.testing.assert_array_equal(whole.values[rows], part.values)
        np.testing.assert_array_equal(whole.expected[rows], part.expected)


@pytest.mark.parametrize(
    ("now_s", "later_s"), [(AFTERNOON, 3_900), (MORNING, 60), (MORNING, 6 * 3_600 + 420)]
)
def test_a_later_run_gives_the_same_score_to_the_same_step(world, starter, now_s: int, later_s: int) -> None:
    """Whatever the hour: the fit belongs to the day, and a bucket that still fills is not fed."""
    first, second = _score(world.history(now_s), starter), _score(world.history(now_s + later_s), starter)
    common, at, again = np.intersect1d(first.times, second.times, return_indices=True)
    assert len(common) > 300
    np.testing.assert_array_equal(first.values[:, :, at], second.values[:, :, again])


def test_cutting_off_the_future_never_changes_a_score(world, starter) -> None:
    whole = world.history(AFTERNOON)
    values = whole.recent.values.copy()
    values[:, :, -200:] = 1e6  # whatever comes later
    changed = dataclasses.replace(whole, recent=dataclasses.replace(whole.recent, values=values))
    np.testing.assert_array_equal(
        _score(whole, starter).values[:, :, :-200], _score(changed, starter).values[:, :, :-200]
    )


def test_healthy_workloads_stay_below_the_edge(world, starter) -> None:
    assert np.mean(_score(world.history(), starter).workload >= 1) < 0.01


@pytest.mark.parametrize("with_model", [True, False])
@pytest.mark.parametrize(
    ("signal", "change"),
    [
        ("error_ratio", lambda values: values + 0.2),
        ("request_rate", lambda values: values * 2.5),
        ("latency_p95", lambda values: values * 3),
    ],
)
def test_what_breaks_is_bad_from_the_first_step(
    world, starter, happens, signal: str, change, *, with_model: bool
) -> None:
    world.events.append(happens(1, signal, AFTERNOON - 120 - 1_800, change))
    scores = _score(world.history(AFTERNOON), starter if with_model else None)
    row = [one.name for one in scores.signals].index(signal)
    assert np.mean(scores.values[1, row, -30:] >= 1) > 0.9
    # The forest is calibrated on what is sustained; its single steps are noisier.
    assert np.mean(scores.workload[[0, 2, 3]] >= 1) < (0.02 if with_model else 0.1)


def test_an_outage_does_not_become_the_expectation_for_eight_hours(world, starter, happens) -> None:
    start = AFTERNOON - 120 - 8 * 3_600
    world.events.append(happens(0, "latency_p95", start, lambda values: values * 3))
    world.events.append(happens(1, "request_rate", start, lambda values: values * 0.05))
    scores = _score(world.history(AFTERNOON), starter)
    after = scores.times >= start
    assert np.mean(scores.workload[0, after] >= 1) > 0.95
    assert np.mean(scores.workload[1, after] >= 1) > 0.8  # 5 of 6 where a step is an hour5


def test_what_yesterday_had_at_this_time_is_expected(world, starter) -> None:
    def nightly(values: np.ndarray, times: np.ndarray) -> None:
        inside = (times % DAY >= 13 * 3_600) & (times % DAY < 14 * 3_600)
        values[2, 0, inside] *= 4

    world.events.append(nightly)
    scores = _score(world.history(AFTERNOON), starter)
    assert np.mean(scores.workload[2] >= 1) < 0.05


def test_two_nights_are_enough_to_know_a_nightly_job(world, starter) -> None:
    """Without last week nothing is known of the first night: it must not be mended away."""

    def nightly(values: np.ndarray, times: np.ndarray) -> None:
        inside = (times % DAY >= 13 * 3_600) & (times % DAY < 14 * 3_600)
        values[2, 0, inside] *= 4

    world.events.append(nightly)
    young = dataclasses.replace(world.history(AFTERNOON), week_ago=None)
    assert np.mean(_score(young, starter).workload[2] >= 1) < 0.05


def test_an_incident_of_yesterday_does_not_excuse_the_same_hour_today(world, starter) -> None:
    def twice(values: np.ndarray, times: np.ndarray) -> None:
        since = times - (AFTERNOON // DAY * DAY - DAY)
        inside = (since >= 0) & (since % DAY >= 13 * 3_600) & (since % DAY < 14 * 3_600)
        values[2, 2, inside] *= 4

    world.events.append(twice)
    scores = _score(world.history(AFTERNOON), starter)
    inside = (scores.times % DAY >= 13 * 3_600) & (scores.times % DAY < 14 * 3_600)
    assert np.mean(scores.values[2, 2, inside] >= 1) > 0.9


@pytest.mark.parametrize("with_model", [True, False])
@pytest.mark.parametrize("step_s", [15, 300, 3_600])
def test_other_steps_work_the_same(world, starter, happens, step_s: int, *, with_model: bool) -> None:
    world.events.append(happens(1, "error_ratio", AFTERNOON - 6 * 3_600, lambda values: values + 0.3))
    scores = _score(world.history(AFTERNOON, step_s), starter if with_model else None)
    after = scores.times >= AFTERNOON - 6 * 3_600
    assert len(scores.times) == 12 * 3_600 // step_s
    assert np.mean(scores.workload[1, after] >= 1) > 0.8  # 5 of 6 where a step is an hour
    assert np.mean(scores.workload[[0, 2, 3]] >= 1) < 0.1


def test_a_good_deviation_is_no_anomaly(world, starter, happens) -> None:
    world.events.append(happens(0, "latency_p95", AFTERNOON - 3_720, lambda values: values * 0.2))
    assert np.mean(_score(world.history(AFTERNOON), starter).values[0, 2] >= 1) < 0.01


def test_without_a_model_the_forest_scores_and_says_so(world) -> None:
    scores = _score(world.history(), None)
    assert scores.scorer == ("forest",) * 4
    assert scores.fallback_reason == ("no model",) * 4


def test_a_forecast_that_is_not_finite_goes_to_the_forest(world, starter, monkeypatch) -> None:
    class Broken:
        def run(self, names: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
            found = starter.session.run(names, feed)
            found[0][0] = np.inf  # the first series of the batch
            return found

    scores = _score(world.history(), Model(starter.card, Broken()))
    assert scores.scorer == ("forest", "lstm", "lstm", "lstm")
    assert scores.fallback_reason[0] == "the forecast was not finite"
    assert np.isfinite(scores.workload[0]).all()


@pytest.mark.parametrize("wild", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("with_model", [True, False])
def test_wild_samples_in_the_history_leave_every_score_finite(
    world, starter, wild: float, *, with_model: bool
) -> None:
    def event(values: np.ndarray, times: np.ndarray) -> None:
        values[0, 0, (times // 60) % 97 == 0] = wild

    world.events.append(event)
    scores = _score(world.history(AFTERNOON), starter if with_model else None)
    history = world.history(AFTERNOON).recent.values[:, :, -720:]
    np.testing.assert_array_equal(np.isnan(history), np.isnan(scores.values))
    assert not np.isinf(scores.values).any()


def test_flat_and_empty_series_never_reach_a_model(world, starter) -> None:
    def event(values: np.ndarray, times: np.ndarray) -> None:
        values[0, 1] = 0.0
        values[0, 1, times >= AFTERNOON - 900] = 0.05  # a flat series that moves by 5 x what matters
        values[1, 2] = np.nan
        values[2, 1] = 0.0

    world.events.append(event)
    scores = _score(world.history(AFTERNOON), starter)
    assert scores.values[0, 1, -1] == pytest.approx(5.0)
    assert np.isnan(scores.values[1, 2]).all()
    assert (scores.values[2, 1] == 0).all()


def test_nothing_to_score_is_an_empty_answer(starter, world) -> None:
    scores = _score(_chosen(world.history(), []), starter)
    assert scores.values.shape == (0, 4, 720)
