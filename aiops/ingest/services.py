"""Which workload stands behind a Service, for exporters that name only the Service.

By the endpoints that kube-state-metrics lists. A Service whose pods belong to two workloads is left
out: either would be a guess.
Source: kube-state-metrics docs/metrics/service/endpointslice-metrics.md.
"""

from __future__ import annotations

from aiops.ingest.kubernetes import POD, TO_WORKLOAD
from aiops.ingest.promql import by, label_from

_SERVICE = ("cluster", "namespace", "service")


def _workloads() -> str:
    """Return 1 per Service and workload. A slice is named like its Service and five letters more."""
    slices = 'kube_endpointslice_endpoints{targetref_kind="Pod"}'
    named = f'label_replace({slices}, "service", "$1", "endpointslice", "(.+)-[a-z0-9]{{5}}")'
    pods = f"group {by((*POD, 'service'))} ({label_from(named, 'pod', ('targetref_name',))})"
    found = f"group {by((*_SERVICE, 'workload'))} ({pods} {TO_WORKLOAD})"
    return f"({found} and on ({', '.join(_SERVICE)}) (count {by(_SERVICE)} ({found}) == 1))"


_WORKLOADS = _workloads()


def behind(vector: str) -> str:
    """Return a vector with `namespace` and `service` labels as one with the workload behind it."""
    summed = f"sum {by((*_SERVICE, 'le'))} ({vector})"
    return f"({summed} * on ({', '.join(_SERVICE)}) group_left (workload) {_WORKLOADS})"
