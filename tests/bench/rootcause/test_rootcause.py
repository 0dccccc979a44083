"""A small slice of the benchmark: panels made here, so that it needs no data set."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import real
from bench.rootcause import actions, ours, peers, tables
from bench.rootcause.cases import Case
from bench.rootcause.tables import Answer

from aiops.edges import model_store

METRICS = ("ops", "server_p95", "client_p95", "cpu_pct", "mem_pct", "net_tx", "success_pct")
LEVELS = (20.0, 0.1, 0.08, 30.0, 50.0, 4000.0, 0.0)
CALLS = (("web", "cart"), ("web", "ads"), ("cart", "db"))
NAMES = ("ads", "cart", "db", "web")
HEALTHY, STEP_S = 420, 60
START_S = 1_700_000_040


def case(seed: int, *moved: tuple[str, str, float]) -> Case:
    """Return seven calm hours, then five minutes in which (workload, metric) are times a factor."""
    rng = np.random.default_rng(seed)
    columns = tuple((name, metric) for name in NAMES for metric in METRICS)
    level = np.tile(LEVELS, len(NAMES))
    steps = HEALTHY + 5
    values = level * np.exp(rng.normal(0, 0.08, (steps, len(columns))))
    for name, metric, factor in moved:
        values[HEALTHY:, columns.index((name, metric))] *= factor
    times = START_S + STEP_S * np.arange(steps, dtype=np.int64)
    fault_s = int(times[HEALTHY]) - 20
    return Case("made", "one", times, STEP_S, columns, values, HEALTHY, CALLS, fault_s, "", "", "")


@pytest.fixture(scope="module")
def model() -> object:
    return model_store.load(real.CHECKOUT / "models" / "starter")


BURNT = [(name, "server_p95", 6.0) for name in ("db", "cart", "web")] + [("db", "cpu_pct", 3.0)]
SLOW = [(name, metric, 8.0) for name, metric in (("web", "client_p95"), ("web", "server_p95"))]


@pytest.mark.parametrize(
    ("moved", "root"),
    [(BURNT, "db"), ([*SLOW, ("cart", "server_p95", 8.0)], "cart")],
)
def test_a_fault_is_found_at_its_time_and_named(model: object, moved: list, root: str) -> None:
    given = case(1, *moved)
    said = ours.answer(given, ours.scores(given, model))  # type: ignore[arg-type]
    assert said.onset is not None
    assert abs(said.onset - HEALTHY) <= 2
    assert (said.ranked[0], said.named[0]) == (root, root)


def test_a_calm_case_has_no_incident_and_no_suspect(model: object) -> None:
    given = case(2)
    assert ours.answer(given, ours.scores(given, model)) == ours.Found(None, (), ())  # type: ignore[arg-type]


def test_a_wait_at_the_only_caller_points_at_all_it_calls_alone() -> None:
    given = case(3, ("cart", "client_p95", 10.0), ("cart", "server_p95", 9.0))
    assert ours.names(given, ours.ranked(given, HEALTHY))[0] == "db"


def test_peers_always_name_somebody() -> None:
    given = case(4, ("ads", "cpu_pct", 9.0))
    for peer in (peers.n_sigma, peers.robust):
        assert peer(given, HEALTHY)[0] == "ads"
        assert sorted(peer(case(5), HEALTHY)) == list(NAMES)


def test_a_column_without_samples_is_no_one_s_evidence() -> None:
    given = case(6, ("ads", "cpu_pct", 9.0))
    values = given.values.copy()
    values[:, 0] = np.nan
    for peer in (peers.n_sigma, peers.robust):
        assert peer(replace(given, values=values), HEALTHY)[0] == "ads"


def test_a_slow_network_proposes_nothing_and_more_load_on_a_full_pod_does() -> None:
    """The control: the same gates stand open, and only the second case is an overload."""
    slow = case(7, ("web", "client_p95", 10.0), ("web", "server_p95", 10.0), ("cart", "server_p95", 10.0))
    found = ours.Found(HEALTHY, ("cart",), ("cart",))
    assert actions.proposed(slow, found, ("web", "cart")) == []
    full = case(
        8, ("web", "ops", 3.0), ("web", "cpu_pct", 3.5), ("web", "server_p95", 8.0), ("cart", "ops", 3.0)
    )
    assert actions.proposed(full, ours.Found(HEALTHY, ("web",), ("web",)), ("web",)) == ["scale web"]


def test_unknown_counts_as_wrong_in_every_measure() -> None:
    right = Answer("s", "cpu", "scale", "a", ("a", "b"))
    third = Answer("s", "cpu", "scale", "a", ("c", "b", "a"))
    unknown = Answer("s", "cpu", "scale", "a", ())
    line = list(tables.accuracy({"ours": (right, third, unknown, unknown)}))[1].split()
    assert line[:3] == ["ours", "4", "0.25"]
    assert line[-3:] == ["0.50", "0.40", "0.50"]
