from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from aiops.detect import holidays, scoring, sustain
from aiops.detect.settings import Calendar, DetectSettings
from aiops.domain import Scores

DAY, HOUR = 86_400, 3_600
HOLIDAY = Calendar(holidays=("2026-05-13",))  # a Wednesday
EPOCH = date(1970, 1, 1).toordinal()


def _utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def _working(world, free: str | None = None):
    """Let people work from Monday to Friday, a little at weekends and on the free day."""

    def week(values: np.ndarray, times: np.ndarray) -> None:
        days = np.arange(times[0] // DAY - 1, times[-1] // DAY + 2)
        off = (days + 3) % 7 >= 5
        if free is not None:
            off |= days == date.fromisoformat(free).toordinal() - EPOCH
        level = np.interp(times / DAY - 0.5, days, np.where(off, 0.4, 1.0))  # as at noon, lines between
        values[:, 0] *= level

    world.events.append(week)
    return world


def _scores(world, until: str, model, calendar: Calendar) -> Scores:
    return scoring.score(world.history(_utc(until) + 60), model, DetectSettings(calendar=calendar))


def _fired(scores: Scores) -> int:
    settings = DetectSettings()
    states = sustain.track(scores.workload, scores.step_s, settings.hold_s, settings).states
    return int((states == 2).any(axis=1).sum())


def test_a_monday_is_not_held_against_its_sunday(world, starter) -> None:
    scores = _scores(_working(world), "2026-05-11T18:00", starter, Calendar())
    assert _fired(scores) == 0
    assert np.mean(scores.workload >= 1) < 0.01


@pytest.mark.parametrize(
    "until", ["2026-05-13T12:00", "2026-05-14T00:00", "2026-05-14T18:00", "2026-05-20T18:00"]
)
def test_a_holiday_is_not_an_incident_nor_the_days_that_look_back_at_it(world, starter, until: str) -> None:
    scores = _scores(_working(world, "2026-05-13"), until, starter, HOLIDAY)
    assert _fired(scores) == 0
    assert np.mean(scores.workload >= 1) < 0.01


def test_knowing_of_a_holiday_is_what_makes_the_forecast(world, starter) -> None:
    """Or the test above would not notice."""
    _working(world, "2026-05-13")
    off = []
    for calendar in (HOLIDAY, Calendar()):
        scores = _scores(world, "2026-05-13T22:00", starter, calendar)
        observed = world.values(scores.times)[:, 0]
        off.append(np.mean(np.abs(scores.expected[:, 0] - observed) / observed))
    assert off[0] < 0.5 * off[1]


def test_on_a_holiday_a_later_run_gives_the_same_scores(world, starter) -> None:
    _working(world, "2026-05-13")
    first, second = (_scores(world, f"2026-05-13T{at}", starter, HOLIDAY) for at in ("09:00", "19:25"))
    _, at, again = np.intersect1d(first.times, second.times, return_indices=True)
    np.testing.assert_array_equal(first.values[:, :, at], second.values[:, :, again])


def _guided(day: str, calendar: Calendar, zone_s: int = 0) -> np.ndarray:
    """Return what one day is held against, hour by hour; each hour of the reference is its number of days."""
    start = _utc(day) - zone_s
    hours = start - 24 * DAY + np.arange(25 * 24) * HOUR
    hourly = ((hours + zone_s) // DAY)[None].astype(np.float64)
    times = start + np.arange(24) * HOUR
    found = holidays.guided(np.full((1, 24), -1.0), times, zone_s, hourly, hours, calendar)
    return found[0] - _utc(day) // DAY


@pytest.mark.parametrize(
    ("day", "days_back"),
    [
        ("2026-05-12", None),  # an ordinary Tuesday
        ("2026-05-13", (3 + 10 + 17) / 3),  # the holiday: three Sundays
        ("2026-05-14", None),
        ("2026-05-20", (14 + 21) / 2),  # a week later: Wednesdays without a holiday
        ("2026-05-27", None),
    ],
)
def test_a_holiday_is_held_against_sundays_and_is_no_guide_itself(day: str, days_back: float | None) -> None:
    expected = -1.0 - _utc(day) // DAY if days_back is None else -days_back
    for zone, offset_s in (("UTC", 0), ("Asia/Kolkata", 19_800)):
        calendar = Calendar(zone, HOLIDAY.holidays)
        np.testing.assert_allclose(_guided(day, calendar, offset_s)[1:23], expected)
    assert holidays.any_of(np.array([_utc(day)]), 0, HOLIDAY) == (days_back is not None)
