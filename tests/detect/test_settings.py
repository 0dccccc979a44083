from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest

from aiops.detect.settings import Calendar


def _at(text: str) -> np.ndarray:
    return np.array([datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()], dtype=np.int64)


@pytest.mark.parametrize(
    ("zone", "utc", "local_hour"),
    [
        ("UTC", "2026-03-28T12:00", 12.0),
        ("Europe/Berlin", "2026-03-28T12:00", 13.0),  # the day before the clocks change
        ("Europe/Berlin", "2026-03-29T12:00", 14.0),
        ("Asia/Kolkata", "2026-03-28T12:00", 17.5),
    ],
)
def test_the_clock_is_local(zone: str, utc: str, local_hour: float) -> None:
    sine, cosine, _ = Calendar(zone).clock(_at(utc))[0]
    hour = (np.arctan2(sine, cosine) / (2 * np.pi) * 24) % 24
    assert hour == pytest.approx(local_hour, abs=1e-3)


@pytest.mark.parametrize(
    ("utc", "free"),
    [
        ("2026-03-27T12:00", 0.0),
        ("2026-03-28T12:00", 1.0),  # Saturday
        ("2026-03-27T23:30", 1.0),  # already Saturday in Berlin
        ("2026-04-06T12:00", 1.0),  # a holiday
    ],
)
def test_weekends_and_holidays_are_days_off(utc: str, free: float) -> None:
    assert Calendar("Europe/Berlin", ("2026-04-06",)).clock(_at(utc))[0, 2] == free


def test_excluded_spans_are_not_learned_from() -> None:
    times = np.concatenate([_at("2026-03-01T00:00"), _at("2026-03-02T00:00"), _at("2026-03-03T00:00")])
    calendar = Calendar(excluded=(("2026-03-01T12:00:00Z", "2026-03-02T12:00"),))
    assert calendar.learnable(times).tolist() == [True, False, True]
