"""What the proxies of Linkerd say about a workload, and about one workload calling another.

The workload is named by the labels that Linkerd's own scrape makes of the pod: `deployment`,
`statefulset` or `daemonset` beside `namespace` and `pod`. The kubelet's probes are no requests.
Latency is the time to the first byte of the answer.
Sources: https://linkerd.io/2/reference/proxy-metrics/ (names, labels, units) and linkerd2
viz/charts/linkerd-viz/templates/prometheus.yaml (what the scrape adds).
"""

from __future__ import annotations

from collections.abc import Callable

from aiops.domain import Query
from aiops.ingest import golden
from aiops.ingest.golden import Counted, part, rate
from aiops.ingest.promql import label_from

_KINDS = ("deployment", "statefulset", "daemonset")
_IN = 'direction="inbound",route_name!="probe"'
_OUT = 'direction="outbound",dst_namespace!=""'


def _served(vector: str) -> str:
    return label_from(vector, "workload", _KINDS)


def _called(vector: str) -> str:
    """Return a vector with the labels of both ends; calls to what has no proxy name no workload."""
    vector = label_from(vector, "source_workload_namespace", ("namespace",))
    vector = label_from(vector, "source_workload", _KINDS)
    vector = label_from(vector, "destination_workload_namespace", ("dst_namespace",))
    return label_from(vector, "destination_workload", tuple(f"dst_{kind}" for kind in _KINDS))


def _counted(side: str, named: Callable[[str], str]) -> Counted:
    told = rate(f"response_total{{{side}}}")
    # Linkerd's own word for 5xx and for the gRPC status that blames the server.
    failed = rate(f'response_total{{{side},classification="failure"}}')
    good = rate(f'response_total{{{side},classification="success",status_code=~"[123].."}}')
    return Counted(
        requests=named(rate(f"request_total{{{side}}}")),
        told=named(told),
        failed=named(part(failed, told)),
        good=named(part(good, told)),
        buckets=named(rate(f"response_latency_ms_bucket{{{side}}}")),
        to_ms=1,
    )


_SERVED = _counted(_IN, _served)


def signals() -> tuple[Query, ...]:
    """Return requests per second, share of errors and 95th percentile of the latency in ms."""
    return golden.signals((_SERVED,))


def context() -> tuple[Query, ...]:
    """Return the call graph, and the golden signals per pod and version."""
    return (*golden.calls(_counted(_OUT, _called)), *golden.context((_SERVED,)))
