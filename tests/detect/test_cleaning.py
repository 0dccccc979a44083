from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from aiops.detect.cleaning import cleaned
from aiops.detect.settings import Calendar, DetectSettings
from aiops.domain import Grid, Panel

DAY, STEP = 86_400, 300
START = 20_500 * DAY
DAYS = 10
PER_DAY = DAY // STEP
NOBODY = DetectSettings()


@pytest.fixture
def panel(world) -> Panel:
    return world.panel(Grid(START, START + DAYS * DAY - STEP, STEP))


def missing(found: Panel) -> np.ndarray:
    return np.isnan(found.values)  # [W, S, T]


def test_healthy_history_is_kept(panel: Panel) -> None:
    found, share = cleaned(panel, NOBODY)
    assert share < 0.001
    assert missing(found).mean() == share


def test_an_outage_is_taken_out_and_nothing_else(panel: Panel) -> None:
    span = slice(5 * PER_DAY + 100, 5 * PER_DAY + 124)  # two hours
    panel.values[1, 1, span] = 0.4  # error_ratio
    panel.values[2, 0, span] = 0.0  # request_rate
    found, share = cleaned(panel, NOBODY)
    gone = missing(found)
    assert gone[1, 1, span].mean() > 0.9
    assert gone[2, 0, span].mean() > 0.9
    gone[1, 1, span] = gone[2, 0, span] = False
    assert gone.mean() < 0.001
    assert 0 < share < 0.002


def test_the_day_after_an_outage_is_kept(panel: Panel) -> None:
    panel.values[2, 0, 5 * PER_DAY + 100 : 5 * PER_DAY + 124] = 0.0
    found, _ = cleaned(panel, NOBODY)
    assert not missing(found)[2, 0, 6 * PER_DAY :].any()


def test_a_peak_of_every_other_day_is_a_habit(panel: Panel) -> None:
    for day in range(0, DAYS, 2):
        panel.values[0, 0, day * PER_DAY + 50 : day * PER_DAY + 62] *= 4
    found, _ = cleaned(panel, NOBODY)
    assert not missing(found)[0, 0].any()


def test_what_the_calendar_excludes_is_taken_out_of_every_series(panel: Panel) -> None:
    calendar = Calendar(excluded=(("2026-02-20T10:00:00", "2026-02-20T12:00:00"),))
    found, share = cleaned(panel, dataclasses.replace(NOBODY, calendar=calendar))
    inside = ~calendar.learnable(panel.times)
    assert inside.sum() == 25
    assert missing(found)[:, :, inside].all()
    assert share < 0.001  # they are not flagged, they are known


def test_cleaning_twice_changes_nothing_more(panel: Panel) -> None:
    panel.values[1, 1, 5 * PER_DAY + 100 : 5 * PER_DAY + 124] = 0.4
    once, _ = cleaned(panel, NOBODY)
    twice, share = cleaned(once, NOBODY)
    np.testing.assert_array_equal(once.values, twice.values)
    assert share == 0


def test_holes_and_empty_series_are_no_incidents(panel: Panel) -> None:
    panel.values[0, 0] = np.nan
    panel.values[1, :, 3 * PER_DAY : 4 * PER_DAY] = np.nan
    _, share = cleaned(panel, NOBODY)
    assert share < 0.001


@pytest.mark.parametrize("days", [1, 2])
def test_a_history_without_a_day_to_judge_is_kept_as_it_is(world, days: int) -> None:
    short = world.panel(Grid(START, START + days * DAY - STEP, STEP))
    found, share = cleaned(short, NOBODY)
    np.testing.assert_array_equal(found.values, short.values)
    assert share == 0
