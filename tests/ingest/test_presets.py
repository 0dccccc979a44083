from __future__ import annotations

import re
from typing import get_args

import pytest

from aiops import config
from aiops.errors import ConfigError
from aiops.ingest import presets

USED = [(name, "kubernetes") for name in presets.REQUESTS]
EVERY = [query for used in USED for query in (*presets.signal_queries(used), *presets.context_queries(used))]

# The contract with the detector: name, unit, direction, smallest deviation, floor.
SIGNALS = [
    ("request_rate", "req/s", "both", 0.5, None),
    ("error_ratio", "ratio", "up", 0.01, 0.02),
    ("latency_p95", "ms", "up", 30, 300),
    ("cpu_utilization", "ratio of request", "up", 0.15, None),
    ("memory_utilization", "ratio of limit", "up", 0.1, None),
    ("restarts", "restarts per 15 min", "up", 2, 3),
    ("pods_waiting", "pods", "up", 0.5, 0.5),
]


@pytest.mark.parametrize("used", USED, ids=lambda used: used[0])
def test_the_signals_are_the_ones_the_detector_knows_whoever_counts(used: tuple[str, str]) -> None:
    found = [query.signal for query in presets.signal_queries(used)]
    expected = SIGNALS
    assert expected == [(s.name, s.unit, s.direction, s.min_deviation, s.floor) for s in found if s]


@pytest.mark.parametrize("used", USED, ids=lambda used: used[0])
def test_names_are_unique_because_files_and_evidence_are_named_by_them(used: tuple[str, str]) -> None:
    names = [query.name for query in (*presets.signal_queries(used), *presets.context_queries(used))]
    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("query", EVERY, ids=lambda query: query.name)
def test_every_aggregation_and_join_keeps_clusters_apart(query: presets.Query) -> None:
    clauses = re.findall(r"\b(?:by|on) \(([^)]*)\)", query.expr)
    assert clauses
    assert [clause for clause in clauses if "cluster" not in clause.split(", ")] == []


@pytest.mark.parametrize("query", EVERY, ids=lambda query: query.name)
def test_the_labels_that_name_the_workload_are_labels_of_the_answer(query: presets.Query) -> None:
    named = {query.cluster_label, query.namespace_label, query.workload_label} - {""}
    assert named <= set(query.labels)
    assert bool(query.workload_label) == bool(query.namespace_label)


@pytest.mark.parametrize("query", EVERY, ids=lambda query: query.name)
def test_no_quotient_lets_zero_by_zero_through(query: presets.Query) -> None:
    # The two utilisations divide by requests and limits, which Kubernetes refuses to be 0; a volume
    # has a size.
    if " / " in query.expr and "utilization" not in query.name and query.name != "volume_used":
        assert re.search(r"/ (on \([^)]*\) )?(max by \([^)]*\) )?\(.* > 0\)", query.expr)


def test_a_preset_that_does_not_exist_is_named() -> None:
    with pytest.raises(ConfigError, match=r"istio, linkerd, .*, found 'traefik'"):
        presets.signal_queries(("istio", "traefik"))


def test_two_that_count_the_same_requests_are_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="linkerd and nginx count the same requests"):
        presets.signal_queries(("linkerd", "kubernetes", "nginx"))


def test_what_a_source_of_requests_cannot_tell_is_not_asked() -> None:
    asked = {query.name for query in presets.context_queries(("nginx", "kubernetes"))}
    assert {"image", "hpa_max", "targets_up"} <= asked
    assert not {name for name in asked if name.startswith(("call_", "version_", "pod_e"))}


def test_the_settings_know_the_presets_that_there_are() -> None:
    assert set(get_args(config.Preset)) == set(presets.NAMES)


def test_the_order_of_the_presets_is_the_order_of_the_signals() -> None:
    swapped = presets.signal_queries(("kubernetes", "istio"))
    assert [name for name, *_ in SIGNALS[3:] + SIGNALS[:3]] == [query.name for query in swapped]


def test_an_own_query_becomes_a_signal_on_one_line() -> None:
    query = presets.custom("queue_depth", "max by (cluster, namespace,\n  workload) (depth)", "jobs", "up", 5)
    assert query.expr == "max by (cluster, namespace, workload) (depth)"
    assert query.labels == ("cluster", "namespace", "workload")
    assert query.signal is not None
    assert (query.signal.name, query.signal.unit, query.signal.min_deviation) == ("queue_depth", "jobs", 5)


def test_an_own_query_may_not_take_the_name_of_a_preset() -> None:
    with pytest.raises(ConfigError, match="belongs to a preset"):
        presets.custom("image", "up", "", "up", 0)


@pytest.mark.parametrize(
    "expr",
    [
        "http_requests_total",
        "sum by (namespace, workload) (http_requests_total)",
        "latency_seconds_bucket{le='1'}",
    ],
)
def test_a_raw_counter_is_refused_because_it_only_grows(expr: str) -> None:
    with pytest.raises(ConfigError, match="raw counter"):
        presets.custom("own", expr, "", "up", 0)


@pytest.mark.parametrize(
    "expr",
    [
        "sum by (namespace, workload) (rate(http_requests_total[5m]))",
        "sum by (namespace, workload) (increase(jobs_total[1h]))",
        "max by (namespace, workload) (queue_depth)",
        "max by (namespace, workload) (total_memory_bytes)",
    ],
)
def test_levels_and_rates_are_accepted(expr: str) -> None:
    assert expr == presets.custom("own", expr, "", "up", 0).expr
