"""The plant: given a mesh, what happens to it and what is asked of it, how it runs.

Comes in: a `Mesh`, events, controls and a seed. Goes out: a `Trace`, columnar over the minutes:
per service load, utilisation, latency, errors and pods; per edge and version what the proxies
counted (`traffic.py`). Every value is a function of its minute and of what was before it: with
one more control or fault at t, all samples before t keep their bits.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aiops.domain import FloatArray, TimesArray
from aiops.mesh import load, rollout, settle, traffic
from aiops.mesh.asked import asked
from aiops.mesh.faults import BadCaller, Control, Crash, Event, Injection, NodeLoss, NoRoom, Surge
from aiops.mesh.graph import Mesh, Service
from aiops.mesh.settle import Running, Standing

STEP_S = 60


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """All that happened. `times`: int64 [T], one scrape a minute, both ends included.

    By service name: `standing` (pods, templates, what is asked), `running` (load, errors,
    latency) and `cores` [T], the CPU one ready pod uses. `flows`: what the proxies counted.
    """

    mesh: Mesh
    events: tuple[Event, ...]
    controls: tuple[Control, ...]
    seed: int
    times: TimesArray
    standing: Mapping[str, Standing]
    running: Mapping[str, Running]
    cores: Mapping[str, FloatArray]
    flows: tuple[traffic.Flow, ...]

    @property
    def start_s(self) -> int:
        """First scrape."""
        return int(self.times[0])

    @property
    def end_s(self) -> int:
        """Last scrape."""
        return int(self.times[-1])


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return the random stream of one purpose, independent of what else the simulation draws."""
    return np.random.default_rng(np.random.SeedSequence([seed, *(zlib.crc32(n.encode()) for n in names)]))


def simulate(
    mesh: Mesh,
    start_s: int,
    end_s: int,
    events: tuple[Event, ...] = (),
    controls: tuple[Control, ...] = (),
    seed: int = 0,
) -> Trace:
    """Run the mesh from `start_s` to `end_s` (whole minutes, both included).

    Raises ValueError for times off the minute or an event about an unknown service.
    """
    if start_s % STEP_S or end_s % STEP_S or end_s <= start_s:
        raise ValueError("start_s and end_s must be whole minutes, start before end")
    names = {service.name for service in mesh.services}
    unknown = [item for item in (*events, *controls) if getattr(item, "service", None) not in {*names, None}]
    if unknown:
        raise ValueError(f"{unknown[0]} is about a service that the mesh does not have")
    times = np.arange(start_s, end_s + 1, STEP_S, dtype=np.int64)
    surges = tuple(event for event in events if isinstance(event, Surge))
    entries = {s.name: load.entry_rate(s, surges, times, stream(seed, "load", s.name)) for s in mesh.services}
    wishes = _wishes(mesh, entries, times)
    standing = {s.name: _stand(mesh, s, times, events, controls, wishes[s.name], seed) for s in mesh.services}
    running = settle.settle(mesh, standing, entries)
    flows = [
        flow
        for source, destination, rate, retries in mesh.edges()
        for flow in traffic.draw(
            source,
            standing[destination],
            running[destination],
            entries[destination]
            if source == mesh.gateway
            else running[source].served * standing[source].calls(destination, rate),
            retries,
            stream(seed, "flow", source, destination),
            _bad_share(events, source, destination, times),
        )
    ]
    cores = {s.name: _cores(s, standing[s.name], running[s.name]) for s in mesh.services}
    return Trace(mesh, events, controls, seed, times, standing, running, cores, tuple(flows))


def _bad_share(events: tuple[Event, ...], source: str, destination: str, times: TimesArray) -> FloatArray:
    """Return [T] the share of one caller's requests to one callee that cannot be answered."""
    share = np.zeros(times.size)
    for event in events:
        if isinstance(event, BadCaller) and (event.service, event.to) == (source, destination):
            share[(times >= event.start_s) & (times < event.end_s)] = event.share
    return share


def resume(trace: Trace, controls: tuple[Control, ...], end_s: int) -> Trace:
    """Return the same simulation with more controls, up to `end_s`; what was before them is kept.

    It runs from the start again: that takes a second or two, and needs no saved state.
    """
    return simulate(trace.mesh, trace.start_s, end_s, trace.events, (*trace.controls, *controls), trace.seed)


def _wishes(mesh: Mesh, entries: dict[str, FloatArray], times: TimesArray) -> dict[str, FloatArray]:
    """Return [T] requests per second that reach each service on a good day: what autoscalers see.

    Clears the entry of a service before it exists.
    """
    rates: dict[str, FloatArray] = {}
    for service in mesh.services:
        if service.created_s is not None:
            entries[service.name] = np.where(times >= service.created_s, entries[service.name], 0.0)
        rates[service.name] = entries[service.name]
    for service in mesh.services:
        for call in service.calls:
            rates[call.to] = rates[call.to] + rates[service.name] * call.per_request
    return rates


def _stand(
    mesh: Mesh,
    service: Service,
    times: TimesArray,
    events: tuple[Event, ...],
    controls: tuple[Control, ...],
    wish: FloatArray,
    seed: int,
) -> Standing:
    """Return the pods of one service and how slow they are."""
    wanted = asked(service, times, events, controls)
    demand = wish * service.cpu_s_per_request
    for generation, defect in zip(wanted.generations, wanted.defects, strict=True):
        if defect is not None and defect.kind == "cpu":
            demand[generation.start :] *= defect.magnitude
    bounds = (wanted.minimum, wanted.maximum)
    replicas = rollout.run(
        service, _ground(mesh, events, times), wanted.generations, wanted.replicas, bounds, demand,
        wanted.created,
    )  # fmt: skip
    ready = rollout.ready_counts(replicas.pods, len(wanted.generations), times.size)
    ready[:, _during(service.name, Crash, events, times)] = 0
    lives = [(pod.node, pod.ready, pod.died) for pod in replicas.pods]
    jitter = np.exp(0.03 * load.correlated(stream(seed, "latency", service.name), times.size, 8.0))
    return Standing(
        service,
        wanted,
        replicas,
        ready,
        settle.slowness(lives, service.name, events, times),
        settle.refusals(service.name, ready, events, times),
        jitter,
        settle.slowness(lives, service.name, events, times, waiting=False),
        settle.fan_out(service.name, events, times),
        _during(service.name, Injection, events, times),
    )


def _during(
    name: str, kind: type[Crash | Injection], events: tuple[Event, ...], times: TimesArray
) -> np.typing.NDArray[np.bool_]:
    """Return [T] whether an event of one kind holds for a service."""
    found = np.zeros(times.size, dtype=bool)
    for event in events:
        if isinstance(event, kind) and event.service == name:
            found |= (times >= event.start_s) & (times < event.end_s)
    return found


def _ground(mesh: Mesh, events: tuple[Event, ...], times: TimesArray) -> rollout.Ground:
    """Return where pods may stand, in minutes of the simulation."""

    def minute(time_s: int) -> int:
        return int(np.searchsorted(times, time_s))

    lost = [(e.node, minute(e.start_s), minute(e.end_s)) for e in events if isinstance(e, NodeLoss)]
    full = [minute(e.start_s) for e in events if isinstance(e, NoRoom)]
    return rollout.Ground(mesh.nodes, tuple(lost), min(full, default=rollout.NEVER))


def _cores(service: Service, there: Standing, now: Running) -> FloatArray:
    """Return [T] CPU cores that one ready pod uses, bounded by its limit."""
    cpu = np.maximum((there.share * there.defect("cpu", 1.0)[:, None]).sum(axis=0), 1.0)
    pods = np.maximum(there.ready.sum(axis=0), 1)
    used = 0.01 + now.served / pods * service.cpu_s_per_request * cpu * there.busy
    return np.asarray(np.minimum(used, service.cpu_limit))
