"""Half of all connections fail in a fleet of sixteen services that know nothing of each other.

Comes in: a seed. Goes out: what a run that wants tracking issues left on the forge.
"""

from __future__ import annotations

from dataclasses import replace

from bench.decisions import judge
from bench.decisions.hosted import HeldForge, held
from bench.decisions.stage import stage

from aiops import pipeline
from aiops.mesh import repository
from aiops.mesh.answers import MeshMetrics
from aiops.mesh.faults import Outage
from aiops.mesh.plant import simulate

KEY = "abcdef012345"
MINUTE = 60


def storm(seed: int) -> HeldForge:
    """Play the storm, run once, and return the forge."""
    there = stage(seed)
    services = tuple(
        replace(one, calls=(), entry_rps=one.entry_rps or 0.3 * one.replicas * one.pod_rps)
        for one in there.mesh.services
    )
    mesh = replace(there.mesh, services=services)
    outages = tuple(Outage(one.name, there.now_s - 35 * MINUTE, there.now_s, 0.5) for one in services)
    events = tuple(sorted((*there.events, *outages), key=lambda event: event.start_s))
    metrics = MeshMetrics(simulate(mesh, there.start_s, there.now_s, events, (), seed))
    files = held(repository.history(mesh, events, there.start_s))
    forge, job = HeldForge(), replace(judge.job(), tracking=KEY)
    pipeline.run_once(job, metrics, files, forge, there.now_s, lambda _: None)
    return forge
