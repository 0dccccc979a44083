"""The plant answers every named query as a real Prometheus does that holds the same series."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import real

from aiops.domain import Grid, Query
from aiops.ingest import presets
from aiops.mesh.answers import MeshMetrics
from aiops.mesh.faults import (
    ConfigChange,
    CounterReset,
    Defect,
    Deploy,
    Event,
    MissingSeries,
    Outage,
    ScrapeOutage,
    Surge,
)
from aiops.mesh.graph import Service, default_mesh
from aiops.mesh.openmetrics import text
from aiops.mesh.plant import simulate

START_S = 1_773_856_800  # 2026-03-18 18:00 UTC; the nightly export starts at 22:00
MINUTE = 60
END_S = START_S + 6 * 60 * MINUTE
QUERIES = (*presets.signal_queries(("istio", "kubernetes")), *presets.context_queries())


def at(minutes: int) -> int:
    return START_S + minutes * MINUTE


# One of everything that leaves a mark in the series.
EVENTS: tuple[Event, ...] = (
    Deploy("checkout", at(60), "1.15.0", Defect("errors", 0.3)),
    Deploy("auth", at(70), "6.3.0", Defect("errors", 0.2)),
    Deploy("payment", at(80), "4.1.0", Defect("crash-loop")),
    Deploy("catalog", at(90), "2.12.0", Defect("image-pull")),
    Deploy("cart", at(100), "1.10.0", Defect("memory-leak", 900.0)),
    Deploy("mobile-api", at(110), "4.0.0", Defect("hang", 0.02)),
    ConfigChange("recommendation", at(120), "2"),
    Deploy("orders-db", at(130), "15.7.0"),
    Surge("search", at(140), at(200), 3.0),
    Surge("web", at(150), at(230), 1.8),
    Outage("cache", at(210), at(220), 0.3),
    ScrapeOutage(at(240), at(243), "envoy-stats"),
    ScrapeOutage(at(250), at(262), "kubelet"),
    ScrapeOutage(at(270), at(279)),
    CounterReset("catalog", at(290)),
    MissingSeries("search", at(300), at(320), "istio_"),
)


@pytest.fixture(scope="module")
def metrics() -> MeshMetrics:
    mesh = default_mesh()
    young = Service("wishlist", "0.1.0", 2, 20.0, entry_rps=6.0, created_s=at(180))
    return MeshMetrics(
        simulate(replace(mesh, services=(young, *mesh.services)), START_S, END_S, EVENTS, seed=7)
    )


@pytest.fixture(scope="module")
def prometheus_url(metrics: MeshMetrics, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    real.prometheus()
    folder = tmp_path_factory.mktemp("data")
    real.backfill(text(metrics.trace), folder)
    with real.running_prometheus(folder) as url:
        yield url


def asked(url: str, query: Query, grid: Grid) -> dict[tuple[str, ...], np.ndarray[Any, Any]]:
    """Return label values -> [T] as the server answers."""
    body = urllib.parse.urlencode(
        {"query": query.expr, "start": grid.start_s, "end": grid.end_s, "step": grid.step_s}
    )
    with urllib.request.urlopen(f"{url}/api/v1/query_range", body.encode(), timeout=60) as reply:
        document = json.load(reply)
    found = {}
    for series in document["data"]["result"]:
        row = np.full(grid.times.size, np.nan)
        for time, value in series["values"]:
            row[(int(time) - grid.start_s) // grid.step_s] = float(value)
        if not np.isnan(row).all():
            found[tuple(series["metric"].get(label, "") for label in query.labels)] = row
    return found


@pytest.mark.real
@pytest.mark.parametrize(
    "grid",
    [Grid(START_S, END_S, 60), Grid(START_S + 17, END_S + 600, 97), Grid(START_S - 600, END_S, 3600)],
    ids=["on the minute", "off the minute", "every hour"],
)
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_named_query_has_the_answer_of_prometheus(
    query: Query, grid: Grid, metrics: MeshMetrics, prometheus_url: str
) -> None:
    expected = asked(prometheus_url, query, grid)
    answer = metrics.read(query, grid)
    actual = {
        tuple(labels[name] for name in query.labels): row
        for labels, row in zip(answer.labels, answer.values, strict=True)
    }
    assert sorted(expected) == sorted(actual)
    for key, row in expected.items():
        np.testing.assert_allclose(actual[key], row, rtol=1e-6, atol=1e-9, err_msg=f"{query.name} {key}")


@pytest.mark.real
def test_every_event_left_a_mark_in_some_answer(metrics: MeshMetrics) -> None:
    grid, by_name = Grid(START_S, END_S, 60), {query.name: query for query in QUERIES}
    assert metrics.read(by_name["waiting_reason"], grid).labels
    assert np.nanmax(metrics.read(by_name["restarts"], grid).values) > 0
    known, up = (metrics.read(by_name[name], grid).values[0] for name in ("targets_known", "targets_up"))
    assert np.nanmin(up) < np.nanmax(known)
    assert np.nanmax(metrics.read(by_name["rollout_stuck"], grid).values) == 1
    assert np.nanmax(metrics.read(by_name["cpu_throttled"], grid).values) > 0.5


def test_the_backfill_is_a_file_that_promtool_accepts(tmp_path: Path, backfill: Callable[..., None]) -> None:
    real.promtool()
    backfill(text(simulate(default_mesh(), START_S, START_S + 600, seed=1)), tmp_path)
    assert list(tmp_path.glob("*/meta.json"))
