"""The three signals that every source of requests gives, and what its pods and versions tell.

Comes in: vectors of rates (`Counted`), each with the labels `cluster`, `namespace`, `workload` and,
where pods are told apart, `pod`. Goes out: the same named queries for every exporter, so that a
model, a rule and a proposal need not know who counted. Istio has more to say and its own module.

A source lists its families best first. A workload is read from the first that has it; two are never
added up, because both count the same requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from aiops.domain import Query, Signal
from aiops.ingest.kubernetes import POD, TO_WORKLOAD, VERSION_OF_POD
from aiops.ingest.promql import WORKLOAD, by, context_query, label_from, signal_query

RATE = Signal("request_rate", "req/s", "both", 0.5, None, 3)
ERRORS = Signal("error_ratio", "ratio", "up", 0.01, 0.02)
LATENCY = Signal("latency_p95", "ms", "up", 30, 300, 2)

# Names that diagnosis reads: those of Istio, whatever the exporter calls them.
DESTINATION = ("cluster", "destination_workload_namespace", "destination_workload")
EDGE = ("cluster", "source_workload_namespace", "source_workload", *DESTINATION[1:])


# (labels to keep beside those of the workload, vector of rates) -> their sum.
_Sum = Callable[[tuple[str, ...], str], str]


@dataclass(frozen=True, slots=True)
class Counted:
    """One family of metrics, as vectors in req/s.

    `told`: requests whose outcome is known. A counter without a status must not look like a service
    without errors, so it has no `told`. `failed` and `good` are parts of it, 0 where there are none
    (`part`). `buckets`: of the latency, by `le`, in units of `to_ms` milliseconds.
    """

    requests: str
    told: str
    failed: str
    good: str
    buckets: str
    to_ms: int


def signals(families: Sequence[Counted]) -> tuple[Query, ...]:
    """Return requests per second, share of errors and 95th percentile of the latency in ms."""

    def at(labels: tuple[str, ...], vector: str) -> str:
        return f"sum {by((*WORKLOAD, *labels))} ({vector})"

    return (
        signal_query(RATE, _first(at((), one.requests) for one in families)),
        # 0..1, absent without requests; 0 for a service that never failed.
        signal_query(ERRORS, _first(_ratio(at((), one.failed), at((), one.told)) for one in families)),
        signal_query(LATENCY, _first(_p95(at(("le",), one.buckets), one.to_ms) for one in families)),
    )


def context(families: Sequence[Counted]) -> tuple[Query, ...]:
    """Return errors and latency per pod, and the golden signals per version of the pods.

    The version is the tag of a pod's image. A pod of several images is not told apart: which of them
    serves is not known, and a proxy beside it would make every pod look like two versions.
    """
    version = (*DESTINATION, "destination_version")
    pod = (*DESTINATION, "pod")

    def at_version(labels: tuple[str, ...], vector: str) -> str:
        per_pod = f"sum {by((*WORKLOAD, 'pod', *labels))} ({vector})"
        joined = f"{per_pod} * on ({', '.join(POD)}) group_left (destination_version) {VERSION_OF_POD}"
        return f"sum {by((*version, *labels))} ({_as_destination(joined)})"

    def at_pod(labels: tuple[str, ...], vector: str) -> str:
        return f"sum {by((*pod, *labels))} ({_as_destination(vector)})"

    def query(name: str, expr: str, unit: str, labels: tuple[str, ...]) -> Query:
        return context_query(name, expr, unit, labels, namespace=DESTINATION[1], workload=DESTINATION[2])

    def ratio(name: str, at: _Sum) -> str:
        return _first(_ratio(at((), getattr(one, name)), at((), one.told)) for one in families)

    return (
        query("version_rate", _first(at_version((), one.requests) for one in families), "req/s", version),
        query("version_error_ratio", ratio("failed", at_version), "ratio", version),
        query("version_success_ratio", ratio("good", at_version), "ratio", version),
        query(
            "version_latency_p95",
            _first(_p95(at_version(("le",), one.buckets), one.to_ms) for one in families),
            "ms",
            version,
        ),
        query("pod_error_ratio", ratio("failed", at_pod), "ratio", pod),
        query(
            "pod_latency_p95",
            _first(_p95(at_pod(("le",), one.buckets), one.to_ms) for one in families),
            "ms",
            pod,
        ),
    )


def calls(counted: Counted) -> tuple[Query, ...]:
    """Return who calls whom, from vectors with the labels of `EDGE`, as the callers count."""

    def query(name: str, expr: str, unit: str) -> Query:
        return context_query(name, expr, unit, EDGE, namespace=DESTINATION[1], workload=DESTINATION[2])

    requests, told, failed, good = (
        f"sum {by(EDGE)} ({vector})"
        for vector in (counted.requests, counted.told, counted.failed, counted.good)
    )
    return (
        query("call_rate", requests, "req/s"),
        query("call_error_ratio", _ratio(failed, told), "ratio"),
        query("call_success_ratio", _ratio(good, told), "ratio"),
    )


def part(vector: str, every: str) -> str:
    """Return the series that a matcher selects, and 0 for all others: what never failed has no series."""
    return f"{vector} or 0 * ({every})"


def by_pod(*vectors: str) -> str:
    """Return vectors with `namespace` and `pod` labels as one with the workload that owns the pod.

    The first that a pod has is taken.
    """
    summed = " or ".join(f"sum {by((*POD, 'le'))} ({vector})" for vector in vectors)
    return f"({f'({summed})' if len(vectors) > 1 else summed} {TO_WORKLOAD})"


def rate(selector: str) -> str:
    """Return a rate over the five minutes that all presets look back."""
    return f"rate({selector}[5m])"


def _ratio(some: str, every: str) -> str:
    return f"{some} / ({every} > 0)"


def _p95(buckets: str, to_ms: int) -> str:
    """Return the 95th percentile in ms; `>= 0` drops the NaN of an idle histogram."""
    scale = f"{to_ms} * " if to_ms != 1 else ""
    return f"{scale}histogram_quantile(0.95, {buckets}) >= 0"


def _first(expressions: Iterable[str]) -> str:
    """Return the first of several expressions with the same labels, workload by workload."""
    found = list(expressions)
    return found[0] if len(found) == 1 else " or ".join(f"({one})" for one in found)


def _as_destination(vector: str) -> str:
    named = label_from(vector, DESTINATION[1], ("namespace",))
    return label_from(named, DESTINATION[2], ("workload",))
