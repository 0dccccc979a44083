"""Hand-made moves: every number of a case stands in the case. A usual move is 1 everywhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.diagnose import roots
from aiops.diagnose.moves import Moves
from aiops.diagnose.roots import Kind, Measure

NAMES = ("web", "api", "db", "mail")
CALLS = ((0, 1), (1, 2), (1, 3))  # web calls api, api calls db and mail
MEASURES = (
    Measure("rate", Kind.LOAD),
    Measure("latency", Kind.LATENCY, wait=2),
    Measure("wait", Kind.WAIT),
    Measure("errors", Kind.ERRORS),
    Measure("cpu", Kind.CPU),
    Measure("net", Kind.TRAFFIC),
)
COLUMN = {measure.name: column for column, measure in enumerate(MEASURES)}


def ranked(
    *moved: tuple[str, str, float], before: float = 100.0, outside: tuple[str, ...] = ()
) -> dict[str, list[str]]:
    """Return the suspects of moves of (workload, signal, amount): name -> kinds, strongest first."""
    amounts = np.zeros((len(NAMES), len(MEASURES)))
    for name, signal, amount in moved:
        amounts[NAMES.index(name), COLUMN[signal]] = amount
    found = Moves(np.full(amounts.shape, before), amounts, np.ones(amounts.shape))
    out = np.array([name in outside for name in NAMES])
    suspects = roots.rank(found, MEASURES, CALLS, 3.0, out)
    return {NAMES[one.row]: [trace.kind.value for trace in one.traces] for one in suspects}


def test_the_callee_whose_latency_its_callers_share_is_the_root() -> None:
    said = ranked(("web", "latency", 80), ("api", "latency", 80), ("db", "latency", 80))
    assert said == {"db": ["latency"]}


def test_a_caller_that_adds_more_than_its_callee_is_a_suspect_for_the_rest() -> None:
    said = ranked(("api", "latency", 80), ("db", "latency", 20))
    assert list(said) == ["api", "db"]


def test_errors_of_two_callees_explain_their_caller_together() -> None:
    said = ranked(("api", "errors", 30), ("db", "errors", 10), ("mail", "errors", 20))
    assert list(said) == ["mail", "db"]


def test_cpu_that_no_load_explains_is_a_state_of_its_own() -> None:
    said = ranked(("api", "cpu", 40), ("web", "latency", 90), ("api", "latency", 90))
    assert said == {"api": ["latency", "cpu"]}


def test_half_the_requests_explain_half_the_traffic() -> None:
    assert ranked(("db", "rate", -50), ("db", "net", -50)) == {}


def test_traffic_that_falls_while_requests_stay_is_a_state_of_its_own() -> None:
    assert ranked(("db", "net", -50)) == {"db": ["traffic"]}


def test_more_load_does_not_explain_less_traffic() -> None:
    assert ranked(("db", "rate", 50), ("db", "net", -20)) == {"db": ["traffic"]}


def test_load_alone_names_nobody() -> None:
    assert ranked(("web", "rate", 50), ("api", "rate", 50), ("db", "rate", 50)) == {}


def test_who_waits_longer_than_any_callee_took_points_at_the_way_to_them() -> None:
    said = ranked(("api", "wait", 50), ("api", "latency", 50), ("web", "wait", 50), ("web", "latency", 50))
    assert said == {"db": ["wait"], "mail": ["wait"]}


def test_a_wait_that_a_slow_callee_explains_points_at_the_callee_alone() -> None:
    said = ranked(("api", "wait", 50), ("api", "latency", 50), ("db", "latency", 50))
    assert said == {"db": ["latency"]}


def test_a_caller_that_does_not_wait_clears_the_way() -> None:
    amounts = np.zeros((4, len(MEASURES)))
    amounts[0, COLUMN["wait"]] = 50
    found = Moves(np.full(amounts.shape, 100.0), amounts, np.ones(amounts.shape))
    calls = ((0, 2), (0, 3), (1, 2))  # both call row 2, the waiting one alone calls row 3
    assert [one.row for one in roots.rank(found, MEASURES, calls, 3.0)] == [3]


def test_what_leaves_no_trace_is_not_ranked() -> None:
    assert ranked(("web", "latency", 2.9), ("api", "cpu", -2.9)) == {}


def test_several_kinds_of_evidence_outweigh_one_larger_number() -> None:
    said = ranked(("api", "cpu", 400), ("mail", "cpu", 40), ("mail", "net", 40), ("mail", "latency", 40))
    assert list(said) == ["mail", "api"]


def test_who_cannot_be_changed_explains_and_is_not_named() -> None:
    said = ranked(("api", "latency", 80), ("db", "latency", 80), outside=("db",))
    assert said == {}


def test_workloads_that_call_each_other_and_share_a_symptom_are_both_cleared() -> None:
    found = Moves(np.full((2, 1), 10.0), np.full((2, 1), 50.0), np.ones((2, 1)))
    measures = (Measure("latency", Kind.LATENCY),)
    assert roots.rank(found, measures, ((0, 1), (1, 0)), 3.0) == ()


def test_a_workload_that_calls_itself_is_not_cleared_by_itself() -> None:
    found = Moves(np.full((1, 1), 10.0), np.full((1, 1), 50.0), np.ones((1, 1)))
    assert len(roots.rank(found, (Measure("latency", Kind.LATENCY),), ((0, 0),), 3.0)) == 1


@pytest.mark.parametrize("gone", [np.nan, 0.0])
def test_without_a_known_load_nothing_is_explained_by_it(gone: float) -> None:
    before = np.full((4, len(MEASURES)), 100.0)
    before[:, COLUMN["rate"]] = gone
    amounts = np.zeros(before.shape)
    amounts[2, COLUMN["rate"]], amounts[2, COLUMN["cpu"]] = 50, 50
    said = roots.rank(Moves(before, amounts, np.ones(before.shape)), MEASURES, CALLS, 3.0)
    assert [one.row for one in said] == [2]


@given(st.permutations(range(4)), st.integers(0, 2**32 - 1))
def test_the_order_of_workloads_changes_nobody_s_strength(order: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    amounts = rng.normal(0, 30, (4, len(MEASURES)))
    before, usual = np.full(amounts.shape, 50.0), rng.uniform(1, 5, amounts.shape)
    first = roots.rank(Moves(before, amounts, usual), MEASURES, CALLS, 3.0)
    place = [order.index(row) for row in range(4)]
    moved = Moves(before[order], amounts[order], usual[order])
    other = roots.rank(moved, MEASURES, [(place[a], place[b]) for a, b in CALLS], 3.0)
    assert {one.row: one.traces for one in first} == {order[one.row]: one.traces for one in other}


def calm_hours(seed: int) -> np.ndarray:
    """Return ten hours of four workloads around 100, [W, S, T]."""
    return 100 + np.random.default_rng(seed).normal(0, 2, (4, len(MEASURES), 600))


def suspects(values: np.ndarray) -> list[int]:
    graph = roots.Graph(MEASURES, CALLS, 3.0)
    found = roots.named(values, 596, 590, 60, np.zeros(len(MEASURES)), graph)
    return [one.row for one in found]


def test_a_trace_that_calm_moments_do_not_have_is_named() -> None:
    values = calm_hours(1)
    values[2, COLUMN["cpu"], 596:] += 40
    assert suspects(values)[0] == 2


@pytest.mark.parametrize("seed", range(2, 7))
def test_calm_moments_name_nobody(seed: int) -> None:
    assert suspects(calm_hours(seed)) == []


def test_a_trace_no_stronger_than_calm_moments_have_names_nobody() -> None:
    values = calm_hours(8)
    values[2, COLUMN["cpu"], 596:] += 12
    assert suspects(values)[0] == 2
    places = [(row, COLUMN[name]) for row in (0, 1, 3) for name in ("cpu", "net", "errors")]
    for (row, column), start in zip(places, range(80, 580, 55), strict=False):  # each once, somebody often
        values[row, column, start : start + 8] += 400
    assert suspects(values) == []


def test_a_history_too_short_to_know_calm_names_nobody() -> None:
    values = calm_hours(9)
    values[2, COLUMN["cpu"], 596:] += 40
    graph = roots.Graph(MEASURES, CALLS, 3.0)
    short = values[:, :, 540:]
    assert roots.named(short, 56, 50, 60, np.zeros(len(MEASURES)), graph) == ()
