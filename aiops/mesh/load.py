"""How much enters the mesh: open loop, with a day, a week, noise, surges and a nightly peak.

Comes in: a service, the minutes, its random stream. Goes out: requests per second [T]. The value
of a minute depends only on minutes up to it, so later events leave the past as it was.
"""

from __future__ import annotations

import numpy as np

from aiops.domain import FloatArray, TimesArray
from aiops.mesh.faults import Surge
from aiops.mesh.graph import Service

DAY_S = 86_400
# Monday .. Sunday: the weekend of a shop is busier in the evening and quieter at noon; the mean is lower.
WEEK = np.array([0.98, 1.0, 1.01, 1.02, 1.05, 0.9, 0.86])
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
    hours = (times % DAY_S) / 3600.0
    angle = 2 * np.pi * (hours - service.peak_h) / 24.0
    daily = 1.0 + service.swing * (0.85 * np.cos(angle) + 0.2 * np.cos(2 * angle + 0.9))
    day = (times / DAY_S + 3) % 7  # 1970-01-01 was a Thursday; 0 = Monday 00:00
    # Levels stand at noon and are joined by lines: no step at midnight.
    weekly = np.interp((day - 0.5) % 7, np.arange(8), np.append(WEEK, WEEK[0]))
    return np.asarray(daily * weekly, dtype=np.float64)


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
    fast, slow = rng.spawn(2)  # apart: how much one draws must not move the other
    noise = 0.03 * correlated(fast, times.size, 20.0) + _day_levels(slow, times, 0.03)
    rate = service.entry_rps * shape(service, times)
    if service.batch is not None:
        since = (times - service.batch.start_s) % DAY_S
        ramp = np.minimum(since, service.batch.length_s - since) / 300.0
        rate = rate + service.batch.rps * np.clip(ramp, 0.0, 1.0)
    return np.asarray(rate * np.exp(noise) * surge_factor(service.name, surges, times), dtype=np.float64)
