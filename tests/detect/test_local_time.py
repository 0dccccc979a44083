from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from aiops.detect import local_time, scoring, sustain
from aiops.detect.settings import Calendar, DetectSettings
from aiops.domain import FloatArray, Scores

DAY, HOUR = 86_400, 3_600
BERLIN = Calendar("Europe/Berlin")
SPRING, AUTUMN = "2026-03-29", "2026-10-25"  # both at 01:00 UTC, on Sundays


def _utc(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@pytest.fixture
def by_the_clock(world):
    """Three services that people in Berlin use at steep local hours, by day, less on Sundays."""

    def office(values: np.ndarray, times: np.ndarray) -> None:
        zone = ZoneInfo("Europe/Berlin")
        hours, inverse = np.unique(times // HOUR, return_inverse=True)
        ahead = [datetime.fromtimestamp(int(h) * HOUR, tz=zone).utcoffset().total_seconds() for h in hours]
        local = times + np.array(ahead, dtype=np.int64)[inverse]
        hour, sunday = (local % DAY) / HOUR, (local // DAY + 3) % 7 == 6
        for i in range(3):
            busy = 1 / (1 + np.exp(-4 * (hour - 8 - i / 2))) / (1 + np.exp(3 * (hour - 18 - i / 2)))
            noise = np.exp(0.04 * (values[i, 1] / 0.0005 - 2))  # that of the error ratio will do
            values[i, 0] = (10 + 5 * i) * (1 + 3 * busy) * np.where(sunday, 0.9, 1.0) * noise

    world.events.append(office)
    return world


def _day(world, text: str, model, calendar: Calendar) -> tuple[float, int]:
    """Return how far request rates of one UTC day are from what was expected, and its firings."""
    settings = DetectSettings(calendar=calendar)
    off, fired = [], 0
    for half in (12, 24):
        scores = scoring.score(world.history(_utc(text) + half * HOUR + 60), model, settings)
        observed = world.values(scores.times)[:3, 0]
        off.append(np.nanmean(np.abs(scores.expected[:3, 0] - observed) / observed))
        states = sustain.track(scores.workload[:3], 60, settings.hold_s, settings).states
        fired += int((states == 2).any(axis=1).sum())
    return float(np.mean(off)), fired


@pytest.mark.parametrize("day", ["2026-03-29", "2026-03-30", "2026-04-01", "2026-10-25", "2026-10-27"])
def test_a_job_that_runs_by_utc_is_none_either(world, starter, day: str) -> None:
    def job(values: np.ndarray, times: np.ndarray) -> None:
        running = (times % DAY >= 15 * HOUR) & (times % DAY < 16 * HOUR)
        values[:3, 0] *= np.where(running, 6, 1)
        values[:3, 1] += np.where(running, 0.2, 0)  # it fails a lot, every day

    world.events.append(job)
    _, fired = _day(world, day, starter, BERLIN)
    assert fired == 0


@pytest.mark.parametrize("with_model", [True, False])
@pytest.mark.parametrize(("week_before", "change"), [("2026-03-22", SPRING), ("2026-10-18", AUTUMN)])
def test_a_clock_change_is_not_an_incident(
    by_the_clock, starter, week_before: str, change: str, *, with_model: bool
) -> None:
    model = starter if with_model else None
    usual, fired_before = _day(by_the_clock, week_before, model, BERLIN)
    after, fired = _day(by_the_clock, change, model, BERLIN)
    assert fired <= (0 if with_model else fired_before)  # to a forest a Sunday is odd as well
    assert after < 1.2 * usual
    ignored, _ = _day(by_the_clock, change, model, Calendar())
    assert ignored > 1.4 * usual  # or this test would not notice


@pytest.mark.parametrize(
    ("before", "after"),
    [("2026-03-23", "2026-03-30"), ("2026-03-26", "2026-04-02"), ("2026-10-19", "2026-10-26")],
)
def test_the_week_after_a_clock_change_is_like_the_one_before(
    by_the_clock, starter, before: str, after: str
) -> None:
    usual, _ = _day(by_the_clock, before, starter, BERLIN)
    then, fired = _day(by_the_clock, after, starter, BERLIN)
    assert fired == 0
    assert then < 1.2 * usual


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_around_a_clock_change_a_later_run_gives_the_same_scores(by_the_clock, starter, change: str) -> None:
    settings = DetectSettings(calendar=BERLIN)
    runs: list[Scores] = [
        scoring.score(by_the_clock.history(_utc(change) + at), starter, settings)
        for at in (3_120, 4_200, 6 * HOUR + 420, 13 * HOUR + 60)  # before 01:00 UTC, after it, ...
    ]
    for first, second in pairwise(runs):
        common, at, again = np.intersect1d(first.times, second.times, return_indices=True)
        assert len(common) > 200
        np.testing.assert_array_equal(first.values[:, :, at], second.values[:, :, again])


def _moved(change: str, offset_h: int) -> FloatArray:
    """Return what becomes of the hours -3 to +5 around a change, each with its number as value."""
    times = _utc(change) + np.arange(-3, 6) * HOUR
    return local_time.moved(np.arange(-3.0, 6.0)[None], times, HOUR, offset_h * HOUR, BERLIN)[0]


def test_the_hour_that_clocks_skip_is_a_gap_and_of_the_one_they_show_twice_one_counts() -> None:
    np.testing.assert_array_equal(_moved(SPRING, 2), [-2, -1, 0, np.nan, 1, 2, 3, 4, 5])
    np.testing.assert_array_equal(_moved(AUTUMN, 1), [np.nan, -3, -2, -1, 1, 2, 3, 4, 5])


def test_away_from_clock_changes_nothing_is_moved() -> None:
    values = np.arange(96.0)[None]
    times = _utc("2026-05-01") + np.arange(96) * HOUR
    assert local_time.moved(values, times, HOUR, 2 * HOUR, BERLIN) is values
    assert local_time.spans(_utc("2026-05-01"), BERLIN) == (
        local_time.Span(_utc("2026-05-01"), _utc("2026-05-01"), _utc("2026-05-02"), 2 * HOUR),
    )


def test_a_day_with_a_clock_change_is_judged_in_two_parts() -> None:
    day = _utc(SPRING)
    assert local_time.spans(day, BERLIN) == (
        local_time.Span(day, day, day + HOUR, HOUR),
        local_time.Span(day, day + HOUR, day + DAY, 2 * HOUR),
    )
