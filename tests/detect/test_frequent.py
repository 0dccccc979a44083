from __future__ import annotations

import numpy as np
import pytest

from aiops.detect import familiar, scoring
from aiops.detect.settings import DetectSettings
from aiops.detect.sustain import sustain
from aiops.domain import Incident, State

HOUR, DAY = 3_600, 86_400
MIDNIGHT = 1_773_878_400  # Thursday 2026-03-19 00:00 UTC
SETTINGS = DetectSettings()
NOW = MIDNIGHT + 10 * HOUR


def _flaps(days: list[int], earlier: float, today: float):
    """Return an event: 90 minutes of errors on some of the days before, at another hour each, and now."""

    def event(values: np.ndarray, times: np.ndarray) -> None:
        for ago in days:
            start = NOW - ago * DAY - (5 + 3 * (ago % 3)) * HOUR - 1_800
            values[0, 1, (times >= start) & (times < start + 5_400)] += earlier
        values[0, 1, times >= NOW - 2_400] += today

    return event


def _first(world, starter) -> Incident:
    history = world.history(NOW + 120)
    scores = scoring.score(history, starter, SETTINGS)
    return familiar.recognised(sustain(scores, history, SETTINGS), scores, history, SETTINGS)[0]


@pytest.mark.parametrize(
    ("name", "days", "earlier", "today", "expected"),
    [
        ("on most days, as bad", [1, 2, 3, 4, 5, 6], 0.2, 0.2, "frequent"),
        ("on three days of the week", [2, 4, 6], 0.2, 0.2, "frequent"),
        ("on most days, worse", [1, 2, 3, 4, 5, 6], 0.3, 0.2, "frequent"),
        ("clearly worse today", [1, 2, 3, 4, 5, 6], 0.1, 0.2, None),
        ("twice is chance", [3, 5], 0.2, 0.2, None),
        ("three weeks ago is no more", [15, 16, 17, 18, 19, 20], 0.2, 0.2, None),
        ("the first one", [], 0.0, 0.2, None),
    ],
)
def test_what_comes_most_days_and_is_not_worse_is_no_news(
    world, starter, name: str, days: list[int], earlier: float, today: float, expected: str | None
) -> None:
    world.events.append(_flaps(days, earlier, today))
    found = _first(world, starter)
    assert found.state is State.FIRING, name
    assert expected == (found.familiar and found.familiar.kind), name


def test_every_signal_that_broke_must_be_frequent(world, starter, happens) -> None:
    world.events.append(_flaps([1, 2, 3, 4, 5, 6], 0.2, 0.2))
    world.events.append(happens(0, "latency_p95", NOW - 2_400, lambda values: values * 3))
    assert _first(world, starter).familiar is None


def test_a_crash_loop_is_news_every_night(world, starter) -> None:
    world.events.append(_flaps([1, 2, 3, 4, 5, 6], 0.2, 0.2))

    def restarts(values: np.ndarray, times: np.ndarray) -> None:
        values[0, 3, times >= NOW - 1_200] = 6.0

    world.events.append(restarts)
    assert _first(world, starter).familiar is None


def test_a_loss_of_traffic_to_the_level_of_every_night_is_news(world, starter, happens) -> None:
    """Held against the hour of the day: an empty noon is not what every midnight is."""
    world.events.append(happens(0, "request_rate", NOW - 2_400, lambda values: values * 0.3))
    found = _first(world, starter)
    assert found.state is State.FIRING
    assert found.familiar is None


def test_a_week_that_is_not_known_suppresses_nothing(world, starter) -> None:
    world.events.append(_flaps([1, 2, 3, 4, 5, 6], 0.2, 0.2))
    world.events.append(lambda values, times: np.copyto(values[0], np.nan, where=times < NOW - 5 * DAY))
    assert _first(world, starter).familiar is None
