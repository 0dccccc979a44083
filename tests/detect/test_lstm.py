from __future__ import annotations

import itertools

import numpy as np
import pytest

from aiops.detect import scoring
from aiops.detect.settings import DetectSettings
from aiops.detect.sustain import sustain, track
from aiops.domain import Incident, State

HOUR, DAY = 3_600, 86_400
MIDNIGHT = 1_773_878_400  # Thursday 2026-03-19 00:00 UTC
SETTINGS = DetectSettings()


def level(since: np.ndarray) -> np.ndarray:
    return np.ones(len(since))


def ramp_of_two_hours(since: np.ndarray) -> np.ndarray:
    return np.clip(since / (2 * HOUR), 0, 1)


def ramp_of_six_hours(since: np.ndarray) -> np.ndarray:
    return np.clip(since / (6 * HOUR), 0, 1)


def stair(since: np.ndarray) -> np.ndarray:
    return np.clip((since // HOUR + 1) / 4, 0, 1)


SHAPES = (level, ramp_of_two_hours, ramp_of_six_hours, stair)
# How a signal (its row in the world) breaks at full height, and what it was before.
BREAKS = (
    (0, lambda values, share: values * (1 + 2 * share)),
    (1, lambda values, share: values + 0.3 * share),
    (1, lambda values, share: 0.3 * share + 0.0 * values),
    (2, lambda values, share: values * (1 + 1.5 * share)),
)
CASES = [(row, change, shape) for row, change in BREAKS for shape in SHAPES]


@pytest.fixture
def broken(make_world):
    """Return a world in which workload i breaks like case i, from a time on and for a while."""

    def build(onset_s: int, length_s: int):
        world = make_world(len(CASES))

        def event(values: np.ndarray, times: np.ndarray) -> None:
            since = (times - onset_s).astype(np.float64)
            for i, (row, change, shape) in enumerate(CASES):
                share = np.where((since >= 0) & (since < length_s), shape(np.maximum(since, 0)), 0.0)
                values[i, row] = change(values[i, row], share)

        world.events.append(event)
        return world

    return build


def _incidents(world, starter, newest_s: int) -> tuple[Incident, ...]:
    history = world.history(newest_s + 120)
    return sustain(scoring.score(history, starter, SETTINGS), history, SETTINGS)


def _named(flags: list[bool]) -> list[tuple[int, str]]:
    return [(case[0], case[2].__name__) for case, flag in zip(CASES, flags, strict=True) if flag]


@pytest.mark.parametrize("hour", [2, 6, 14, 20])
def test_a_shift_of_24_hours_fires_until_it_ends_whatever_day_changes(broken, starter, hour: int) -> None:
    """At 00:00 UTC the window that is fitted moves, and the hours of the incident are in it."""
    onset = MIDNIGHT - DAY + hour * HOUR
    world = broken(onset, DAY)
    for after_h in (7, 12, 18, 21, 23.9):
        found = _incidents(world, starter, onset + int(after_h * HOUR))
        assert _named([one.state is not State.FIRING for one in found]) == [], after_h
    ended = _incidents(world, starter, onset + DAY + 1_200)
    assert _named([one.state is not State.INACTIVE for one in ended]) == []


def test_a_step_of_an_incident_over_midnight_has_one_score_in_every_run(broken, starter) -> None:
    """Law 8: what differs between runs is only which steps they see."""
    world = broken(MIDNIGHT - 4 * HOUR, 6 * HOUR)
    newest = (MIDNIGHT - HOUR, MIDNIGHT + 600, MIDNIGHT + 5 * HOUR, MIDNIGHT + 11 * HOUR)
    runs = [scoring.score(world.history(at + 120), starter, SETTINGS) for at in newest]
    for early, late in itertools.pairwise(runs):
        _, at, again = np.intersect1d(early.times, late.times, return_indices=True)
        assert len(at) > 300
        np.testing.assert_array_equal(early.values[:, :, at], late.values[:, :, again])
        states = [track(one.workload, one.step_s, SETTINGS.hold_s, SETTINGS).states for one in (early, late)]
        # A run that begins inside of the incident needs the hold once more, and no longer.
        settled = np.flatnonzero(again >= SETTINGS.hold_s // early.step_s + SETTINGS.window_steps)
        np.testing.assert_array_equal(states[0][:, at[settled]], states[1][:, again[settled]])
