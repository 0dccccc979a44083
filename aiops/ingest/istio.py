"""What Istio's standard metrics say about a workload, and about one workload calling another.

A request is counted twice: by the proxy of the server (`reporter="destination"`) and by the
proxy of its caller (`reporter="source"`). The server's count is the better one; the caller's is
the only one left when the server is gone.
Source: https://istio.io/latest/docs/reference/config/metrics/ (names, labels, units).
"""

from __future__ import annotations

from aiops.domain import Query
from aiops.ingest.golden import DESTINATION as _DESTINATION
from aiops.ingest.golden import EDGE as _EDGE
from aiops.ingest.golden import ERRORS, LATENCY, RATE
from aiops.ingest.promql import by, context_query, signal_query

# gRPC status that blames the server: unknown, deadline exceeded, resource exhausted, unimplemented,
# internal, unavailable, data loss. The HTTP code of such a reply is 200.
GRPC_ERRORS = "2|4|8|12|13|14|15"
# Fault injection, rate limit, client gone: not the server's doing. Envoy writes a comma list.
NOT_THE_SERVER = "(.*,)?(FI|RL|DC)(,.*)?"

_VERSION = (*_DESTINATION, "destination_version")
_SERVER = 'reporter="destination",destination_workload!="unknown"'
_CLIENT = 'reporter="source",destination_workload!="unknown"'
_GOOD = 'response_code=~"[123]..",grpc_response_status=~"|0"'
_EITHER = 'destination_workload!="unknown"'


def signals() -> tuple[Query, ...]:
    """Return requests per second, share of errors and 95th percentile of the latency in ms."""
    served, called = _rate(_DESTINATION, _SERVER), _rate(_DESTINATION, _CLIENT)
    return (
        # Requests per second that reached the workload; as its callers count them when none did.
        signal_query(RATE, f"({served} > 0) or {called} or {served}", _DESTINATION),
        # Share of requests that ended in an error, 0..1; absent without requests. Of the two sides
        # the one that sees more: a refused connection never reaches the server, what a retry saved
        # its callers do not count.
        signal_query(
            ERRORS,
            f"max {by(_DESTINATION)} ({_error_ratio((*_DESTINATION, 'reporter'), _EITHER)})",
            _DESTINATION,
        ),
        # 95th percentile of the request duration in ms; `>= 0` drops the NaN of an idle histogram.
        signal_query(
            LATENCY,
            f"({_latency(_DESTINATION, _SERVER)} >= 0) or ({_latency(_DESTINATION, _CLIENT)} >= 0)",
            _DESTINATION,
        ),
    )


def context() -> tuple[Query, ...]:
    """Return the call graph, the golden signals per version, and how old the newest sample is."""
    edge = f'{_CLIENT},source_workload!="unknown"'
    newest = f"max {by(_DESTINATION)} (timestamp(istio_requests_total{{%s}}))"
    return (
        # Requests per second from one workload to another, as the caller counts them.
        _query("call_rate", _rate(_EDGE, edge), "req/s", _EDGE),
        # Share of those requests that failed, 0..1.
        _query("call_error_ratio", _error_ratio(_EDGE, edge), "ratio", _EDGE),
        # Share of those requests that were answered well: a 4xx or a caller that left is no answer.
        _query("call_success_ratio", _share(_EDGE, edge, f"{edge},{_GOOD}"), "ratio", _EDGE),
        # The same three signals per `version` label of the pods that served.
        _query("version_rate", _rate(_VERSION, _SERVER), "req/s", _VERSION),
        _query("version_error_ratio", _error_ratio(_VERSION, _SERVER), "ratio", _VERSION),
        _query("version_latency_p95", f"{_latency(_VERSION, _SERVER)} >= 0", "ms", _VERSION),
        # Unix seconds of the newest raw sample: a dead target shows a flat tail for 5 minutes.
        _query("newest_sample", f"{newest % _SERVER} or {newest % _CLIENT}", "unix s", _DESTINATION),
        *_outcomes(),
        *_who_serves(),
    )


def _outcomes() -> tuple[Query, ...]:
    """Return how requests end besides errors of the server."""
    lost = (
        *("cluster", "source_workload_namespace", "source_workload"),
        *("destination_service_namespace", "destination_service_name", "response_flags"),
    )
    nobody = 'reporter="source",destination_workload="unknown",response_flags!~"-|"'
    return (
        # Share of requests that a proxy was told to fail or delay (FI, DI), as callers count them.
        _query("injected_ratio", _share(_DESTINATION, _CLIENT, _flagged("FI|DI")), "ratio", _DESTINATION),
        # Share of requests whose client left before the answer (DC), as the server counts them.
        _query("disconnect_ratio", _share(_DESTINATION, _SERVER, _flagged("DC")), "ratio", _DESTINATION),
        # Share of requests turned away for lack of room: overflow (UO), 429, gRPC 8.
        _query("turned_away_ratio", _turned_away(), "ratio", _DESTINATION),
        # Share of requests slower than 500 ms: the first bucket of Istio above the latency floor.
        _query("slow_ratio", _slow(), "ratio", _DESTINATION),
        # Calls per second that reach no workload, by the service that was meant and Envoy's flag.
        context_query(
            "lost_calls",
            f"sum {by(lost)} (rate(istio_requests_total{{{nobody}}}[5m]))",
            "req/s",
            lost,
            namespace=lost[1],
            workload=lost[2],
        ),
    )


def _who_serves() -> tuple[Query, ...]:
    """Return who serves a service and how well: by version, and by pod where the scrape tells it."""
    served = ("cluster", "destination_service_namespace", "destination_service_name", *_VERSION[1:])
    good = f"{_SERVER},{_GOOD}"
    pod = (*_DESTINATION, "pod")
    return (
        # Requests per second of a service by workload and version: its traffic split.
        _query("service_rate", _rate(served, _SERVER), "req/s", served),
        # Share of the requests of a version that succeeded; what hangs or is a 4xx did not.
        _query("version_success_ratio", _share(_VERSION, _SERVER, good), "ratio", _VERSION),
        # Errors and latency per pod; `pod` is a label of the scrape, "" where it was aggregated away.
        _query("pod_error_ratio", _error_ratio(pod, _SERVER), "ratio", pod),
        _query("pod_latency_p95", f"{_latency(pod, _SERVER)} >= 0", "ms", pod),
    )


def _flagged(flags: str) -> str:
    """Return the matcher of a comma list of Envoy flags that holds one of these."""
    return f'response_flags=~"(.*,)?({flags})(,.*)?"'


def _share(labels: tuple[str, ...], side: str, matcher: str) -> str:
    """Return the share of requests that a matcher selects, 0 for a service that has none.

    `matcher` alone may repeat the side.
    """
    selector = matcher if matcher.startswith(side) else f"{side},{matcher}"
    every = _rate(labels, side)
    return f"({_rate(labels, selector)} or 0 * {every}) / ({every} > 0)"


def _turned_away() -> str:
    overflow = f"{_SERVER},{_flagged('UO')}"
    others = f'{_SERVER},response_flags!~"(.*,)?(UO|RL)(,.*)?"'
    parts = (overflow, f'{others},response_code="429"', f'{others},grpc_response_status="8"')
    joined = " or ".join(f"rate(istio_requests_total{{{one}}}[5m])" for one in parts)
    every = _rate(_DESTINATION, _SERVER)
    return f"(sum {by(_DESTINATION)} ({joined}) or 0 * {every}) / ({every} > 0)"


def _slow() -> str:
    bucket = "rate(istio_request_duration_milliseconds_bucket{%s}[5m])"
    selected = (f'{_SERVER},le=~"500|500.0"', f'{_SERVER},le="+Inf"')
    fast, every = (f"sum {by(_DESTINATION)} ({bucket % one})" for one in selected)
    return f"1 - {fast} / ({every} > 0)"


def _query(name: str, expr: str, unit: str, labels: tuple[str, ...]) -> Query:
    """Return a context query about the workload that was called."""
    return context_query(name, expr, unit, labels, namespace=_DESTINATION[1], workload=_DESTINATION[2])


def _rate(labels: tuple[str, ...], selector: str) -> str:
    """Return requests per second."""
    return f"sum {by(labels)} (rate(istio_requests_total{{{selector}}}[5m]))"


def _error_ratio(labels: tuple[str, ...], selector: str) -> str:
    """Return the share of requests that failed, 0 for a service that never did.

    HTTP 5xx, or a gRPC status that blames the server. `or` joins the series themselves, before
    anything is added up, so a gRPC reply that also carries a 503 counts once.
    """
    blamed = f'{selector},response_flags!~"{NOT_THE_SERVER}"'
    grpc = f'{blamed},grpc_response_status=~"{GRPC_ERRORS}"'
    http = f'{blamed},response_code=~"5.."'
    failed = (
        f"sum {by(labels)} (rate(istio_requests_total{{{http}}}[5m])"
        f" or rate(istio_requests_total{{{grpc}}}[5m]))"
    )
    every = _rate(labels, selector)
    return f"({failed} or 0 * {every}) / ({every} > 0)"


def _latency(labels: tuple[str, ...], selector: str) -> str:
    """Return the 95th percentile in ms, interpolated inside the bucket."""
    bucket = f"rate(istio_request_duration_milliseconds_bucket{{{selector}}}[5m])"
    return f"histogram_quantile(0.95, sum {by(('le', *labels))} ({bucket}))"
