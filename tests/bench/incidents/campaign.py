"""Which faults are put into which mesh: every kind, from obvious to barely visible, one at a time.

The list is a function of the seed alone. Magnitudes mean what `aiops.mesh.faults` says.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
from bench.incidents import meshes
from bench.incidents.meshes import DAY, HOUR, MINUTE, ZONE, Unseen

from aiops.detect.settings import Calendar
from aiops.mesh.faults import (
    BadNode,
    ConfigChange,
    Defect,
    DefectKind,
    Deploy,
    Event,
    Outage,
    Saturation,
    Surge,
)

# Five levels each, the first one obvious, the last one barely visible; one where it has no size.
# Most services of these meshes use a small part of what their pods can do: it takes many times the
# load or the work to hurt them.
MAGNITUDES: dict[str, tuple[float, ...]] = {
    "errors": (0.5, 0.15, 0.05, 0.02, 0.008),  # share of requests
    "latency": (3_000, 1_000, 300, 100, 30),  # ms added
    "hang": (0.3, 0.1, 0.03, 0.01, 0.004),  # share of requests
    "crash-loop": (1.0,),
    "image-pull": (1.0,),
    "memory-leak": (3_000, 1_000, 300, 100, 30),  # MiB per hour and pod
    "cpu": (20.0, 8.0, 4.0, 2.0, 1.3),  # times the work per request
    "config change": (0.4, 0.1, 0.04, 0.015, 0.006),  # share of requests that fail
    "surge": (20.0, 8.0, 4.0, 2.0, 1.4),  # times the load
    "outage": (1.0, 0.7, 0.4, 0.2, 0.1),  # share of connections refused
    "saturation": (20.0, 8.0, 4.0, 2.0, 1.3),  # times the work per request
    "bad node": (30.0, 10.0, 5.0, 2.5, 1.5),  # times slower
}
WATCHED_S = 100 * MINUTE  # simulated after the start of a fault
HISTORY_DAYS = 9


@dataclass(frozen=True, slots=True)
class Case:
    """One fault at `service` (with a bad node: on one of its nodes); `level` 1..5, 1 = obvious."""

    seed: int
    kind: str
    level: int
    magnitude: float
    service: str
    start_s: int

    @property
    def end_s(self) -> int:
        """The newest minute that is simulated."""
        return self.start_s + WATCHED_S


@dataclass(frozen=True, slots=True)
class Stage:
    """The mesh of a seed, its ordinary events, and the day on which the faults happen."""

    there: Unseen
    events: tuple[Event, ...]
    calendar: Calendar
    day_s: int

    @property
    def start_s(self) -> int:
        """First minute simulated: a week before what is read, and ten minutes for the rates."""
        return self.day_s - HISTORY_DAYS * DAY - 10 * MINUTE


def stage(seed: int) -> Stage:
    """Return where the faults of a seed happen: any day of the week, no holiday near."""
    calendar = Calendar(ZONE)
    there = meshes.unseen(seed, calendar)
    rng = np.random.default_rng([seed, 83])
    day_s = int(datetime(2026, 9, 14, tzinfo=UTC).timestamp()) + int(rng.integers(7)) * DAY
    start_s = day_s - HISTORY_DAYS * DAY
    return Stage(there, tuple(meshes.deploys(there.mesh, rng, start_s, day_s, 0.7)), calendar, day_s)


def cases(seed: int) -> tuple[Case, ...]:
    """Return the faults of one seed: two levels of each kind, so that five seeds have each level twice."""
    there = stage(seed)
    rng = np.random.default_rng([seed, 89])
    names = [service.name for service in there.there.mesh.services]
    # A batch alone is no front door: a surge there would be one of a job.
    doors = [s.name for s in there.there.mesh.services if s.entry_rps and s.batch is None]
    doors = doors or [s.name for s in there.there.mesh.services if s.entry_rps]
    found = []
    for number, (kind, magnitudes) in enumerate(MAGNITUDES.items()):
        picks = {(seed + number) % len(magnitudes), (seed + number + 2) % len(magnitudes)}
        for level in sorted(picks):
            service = str(rng.choice(doors if kind == "surge" else names))
            minute = int(rng.integers(2 * 60, 22 * 60))
            start_s = there.day_s + minute * MINUTE
            found.append(Case(seed, kind, level + 1, float(magnitudes[level]), service, start_s))
    return tuple(found)


def event(case: Case, node: str) -> Event:
    """Return the fault; it lasts longer than anybody watches. `node`: where a pod of it runs."""
    end_s = case.start_s + 6 * HOUR
    match case.kind:
        case "config change":
            return ConfigChange(case.service, case.start_s, "bad", Defect("errors", case.magnitude))
        case "surge":
            return Surge(case.service, case.start_s, end_s, case.magnitude)
        case "outage":
            return Outage(case.service, case.start_s, end_s, case.magnitude)
        case "saturation":
            return Saturation(case.service, case.start_s, end_s, case.magnitude)
        case "bad node":
            return BadNode(node, case.start_s, end_s, case.magnitude)
    kind: DefectKind = case.kind  # type: ignore[assignment]
    return Deploy(case.service, case.start_s, "9.9.9-bad", Defect(kind, case.magnitude))
