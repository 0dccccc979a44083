"""Every metric family that a Prometheus of this mesh holds, in the order they are written."""

from __future__ import annotations

from collections.abc import Iterator

from aiops.mesh import cluster, containers, objects, proxies
from aiops.mesh.families import Family, told
from aiops.mesh.plant import Trace


def exposition(trace: Trace) -> Iterator[Family]:
    """Return the families of all exporters with faults laid over; made one at a time."""
    for exporter in (proxies, objects, cluster, containers):
        yield from told(trace, exporter.families(trace))
