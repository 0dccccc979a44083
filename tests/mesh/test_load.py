from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest

from aiops.mesh import load
from aiops.mesh.graph import Habit, Service

DAY = 86_400
MONDAY = int(datetime(2026, 10, 19, tzinfo=UTC).timestamp())
DOOR = Service("door", "1", 2, 10.0, entry_rps=20.0, peak_h=14.0)


def minutes(start_s: int, days: int) -> np.ndarray:
    return np.arange(start_s, start_s + days * DAY, 60, dtype=np.int64)


def test_people_keep_their_hours_when_the_clocks_change() -> None:
    there = replace(DOOR, habit=Habit("Europe/Berlin", week=(1.0,) * 7))
    times = minutes(MONDAY, 14)  # the clocks go back in the night to Sunday the 25th
    shape = load.shape(there, times)
    before = (times >= MONDAY + 4 * DAY) & (times < MONDAY + 5 * DAY)
    after = (times >= MONDAY + 8 * DAY) & (times < MONDAY + 9 * DAY)
    np.testing.assert_allclose(shape[before][:-60], shape[after][60:])
    assert (int(np.argmax(shape[after])) - int(np.argmax(shape[before]))) == 60


def test_a_holiday_has_the_load_of_a_sunday_and_ends() -> None:
    quiet = Habit(week=(1.0, 1.0, 1.0, 1.0, 1.0, 0.4, 0.3), holidays=("2026-10-21",))
    times = minutes(MONDAY, 7)
    ratio = load.shape(replace(DOOR, habit=quiet), times) / load.shape(
        replace(DOOR, habit=replace(quiet, holidays=())), times
    )
    noon = [int(round(ratio[day * 1440 + 720], 6) * 1e6) for day in range(7)]
    assert [1_000_000, 1_000_000, 300_000, 1_000_000, 1_000_000, 1_000_000, 1_000_000] == noon


@pytest.mark.parametrize(("twice", "peaks"), [(0.0, 1), (1.0, 2)])
def test_a_day_has_as_many_peaks_as_its_habit_says(twice: float, peaks: int) -> None:
    there = replace(DOOR, habit=Habit(week=(1.0,) * 7, twice=twice))
    shape = load.shape(there, minutes(MONDAY, 1))
    rising = np.diff(np.concatenate([shape, shape[:1]])) > 0
    assert peaks == int((rising & ~np.roll(rising, -1)).sum())


def test_bursts_move_nothing_else_that_is_random() -> None:
    times = minutes(MONDAY, 1)
    rates = [
        load.entry_rate(replace(DOOR, habit=Habit(bursts=sigma)), (), times, np.random.default_rng(5))
        for sigma in (0.0, 0.1, 0.2)
    ]
    first, second = (np.log(rate / rates[0]) for rate in rates[1:])
    np.testing.assert_allclose(2 * first, second, rtol=1e-9)
    assert 0.05 < first.std() < 0.2
