"""Every fault leaves the mark that its exporter would show, and nothing before it."""

from __future__ import annotations

import numpy as np
import pytest

from aiops.domain import Grid
from aiops.ingest import presets
from aiops.mesh.answers import MeshMetrics
from aiops.mesh.faults import (
    Crash,
    Defect,
    Deploy,
    FanOut,
    Injection,
    Leak,
    NodeLoss,
    NoRoom,
    ProxyUpgrade,
    Saturation,
    Surge,
)
from aiops.mesh.graph import default_mesh
from aiops.mesh.plant import simulate

START_S = 1_773_792_000
AT_S, END_S = START_S + 2 * 3600, START_S + 4 * 3600
QUERIES = {
    query.name: query
    for query in (*presets.signal_queries(("istio", "kubernetes")), *presets.context_queries())
}


def played(*events):
    return MeshMetrics(simulate(default_mesh(), START_S, END_S, events, (), 5))


def level(metrics, query, name, begin_s, end_s, **labels):
    """Median of one query about one workload in [begin_s, end_s]; 0.0 when there is no row."""
    asked = QUERIES[query]
    answer = metrics.read(asked, Grid(begin_s, end_s, 60))
    rows = [
        values
        for own, values in zip(answer.labels, answer.values, strict=True)
        if own.get(asked.workload_label) == name
        and all(own.get(key) == value for key, value in labels.items())
    ]
    return float(np.nanmedian(np.nansum(rows, axis=0))) if rows else 0.0


def before_and_after(metrics, query, name, **labels):
    return (
        level(metrics, query, name, AT_S - 1800, AT_S - 600, **labels),
        level(metrics, query, name, AT_S + 1200, AT_S + 2400, **labels),
    )


@pytest.fixture(scope="module")
def many():
    """Faults that do not touch each other's services."""
    return played(
        Deploy("catalog", AT_S, "2.12.0", Defect("client-errors", 0.4)),
        FanOut("recommendation", AT_S, END_S, "cache", 4.0),
        Injection("auth", AT_S, END_S, 0.3),
        Crash("payment", AT_S, END_S),
        Leak("cart", AT_S, END_S, 2_000.0),
        ProxyUpgrade("web", AT_S, "1.25.0"),
        Saturation("search", AT_S, END_S, 3.0, waits=True),
    )


def test_client_errors_are_answers_of_the_new_version_and_no_server_error(many):
    before, after = before_and_after(many, "error_ratio", "catalog")
    assert abs(after - before) < 0.02
    text = {one.labels.get("response_code") for one in many._store["istio_requests_total"]}
    assert "400" in text


def test_a_fan_out_is_more_load_without_more_load_above(many):
    before, after = before_and_after(many, "call_rate", "cache", source_workload="recommendation")
    assert 3.0 < after / before < 5.0


def test_injected_faults_are_no_error_of_the_server(many):
    before, after = before_and_after(many, "error_ratio", "auth")
    assert (before, after) == (pytest.approx(0.0, abs=0.01), pytest.approx(0.0, abs=0.01))
    flags = {one.labels["response_flags"] for one in many._store["istio_requests_total"]}
    assert "FI" in flags


def test_a_crash_of_all_pods_waits_restarts_and_serves_nothing(many):
    assert before_and_after(many, "pods_waiting", "payment") == (0.0, 2.0)
    assert level(many, "restarts", "payment", AT_S + 600, AT_S + 1200) > 2
    assert level(many, "replicas_available", "payment", AT_S + 600, END_S) == 0.0


def test_a_leak_without_a_release_is_killed_for_memory(many):
    before, after = before_and_after(many, "restarts", "cart")
    assert (before, after > 1) == (0.0, True)


def test_the_proxy_of_a_pod_gets_another_image_in_place(many):
    image = "docker.io/istio/proxyv2:1.25.0"
    before, after = before_and_after(many, "image", "web", image_spec=image)
    assert (before, after >= 2) == (0.0, True)


def test_waiting_is_slow_and_uses_no_cpu(many):
    slow = before_and_after(many, "latency_p95", "search")
    cpu = before_and_after(many, "cpu_utilization", "search")
    assert slow[1] > 1.5 * slow[0]
    assert cpu[1] < 1.3 * cpu[0]


def test_a_lost_node_moves_its_pods_to_the_others():
    metrics = played(NodeLoss("node-a", AT_S, END_S))
    pods = [pod for there in metrics.trace.standing.values() for pod in there.replicas.pods]
    at = (AT_S - START_S) // 60
    moved = [pod for pod in pods if pod.died == at]
    assert moved
    assert {pod.node for pod in moved} == {"node-a"}
    assert "node-a" not in {pod.node for pod in pods if pod.born >= at}
    assert level(metrics, "replicas_available", "catalog", AT_S + 600, END_S) == 3.0


def test_without_room_new_pods_wait_for_a_node():
    metrics = played(NoRoom(AT_S), Surge("web", AT_S, END_S, 3.0))
    assert before_and_after(metrics, "unschedulable", "web")[0] == 0.0
    assert before_and_after(metrics, "unschedulable", "web")[1] > 0
    assert level(metrics, "replicas_available", "web", AT_S + 1200, END_S) == level(
        metrics, "replicas_available", "web", AT_S - 600, AT_S
    )
