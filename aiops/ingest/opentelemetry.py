"""What OpenTelemetry's HTTP semantic conventions say about a server, in Prometheus' names.

The workload comes from the resource: as labels of the series (`promote_resource_attributes`, or
`resource_to_telemetry_conversion` of the collector), or joined from `target_info`. A server that is
scraped by itself has neither and is found by the `namespace` and `pod` of the scrape.
Sources: https://opentelemetry.io/docs/specs/semconv/http/http-metrics/,
https://opentelemetry.io/docs/specs/otel/compatibility/prometheus_and_openmetrics/ (names, units,
`job`, `instance`, target_info), https://prometheus.io/docs/guides/opentelemetry (which attributes).
"""

from __future__ import annotations

from collections.abc import Callable

from aiops.domain import Query
from aiops.ingest import golden
from aiops.ingest.golden import Counted, by_pod, part, rate
from aiops.ingest.promql import by, label_from

_METRIC = "http_server_request_duration_seconds"
_KINDS = ("k8s_deployment_name", "k8s_statefulset_name", "k8s_daemonset_name")
_RESOURCE = ("k8s_namespace_name", "k8s_pod_name", *_KINDS)
_SCRAPED = 'k8s_namespace_name="",pod!=""'
_TARGET = ("cluster", "job", "instance")


def _targets() -> str:
    """Return 1 per target with what its resource says; none for a target that says two things."""
    found = f'group {by((*_TARGET, *_RESOURCE))} (target_info{{k8s_namespace_name!=""}})'
    return f"({found} and on ({', '.join(_TARGET)}) (count {by(_TARGET)} ({found}) == 1))"


def _named(vector: str) -> str:
    named = label_from(vector, "namespace", ("k8s_namespace_name",))
    return label_from(label_from(named, "pod", ("k8s_pod_name",)), "workload", _KINDS)


def _served(of: Callable[[str], str]) -> str:
    """Return a vector by workload and pod, of what `of` makes of a matcher. No series is in two parts."""
    bare = of('k8s_namespace_name=""')
    summed = f"sum {by((*_TARGET, 'le'))} ({bare})"
    joined = f"{summed} * on ({', '.join(_TARGET)}) group_left ({', '.join(_RESOURCE)}) {_targets()}"
    unknown = f'({of(_SCRAPED)}) unless on ({", ".join(_TARGET)}) target_info{{k8s_namespace_name!=""}}'
    promoted = of('k8s_namespace_name!=""')
    return f"{_named(promoted)} or {_named(joined)} or {by_pod(unknown)}"


def _counted() -> Counted:
    def requests(status: str) -> Callable[[str], str]:
        return lambda side: rate(f"{_METRIC}_count{{{side}{status}}}")

    def some(status: str) -> Callable[[str], str]:
        return lambda side: part(requests(status)(side), told(side))

    code = "http_response_status_code"
    told = requests(f',{code}!=""')
    return Counted(
        requests=_served(requests("")),
        told=_served(told),
        failed=_served(some(f',{code}=~"5.."')),
        good=_served(some(f',{code}=~"[123].."')),
        buckets=_served(lambda side: rate(f"{_METRIC}_bucket{{{side}}}")),
        to_ms=1000,
    )


_COUNTED = _counted()


def signals() -> tuple[Query, ...]:
    """Return requests per second, share of errors and 95th percentile of the latency in ms."""
    return golden.signals((_COUNTED,))


def context() -> tuple[Query, ...]:
    """Return the golden signals per pod and version."""
    return golden.context((_COUNTED,))
