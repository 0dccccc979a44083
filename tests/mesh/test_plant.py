from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.domain import Grid
from aiops.ingest import presets
from aiops.mesh.answers import MeshMetrics
from aiops.mesh.exposition import exposition
from aiops.mesh.faults import (
    BadNode,
    ConfigChange,
    Control,
    Defect,
    DefectKind,
    Deploy,
    Event,
    Outage,
    Saturation,
    Surge,
)
from aiops.mesh.graph import Call, Mesh, Service, default_mesh
from aiops.mesh.openmetrics import text
from aiops.mesh.plant import Trace, resume, simulate

MINUTE, HOUR = 60, 3600
START_S = 1_773_853_200  # 2026-03-18 17:00 UTC
END_S = START_S + 4 * HOUR
MESH = default_mesh()
SOON_S = START_S + 2 * HOUR
PLAIN = simulate(MESH, START_S, SOON_S, seed=3)
SIGNALS = {query.name: query for query in presets.signal_queries(("istio", "kubernetes"))}

Samples = dict[tuple[str, tuple[tuple[str, str], ...]], tuple[int, bytes]]


def seen(trace: Trace, until_s: int) -> Samples:
    """Return the bits of every series up to a time, and the minute they begin."""
    found: Samples = {}
    for family in exposition(trace):
        for one in family.series:
            end = min(one.values.size, (until_s - trace.start_s) // MINUTE + 1 - one.begin)
            held = np.flatnonzero(~np.isnan(one.values[: max(end, 0)]))
            if held.size:
                bits = one.values[held[0] : held[-1] + 1].tobytes()
                found[one.metric, tuple(sorted(one.labels.items()))] = (one.begin + int(held[0]), bits)
    return found


@functools.cache
def metrics(trace: Trace) -> MeshMetrics:
    return MeshMetrics(trace)


def at(trace: Trace, signal: str, service: str, time_s: int) -> float:
    """Return one signal of one service at one time, as a Prometheus would answer."""
    query = SIGNALS[signal]
    answer = metrics(trace).read(query, Grid(time_s, time_s, MINUTE))
    rows = [row for row, labels in enumerate(answer.labels) if labels[query.workload_label] == service]
    return float(answer.values[rows[0], 0]) if rows else float("nan")


def test_the_same_seed_writes_the_same_bytes() -> None:
    first, second = (b"".join(text(simulate(MESH, START_S, START_S + HOUR, seed=5))) for _ in range(2))
    assert first == second
    assert first != b"".join(text(simulate(MESH, START_S, START_S + HOUR, seed=6)))


times = st.integers(30, 100).map(lambda minute: START_S + minute * MINUTE)
services = st.sampled_from(["web", "checkout", "search", "cache", "orders-db", "auth"])
kinds: tuple[DefectKind, ...] = (
    "errors",
    "latency",
    "hang",
    "crash-loop",
    "image-pull",
    "memory-leak",
    "cpu",
)
changes = st.one_of(
    st.builds(Deploy, services, times, st.just("9.0.0"), st.none()),
    st.builds(
        Deploy, services, times, st.just("9.0.0"), st.builds(Defect, st.sampled_from(kinds), st.just(0.5))
    ),
    st.builds(Surge, services, times, st.just(END_S), st.floats(0.2, 5.0)),
    st.builds(Outage, services, times, st.just(END_S), st.floats(0.1, 1.0)),
    st.builds(Saturation, services, times, st.just(END_S), st.floats(1.0, 9.0)),
    st.builds(BadNode, st.sampled_from(MESH.nodes), times, st.just(END_S), st.floats(1.0, 9.0)),
    st.builds(ConfigChange, services, times, st.just("2"), st.none()),
    st.builds(Control, services, times, st.none(), st.integers(1, 9), st.integers(1, 3), st.integers(3, 9)),
)


@settings(max_examples=25, deadline=None)
@given(changes)
def test_the_past_does_not_know_what_comes(change: Event | Control) -> None:
    events = () if isinstance(change, Control) else (change,)
    controls = (change,) if isinstance(change, Control) else ()
    changed = simulate(MESH, START_S, SOON_S, events, controls, seed=3)
    before = change.start_s - MINUTE
    assert seen(PLAIN, before) == seen(changed, before)


def test_a_longer_run_starts_with_the_shorter_one() -> None:
    short, long = (simulate(MESH, START_S, START_S + hours * HOUR, seed=2) for hours in (2, 4))
    assert seen(short, short.end_s) == seen(long, short.end_s)


def test_resuming_keeps_the_past_and_changes_the_future() -> None:
    trace = simulate(MESH, START_S, START_S + 2 * HOUR, seed=2)
    on = resume(trace, (Control("search", trace.end_s, replicas=5),), END_S)
    assert seen(trace, trace.end_s - MINUTE) == seen(on, trace.end_s - MINUTE)
    assert on.standing["search"].replicas.wanted[-1] == 5


@settings(max_examples=15, deadline=None)
@given(st.lists(changes, max_size=3), st.integers(0, 99))
def test_counters_never_fall_and_no_sample_is_negative(found: list[Event | Control], seed: int) -> None:
    events = tuple(change for change in found if not isinstance(change, Control))
    controls = tuple(change for change in found if isinstance(change, Control))
    trace = simulate(MESH, START_S, SOON_S, events, controls, seed=seed)
    for family in exposition(trace):
        for one in family.series:
            held = one.values[~np.isnan(one.values)]
            assert (held >= 0).all(), one.labels
            # Only a StatefulSet gives the name of a pod to another one, whose counters start at 0.
            reborn = one.labels.get("pod", "").startswith("orders-db-")
            if family.kind != "gauge" and not reborn:
                assert not (np.diff(one.values) < 0).any(), (one.metric, one.labels)


def test_a_series_exists_once() -> None:
    trace = simulate(MESH, START_S, END_S, (Deploy("orders-db", START_S + HOUR, "16.0.0"),), seed=1)
    names = [(one.metric, tuple(sorted(one.labels.items()))) for f in exposition(trace) for one in f.series]
    assert len(names) == len(set(names))


def test_load_has_a_day_and_a_quieter_weekend() -> None:
    sunday = 1_773_532_800  # 2026-03-15 00:00 UTC
    trace = simulate(MESH, sunday, sunday + 3 * 86_400, seed=1)
    rate = trace.running["web"].offered
    evening, night = (rate[hour * 60 : hour * 60 + 60].mean() for hour in (19 + 24, 5 + 24))
    assert evening > 2 * night
    assert rate[19 * 60 : 20 * 60].mean() < 0.95 * rate[(48 + 19) * 60 : (48 + 20) * 60].mean()


def test_latency_grows_with_load() -> None:
    trace = simulate(MESH, START_S, END_S, (Surge("search", START_S + HOUR, END_S, 1.6),), seed=1)
    now = trace.running["search"]
    order = np.argsort(now.rho)
    slow, fast = now.latency[order[-30:]].mean(), now.latency[order[:30]].mean()
    assert slow > 2 * fast
    assert now.shed.max() < 0.01


OVERLOAD = Surge("search", START_S + HOUR, END_S + HOUR, 2.6)


def test_an_overload_sheds_throttles_and_stays_where_it_is() -> None:
    trace, calm = (simulate(MESH, START_S, END_S, events, seed=1) for events in ((OVERLOAD,), ()))
    late = START_S + 2 * HOUR
    assert at(trace, "error_ratio", "search", late) > 0.02
    assert at(trace, "latency_p95", "search", late) > 1000
    assert at(trace, "cpu_utilization", "search", late) > 1.2
    for service in MESH.services:
        if service.name != "search":
            expected = at(calm, "request_rate", service.name, late)
            assert at(trace, "request_rate", service.name, late) == pytest.approx(expected, rel=0.05)
            assert at(trace, "error_ratio", service.name, late) < 0.01


@pytest.mark.parametrize("seed", range(4))
def test_more_pods_never_make_an_overload_worse(seed: int) -> None:
    found = []
    for pods in (2, 3, 4, 6):
        control = Control("search", START_S + 2 * HOUR, replicas=pods)
        now = simulate(MESH, START_S, END_S, (OVERLOAD,), (control,), seed=seed).running["search"]
        found.append((now.latency[150:].mean(), now.shed[150:].mean()))
    assert found == sorted(found, reverse=True)
    assert found[-1][0] < 0.1 * found[0][0]


def test_a_rollback_ends_a_bad_release_and_its_victims_recover() -> None:
    bad = Deploy("checkout", START_S + HOUR, "1.15.0", Defect("errors", 0.4))
    back = Control("checkout", START_S + 2 * HOUR, tag="1.14.2")
    trace = simulate(MESH, START_S, END_S, (bad,), (back,), seed=4)
    during, after = START_S + HOUR + 30 * MINUTE, START_S + 2 * HOUR + 30 * MINUTE
    for service, share in (("checkout", 0.3), ("web", 0.08), ("mobile-api", 0.08)):
        assert at(trace, "error_ratio", service, during) > share
        assert at(trace, "error_ratio", service, after) < 0.005
    assert at(trace, "error_ratio", "payment", during) < 0.005


@pytest.mark.parametrize(
    ("kind", "magnitude", "signal", "least"),
    [
        ("errors", 0.3, "error_ratio", 0.25),
        ("latency", 400.0, "latency_p95", 700.0),
        ("hang", 0.05, "error_ratio", 0.5),
        ("cpu", 2.5, "cpu_utilization", 0.5),
        ("memory-leak", 400.0, "memory_utilization", 0.6),
        ("crash-loop", 1.0, "restarts", 2.5),
        ("crash-loop", 1.0, "pods_waiting", 0.5),
        ("image-pull", 1.0, "pods_waiting", 0.5),
    ],
)
def test_each_bad_release_shows_in_its_signal(
    kind: DefectKind, magnitude: float, signal: str, least: float
) -> None:
    deploy = Deploy("checkout", START_S + HOUR, "1.15.0", Defect(kind, magnitude))
    trace = simulate(MESH, START_S, END_S, (deploy,), seed=4)
    assert at(trace, signal, "checkout", START_S + HOUR - MINUTE) < 0.75 * least
    assert at(trace, signal, "checkout", START_S + HOUR + 40 * MINUTE) > least


def test_a_release_that_cannot_start_leaves_the_old_pods_serving() -> None:
    deploy = Deploy("checkout", START_S + HOUR, "1.15.0", Defect("image-pull"))
    trace = simulate(MESH, START_S, END_S, (deploy,), seed=4)
    assert at(trace, "error_ratio", "checkout", END_S) < 0.01
    assert at(trace, "request_rate", "checkout", END_S) > 20


@pytest.mark.parametrize(
    ("event", "service", "signal", "factor"),
    [
        (Saturation("orders-db", START_S + HOUR, END_S, 12.0), "orders-db", "latency_p95", 5.0),
        (Saturation("orders-db", START_S + HOUR, END_S, 12.0), "payment", "latency_p95", 1.5),
        (BadNode("node-b", START_S + HOUR, END_S, 6.0), "checkout", "latency_p95", 1.2),
        (Outage("cache", START_S + HOUR, END_S, 0.7), "cart", "error_ratio", 50.0),
        (Surge("web", START_S + HOUR, END_S, 2.0), "catalog", "request_rate", 1.4),
    ],
)
def test_what_fails_below_is_felt_above(event: Event, service: str, signal: str, factor: float) -> None:
    trace = simulate(MESH, START_S, END_S, (event,), seed=4)
    calm = max(at(trace, signal, service, START_S + HOUR - MINUTE), 1e-3)
    assert at(trace, signal, service, START_S + 2 * HOUR) > factor * calm


def test_an_autoscaler_follows_load_and_stops_at_its_bound() -> None:
    trace = simulate(MESH, START_S, END_S, (Surge("web", START_S + HOUR, END_S + HOUR, 3.0),), seed=1)
    held = trace.standing["web"].replicas
    assert held.wanted[:60].max() < 8
    assert held.wanted[-1] == 8
    assert held.limited[-30:].all()
    raised = resume(trace, (Control("web", START_S + 2 * HOUR, maximum=14),), END_S)
    assert 8 < raised.standing["web"].replicas.wanted[-1] <= 14


def test_a_young_service_has_no_past() -> None:
    young = Service("wishlist", "0.1.0", 2, 20.0, entry_rps=6.0, created_s=START_S + 2 * HOUR)
    trace = simulate(replace(MESH, services=(young, *MESH.services)), START_S, END_S, seed=1)
    for family in exposition(trace):
        for one in family.series:
            if one.owner == "wishlist":
                assert one.begin >= 120, one.metric


def test_input_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="whole minutes"):
        simulate(MESH, START_S + 1, END_S)
    with pytest.raises(ValueError, match="does not have"):
        simulate(MESH, START_S, END_S, (Deploy("nobody", START_S, "1"),))
    with pytest.raises(ValueError, match="does not stand after it"):
        Mesh((Service("a", "1", 1, 1.0, (Call("b", 1.0),)),))
    with pytest.raises(ValueError, match="same name"):
        Mesh((Service("a", "1", 1, 1.0), Service("a", "1", 1, 1.0)))


def test_nothing_is_written_about_a_service_that_does_not_exist_yet() -> None:
    later = Service("wishlist", "0.1.0", 2, 20.0, entry_rps=6.0, created_s=END_S + HOUR)
    trace = simulate(replace(MESH, services=(later, *MESH.services)), START_S, START_S + HOUR, seed=1)
    assert not [one for family in exposition(trace) for one in family.series if one.owner == "wishlist"]


def test_without_pods_only_the_callers_count_and_cannot_name_the_workload() -> None:
    trace = simulate(MESH, START_S, SOON_S, (), (Control("search", START_S + HOUR, replicas=0),), seed=1)
    late = [
        one.labels
        for family in exposition(trace)
        if family.name == "istio_requests"
        for one in family.series
        if one.labels["destination_service_name"] == "search" and one.begin >= 60
    ]
    assert [
        (one["reporter"], one["destination_workload"], one["response_code"], one["response_flags"])
        for one in late
    ] == [("source", "unknown", "503", "UH")]


def test_changes_before_the_start_or_in_one_minute_count_once() -> None:
    events = (
        Deploy("web", START_S - HOUR, "6.0.0"),
        Deploy("cart", START_S + HOUR, "2.0.0"),
        Deploy("cart", START_S + HOUR, "2.0.1"),
    )
    trace = simulate(MESH, START_S, SOON_S, events, seed=1)
    expected = {"web": ["6.0.0"], "cart": ["1.9.5", "2.0.1"]}
    actual = {name: [g.tag for g in trace.standing[name].asked.generations] for name in expected}
    assert expected == actual
