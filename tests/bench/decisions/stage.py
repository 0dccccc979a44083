"""Shops that nobody tuned by: for each seed another call graph, load and names, the same roles.

A scenario speaks of roles ("middle", "database"), so it can be played on every stage. Names,
sizes, protocols, load shapes, extra services and edges are drawn from the seed; the hour of the
day as well. Callees have room for all that their callers can pass on, so that only what a
scenario does makes something short.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import numpy as np
from bench.incidents.meshes import deploys

from aiops.mesh import load
from aiops.mesh.faults import Deploy, Event
from aiops.mesh.graph import Autoscale, Batch, Call, Habit, Mesh, Service
from aiops.mesh.plant import stream

MINUTE, HOUR, DAY = 60, 3_600, 86_400
# What the detector fits on, and nothing of last week: the rules are judged here, and twice the
# history is twice the time. bench-incidents plays ten days.
HISTORY_DAYS = 4
_NAMES = (
    "atlas", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "inlet", "jetty", "krill",
    "larch", "maple", "nacre", "otter", "petal", "quill", "raven", "sable", "tidal", "umber", "vireo",
)  # fmt: skip
# Role -> the roles it calls, from the front doors down. `green` stands behind the Service of `leaf`
# and gets hardly any of its requests: what waits for a blue-green switch.
_CALLS: dict[str, tuple[str, ...]] = {
    "door": ("middle", "auth", "side"),
    "scaled": ("middle", "auth"),
    "alone": (),
    "packed": (),
    "job": ("database",),
    "young": (),
    "middle": ("database", "leaf", "green"),
    "side": ("chart", "cache"),
    "auth": ("cache",),
    "chart": (),
    "leaf": (),
    "green": (),
    "cache": (),
    "database": (),
}
DOORS = ("door", "scaled", "alone", "packed", "young")
ROLES = tuple(_CALLS)


@dataclass(frozen=True, slots=True)
class Stage:
    """A mesh, who plays which role, what happened before, and when somebody looks.

    `room`: what each role could serve over what it is asked for at `now_s` on an ordinary day.
    """

    seed: int
    mesh: Mesh
    roles: dict[str, str]
    events: tuple[Event, ...]
    start_s: int
    now_s: int
    room: dict[str, float]


def stage(seed: int) -> Stage:
    """Return the stage of a seed."""
    rng = np.random.default_rng([seed, 97])
    day_s = int(datetime(2026, 9, 14, tzinfo=UTC).timestamp()) + int(rng.integers(5)) * DAY
    # Not near midnight: a look at 02:00 and later has all of its last hours on one day.
    now_s = day_s + int(rng.integers(8 * 60, 23 * 60)) * MINUTE
    start_s = day_s - HISTORY_DAYS * DAY
    names = [str(name) for name in rng.permutation(_NAMES)]
    roles = dict(zip(ROLES, names, strict=False))
    extra = names[len(ROLES) : len(ROLES) + int(rng.integers(0, 4))]
    services = _services(rng, roles, extra, now_s)
    mesh = Mesh(_sized(rng, services, roles), namespace="apps", nodes=tuple(f"node-{i}" for i in range(5)))
    quiet_s = now_s - 26 * HOUR  # nothing of the past is near what a scenario does
    ordinary = deploys(mesh, rng, start_s + DAY, quiet_s, 0.7)
    past = [e for e in ordinary if isinstance(e, Deploy) and e.service != roles["young"]]
    first = [_first(mesh.service(name), past, start_s) for role, name in roles.items() if role != "young"]
    events = tuple(sorted((*past, *first), key=lambda event: event.start_s))
    return Stage(seed, mesh, roles, events, start_s, now_s, _room(mesh, roles, now_s))


def _first(service: Service, past: list[Deploy], start_s: int) -> Deploy:
    """Return a release at the start: every service has an earlier value that somebody could want."""
    number = sum(event.service == service.name for event in past)
    return Deploy(service.name, start_s + 6 * HOUR, f"{service.tag}-p{number}")


def _services(rng: np.random.Generator, roles: dict[str, str], extra: list[str], now_s: int) -> list[Service]:
    """Return all services without pods, callers first."""
    order = list(_CALLS)
    found = []
    for role in order:
        name = roles[role]
        calls = [Call(roles[to], 0.0005 if to == "green" else _times(rng)) for to in _CALLS[role]]
        # Another graph for each seed: some edges more, some of the doors' edges less.
        later = [to for to in order[order.index(role) + 1 :] if to in ("side", "chart", "leaf", "cache")]
        if role in ("scaled", "middle", "auth") and later and rng.random() < 0.5:
            to = str(rng.choice(later))
            if roles[to] not in {call.to for call in calls}:
                calls.append(Call(roles[to], _times(rng)))
        found.append(replace(_service(rng, name, role, now_s, roles["leaf"]), calls=tuple(calls)))
    found.extend(_service(rng, name, "leaf", now_s) for name in extra)
    linked = []
    for service in found:
        more = [Call(name, _times(rng)) for name in extra if service.calls and rng.random() < 0.4]
        linked.append(replace(service, calls=(*service.calls, *more)))
    called = {call.to for service in linked for call in service.calls}
    return [
        s if s.name in called or s.entry_rps or s.batch else replace(s, entry_rps=float(rng.uniform(5, 20)))
        for s in linked
    ]


def _times(rng: np.random.Generator) -> float:
    return float(np.round(rng.uniform(0.35, 1.1), 2))


def _service(rng: np.random.Generator, name: str, role: str, now_s: int, behind: str = "") -> Service:
    """Return one service as its role wants it, without calls and pods."""
    major, minor, patch = int(rng.integers(1, 8)), int(rng.integers(0, 20)), int(rng.integers(0, 9))
    door = role in DOORS
    memory = float(rng.integers(12, 40) * 10)
    made = Service(
        name,
        f"{major}.{minor}.{patch}",
        replicas=2,
        # Doors are slow enough to need a few pods; what they call is quick.
        work_ms=float(np.round(rng.uniform(18.0, 45.0) if door else rng.uniform(5.0, 16.0), 1)),
        entry_rps=float(np.round(rng.uniform(20.0, 60.0), 1)) if door else 0.0,
        swing=float(rng.uniform(0.2, 0.5)),
        peak_h=float(rng.uniform(8.0, 21.0)),
        protocol="grpc" if rng.random() < 0.3 else "http",
        workers=int(rng.integers(1, 4)),
        queue=int(rng.integers(40, 120)),
        tail=float(rng.uniform(3.0, 4.5)),
        base_errors=float(rng.choice([0.0, 0.0003, 0.001])),
        memory_mib=memory,
        memory_limit_mib=2.5 * memory,
        habit=_habit(rng),
        sidecar=bool(rng.random() < 0.3),
    )
    if role == "database":
        return replace(made, kind="StatefulSet", cpu_limit=2.0, cpu_request=1.5, start_delay_s=120)
    if role == "green":
        return replace(made, behind=behind, base_errors=float(rng.uniform(0.15, 0.5)))
    if role == "chart":
        return replace(made, helm=True)
    if role == "young":
        return replace(made, created_s=now_s - 3 * HOUR, entry_rps=float(rng.uniform(5, 15)))
    if role == "job":
        begins = int(rng.integers(0, 24)) * HOUR
        return replace(made, entry_rps=1.0, swing=0.1, batch=Batch(begins, HOUR, float(rng.uniform(10, 25))))
    return made


def _habit(rng: np.random.Generator) -> Habit:
    """Return when people come: one peak or two, calm or bursty."""
    twice = float(rng.uniform(0.4, 1.0)) if rng.random() < 0.4 else 0.0
    bursts = float(rng.uniform(0.03, 0.07)) if rng.random() < 0.3 else 0.0
    return Habit("Europe/Berlin", twice=twice, bursts=bursts)


def _sized(rng: np.random.Generator, services: list[Service], roles: dict[str, str]) -> tuple[Service, ...]:
    """Return the services with pods: doors for their peak, the others for what doors can pass on."""
    most = {service.name: 0.0 for service in services}
    found = []
    for service in services:
        busy = float(rng.uniform(0.35, 0.6))
        peak = 1.75 * service.entry_rps + (service.batch.rps if service.batch else 0.0)
        pods = max(2, math.ceil(peak / service.pod_rps / busy))
        scale = None
        if service.name == roles["scaled"]:
            scale = Autoscale(2, pods + int(rng.integers(1, 4)))
        elif service.name == roles["packed"]:
            pods = min(pods, 4)
            scale = Autoscale(pods, pods)
        elif service.entry_rps == 0 and not service.batch:
            other = roles["leaf"] if service.name == roles["green"] else service.name
            pods = max(2, math.ceil(most[other] / service.pod_rps / float(rng.uniform(0.7, 0.85))))
        upper = scale.maximum if scale else pods
        passed = upper * service.pod_rps if peak else most[service.name]
        for call in service.calls:
            most[call.to] += passed * call.per_request
        found.append(replace(service, replicas=pods, autoscale=scale))
    return tuple(found)


def _room(mesh: Mesh, roles: dict[str, str], now_s: int) -> dict[str, float]:
    """Return by role how many times its ordinary load at `now_s` its pods could serve."""
    times = np.array([now_s], dtype=np.int64)
    calm = {
        s.name: float(load.entry_rate(replace(s, habit=replace(s.habit, bursts=0.0)), (), times,
                                      stream(0, "none"))[0]) if s.entry_rps else 0.0
        for s in mesh.services
    }  # fmt: skip
    for service in mesh.services:
        for call in service.calls:
            calm[call.to] += calm[service.name] * call.per_request
    room = {}
    for role, name in roles.items():
        service = mesh.service(name)
        pods = service.autoscale.maximum if service.autoscale else service.replicas
        room[role] = pods * service.pod_rps / max(calm[name], 1e-6)
    return room
