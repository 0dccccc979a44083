"""Days worth telling: a mesh, what happens to it, and when somebody looks.

The seed moves noise, minutes and magnitudes a little, never what the right answer is. Nothing of
the pipeline reads this: it sees metrics and manifests only.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aiops.mesh.faults import Defect, Deploy, Event, Surge
from aiops.mesh.graph import Mesh, Service, default_mesh
from aiops.mesh.random_graph import random_graph

MINUTE, HOUR, DAY = 60, 3600, 86_400
# Wednesday 2026-03-18 22:30 UTC: half an hour into the nightly export, a quiet hour of the shop.
DEMO_END_S = 1_773_873_000
DEMO_DAYS = 16  # the day and week terms of the detector need 15


@dataclass(frozen=True, slots=True)
class Scenario:
    """What to simulate: [start_s, end_s] in unix seconds, whole minutes; the end is the judged time.

    `story`: what happens, told for a person; nothing reads it but the terminal.
    """

    mesh: Mesh
    events: tuple[Event, ...]
    start_s: int
    end_s: int
    seed: int
    story: tuple[str, ...] = ()


def demo(seed: int) -> Scenario:
    """Return the demo's evening.

    - checkout 1.15.0 fails a third of its requests since 25 to 29 minutes; web and mobile-api,
      which call it, fail with it;
    - search, two fixed pods, gets 2.5 to 2.65 times its load since 33 to 37 minutes, and sheds;
    - nightly-export is in its nightly peak, as every night;
    - recommendation 0.22.0 rolled out 40 minutes ago and does no harm;
    - wishlist exists for two hours.
    """
    rng = np.random.default_rng([seed, 18])
    end_s = DEMO_END_S
    start_s = end_s // DAY * DAY - DEMO_DAYS * DAY
    bad, surge = int(rng.integers(25, 30)), int(rng.integers(33, 38))
    share, factor = float(rng.uniform(0.30, 0.38)), float(rng.uniform(2.5, 2.65))
    wishlist = Service(
        "wishlist", "0.1.0", 2, 20.0, entry_rps=6.0, base_errors=0.0005, created_s=end_s - 2 * HOUR
    )
    mesh = default_mesh()
    mesh = replace(mesh, services=(wishlist, *mesh.services))
    events: tuple[Event, ...] = (
        *_ordinary_deploys(start_s),
        Deploy("recommendation", end_s - 40 * MINUTE, "0.22.0"),
        Surge("search", end_s - surge * MINUTE, end_s + 6 * HOUR, factor),
        Deploy("checkout", end_s - bad * MINUTE, "1.15.0", Defect("errors", share)),
    )
    story = (
        f"checkout 1.15.0, out since {bad} minutes, fails {share:.0%} of its requests; two services call it",
        f"search, two fixed pods, gets {factor:.1f} times its load since {surge} minutes",
        "nightly-export is in its nightly peak",
        "recommendation 0.22.0, out since 40 minutes, does no harm",
        "wishlist exists for two hours",
    )
    return Scenario(mesh, events, start_s, end_s, seed, story)


def _ordinary_deploys(start_s: int) -> tuple[Event, ...]:
    """Return releases of the past two weeks that did no harm, so that history has values to return to."""
    plan = (
        ("web", 3, 9.5, "5.3.1"),
        ("catalog", 4, 13.2, "2.11.1"),
        ("checkout", 6, 10.4, "1.14.3"),
        ("payment", 8, 9.1, "4.0.8"),
        ("search", 9, 14.6, "2.7.5"),
        ("mobile-api", 11, 12.3, "3.9.0"),
    )
    return tuple(Deploy(name, start_s + day * DAY + int(hour * HOUR), tag) for name, day, hour, tag in plan)


def ordinary(seed: int, days: int = 21, end_s: int = DEMO_END_S) -> Scenario:
    """Return weeks of another mesh on which nothing breaks: deploys without harm, flash crowds.

    The last day has neither, so that what a test adds there stands alone. At least 4 days.
    """
    mesh = random_graph(seed)
    rng = np.random.default_rng([seed, 19])
    start_s = end_s - days * DAY
    events: list[Event] = []
    for service in mesh.services:
        for number in range(int(rng.integers(0, 3))):
            at = start_s + int(rng.integers(DAY, (days - 1) * DAY)) // MINUTE * MINUTE
            events.append(Deploy(service.name, at, f"{service.tag}-r{number + 1}"))
        if service.entry_rps and rng.random() < 0.7:
            at = start_s + int(rng.integers(DAY, (days - 2) * DAY)) // MINUTE * MINUTE
            length = int(rng.integers(20, 60)) * MINUTE
            events.append(Surge(service.name, at, at + length, float(rng.uniform(1.2, 1.5))))
    events.sort(key=lambda event: (getattr(event, "start_s", 0), getattr(event, "service", "")))
    return Scenario(mesh, tuple(events), start_s, end_s, seed)
