"""What Cilium's Hubble says about the HTTP requests between workloads.

Needs the handler `httpV2` with workloads and namespaces of both ends in its `labelsContext`, and a
layer 7 policy or an annotation for the traffic to be seen at all. A request is counted where it
arrives (`reporter="server"`) and where it leaves; the server's count is taken where there is one.
Source: https://docs.cilium.io/en/stable/observability/metrics/ (httpV2: names, labels, options).
"""

from __future__ import annotations

from collections.abc import Callable

from aiops.domain import Query
from aiops.ingest import golden
from aiops.ingest.golden import Counted, part, rate
from aiops.ingest.promql import label_from

_REQUESTS = "hubble_http_requests_total"
_BUCKETS = "hubble_http_request_duration_seconds_bucket"
_NAMED = 'destination_workload!="",destination_namespace!=""'


def _served(vector: str) -> str:
    named = label_from(vector, "namespace", ("destination_namespace",))
    return label_from(named, "workload", ("destination_workload",))


def _called(vector: str) -> str:
    named = label_from(vector, "source_workload_namespace", ("source_namespace",))
    return label_from(named, "destination_workload_namespace", ("destination_namespace",))


def _counted(side: str, named: Callable[[str], str]) -> Counted:
    told = rate(f'{_REQUESTS}{{{side},status!=""}}')
    return Counted(
        requests=named(rate(f"{_REQUESTS}{{{side}}}")),
        told=named(told),
        failed=named(part(rate(f'{_REQUESTS}{{{side},status=~"5.."}}'), told)),
        good=named(part(rate(f'{_REQUESTS}{{{side},status=~"[123].."}}'), told)),
        buckets=named(rate(f"{_BUCKETS}{{{side}}}")),
        to_ms=1000,
    )


def signals() -> tuple[Query, ...]:
    """Return requests per second, share of errors and 95th percentile of the latency in ms."""
    sides = (f'{_NAMED},reporter="server"', f'{_NAMED},reporter="client"')
    return golden.signals([_counted(side, _served) for side in sides])


def context() -> tuple[Query, ...]:
    """Return the call graph; the agents that count are not the pods that serve."""
    return golden.calls(_counted(f'{_NAMED},source_workload!="",reporter="server"', _called))
