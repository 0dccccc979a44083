"""Where load, latency and errors of all services settle, minute by minute.

Load runs down the graph (callers first), latency and errors run up (callees first), and retries
couple the two: a few rounds of both settle it. All arrays are over the minutes [T]; a minute
never reads another one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aiops.domain import FloatArray, TimesArray
from aiops.mesh import queueing
from aiops.mesh.asked import Asked
from aiops.mesh.faults import BadNode, Event, FanOut, Injection, Outage, Saturation
from aiops.mesh.graph import Mesh, Service
from aiops.mesh.rollout import IntArray, Replicas

ROUNDS = 4  # of load down, errors up. Fixed, so that a run has a known cost; judgement, not a limit
HANG_MS = 15_000.0  # a request that hangs ends here: Envoy's default route timeout


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """What is there to serve one service: pods ready per generation [G, T], and its slowness [T].

    `busy`: the part of the slowness that is work for the CPU [T]; the rest is waiting. `more`: by
    callee, the factor on the calls to it [T]. `injected`: minutes in which proxies refuse [T].
    """

    service: Service
    asked: Asked
    replicas: Replicas
    ready: IntArray
    slowness: FloatArray
    refused: FloatArray
    jitter: FloatArray
    busy: FloatArray
    more: Mapping[str, FloatArray]
    injected: np.typing.NDArray[np.bool_]

    @property
    def share(self) -> FloatArray:
        """[G, T] share of the requests that each generation serves; 0 without pods."""
        return np.asarray(self.ready / np.maximum(self.ready.sum(axis=0), 1))

    def defect(self, kind: str, neutral: float = 0.0) -> FloatArray:
        """Return [G] the magnitude of one kind of defect per generation, `neutral` without it."""
        found = (d.magnitude if d and d.kind == kind else neutral for d in self.asked.defects)
        return np.array(list(found))

    def calls(self, to: str, per_request: float) -> FloatArray | float:
        """Return calls to one callee per request served, a number or [T]."""
        rate: FloatArray | float = per_request
        if any(d is not None and d.kind == "fan-out" for d in self.asked.defects):
            rate = rate * (self.share * self.defect("fan-out", 1.0)[:, None]).sum(axis=0)
        return rate * self.more[to] if to in self.more else rate


@dataclass(slots=True, eq=False)
class Running:
    """Where one service settled, all [T] except `errors` [G, T].

    `offered`: attempts per second; `served`: those a pod worked on; `rho`: utilisation; `shed`:
    share turned away with 503; `hang`: share of the served that never ends; `errors`: share of
    the rest answered with an error, per generation; `latency`: mean ms of an answer.
    """

    offered: FloatArray
    served: FloatArray
    rho: FloatArray
    shed: FloatArray
    hang: FloatArray
    errors: FloatArray
    latency: FloatArray

    def turned_away(self, refused: FloatArray) -> FloatArray:
        """Return the share of attempts that a caller may try again."""
        return refused + (1.0 - refused) * self.shed

    def lost(self, standing: Standing, retries: int) -> FloatArray:
        """Return the share of calls that fail for good."""
        away = self.turned_away(standing.refused)
        failed = self.hang + (1.0 - self.hang) * (standing.share * self.errors).sum(axis=0)
        return np.asarray(away ** (retries + 1) + (1.0 - away ** (retries + 1)) * failed)


def attempts(away: FloatArray, retries: int) -> FloatArray:
    """Return attempts per call when a share `away` of them is turned away."""
    return np.asarray(sum(away**n for n in range(retries + 1)))


def slowness(standing_nodes: Sequence[tuple[str, int, int]], name: str, events: Sequence[Event],
             times: TimesArray, *, waiting: bool = True) -> FloatArray:  # fmt: skip
    """Return [T] the factor on the work of one request: saturation, and pods on a bad node.

    `standing_nodes`: (node, ready, died) in minutes per pod. `waiting`: what only waits counts too.
    """
    factor = np.ones(times.size)
    for event in events:
        during = (times >= getattr(event, "start_s", 0)) & (times < getattr(event, "end_s", 0))
        if isinstance(event, Saturation) and event.service == name and (waiting or not event.waits):
            factor = np.where(during, factor * event.factor, factor)
        elif isinstance(event, BadNode):
            here, every = np.zeros(times.size), np.zeros(times.size)
            for node, ready, died in standing_nodes:
                every[ready:died] += 1.0
                here[ready:died] += node == event.node
            share = here / np.maximum(every, 1.0)
            factor = np.where(during, factor * (1.0 + (event.factor - 1.0) * share), factor)
    return np.asarray(factor)


def refusals(name: str, ready: IntArray, events: Sequence[Event], times: TimesArray) -> FloatArray:
    """Return [T] the share of connections nobody takes: outages, injected faults, or no pod ready."""
    refused = (ready.sum(axis=0) == 0).astype(np.float64)
    for event in events:
        if isinstance(event, Outage | Injection) and event.service == name:
            during = (times >= event.start_s) & (times < event.end_s)
            refused = np.where(during, np.maximum(refused, event.share), refused)
    return np.asarray(refused)


def fan_out(name: str, events: Sequence[Event], times: TimesArray) -> dict[str, FloatArray]:
    """Return by callee the factor [T] that events put on the calls of one service."""
    found: dict[str, FloatArray] = {}
    for event in events:
        if isinstance(event, FanOut) and event.service == name:
            during = (times >= event.start_s) & (times < event.end_s)
            found[event.to] = found.get(event.to, np.ones(times.size)) * np.where(during, event.factor, 1.0)
    return found


def settle(
    mesh: Mesh, standing: Mapping[str, Standing], entries: Mapping[str, FloatArray]
) -> dict[str, Running]:
    """Return where every service settles. `entries`: requests per second from outside, by service."""
    zero = np.zeros(next(iter(standing.values())).slowness.size)
    state = {
        name: Running(zero, zero, zero, zero, zero, np.zeros(s.ready.shape), zero)
        for name, s in standing.items()
    }
    for _ in range(ROUNDS):
        for now in state.values():
            now.offered = zero
        for source, destination, per_request, retries in mesh.edges():
            if source == mesh.gateway:
                away = state[destination].turned_away(standing[destination].refused)
                rate = entries[destination] * per_request * attempts(away, retries)
                state[destination].offered = state[destination].offered + rate
        for service in mesh.services:  # callers first: the load of a service is complete here
            _load(service, standing[service.name], state[service.name])
            for call in service.calls:
                callee, there = state[call.to], standing[call.to]
                away = attempts(callee.turned_away(there.refused), call.retries)
                made = standing[service.name].calls(call.to, call.per_request)
                callee.offered = callee.offered + state[service.name].served * made * away
        for service in reversed(mesh.services):
            _answer(service, standing, state)
    return state


def _load(service: Service, there: Standing, now: Running) -> None:
    """Set utilisation, shedding and what is served, from what is offered."""
    cpu, hang = there.defect("cpu", 1.0), there.defect("hang")
    pods = np.maximum(there.ready.sum(axis=0), 1)
    now.hang = (there.share * hang[:, None]).sum(axis=0)
    factor = np.maximum((there.share * cpu[:, None]).sum(axis=0), 0.01) * there.slowness
    # A request that hangs keeps its worker for as long as the caller waits.
    work_ms = service.work_ms * factor * (1.0 - now.hang) + HANG_MS * now.hang
    arriving = now.offered * (1.0 - there.refused)
    now.rho = arriving / pods / (service.workers / work_ms * 1000.0)
    now.shed = queueing.blocked(now.rho, service.queue + service.workers)
    now.served = arriving * (1.0 - now.shed)


def _answer(service: Service, standing: Mapping[str, Standing], state: Mapping[str, Running]) -> None:
    """Set errors per generation and the mean latency, from what the callees answer."""
    there, now = standing[service.name], state[service.name]
    work_ms = service.work_ms * there.slowness
    places = service.queue + service.workers
    own = queueing.response_ms(now.rho, work_ms, service.workers, places)
    good, wait = np.ones_like(own), np.zeros_like(own)
    for call in service.calls:
        callee = state[call.to]
        lost = callee.lost(standing[call.to], call.retries)
        rate = there.calls(call.to, call.per_request)
        once, times = np.minimum(rate, 1.0), np.maximum(rate, 1.0)
        good = good * (1.0 - once * (1.0 - (1.0 - lost) ** times))
        wait = wait + rate * (callee.latency * (1.0 - callee.hang) + HANG_MS * callee.hang)
    slow = (there.share * there.defect("latency")[:, None]).sum(axis=0)
    now.latency = (own + slow + wait) * there.jitter
    wrong = 1.0 - (1.0 - there.defect("errors")) * (1.0 - service.base_errors)  # (G,)
    now.errors = 1.0 - (1.0 - wrong[:, None]) * good[None, :]  # (G, T)
