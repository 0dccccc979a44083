"""What a service says about itself by the habit of its client library, without a mesh.

There is no standard, only names that many share. The first that a workload has is read:
`http_requests_total` (with the duration beside it, where there is one), `http_request_duration_seconds`,
and `http_server_requests_seconds` of Micrometer (Spring Boot). The status is in `code`, `status` or
`status_code`, as a number or as its class (`5xx`). The pod is the `namespace` and `pod` of the scrape.
Sources: https://prometheus.io/docs/practices/naming/, client_golang
prometheus/promhttp/instrument_server.go (`code`, `method`), prometheus-fastapi-instrumentator
(`handler`, `status`, `method`), express-prom-bundle (`status_code`, `method`, `path`),
https://docs.spring.io/spring-boot/reference/actuator/metrics.html (`uri`, `status`, `outcome`).
"""

from __future__ import annotations

from aiops.domain import Query
from aiops.ingest import golden
from aiops.ingest.golden import Counted, by_pod, part, rate

_STATUS = ("code", "status", "status_code")
_COUNTERS = (
    "http_requests_total",
    "http_request_duration_seconds_count",
    "http_server_requests_seconds_count",
)
_HISTOGRAMS = ("http_request_duration_seconds_bucket", "http_server_requests_seconds_bucket")


def _with_status(counter: str, pattern: str) -> str:
    """Return the rate of the series whose status matches, whatever the label is called."""
    return " or ".join(rate(f'{counter}{{pod!="",{label}=~"{pattern}"}}') for label in _STATUS)


def _some(pattern: str) -> str:
    found = (part(_with_status(one, pattern), _with_status(one, ".+")) for one in _COUNTERS)
    return by_pod(*found)


_COUNTED = Counted(
    requests=by_pod(*(rate(f'{one}{{pod!=""}}') for one in _COUNTERS)),
    told=by_pod(*(_with_status(one, ".+") for one in _COUNTERS)),
    failed=_some("5.."),
    good=_some("[123].."),
    buckets=by_pod(*(rate(f'{one}{{pod!=""}}') for one in _HISTOGRAMS)),
    to_ms=1000,
)


def signals() -> tuple[Query, ...]:
    """Return requests per second, share of errors and 95th percentile of the latency in ms."""
    return golden.signals((_COUNTED,))


def context() -> tuple[Query, ...]:
    """Return the golden signals per pod and version."""
    return golden.context((_COUNTED,))
