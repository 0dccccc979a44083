"""Other shops: call graphs of any shape, size and load, for what was learned on none of them.

Comes in: a seed. Goes out: a `Mesh` that runs well on an ordinary day: every service has pods
enough for its daily peak, so that what goes wrong is what a fault did.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from aiops.mesh.graph import Autoscale, Batch, Call, Mesh, Service

_NAMES = (
    "orders", "users", "pricing", "stock", "billing", "reviews", "shipping", "media", "coupons", "ledger",
    "geo", "notify", "sessions", "quotes", "returns", "labels", "taxes", "offers",
)  # fmt: skip
_PEAK = 1.75  # the busiest minute of a good day, relative to the daily mean
_BUSY = (0.3, 0.55)  # utilisation at that minute


def random_graph(seed: int) -> Mesh:
    """Return a mesh of 8 to 16 services in layers; the same seed gives the same mesh."""
    rng = np.random.default_rng([seed, 71])
    count = int(rng.integers(8, 17))
    names = [str(name) for name in rng.permutation(_NAMES)[:count]]
    fronts = int(rng.integers(1, 4))
    bare = [_service(rng, name, front=index < fronts) for index, name in enumerate(names)]
    linked = [replace(service, calls=_calls(rng, index, names, fronts)) for index, service in enumerate(bare)]
    reached = {call.to for service in linked for call in service.calls}
    # Whatever nobody calls has users of its own.
    entered = [
        s if s.name in reached or s.entry_rps else replace(s, entry_rps=float(rng.uniform(4.0, 30.0)))
        for s in linked
    ]
    mesh = Mesh(tuple(entered), namespace="apps", nodes=tuple(f"node-{i}" for i in range(3 + count // 4)))
    return Mesh(_sized(rng, mesh), namespace=mesh.namespace, nodes=mesh.nodes)


def _service(rng: np.random.Generator, name: str, *, front: bool) -> Service:
    """Return one service without calls and pods."""
    minor, patch = int(rng.integers(0, 20)), int(rng.integers(0, 9))
    memory = float(rng.integers(12, 40) * 10)
    return Service(
        name,
        f"{int(rng.integers(1, 8))}.{minor}.{patch}",
        replicas=2,
        work_ms=float(np.round(np.exp(rng.uniform(np.log(4.0), np.log(24.0))), 1)),
        entry_rps=float(np.round(rng.uniform(10.0, 60.0), 1)) if front else 0.0,
        swing=float(rng.uniform(0.25, 0.6)),
        peak_h=float(rng.uniform(8.0, 21.0)),
        protocol="grpc" if rng.random() < 0.25 else "http",
        workers=int(rng.integers(1, 5)),
        queue=int(rng.integers(40, 120)),
        tail=float(rng.uniform(3.0, 4.5)),
        base_errors=float(rng.choice([0.0, 0.0003, 0.001, 0.003])),
        memory_mib=memory,
        memory_limit_mib=2.5 * memory,
    )


def _calls(rng: np.random.Generator, index: int, names: list[str], fronts: int) -> tuple[Call, ...]:
    """Return calls to services further down; the last quarter of a graph calls nobody."""
    below = names[max(index + 1, fronts) :]
    if not below or index >= 0.75 * len(names):
        return ()
    chosen = sorted(rng.choice(len(below), size=min(len(below), int(rng.integers(1, 4))), replace=False))
    return tuple(Call(below[i], float(np.round(rng.uniform(0.1, 0.9), 2))) for i in chosen)


def _sized(rng: np.random.Generator, mesh: Mesh) -> tuple[Service, ...]:
    """Return the services with pods for their peak; some front doors scale, some leaves have a batch."""
    rates = {service.name: service.entry_rps for service in mesh.services}
    for service in mesh.services:
        for call in service.calls:
            rates[call.to] += rates[service.name] * call.per_request
    found = []
    for service in mesh.services:
        busy = float(rng.uniform(*_BUSY))
        pods = max(2, math.ceil(_PEAK * rates[service.name] / service.pod_rps / busy))
        scale, batch = None, None
        if service.entry_rps and rng.random() < 0.4:
            scale = Autoscale(2, 2 * pods + 2)
        elif not service.entry_rps and not service.calls and rng.random() < 0.2:
            start_s = int(rng.integers(0, 24)) * 3600
            batch = Batch(start_s, 3600, 0.5 * pods * service.pod_rps * busy)
        found.append(replace(service, replicas=pods, autoscale=scale, batch=batch))
    return tuple(found)
