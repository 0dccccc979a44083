"""How much enters the mesh: open loop, with a day, a week, noise, surges and a nightly peak.

Comes in: a service, the minutes, its random stream. Goes out: requests per second [T]. The value
of a minute depends only on minutes up to it, so later events leave the past as it was.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from aiops.domain import FloatArray, TimesArray
from aiops.mesh.faults import Surge
from aiops.mesh.graph import Habit, Service

DAY_S = 86_400
MEMORY = 90  # minutes of memory of the fast noise


def correlated(rng: np.random.Generator, steps: int, minutes: float) -> FloatArray:
    """Return [T] noise of unit variance with a memory of `minutes`.

    A causal moving average: sample t reads draws up to t only, so a longer run starts with the
    same numbers.
    """
    weights = np.exp(-np.arange(MEMORY) / minutes)
    weights /= np.sqrt(np.sum(weights**2))
    draws = rng.standard_normal(steps + MEMORY - 1)
    total = np.zeros(steps)
    # Tap by tap: a matrix product or a convolution rounds differently for another length.
    for tap, weight in enumerate(weights):
        total += weight * draws[MEMORY - 1 - tap : MEMORY - 1 - tap + steps]
    return total


def _day_levels(rng: np.random.Generator, times: TimesArray, sigma: float) -> FloatArray:
    """Return [T] slow drift: one level per day, drawn in order of days, joined by straight lines."""
    days = (times - times[0]) / DAY_S
    levels = rng.standard_normal(int(days[-1]) + 2) * sigma
    return np.asarray(np.interp(days, np.arange(levels.size), levels))


def shape(service: Service, times: TimesArray) -> FloatArray:
    """Return [T] the expected load of a service relative to its daily mean."""
    habit = service.habit
    local = times + _offset_s(habit.timezone, times)
    hours = (local % DAY_S) / 3600.0
    angle = 2 * np.pi * (hours - service.peak_h) / 24.0
    once = 0.85 * np.cos(angle) + 0.2 * np.cos(2 * angle + 0.9)
    daily = 1.0 + service.swing * ((1.0 - habit.twice) * once + habit.twice * 0.85 * np.cos(2 * angle))
    day = (local / DAY_S + 3) % 7  # 1970-01-01 was a Thursday; 0 = Monday 00:00
    # Levels stand at noon and are joined by lines: no step at midnight.
    weekly = np.interp((day - 0.5) % 7, np.arange(8), [*habit.week, habit.week[0]])
    return np.asarray(daily * weekly * _holiday_factor(habit, local), dtype=np.float64)


def _offset_s(timezone: str, times: TimesArray) -> TimesArray:
    """Return [T] seconds that local clocks are ahead of UTC, looked up once an hour."""
    if timezone == "UTC":
        return np.zeros(times.size, dtype=np.int64)
    zone = ZoneInfo(timezone)
    hours, inverse = np.unique(times // 3600, return_inverse=True)
    moments = (datetime.fromtimestamp(int(hour) * 3600, tz=UTC).astimezone(zone) for hour in hours)
    found = [int((moment.utcoffset() or timedelta(0)).total_seconds()) for moment in moments]
    return np.array(found, dtype=np.int64)[inverse]


def _holiday_factor(habit: Habit, local: TimesArray) -> FloatArray:
    """Return [T] what holidays do to the load: a Sunday's level at noon, lines to the days around."""
    if not habit.holidays:
        return np.ones(local.size)
    first = int(local[0]) // DAY_S - 1
    days = np.arange(first, int(local[-1]) // DAY_S + 2)
    free = {date.fromisoformat(day).toordinal() - date(1970, 1, 1).toordinal() for day in habit.holidays}
    week = np.array(habit.week)
    level = np.where(np.isin(days, list(free)), week[6] / week[(days + 3) % 7], 1.0)
    return np.asarray(np.interp(local / DAY_S - 0.5, days, level))


def surge_factor(service: str, surges: tuple[Surge, ...], times: TimesArray) -> FloatArray:
    """Return [T] the factor of all surges at one front door; 1.0 outside of them."""
    factor = np.ones(times.size)
    for surge in surges:
        if surge.service == service:
            up = np.clip((times - surge.start_s) / max(surge.ramp_s, 1), 0.0, 1.0)
            down = np.clip((surge.end_s - times) / max(surge.ramp_s, 1), 0.0, 1.0)
            factor *= 1.0 + (surge.factor - 1.0) * np.minimum(up, down)
    return factor


def entry_rate(
    service: Service, surges: tuple[Surge, ...], times: TimesArray, rng: np.random.Generator
) -> FloatArray:
    """Return [T] requests per second that enter the mesh at one service."""
    fast, slow, quick = rng.spawn(3)  # apart: how much one draws must not move the other
    noise = 0.03 * correlated(fast, times.size, 20.0) + _day_levels(slow, times, 0.03)
    if service.habit.bursts:
        noise = noise + service.habit.bursts * correlated(quick, times.size, 5.0)
    rate = service.entry_rps * shape(service, times)
    if service.batch is not None:
        since = (times - service.batch.start_s) % DAY_S
        ramp = np.minimum(since, service.batch.length_s - since) / 300.0
        rate = rate + service.batch.rps * np.clip(ramp, 0.0, 1.0)
    return np.asarray(rate * np.exp(noise) * surge_factor(service.name, surges, times), dtype=np.float64)
