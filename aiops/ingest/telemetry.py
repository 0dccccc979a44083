"""Which exporters a Prometheus holds samples of: those with a preset, and those to write `queries` for.

One query by metric name answers it. Names: the exporters' own documentation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from aiops.domain import Answer, Query


@dataclass(frozen=True, slots=True)
class Telemetry:
    """One exporter: the metric that gives it away, and the preset that reads it, "" without one."""

    name: str
    metric: str
    preset: str = ""


KNOWN = (
    Telemetry("Istio", "istio_requests_total", "istio"),
    Telemetry("kube-state-metrics", "kube_pod_owner", "kubernetes"),
    Telemetry("cAdvisor", "container_cpu_usage_seconds_total", "kubernetes"),
    Telemetry("Linkerd", "response_latency_ms_bucket", "linkerd"),
    Telemetry("Hubble", "hubble_http_requests_total", "hubble"),
    Telemetry("Envoy", "envoy_cluster_upstream_rq_xx", "envoy"),
    Telemetry("Envoy", "envoy_http_downstream_rq_xx", "envoy"),
    Telemetry("OpenTelemetry", "http_server_request_duration_seconds_count", "opentelemetry"),
    Telemetry("OpenTelemetry (old names)", "http_server_duration_milliseconds_count"),
    Telemetry("a client library", "http_requests_total", "clients"),
    Telemetry("a client library", "http_request_duration_seconds_count", "clients"),
    Telemetry("Micrometer", "http_server_requests_seconds_count", "clients"),
    Telemetry("ingress-nginx", "nginx_ingress_controller_requests", "nginx"),
)


def query() -> Query:
    """Return how many series there are of each known metric."""
    names = "|".join(one.metric for one in KNOWN)
    return Query(
        "telemetry", f'count by (__name__) ({{__name__=~"{names}"}})', "series", ("__name__",), "", "", ""
    )


def found(answer: Answer) -> Mapping[Telemetry, int]:
    """Return the exporters that are there with their number of series, in the order of `KNOWN`."""
    counts = {
        labels.get("__name__", ""): int(np.nanmax(row))
        for labels, row in zip(answer.labels, answer.values, strict=True)
        if np.isfinite(row).any()
    }
    return {one: counts[one.metric] for one in KNOWN if one.metric in counts}
