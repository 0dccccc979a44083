"""Pods come and go: rolling updates, start delays, an autoscaler on CPU.

Comes in: what is asked for over time (generations, replicas, bounds) and the CPU the load needs.
Goes out: one `Pod` per pod with its life in minutes of the simulation. One pass over the minutes;
nothing in it looks ahead, so the past never depends on a later edit.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass, field

import numpy as np

from aiops.domain import FloatArray
from aiops.mesh.graph import Service

IntArray = np.typing.NDArray[np.int64]
NEVER = 1 << 40
# The alphabet of Kubernetes' generated names: no vowels, nothing that looks alike.
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True, slots=True)
class Generation:
    """One pod template: it is asked for from minute `start`. `broken`: its pods never get ready."""

    start: int
    tag: str
    revision: str
    broken: bool

    def replicaset(self, service: str) -> str:
        """Return the name of the ReplicaSet, which a rollback finds again."""
        return f"{service}-{_name(f'{service}:{self.tag}:{self.revision}', 10)}"


@dataclass(frozen=True, slots=True)
class Pod:
    """One pod: minutes [born, died), ready from `ready` on (NEVER when it does not start).

    `node`: "" for one that no node takes.
    """

    name: str
    generation: int
    node: str
    born: int
    ready: int
    died: int


@dataclass(frozen=True, slots=True, eq=False)
class Replicas:
    """Per minute [T]: pods asked for, the autoscaler's bounds and whether they hold it back."""

    wanted: IntArray
    minimum: IntArray
    maximum: IntArray
    limited: np.typing.NDArray[np.bool_]
    pods: tuple[Pod, ...]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where pods may stand: `lost` nodes as (node, from, to) in minutes, no room from minute `full` on."""

    nodes: tuple[str, ...]
    lost: tuple[tuple[str, int, int], ...] = ()
    full: int = NEVER

    def at(self, minute: int) -> tuple[str, ...]:
        """Return the nodes that take pods."""
        gone = {node for node, begin, end in self.lost if begin <= minute < end}
        return tuple(node for node in self.nodes if node not in gone)


@dataclass(slots=True)
class _Life:
    """A pod that is being simulated."""

    name: str
    generation: int
    node: str
    born: int
    ready: int
    died: int = NEVER


def _name(text: str, length: int) -> str:
    """Return `length` letters that depend on `text` only."""
    digest = hashlib.sha256(text.encode()).digest()
    return "".join(_ALPHABET[byte % len(_ALPHABET)] for byte in digest[:length])


@dataclass(slots=True)
class _Fleet:
    """The pods of one service while the minutes go by."""

    service: Service
    ground: Ground
    generations: tuple[Generation, ...]
    live: list[_Life] = field(default_factory=list)
    gone: list[_Life] = field(default_factory=list)
    made: int = 0

    def start(self, generation: int, minute: int, *, running: bool = False) -> None:
        """Create a pod; `running`: it stood there before the simulation began."""
        spec = self.generations[generation]
        delay = math.ceil(self.service.start_delay_s / 60)
        ready = NEVER if spec.broken else minute if running else minute + delay
        if self.service.kind == "StatefulSet":
            taken = {life.name for life in self.live}
            name = next(n for i in range(10_000) if (n := f"{self.service.name}-{i}") not in taken)
        else:
            replicaset = spec.replicaset(self.service.name)
            name = f"{replicaset}-{_name(f'{replicaset}:{self.made}', 5)}"
        # Spread over the nodes in order, each service from another one.
        nodes = self.ground.at(minute)
        node = nodes[(self.made + len(self.service.name)) % len(nodes)] if nodes else ""
        if not node or minute >= self.ground.full:
            node, ready = "", NEVER
        self.live.append(_Life(name, generation, node, minute, ready))
        self.made += 1

    def stop(self, life: _Life, minute: int) -> None:
        """End a pod."""
        life.died = minute
        self.live.remove(life)
        self.gone.append(life)

    def lose(self, minute: int) -> bool:
        """End the pods of the nodes that are lost at this minute; True when there were any."""
        gone = {node for node, begin, _ in self.ground.lost if begin == minute}
        hit = [life for life in self.live if life.node in gone]
        for life in hit:
            self.stop(life, minute)
        return bool(hit)

    def step(self, generation: int, wanted: int, minute: int) -> bool:
        """Take one minute of a rolling update (25 % surge, 25 % unavailable); True when it is done."""
        stateful = self.service.kind == "StatefulSet"
        surge = 0 if stateful else math.ceil(0.25 * wanted)
        floor = wanted - (1 if stateful else math.floor(0.25 * wanted))
        new = [life for life in self.live if life.generation == generation]
        old = [life for life in self.live if life.generation != generation]
        for life in list(reversed(new))[: max(0, len(new) - wanted)]:
            self.stop(life, minute)
        available = sum(life.ready <= minute for life in self.live)
        old.sort(key=lambda life: (life.ready <= minute, -life.born))
        for life in old:
            lost = life.ready <= minute
            if available - lost >= floor or not lost or wanted == 0:
                self.stop(life, minute)
                available -= lost
        new_count = sum(life.generation == generation for life in self.live)
        for _ in range(min(wanted - new_count, wanted + surge - len(self.live))):
            self.start(generation, minute)
        same = all(life.generation == generation for life in self.live)
        return same and len(self.live) == wanted and all(p.ready <= minute for p in self.live)


def run(
    service: Service,
    ground: Ground,
    generations: tuple[Generation, ...],
    replicas: IntArray,
    bounds: tuple[IntArray, IntArray],
    demand: FloatArray,
    created: int,
) -> Replicas:
    """Simulate the pods of one service.

    `replicas`: what git asks for [T], ignored with an autoscaler; `bounds`: its minimum and
    maximum [T]; `demand`: CPU cores that the offered load needs [T]; `created`: first minute.
    """
    steps = replicas.size
    fleet = _Fleet(service, ground, generations)
    wanted_at = np.zeros(steps, dtype=np.int64)
    limited = np.zeros(steps, dtype=bool)
    generation, wanted, done = 0, 0, True
    changes = {spec.start: index for index, spec in enumerate(generations)}
    recent: list[int] = []
    asked, needed = replicas.tolist(), demand.tolist()
    minimum, maximum = bounds[0].tolist(), bounds[1].tolist()
    for minute in range(created, steps):
        if minute in changes and changes[minute] != generation:
            generation, done = changes[minute], False
        if ground.lost and fleet.lose(minute):
            done = False
        before = wanted
        if service.autoscale is None:
            wanted = asked[minute]
        elif minute == created:
            use = needed[minute] / service.cpu_request / service.autoscale.target
            wanted = min(max(math.ceil(use), minimum[minute]), maximum[minute])
        else:
            wanted, raw = _autoscale(service, fleet, wanted, needed[minute], minute, recent)
            wanted = min(max(wanted, minimum[minute]), maximum[minute])
            limited[minute] = raw > maximum[minute] or raw < minimum[minute]
        if minute == created:
            for _ in range(wanted):
                fleet.start(generation, minute, running=True)
        elif not done or wanted != before:
            done = fleet.step(generation, wanted, minute)
        wanted_at[minute] = wanted
    pods = sorted([*fleet.gone, *fleet.live], key=lambda life: (life.born, life.name))
    frozen = tuple(
        Pod(p.name, p.generation, p.node, p.born, min(p.ready, p.died), min(p.died, steps)) for p in pods
    )
    return Replicas(wanted_at, bounds[0], bounds[1], limited, frozen)


def _autoscale(
    service: Service, fleet: _Fleet, current: int, demand: float, minute: int, recent: list[int]
) -> tuple[int, int]:
    """Return replicas to ask for, and what the CPU alone would ask for.

    https://kubernetes.io/docs/concepts/workloads/autoscaling/horizontal-pod-autoscale/: tolerance
    0.1, and the highest wish of the last 5 minutes on the way down.
    """
    target = service.autoscale.target if service.autoscale is not None else 1.0
    ready = max(1, sum(life.ready <= minute for life in fleet.live))
    # A pod cannot use more than its limit: a saturated service asks for more step by step.
    used = min(demand / ready, service.cpu_limit) / service.cpu_request
    ratio = used / target
    raw = current if abs(ratio - 1.0) <= 0.1 else math.ceil(ready * ratio)
    recent.append(raw)
    del recent[:-5]
    return (raw if raw >= current else min(current, max(recent))), raw


def ready_counts(pods: tuple[Pod, ...], generations: int, steps: int) -> IntArray:
    """Return [G, T] pods that are ready, per generation."""
    change = np.zeros((generations, steps + 1), dtype=np.int64)
    for pod in pods:
        change[pod.generation, min(pod.ready, steps)] += 1
        change[pod.generation, min(pod.died, steps)] -= 1
    return np.cumsum(change[:, :-1], axis=1)
