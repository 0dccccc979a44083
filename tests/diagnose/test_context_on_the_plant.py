"""The labels of the real queries meet the code that reads them: no hand-made answer in between."""

from __future__ import annotations

import pytest

from aiops.diagnose import context
from aiops.domain import Context, Incident, State, Verdict, Workload
from aiops.ingest import panels, presets
from aiops.mesh import plant
from aiops.mesh.answers import MeshMetrics
from aiops.mesh.faults import Defect, Deploy
from aiops.mesh.graph import default_mesh

START_S = 1_773_792_000
END_S = START_S + 4 * 3600
RELEASE_S = END_S - 40 * 60


@pytest.fixture(scope="module")
def contexts() -> dict[str, Context]:
    """Return the contexts of two incidents: web (autoscaled) calls checkout (bad release)."""
    bad = Deploy("checkout", RELEASE_S, "1.15.0", Defect("errors", 0.3))
    metrics = MeshMetrics(plant.simulate(default_mesh(), START_S, END_S, (bad,), (), 5))
    queries = {query.name: query for query in presets.context_queries()}
    incidents = [
        Incident(
            Workload("prod-eu", "shop", "Deployment", name), Verdict.ANOMALOUS, State.FIRING, RELEASE_S + 180,
            (), 2.0, "lstm", None, 1.0, END_S, 10**6,
        )
        for name in ("checkout", "web")
    ]  # fmt: skip
    wanted = context.wanted(incidents, END_S, 60)
    answers = {name: metrics.read(queries[name], grid) for name, grid in wanted}
    kinds = panels.workload_kinds(metrics.read(queries["workload_kind"], wanted[0][1]))
    found = context.assemble(answers, incidents, kinds, END_S)
    return {workload.name: one for workload, one in found.items()}


def test_every_query_that_is_wanted_exists() -> None:
    assert {"image", *context.AROUND_ONSET} <= {query.name for query in presets.context_queries()}


def test_every_source_says_something(contexts: dict[str, Context]) -> None:
    assert {name: one.missing for name, one in contexts.items()} == {"checkout": (), "web": ()}


def test_the_release_is_seen_within_two_scrapes(contexts: dict[str, Context]) -> None:
    (change,) = [c for c in contexts["checkout"].changes if c.kind == "image"]
    assert (change.subject, change.new) == ("checkout", "registry.example.com:5000/shop/checkout:1.15.0")
    assert 0 <= change.at_s - RELEASE_S <= 120


def test_the_new_version_fails_where_the_old_one_did_not(contexts: dict[str, Context]) -> None:
    ratios = {v.version: v.error_ratio for v in contexts["checkout"].versions}
    assert ratios["1.15.0"] == pytest.approx(0.3, abs=0.05)
    assert ratios["1.14.2"] == pytest.approx(0.0, abs=0.01)


def test_the_calls_between_them_are_one_edge_seen_from_both(contexts: dict[str, Context]) -> None:
    down = [e for e in contexts["web"].callees if e.destination.name == "checkout"]
    up = [e for e in contexts["checkout"].callers if e.source.name == "web"]
    assert [(e.source, e.destination, e.rate) for e in down] == [
        (e.source, e.destination, e.rate) for e in up
    ]
    assert down[0].error_ratio == pytest.approx(0.3, abs=0.05)
    assert down[0].error_ratio_before == pytest.approx(0.0, abs=0.01)


def test_the_autoscaler_and_the_pods_are_found(contexts: dict[str, Context]) -> None:
    auto, capacity = contexts["web"].autoscaler, contexts["web"].capacity
    assert auto is not None
    assert auto.min_replicas <= auto.current <= auto.max_replicas
    assert capacity.replicas_desired == auto.current
    assert (contexts["checkout"].autoscaler, contexts["checkout"].capacity.unschedulable) == (None, 0)
    assert contexts["checkout"].rollout.in_progress is False
