"""What Envoy says outside of Istio: a sidecar about its own pod, an edge about the Services behind it.

A sidecar counts what its inbound listener takes (`envoy_http_conn_manager_prefix`: `ingress...`,
`inbound...`, `public_listener...`), and is told apart by the `namespace` and `pod` of the scrape. An
edge counts by `envoy_cluster_name`, which is free text: the form NAMESPACE_SERVICE_PORT of Contour
and of Cilium's gateway is understood.
Sources: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/stats,
.../upstream/cluster_manager/cluster_stats (names, units: ms) and envoy
test/integration/integration_admin_test.cc (labels).
"""

from __future__ import annotations

from collections.abc import Callable

from aiops.domain import Query
from aiops.ingest import golden
from aiops.ingest.golden import Counted, by_pod, part, rate
from aiops.ingest.services import behind

_INBOUND = 'envoy_http_conn_manager_prefix=~"(ingress|inbound|public_listener).*"'
_NAME = "([^/]*/)*([a-z0-9-]+)_([a-z0-9-]+)_[0-9]+"
_CLUSTER = f'envoy_cluster_name=~"{_NAME}"'


def _edge(vector: str) -> str:
    for label, group in (("namespace", 2), ("service", 3)):
        vector = f'label_replace({vector}, "{label}", "${group}", "envoy_cluster_name", "{_NAME}")'
    return behind(vector)


def _counted(metric: str, side: str, named: Callable[[str], str]) -> Counted:
    def requests(classes: str) -> str:
        return rate(f"{metric}_xx{{{side}{classes}}}")

    return Counted(
        requests=named(requests("")),
        told=named(requests("")),
        failed=named(part(requests(',envoy_response_code_class="5"'), requests(""))),
        good=named(part(requests(',envoy_response_code_class=~"[123]"'), requests(""))),
        buckets=named(rate(f"{metric}_time_bucket{{{side}}}")),
        to_ms=1,
    )


_SIDECAR = _counted("envoy_http_downstream_rq", _INBOUND, by_pod)
_EDGE = _counted("envoy_cluster_upstream_rq", _CLUSTER, _edge)


def signals() -> tuple[Query, ...]:
    """Return requests per second, share of errors and 95th percentile of the latency in ms."""
    return golden.signals((_SIDECAR, _EDGE))


def context() -> tuple[Query, ...]:
    """Return the golden signals per pod and version, where a sidecar counts them."""
    return golden.context((_SIDECAR,))
