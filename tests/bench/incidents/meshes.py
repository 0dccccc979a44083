"""Meshes nobody trained on: random call graphs whose users have other days and weeks.

Comes in: a seed. Goes out: a mesh, what happens in it without harm, and the calendar its owner
would have written down.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aiops.detect.settings import Calendar
from aiops.mesh.faults import Deploy, Event, Surge
from aiops.mesh.graph import Batch, Habit, Mesh, Service
from aiops.mesh.random_graph import random_graph

MINUTE, HOUR, DAY = 60, 3_600, 86_400
ZONE = "Europe/Berlin"
SHAPES = ("shop", "office", "two peaks", "bursty", "night job")


@dataclass(frozen=True, slots=True)
class Unseen:
    """A mesh and the shape of the load behind each front door, by service name."""

    mesh: Mesh
    shapes: dict[str, str]


def unseen(seed: int, calendar: Calendar) -> Unseen:
    """Return the mesh of a seed; its users live by the clock and holidays of `calendar`."""
    mesh = random_graph(seed)
    rng = np.random.default_rng([seed, 73])
    shapes: dict[str, str] = {}
    services = []
    for service in mesh.services:
        if service.entry_rps:
            shapes[service.name] = str(rng.choice(SHAPES))
            services.append(_shaped(service, shapes[service.name], calendar, rng))
        else:
            services.append(service)
    return Unseen(replace(mesh, services=tuple(services)), shapes)


def _shaped(service: Service, shape: str, calendar: Calendar, rng: np.random.Generator) -> Service:
    """Return a front door with another load. Judged shapes stay below the peak its pods are made for."""
    habit = Habit(calendar.timezone, holidays=calendar.holidays)
    if shape == "office":  # quiet weekends and nights
        week = (1.0, 1.03, 1.02, 1.0, 0.92, 0.35, 0.3)
        return replace(service, habit=replace(habit, week=week), swing=0.7, peak_h=float(rng.uniform(10, 15)))
    if shape == "two peaks":  # lunch and late evening, or morning and evening
        return replace(service, habit=replace(habit, twice=float(rng.uniform(0.5, 1.0))))
    if shape == "bursty":
        return replace(service, habit=replace(habit, bursts=float(rng.uniform(0.06, 0.12))))
    if shape == "night job":  # hardly any day, hours of work at night; cron runs in UTC
        start_s = int(rng.integers(20, 27)) % 24 * HOUR
        batch = Batch(start_s, int(rng.integers(1, 5)) * HOUR, 0.9 * service.entry_rps)
        return replace(service, habit=habit, swing=0.1, entry_rps=0.2 * service.entry_rps, batch=batch)
    return replace(service, habit=habit)


def deploys(mesh: Mesh, rng: np.random.Generator, start_s: int, end_s: int, weekly: float) -> list[Event]:
    """Return releases without harm, `weekly` per service and week on average."""
    found: list[Event] = []
    for service in mesh.services:
        for number in range(int(rng.poisson(weekly * (end_s - start_s) / (7 * DAY)))):
            at = int(rng.integers(start_s, end_s)) // MINUTE * MINUTE
            found.append(Deploy(service.name, at, f"{service.tag}-r{number + 1}"))
    return sorted(found, key=lambda event: (event.start_s, event.service))


def crowds(mesh: Mesh, rng: np.random.Generator, start_s: int, end_s: int) -> list[Surge]:
    """Return about one flash crowd per front door and week, meant to fit into what the pods can do."""
    found = []
    for service in mesh.services:
        for _ in range(int(rng.poisson((end_s - start_s) / (7 * DAY))) if service.entry_rps else 0):
            at = int(rng.integers(start_s, end_s)) // MINUTE * MINUTE
            length, ramp = int(rng.integers(20, 90)) * MINUTE, int(rng.integers(2, 15)) * MINUTE
            found.append(Surge(service.name, at, at + length, float(rng.uniform(1.2, 1.6)), ramp))
    return sorted(found, key=lambda event: (event.start_s, event.service))
