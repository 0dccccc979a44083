from __future__ import annotations

import numpy as np
import pytest

from aiops.detect import cold_start, scoring, sustain
from aiops.detect.bands import Bands
from aiops.detect.model import Model
from aiops.detect.settings import DetectSettings, History
from aiops.domain import Scores, Verdict

DAY = 86_400
AFTERNOON = 1_773_934_320  # 15:32 UTC


def _score(history: History, model: Model | None) -> Scores:
    return scoring.score(history, model, DetectSettings())


def test_a_workload_that_began_today_is_scored_by_the_starter_model_at_once(world, starter) -> None:
    began = AFTERNOON - 7_320

    def young(values: np.ndarray, times: np.ndarray) -> None:
        values[0, :, times < began] = np.nan
        values[0, 3, times >= AFTERNOON - 1_800] = 6  # a crash loop

    world.events.append(young)
    scores = _score(world.history(AFTERNOON), starter)
    seen = np.isfinite(scores.values[0, :3])
    assert not seen[:, scores.times < began + 1_800].any()
    assert seen[:, scores.times >= began + 3_600].all()
    assert np.mean(scores.values[0, :3] >= 1) < 0.01
    assert scores.values[0, 3, -1] == pytest.approx(3.0)
    assert (scores.scorer[0], scores.fallback_reason[0]) == ("lstm", None)


def test_without_a_model_a_workload_that_began_today_waits_for_midnight(world) -> None:
    world.events.append(lambda v, t: np.copyto(v[0], np.nan, where=t < AFTERNOON - 7_200))
    scores = _score(world.history(AFTERNOON), None)
    assert np.isnan(scores.values[0, :3]).all()
    assert scores.fallback_reason[0] == "no signal that moves before 00:00 UTC"


@pytest.mark.parametrize("signal", ["error_ratio", "latency_p95"])
def test_what_breaks_in_the_second_hour_of_a_life_is_seen(world, starter, happens, signal: str) -> None:
    def change(values: np.ndarray) -> np.ndarray:
        return values + 0.3 if signal == "error_ratio" else values * 4

    world.events.append(lambda v, t: np.copyto(v[0], np.nan, where=t < AFTERNOON - 7_200))
    world.events.append(happens(0, signal, AFTERNOON - 1_320, change))
    scores = _score(world.history(AFTERNOON), starter)
    row = [one.name for one in scores.signals].index(signal)
    assert np.mean(scores.values[0, row, -20:] >= 1) > 0.9


@pytest.mark.parametrize("later_s", [60, 3_900, 9 * 3_600])
def test_a_later_run_gives_a_newcomer_the_same_scores(world, starter, later_s: int) -> None:
    world.events.append(lambda v, t: np.copyto(v[0], np.nan, where=t < AFTERNOON - 7_200))
    world.events.append(lambda v, t: np.copyto(v[1], np.nan, where=t < AFTERNOON - 600))
    first, second = (_score(world.history(now), starter) for now in (AFTERNOON, AFTERNOON + later_s))
    _, at, again = np.intersect1d(first.times, second.times, return_indices=True)
    np.testing.assert_array_equal(first.values[:, :, at], second.values[:, :, again])
    # Nor does it matter who else began, or that anybody did.
    world.events.pop()
    np.testing.assert_array_equal(
        first.values[[0, 2]], _score(world.history(AFTERNOON), starter).values[[0, 2]]
    )


def test_four_hours_of_history_are_enough_for_the_model_and_not_for_the_forest(world, starter) -> None:
    midnight = AFTERNOON // DAY * DAY
    world.events.append(lambda values, times: np.copyto(values[0], np.nan, where=times < midnight - 14_400))
    assert _score(world.history(AFTERNOON), starter).scorer == ("lstm",) * 4
    scores = _score(world.history(AFTERNOON), None)
    assert scores.scorer == ("baseline", "forest", "forest", "forest")
    assert "6 h of history" in str(scores.fallback_reason[0])
    assert np.isfinite(scores.values[0]).all()


def test_a_stray_request_does_not_teach_that_zero_is_normal(world, starter) -> None:
    """A smoke test 40 hours ago left counters that stand still; people came last evening."""
    opened = AFTERNOON // DAY * DAY - 4 * 3_600

    def stray(values: np.ndarray, times: np.ndarray) -> None:
        quiet = times < opened
        values[0, 0, quiet] = np.where(np.abs(times[quiet] - (AFTERNOON - 40 * 3_600)) < 300, 0.2, 0.0)
        values[0, 1:3, quiet] = np.nan

    world.events.append(stray)
    strayed = _score(world.history(AFTERNOON), starter)
    world.events.append(lambda v, t: np.copyto(v[0, :3], np.nan, where=t < opened))
    world.events.append(lambda v, t: np.copyto(v[0, 3], np.nan, where=t < opened))
    np.testing.assert_array_equal(_score(world.history(AFTERNOON), starter).values[0], strayed.values[0])
    assert np.mean(strayed.values[0] >= 1) < 0.02


def test_a_service_of_office_hours_is_scored_on_a_monday(world, starter) -> None:
    """Its two days before are empty, and it is no newcomer for that."""

    def office(values: np.ndarray, times: np.ndarray) -> None:
        hour, day = times % DAY / 3_600, (times // DAY + 3) % 7
        values[0, :3, ~((hour >= 7) & (hour < 17) & (day < 5))] = np.nan

    world.events.append(office)
    monday = AFTERNOON + 4 * DAY
    history = world.history(monday)
    scores = _score(history, starter)
    assert np.isfinite(scores.values[0, :3, scores.times % DAY >= 8 * 3_600]).all()
    assert np.mean(scores.values[0, :3] >= 1) < 0.02
    (first, *_) = sustain.sustain(scores, history, DetectSettings())
    assert first.verdict is Verdict.HEALTHY


def test_bands_that_little_was_learned_for_are_twice_as_wide_and_the_others_stay() -> None:
    bands = Bands(np.array([[10.0], [0.3]]), np.array([[9.0], [0.1]]), np.array([[13.0], [0.7]]))
    found = cold_start.unsure(bands, np.array([True, False]))
    np.testing.assert_array_equal(found.lower, [[8.0], [0.1]])
    np.testing.assert_array_equal(found.upper, [[16.0], [0.7]])


@pytest.mark.parametrize("hours", [5, 1])
def test_a_few_hours_before_midnight_do_not_make_the_next_day_odd(world, starter, hours: int) -> None:
    midnight = AFTERNOON // DAY * DAY
    world.events.append(lambda v, t: np.copyto(v[:3], np.nan, where=t < midnight - hours * 3_600))
    scores = _score(world.history(AFTERNOON), starter)
    assert np.mean(scores.workload[:3] >= 1) < 0.02
