"""What Istio's proxies expose: standard metrics of both ends of every call.

Names and labels: https://istio.io/latest/docs/reference/config/metrics/ (istio_requests_total,
istio_request_duration_milliseconds). Response flags: Envoy's access log documentation,
%RESPONSE_FLAGS% (FI fault injected, UO overflow, UF connection failure, UH no healthy upstream, URX
retries spent, UT upstream timeout, DC downstream gone). gRPC replies carry HTTP 200 and
`grpc_response_status`.

Kept small on purpose: series of a workload's proxies are already added up (Istio's own
recommendation for Prometheus at scale, "Observability Best Practices": aggregate over pods by
recording rules), so there is no `pod` or `instance`; labels that repeat another one
(`*_principal`, `*_app`, `*_cluster`, `*_canonical_service`) and the version of the caller are left
out; durations are those of the server side only.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from aiops.domain import FloatArray
from aiops.mesh.families import Family, Series, counter
from aiops.mesh.plant import Trace
from aiops.mesh.queueing import BOUNDS_MS
from aiops.mesh.traffic import Flow

JOB = "envoy-stats"
LE = (*(f"{bound:g}" for bound in BOUNDS_MS), "+Inf")
# outcome -> (HTTP code, gRPC status of that code, flags at the server, flags at the caller);
# no flags at the server: it never saw the request.
_HTTP = {
    "ok": ("200", "", "-", "-"),
    "client": ("400", "", "-", "-"),
    "injected": ("503", "", "", "FI"),
    "error": ("500", "", "-", "-"),
    "hang": ("0", "", "DC", "UT"),
    "shed": ("503", "", "UO", "URX"),
    "refused": ("503", "", "", "UF,URX"),
    "nobody": ("503", "", "", "UH"),
}
_GRPC = {
    "ok": ("200", "0", "-", "-"),
    "client": ("200", "3", "-", "-"),
    "injected": ("200", "14", "", "FI"),
    "error": ("200", "13", "-", "-"),
    "hang": ("0", "", "DC", "UT"),
    "shed": ("200", "14", "UO", "URX"),
    "refused": ("200", "14", "", "UF,URX"),
    "nobody": ("200", "14", "", "UH"),
}


def families(trace: Trace) -> Iterator[Family]:
    """Return istio_requests_total, then istio_request_duration_milliseconds (server side)."""
    requests = [one for flow in trace.flows for one in _requests(trace, flow)]
    yield Family("istio_requests", "counter", "Requests handled by an Istio proxy.", JOB, tuple(requests))
    durations = [one for flow in trace.flows for one in _durations(trace, flow)]
    yield Family(
        "istio_request_duration_milliseconds", "histogram", "Duration of requests.", JOB, tuple(durations)
    )


def labels(trace: Trace, flow: Flow, reporter: str) -> dict[str, str]:
    """Return the labels of one flow as the proxy of one side writes them."""
    mesh = trace.mesh
    protocol = mesh.service(flow.destination).protocol
    code, status, _, caller_flags = (_GRPC if protocol == "grpc" else _HTTP)[flow.outcome]
    flags = (_GRPC if protocol == "grpc" else _HTTP)[flow.outcome][2]
    if reporter == "source":
        flags = caller_flags
        code = "504" if flow.outcome == "hang" else code
    known = flow.outcome != "nobody"
    host = mesh.service(flow.destination).behind or flow.destination
    source_namespace = mesh.gateway_namespace if flow.source == mesh.gateway else mesh.namespace
    found = {
        "reporter": reporter,
        "source_workload": flow.source,
        "source_workload_namespace": source_namespace,
        "destination_workload": flow.destination if known else "unknown",
        "destination_workload_namespace": mesh.namespace if known else "unknown",
        "destination_service": f"{host}.{mesh.namespace}.svc.cluster.local",
        "destination_service_name": host,
        "destination_service_namespace": mesh.namespace,
        "destination_version": flow.version if known else "unknown",
        "destination_canonical_revision": flow.version if known else "latest",
        "request_protocol": protocol,
        "response_code": code,
        "response_flags": flags,
        # Only the server can tell: https://istio.io/latest/docs/reference/config/metrics/#labels
        "connection_security_policy": "mutual_tls" if reporter == "destination" else "unknown",
    }
    if protocol == "grpc" and status:
        found["grpc_response_status"] = status
    return found


def _requests(trace: Trace, flow: Flow) -> Iterator[Series]:
    name, total = "istio_requests_total", flow.counts.sum(axis=1)
    if total.any():
        seen = counter(total.astype(np.float64), flow.alive)
        yield Series(flow.destination, name, labels(trace, flow, "destination"), flow.begin, seen)
    if flow.called.any():
        # The caller's proxy outlives the version it called: its counter stays and stands still.
        first = int(np.flatnonzero(flow.called)[0])
        rest = np.zeros(trace.times.size - flow.begin - flow.called.size)
        called = np.concatenate([flow.called.astype(np.float64), rest])
        alive = np.arange(called.size) >= first
        yield Series(
            flow.destination, name, labels(trace, flow, "source"), flow.begin, counter(called, alive)
        )


def _durations(trace: Trace, flow: Flow) -> Iterator[Series]:
    if not flow.counts.any():
        return
    name, own = "istio_request_duration_milliseconds", labels(trace, flow, "destination")
    cumulative: FloatArray = np.cumsum(flow.counts, axis=1).astype(np.float64)  # [n, B] over le
    buckets = counter(cumulative, flow.alive)
    for column, le in enumerate(LE):
        values = np.ascontiguousarray(buckets[:, column])
        yield Series(flow.destination, f"{name}_bucket", {**own, "le": le}, flow.begin, values)
    yield Series(flow.destination, f"{name}_count", own, flow.begin, buckets[:, -1].copy())
    durations = np.round(flow.sum_ms)  # whole ms: the text stays short, and a sum is exact
    yield Series(flow.destination, f"{name}_sum", own, flow.begin, counter(durations, flow.alive))
