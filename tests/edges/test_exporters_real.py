"""Every source of requests tells the same story, read off a real Prometheus with its own label sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import real
from edges import exporters

from aiops.domain import Grid
from aiops.edges.prometheus import PrometheusMetrics, PrometheusSettings
from aiops.ingest import presets, telemetry

pytestmark = pytest.mark.real

GRID = Grid(exporters.START_S, exporters.START_S + 59 * 60, 60)
Answered = dict[tuple[str, ...], float]
# Who counts -> the preset that reads it.
COUNTED = {
    exporters.linkerd: "linkerd",
    exporters.hubble: "hubble",
    exporters.envoy_sidecar: "envoy",
    exporters.envoy_edge: "envoy",
    exporters.nginx: "nginx",
    exporters.nginx_honoured: "nginx",
    exporters.otel_promoted: "opentelemetry",
    exporters.otel_joined: "opentelemetry",
    exporters.otel_scraped: "opentelemetry",
    exporters.client_golang: "clients",
    exporters.fastapi: "clients",
    exporters.express: "clients",
    exporters.micrometer: "clients",
}
PER_POD = {one for one in COUNTED if COUNTED[one] in ("linkerd", "opentelemetry", "clients")} | {
    exporters.envoy_sidecar
}


@pytest.fixture(scope="module", params=[*COUNTED, exporters.without_status], ids=lambda one: one.__name__)
def asked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Any, Callable[[str, tuple[str, ...]], Answered]]]:
    """Return who counts and `ask(query, labels) -> values in the middle of the hour by those labels`."""
    counted = request.param
    folder = tmp_path_factory.mktemp(counted.__name__)
    samples = (row for source in (exporters.kubernetes, counted) for row in source())
    real.backfill(exporters.text(samples), folder)
    names = (COUNTED.get(counted, "clients"), "kubernetes")
    queries = {one.name: one for one in (*presets.signal_queries(names), *presets.context_queries(names))}
    with real.running_prometheus(folder) as url:
        metrics = PrometheusMetrics(PrometheusSettings(url=url))

        def ask(name: str, labels: tuple[str, ...]) -> Answered:
            query = telemetry.query() if name == "telemetry" else queries[name]
            answer = metrics.read(query, GRID)
            return {
                tuple(one.get(label, "") for label in labels): round(float(row[30]), 4)
                for one, row in zip(answer.labels, answer.values, strict=True)
                if np.isfinite(row[30])
            }

        yield counted, ask
        metrics.close()


WORKLOAD = ("namespace", "workload")
DESTINATION = ("destination_workload_namespace", "destination_workload")


def test_the_three_signals_are_the_same_whoever_counts(asked: Any) -> None:
    counted, ask = asked
    assert ask("request_rate", WORKLOAD) == {("shop", "api"): 2.0, ("shop", "calm"): 1.0}
    if counted is exporters.without_status:
        # Nobody told how requests ended: that is not the same as none failed.
        assert (ask("error_ratio", WORKLOAD), ask("latency_p95", WORKLOAD)) == ({}, {})
        return
    assert ask("error_ratio", WORKLOAD) == {("shop", "api"): 0.25, ("shop", "calm"): 0.0}
    # 114 of 120 requests: 54 of the 60 between 100 and 250 ms; 95 % of what lies between 50 and 100.
    assert ask("latency_p95", WORKLOAD) == {("shop", "api"): 235.0, ("shop", "calm"): 97.5}


def test_versions_and_pods_are_told_apart_where_pods_count(asked: Any) -> None:
    counted, ask = asked
    if counted not in PER_POD:
        return
    by_version = {name: ask(f"version_{name}", (*DESTINATION, "destination_version")) for name in (
        "rate", "error_ratio", "success_ratio", "latency_p95"
    )}  # fmt: skip
    old, new, calm = ("shop", "api", "1.0.0"), ("shop", "api", "2.0.0"), ("shop", "calm", "v3")
    assert by_version == {
        "rate": {old: 1.0, new: 1.0, calm: 1.0},
        "error_ratio": {old: 0.0, new: 0.5, calm: 0.0},
        "success_ratio": {old: 1.0, new: 0.5, calm: 1.0},
        "latency_p95": {old: 97.5, new: 242.5, calm: 97.5},
    }
    labels = (*DESTINATION, "pod")
    pods = {one.name: ("shop", one.workload, one.name) for one in exporters.PODS}
    old_pod, new_pod, calm_pod = pods.values()
    assert ask("pod_error_ratio", labels) == {old_pod: 0.0, new_pod: 0.5, calm_pod: 0.0}
    assert ask("pod_latency_p95", labels) == {old_pod: 97.5, new_pod: 242.5, calm_pod: 97.5}


def test_who_calls_whom_is_told_where_both_ends_are_named(asked: Any) -> None:
    counted, ask = asked
    if counted not in (exporters.linkerd, exporters.hubble):
        return
    labels = ("source_workload_namespace", "source_workload", *DESTINATION)
    edge = ("shop", "web", "shop", "api")
    assert ask("call_rate", labels)[edge] == 2.0
    assert ask("call_error_ratio", labels)[edge] == 0.25
    assert ask("call_success_ratio", labels)[edge] == 0.75


def test_init_knows_the_exporter_by_its_metrics(asked: Any) -> None:
    counted, ask = asked
    found = {name for (name,) in ask("telemetry", ("__name__",))}
    by_metric = {one.metric: one.preset for one in telemetry.KNOWN}
    assert COUNTED.get(counted, "clients") in {by_metric[name] for name in found}
