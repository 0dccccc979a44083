"""What a preset makes of series that the plant does not write, on a real Prometheus with just these."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import real

from aiops.domain import Grid
from aiops.edges.prometheus import PrometheusMetrics, PrometheusSettings
from aiops.ingest import presets

pytestmark = pytest.mark.real

START_S = 1_773_856_800  # 2026-03-18 18:00 UTC
QUERIES = {query.name: query for query in presets.signal_queries(("istio", "kubernetes"))}

ISTIO = {
    "cluster": "c",
    "destination_workload": "api",
    "destination_workload_namespace": "shop",
    "source_workload": "web",
    "source_workload_namespace": "shop",
    "destination_version": "v1",
    "response_flags": "-",
}
BOTH = ("destination", "source")


def requests(per_minute: float, until: int = 60, **labels: str) -> Iterator[tuple[str, int, float]]:
    """Yield samples of one counter, one a minute from minute 0."""
    named = ",".join(f'{key}="{value}"' for key, value in {**ISTIO, **labels}.items())
    for minute in range(until):
        yield f"istio_requests_total{{{named}}}", minute, 1_000.0 + minute * per_minute


def gauge(metric: str, value: float, **labels: str) -> Iterator[tuple[str, int, float]]:
    named = ",".join(
        f'{key}="{item}"' for key, item in {"cluster": "c", "namespace": "shop", **labels}.items()
    )
    for minute in range(60):
        yield f"{metric}{{{named}}}", minute, value


@pytest.fixture
def ask(
    tmp_path: Path, start_prometheus: Callable[..., str]
) -> Iterator[Callable[..., dict[str, np.ndarray[Any, Any]]]]:
    """Return `ask(samples, query) -> workload -> [60]`, answered by a Prometheus that holds just these."""
    opened: list[PrometheusMetrics] = []

    def answer(samples: Iterable[tuple[str, int, float]], query: str) -> dict[str, np.ndarray[Any, Any]]:
        rows = sorted(samples, key=lambda row: (row[0].partition("{")[0], row[0], row[1]))
        lines = []
        for family, group in itertools.groupby(rows, key=lambda row: row[0].partition("{")[0]):
            kind = "counter" if family.endswith("_total") else "gauge"
            lines.append(f"# TYPE {family.removesuffix('_total')} {kind}\n")
            lines += [f"{head} {value} {START_S + 60 * minute}\n" for head, minute, value in group]
        real.backfill([*lines, "# EOF\n"], tmp_path)
        found = PrometheusMetrics(PrometheusSettings(url=start_prometheus(tmp_path)))
        opened.append(found)
        result = found.read(QUERIES[query], Grid(START_S, START_S + 59 * 60, 60))
        return {
            labels[result.query.workload_label]: row
            for labels, row in zip(result.labels, result.values, strict=True)
        }

    yield answer
    for one in opened:
        one.close()


def test_a_grpc_reply_with_http_200_counts_as_an_error_once(ask: Any) -> None:
    grpc = {"request_protocol": "grpc", "reporter": "destination"}
    samples = [
        *requests(60, response_code="200", grpc_response_status="0", **grpc),
        *requests(20, response_code="200", grpc_response_status="14", **grpc),
        *requests(10, response_code="503", grpc_response_status="14", **grpc),
        *requests(10, response_code="200", grpc_response_status="5", **grpc),  # not found: the caller's
    ]
    assert ask(samples, "error_ratio")["api"][30] == pytest.approx(0.30)


def test_what_is_not_the_servers_doing_is_no_error(ask: Any) -> None:
    server = {"reporter": "destination", "response_code": "503"}
    samples = [
        *requests(70, reporter="destination", response_code="200"),
        *(row for flag in ("FI", "RL", "UF,DC") for row in requests(5, **{**server, "response_flags": flag})),
        *requests(15, **{**server, "response_flags": "RLSE"}),  # a broken rate limit service is
    ]
    assert ask(samples, "error_ratio")["api"][30] == pytest.approx(0.15)


def test_callers_speak_for_requests_that_never_reached_the_server(ask: Any) -> None:
    samples = [
        *requests(60, reporter="source", response_code="200"),
        *requests(30, reporter="source", response_code="503", response_flags="UF"),
        *requests(60, until=20, reporter="destination", response_code="200"),  # gone after that
    ]
    ratio = ask(samples, "error_ratio")["api"]
    assert (ratio[15], ratio[40]) == (pytest.approx(1 / 3), pytest.approx(1 / 3))
    assert np.isfinite(ratio[5:]).all()


def test_an_error_that_a_retry_saved_is_one_of_the_server_all_the_same(ask: Any) -> None:
    samples = [
        *requests(90, reporter="source", response_code="200"),
        *requests(90, reporter="destination", response_code="200"),
        *requests(10, reporter="destination", response_code="503"),
    ]
    assert ask(samples, "error_ratio")["api"][30] == pytest.approx(0.1)


def test_callers_also_count_the_requests_that_no_longer_arrive(ask: Any) -> None:
    samples = [
        *requests(60, reporter="source", response_code="503", response_flags="UH"),
        *requests(0, reporter="destination", response_code="200"),  # up, but out of the endpoints
    ]
    assert ask(samples, "request_rate")["api"][30] == pytest.approx(1)


def test_two_replicas_of_the_exporter_do_not_double_anything(ask: Any) -> None:
    def exported(metric: str, value: float, **labels: str) -> Iterator[tuple[str, int, float]]:
        for instance in ("ksm-0", "ksm-1"):
            yield from gauge(metric, value, instance=instance, **labels)

    samples = [
        *exported("kube_pod_owner", 1, pod="db-0", owner_kind="StatefulSet", owner_name="db"),
        *exported("kube_pod_container_resource_requests", 0.5, pod="db-0", container="db", resource="cpu"),
    ]
    for minute in range(60):
        head = 'container_cpu_usage_seconds_total{cluster="c",namespace="shop",pod="db-0",container="%s"}'
        samples += [(head % name, minute, minute * 15.0) for name in ("db", "istio-proxy", "")]
    assert ask(samples, "cpu_utilization")["db"][30] == pytest.approx(0.5)


def test_an_init_container_that_cannot_start_counts_its_pod_once(ask: Any) -> None:
    owner = {"owner_kind": "DaemonSet", "owner_name": "agent"}
    waiting = {"pod": "agent-x", "reason": "ImagePullBackOff"}
    samples = [
        *(row for pod in ("agent-x", "agent-y") for row in gauge("kube_pod_owner", 1, pod=pod, **owner)),
        *gauge("kube_pod_init_container_status_waiting_reason", 1, container="init", **waiting),
        *gauge("kube_pod_container_status_waiting_reason", 1, container="main", **waiting),
        *gauge(
            "kube_pod_container_status_waiting_reason",
            1,
            container="z",
            pod="agent-y",
            reason="PodInitializing",
        ),
    ]
    assert ask(samples, "pods_waiting")["agent"][30] == 1


def test_a_hostile_label_stays_one_value_and_never_becomes_a_workload(ask: Any) -> None:
    evil = r"a\"} or vector(1) #\n<img src=x>"
    samples = [*requests(60, reporter="destination", response_code="200", destination_workload=evil)]
    assert list(ask(samples, "request_rate")) == ['a"} or vector(1) #\n<img src=x>']
