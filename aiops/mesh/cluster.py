"""What kube-state-metrics exposes about the cluster itself: nodes, their zones, ConfigMaps.

Names and labels: https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics
(cluster/node-metrics.md, storage/configmap-metrics.md). Zones come by
`--metric-labels-allowlist=nodes=[topology.kubernetes.io/zone]`, which clusters in several use.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

import numpy as np

from aiops.mesh.families import Family, Series, constant
from aiops.mesh.faults import Reading
from aiops.mesh.plant import Trace

JOB = "kube-state-metrics"
_CONDITIONS = ("Ready", "MemoryPressure", "DiskPressure", "PIDPressure")
_HELP = "From the Kubernetes object of the same name."


def families(trace: Trace) -> Iterator[Family]:
    """Return the gauges of every node, of the ConfigMap of every service, and what else is read."""
    found: dict[str, list[Series]] = {}
    for series in (*_nodes(trace), *_settings(trace), *_readings(trace)):
        found.setdefault(series.metric, []).append(series)
    for metric in sorted(found):
        yield Family(metric, "gauge", _HELP, JOB, tuple(found[metric]))


def zone(trace: Trace, node: str) -> str:
    """Return the zone of a node: two of them, in turn."""
    return "eu-1" + "ab"[trace.mesh.nodes.index(node) % 2]


def _nodes(trace: Trace) -> Iterator[Series]:
    end = trace.times.size
    for node in trace.mesh.nodes:
        own = {"node": node}
        placed = {**own, "label_topology_kubernetes_io_zone": zone(trace, node)}
        yield constant("", "kube_node_info", own, 0, end)
        yield constant("", "kube_node_labels", placed, 0, end)
        yield constant("", "kube_node_spec_unschedulable", own, 0, end, 0.0)
        for condition in _CONDITIONS:
            for status in ("true", "false", "unknown"):
                holds = float(status == ("true" if condition == "Ready" else "false"))
                labels = {**own, "condition": condition, "status": status}
                yield constant("", "kube_node_status_condition", labels, 0, end, holds)


def _settings(trace: Trace) -> Iterator[Series]:
    """Return the version of one ConfigMap per service: it stands still until somebody edits it."""
    end = trace.times.size
    for service in trace.mesh.services:
        name = service.name
        begin = trace.standing[name].asked.created
        own = {"namespace": trace.mesh.namespace, "configmap": f"{name}-config"}
        version = float(100_000 + zlib.crc32(name.encode()) % 100_000)
        yield constant(name, "kube_configmap_metadata_resource_version", own, begin, end, version)


def _readings(trace: Trace) -> Iterator[Series]:
    """Return the series that events bring along, a sample a minute."""
    for event in trace.events:
        if isinstance(event, Reading):
            begin, end = (int(np.searchsorted(trace.times, at_s)) for at_s in (event.start_s, event.end_s))
            # The line goes to its end, also where the simulation stops earlier.
            steps = max((event.end_s - event.start_s) // 60, 1)
            values = np.linspace(event.first, event.last, steps)[: end - begin]
            yield Series(event.subject, event.metric, dict(event.labels), begin, values)
