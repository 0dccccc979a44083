"""Every named query on a real Prometheus: the right workloads, the right numbers, the stated errors."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import real

from aiops.domain import Answer, Grid, Panel, Query, Workload
from aiops.edges import recording
from aiops.edges.prometheus import PrometheusMetrics, PrometheusSettings
from aiops.edges.prometheus_refusals import TooMuch
from aiops.errors import AiopsError, ConfigError, DataUnusable
from aiops.ingest import panels, presets, promql
from aiops.mesh.faults import Defect, Deploy, Event, ScrapeOutage
from aiops.mesh.graph import default_mesh
from aiops.mesh.openmetrics import text
from aiops.mesh.plant import Trace, simulate

pytestmark = pytest.mark.real

START_S = 1_773_856_800  # 2026-03-18 18:00 UTC
END_S = START_S + 3 * 3_600
GRID = Grid(START_S + 900, END_S, 60)
SIGNALS = presets.signal_queries(("istio", "kubernetes"))
CONTEXT = presets.context_queries()
QUERIES = {query.name: query for query in (*SIGNALS, *CONTEXT)}
EVENTS: tuple[Event, ...] = (
    Deploy("checkout", START_S + 3_600, "1.15.0", Defect("errors", 0.3)),
    Deploy("payment", START_S + 4_200, "4.1.0", Defect("crash-loop")),
    ScrapeOutage(START_S + 9_000, START_S + 9_300, "kubelet"),
)


@pytest.fixture(scope="module")
def trace() -> Trace:
    return simulate(default_mesh(), START_S, END_S, EVENTS, seed=3)


@pytest.fixture(scope="module")
def blocks(trace: Trace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plant")
    real.prometheus()
    real.backfill(text(trace), folder)
    return folder


@pytest.fixture(scope="module")
def url(blocks: Path) -> Iterator[str]:
    with real.running_prometheus(blocks) as found:
        yield found


@pytest.fixture(scope="module")
def metrics(url: str) -> Iterator[PrometheusMetrics]:
    found = PrometheusMetrics(PrometheusSettings(url=url))
    yield found
    found.close()


@pytest.fixture(scope="module")
def answers(metrics: PrometheusMetrics) -> dict[str, Answer]:
    return {name: metrics.read(query, GRID) for name, query in QUERIES.items()}


def workloads(answer: Answer) -> set[str]:
    return {labels[answer.query.workload_label] for labels in answer.labels}


def values(answer: Answer, name: str) -> np.ndarray[Any, Any]:
    (row,) = (
        row
        for labels, row in zip(answer.labels, answer.values, strict=True)
        if labels[answer.query.workload_label] == name
    )
    return row


# --- what the presets return on the plant -----------------------------------------------------


@pytest.mark.parametrize("name", [query.name for query in SIGNALS])
def test_every_signal_exists_for_every_service_and_for_nothing_else(
    name: str, answers: dict[str, Answer]
) -> None:
    answer = answers[name]
    assert workloads(answer) == {service.name for service in default_mesh().services}
    clusters = {labels["cluster"] for labels in answer.labels}
    assert clusters == {"prod-eu"}
    assert answer.warnings == ()
    assert answer.samples
    assert np.isfinite(answer.values).mean() > 0.9


def test_context_queries_name_the_workloads_they_are_about(answers: dict[str, Answer]) -> None:
    services = default_mesh().services
    every = {service.name for service in services}
    deployments = {service.name for service in services if service.kind == "Deployment"}
    scaled = {service.name for service in services if service.autoscale}
    expected = dict.fromkeys(("image", "replicas_desired", "replicas_available", "workload_kind"), every)
    expected |= dict.fromkeys(("cpu_throttled", "unschedulable", "newest_sample", "call_rate"), every)
    expected |= dict.fromkeys(("version_rate", "version_error_ratio", "version_latency_p95"), every)
    expected |= dict.fromkeys(("rollout_progressing", "rollout_stuck"), deployments)
    expected |= dict.fromkeys(("hpa_min", "hpa_max", "hpa_current", "hpa_limited"), scaled)
    expected |= {"call_error_ratio": every, "waiting_reason": {"payment"}, "hpa_active": scaled}
    ratios = (
        "call_success_ratio",
        "disconnect_ratio",
        "injected_ratio",
        "slow_ratio",
        "turned_away_ratio",
        "version_success_ratio",
    )
    pods = ("pod_error_ratio", "pod_latency_p95", "pod_node", "pod_template")
    expected |= dict.fromkeys((*ratios, *pods, "service_rate"), every)
    expected |= {"pod_unready": {"payment", "checkout"}}  # one cannot start, one was just rolled out
    # No alert, no Flagger, no Rollout, no VPA, no call that reaches nobody, nothing killed for memory.
    silent = ("alerts_firing", "canary_status", "rollout_phase", "vpa_active", "lost_calls", "oom_killed")
    expected |= {name: set() for name in silent}
    found = {query.name: workloads(answers[query.name]) for query in CONTEXT if query.workload_label}
    assert expected == found


def test_the_call_graph_is_the_one_of_the_plant(answers: dict[str, Answer]) -> None:
    mesh = default_mesh()
    found = {(one["source_workload"], one["destination_workload"]) for one in answers["call_rate"].labels}
    assert {(source, destination) for source, destination, *_ in mesh.edges()} == found
    namespaces = {one["source_workload_namespace"] for one in answers["call_rate"].labels}
    assert {mesh.namespace, mesh.gateway_namespace} == namespaces


def test_kinds_images_and_scale_targets_are_read(answers: dict[str, Answer]) -> None:
    kinds = panels.workload_kinds(answers["workload_kind"])
    assert kinds["prod-eu", "shop", "orders-db"] == "StatefulSet"
    assert kinds["prod-eu", "shop", "web"] == "Deployment"
    images = {
        one["image_spec"].rpartition(":")[2]
        for one in panels_of(answers["image"], "checkout")
        if "checkout" in one["container"]
    }
    assert images == {"1.14.2", "1.15.0"}
    assert {one["scaletargetref_kind"] for one in answers["hpa_max"].labels} == {"Deployment"}
    assert np.nanmax(values(answers["hpa_max"], "web")) == 8


def panels_of(answer: Answer, name: str) -> list[Any]:
    return [labels for labels in answer.labels if labels["workload"] == name]


def test_what_breaks_shows_and_what_is_healthy_reads_zero(answers: dict[str, Answer]) -> None:
    assert values(answers["error_ratio"], "checkout")[-10:].min() > 0.2
    assert np.nanmax(values(answers["error_ratio"], "cache")) < 0.01
    assert np.isfinite(values(answers["error_ratio"], "cache")).all()
    assert values(answers["pods_waiting"], "payment")[-10:].max() >= 1
    assert np.nanmax(values(answers["pods_waiting"], "web")) == 0
    assert np.nanmax(values(answers["restarts"], "payment")) >= 1
    assert np.nanmax(values(answers["rollout_stuck"], "payment")) == 1
    assert 0 < np.nanmedian(values(answers["cpu_utilization"], "search")) < 1.5
    assert 0 < np.nanmedian(values(answers["memory_utilization"], "search")) < 1
    newest = values(answers["newest_sample"], "web")
    assert np.array_equal(GRID.times, newest)
    up, known = (np.nanmin(answers[name].values) for name in ("targets_up", "targets_known"))
    assert 0 < up < known


# --- the grid ---------------------------------------------------------------------------------


def test_a_chunked_read_has_the_steps_of_an_unchunked_one(metrics: PrometheusMetrics) -> None:
    second = metrics.read(QUERIES["request_rate"], Grid(START_S + 900, END_S, 1))  # 9,901 steps
    longer = metrics.read(QUERIES["request_rate"], Grid(START_S - 3_600, END_S, 1))  # 14,401 steps
    minute = metrics.read(QUERIES["request_rate"], GRID)
    np.testing.assert_array_equal(longer.values[:, 4_500:], second.values)
    np.testing.assert_array_equal(minute.values, second.values[:, ::60])
    assert longer.labels == minute.labels


def test_a_span_without_samples_is_an_empty_answer(metrics: PrometheusMetrics) -> None:
    answer = metrics.read(QUERIES["request_rate"], Grid(0, 3_600, 60))
    assert (answer.labels, answer.values.shape, answer.warnings) == ((), (0, 61), ())


# --- recording --------------------------------------------------------------------------------


class Remembering:
    """Passes reads on and keeps what came back."""

    def __init__(self, source: PrometheusMetrics) -> None:
        self.source = source
        self.answers: dict[str, Answer] = {}

    def read(self, query: Query, grid: Grid) -> Answer:
        self.answers[query.name] = self.source.read(query, grid)
        return self.answers[query.name]


def test_a_recording_replays_the_identical_answers_and_panels(
    metrics: PrometheusMetrics, tmp_path: Path
) -> None:
    heard: list[str] = []
    once = Remembering(metrics)
    recording.record(once, list(QUERIES.values()), GRID, tmp_path / "recorded", heard.append)
    assert len(heard) == len(QUERIES)
    replay = recording.RecordedMetrics(tmp_path / "recorded")
    assert replay.now_s() == END_S
    for name, query in QUERIES.items():
        said, again = once.answers[name], replay.read(query, GRID)
        assert (said.labels, said.warnings, said.samples) == (again.labels, again.warnings, again.samples)
        np.testing.assert_array_equal(said.values, again.values)
    for grid in (
        Grid(START_S + 3_600, END_S, 3_600),
        Grid(START_S + 1_800, START_S + 5_400, 60),
        Grid(START_S + 7_200, END_S, 300),
    ):
        assert_same(panel(metrics, grid), panel(replay, grid))


def panel(source: Any, grid: Grid) -> Panel:
    kinds = panels.workload_kinds(source.read(QUERIES["workload_kind"], grid))
    return panels.assemble([source.read(query, grid) for query in SIGNALS], kinds)


def assert_same(one: Panel, other: Panel) -> None:
    assert (one.workloads, one.signals, one.step_s) == (other.workloads, other.signals, other.step_s)
    np.testing.assert_array_equal(one.times, other.times)
    # A Prometheus adds floats in the order of a hash map: asked twice, it differs in the last bit.
    np.testing.assert_allclose(one.values, other.values, rtol=1e-6)


# --- what goes wrong --------------------------------------------------------------------------


def refused(url: str, query: Query = QUERIES["request_rate"], grid: Grid = GRID) -> AiopsError:
    found = PrometheusMetrics(PrometheusSettings(url=url, timeout_s=20))
    try:
        with pytest.raises(AiopsError) as error:
            found.read(query, grid)
    finally:
        found.close()
    return error.value


def test_a_killed_server_is_refused_connection() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    error = refused(url)
    assert (type(error), error.message, error.where) == (DataUnusable, "connection refused", url)


def test_an_empty_server_is_ready_and_knows_no_workload(tmp_path: Path, start_prometheus: Any) -> None:
    found = PrometheusMetrics(PrometheusSettings(url=start_prometheus(tmp_path)))
    found.check()
    assert panel(found, GRID).workloads == ()
    assert abs(found.skew_s()) < 5
    found.close()


def test_a_broken_remote_read_makes_every_answer_partial(
    blocks: Path, tmp_path: Path, start_prometheus: Any
) -> None:
    shutil.copytree(blocks, tmp_path / "data")
    dead = f"remote_read: [{{url: 'http://127.0.0.1:{real.free_port()}/read', read_recent: true}}]\n"
    found = PrometheusMetrics(PrometheusSettings(url=start_prometheus(tmp_path / "data", dead)))
    answer = found.read(QUERIES["request_rate"], GRID)
    found.close()
    assert answer.warnings
    assert "remote_read" in answer.warnings[0] or "connect" in answer.warnings[0]


def test_a_wrong_path_is_not_a_prometheus(url: str) -> None:
    error = refused(f"{url}/wrong")
    assert (type(error), error.where) == (DataUnusable, f"{url}/wrong")
    assert "expected a Prometheus, found HTTP 404" in error.message


def test_a_query_the_server_cannot_parse_is_the_users_and_is_shown(url: str) -> None:
    error = refused(url, Query("own", "sum by (workload (x)", "", ("workload",)))
    assert type(error) is ConfigError
    assert "sum by (workload (x)" in error.message


def test_a_query_that_cannot_be_evaluated_means_no_data(url: str) -> None:
    error = refused(url, Query("own", "kube_pod_owner * on (cluster) up", "", ("cluster",)))
    assert type(error) is DataUnusable
    assert "could not be evaluated" in error.message


def test_a_server_with_a_limit_on_samples_gives_the_same_answer_in_parts(blocks, answers, tmp_path):
    shutil.copytree(blocks, tmp_path / "data")
    query = QUERIES["latency_p95"]
    with real.running_prometheus(tmp_path / "data", None, ["--query.max-samples=60000"]) as limited:
        found = PrometheusMetrics(PrometheusSettings(url=limited))
        found._start()
        with pytest.raises(TooMuch):
            found._chunk(query, GRID)
        answer = found.read(query, GRID)
        found.close()
    assert answer.labels == answers["latency_p95"].labels
    np.testing.assert_array_equal(answer.values, answers["latency_p95"].values)


def test_two_series_for_one_workload_are_refused_by_name(url: str) -> None:
    named = 'label_replace(kube_pod_owner, "workload", "w", "", "")'
    own = presets.custom("own", f"sum by (namespace, workload, pod) ({named})", "", "up", 1)
    assert "expected one series per cluster, namespace, workload" in refused(url, own).message


def test_a_server_that_computes_for_too_long_is_given_up(url: str) -> None:
    # Ten thousand steps of ten thousand points each: minutes of work, on any machine.
    slow = Query("slow", "sum(sum_over_time((rate(istio_requests_total[3h]))[3h:1s]))", "", ("cluster",))
    found = PrometheusMetrics(PrometheusSettings(url=url, timeout_s=1.0))
    started = time.monotonic()
    with pytest.raises(DataUnusable):
        found.read(slow, Grid(START_S, END_S, 1))
    assert time.monotonic() - started < 6
    found.close()


@pytest.mark.parametrize("name", ["error_ratio", "latency_p95", "version_error_ratio", "image", "call_rate"])
def test_a_query_that_is_narrowed_gives_the_series_of_one_workload_unchanged(metrics, answers, name):
    query, every = QUERIES[name], answers[name]
    workload = Workload("", "shop", "Deployment", "checkout")
    alone = metrics.read(replace(query, expr=promql.narrowed(query, workload)), GRID)
    mine = [
        row
        for row, labels in enumerate(every.labels)
        if (labels[query.namespace_label], labels[query.workload_label]) == ("shop", "checkout")
    ]
    assert mine
    assert [every.labels[row] for row in mine] == list(alone.labels)
    # The server adds up in the order of its own map, so the last bit may differ.
    np.testing.assert_allclose(every.values[mine], alone.values, rtol=1e-12)
