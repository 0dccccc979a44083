from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from diagnose.scenes import NOW_S, SOURCES, STEP_S, Shop, bad_release, surge, workload

from aiops.diagnose import context
from aiops.domain import Autoscaler, Context, Grid, State

END_S = NOW_S - 120  # the newest complete step


def assembled(shop: Shop, name: str) -> Context:
    shop.diagnose()
    return shop.contexts[workload(name, shop.kinds[name])]


def test_a_calm_fleet_asks_nothing() -> None:
    shop = bad_release().fire("api", "error_ratio", state=State.INACTIVE)
    shop.fire("web", "error_ratio", state=State.INACTIVE)
    assert context.wanted(shop.incidents.values(), NOW_S, STEP_S) == ()


def test_one_pending_incident_asks_everything_around_its_onset() -> None:
    shop = Shop("api").fire("api", "error_ratio", onset=30, state=State.PENDING)
    wanted = dict(context.wanted(shop.incidents.values(), NOW_S, STEP_S))
    assert set(wanted) == set(SOURCES)
    assert wanted["image"] == Grid(END_S - 26 * 3600, END_S, STEP_S)
    assert wanted["call_rate"] == Grid(NOW_S - 90 * 60, END_S, STEP_S)


def test_the_second_of_the_minute_a_run_starts_in_moves_no_grid() -> None:
    shop = Shop("api").fire("api", "error_ratio", onset=30)
    assert context.wanted(shop.incidents.values(), NOW_S, STEP_S) == context.wanted(
        shop.incidents.values(), NOW_S + 59, STEP_S
    )


@pytest.mark.parametrize("step_s", [60, 300])
def test_the_earliest_onset_sets_the_grid_and_26_hours_are_the_most(step_s: int) -> None:
    shop = Shop("api", "web").fire("api", "error_ratio", onset=10).fire("web", "error_ratio", onset=3000)
    wanted = dict(context.wanted(shop.incidents.values(), NOW_S, step_s))
    end_s = (NOW_S - 120) // step_s * step_s
    assert wanted["call_rate"] == Grid(end_s - 26 * 3600, end_s, step_s)


def test_only_open_incidents_get_a_context() -> None:
    shop = bad_release().fire("web", "error_ratio", state=State.INACTIVE)
    shop.diagnose()
    assert list(shop.contexts) == [workload("api")]


def test_what_runs_now_and_what_changed_are_told_per_container() -> None:
    found = assembled(bad_release().image("api", "1.20", container="istio-proxy"), "api")
    images = [
        ("api", "registry.example.com:5000/shop/api:2.0.0"),
        ("istio-proxy", "registry.example.com:5000/shop/istio-proxy:1.20"),
    ]
    assert images == list(found.images)
    assert [(c.subject, c.at_s) for c in found.changes] == [("api", NOW_S - 32 * 60)]


def test_an_edge_is_told_before_and_after_the_onset() -> None:
    shop = Shop("web", "api").fire("api", "error_ratio").calls("web", "api", 60, before=20, errors=0.4)
    found = assembled(shop, "api")
    assert found.callees == ()
    (edge,) = found.callers
    assert (edge.source, edge.rate, edge.rate_before, edge.error_ratio, edge.error_ratio_before) == (
        workload("web"), 60, 20, 0.4, 0.0,
    )  # fmt: skip


def test_versions_are_compared_over_the_minutes_both_served() -> None:
    found = assembled(bad_release(errors=0.3), "api")
    assert [(v.version, round(v.error_ratio or 0, 3)) for v in found.versions] == [
        ("1.0.0", 0.001),
        ("2.0.0", 0.3),
    ]
    old, new = found.versions
    assert old.requests == 6 * 60 * 5  # ten steps with a rate, less the four that it looks back
    assert new.requests == 6 * 60 * 20


def test_a_version_that_was_gone_before_the_next_one_served_is_not_compared() -> None:
    shop = Shop("api").image("api", "2.0.0", at=32).fire("api", "error_ratio")
    shop.version("api", "1.0.0", 5, 0.001, 80, since=200, until=29)  # the look-back of its rate
    shop.version("api", "2.0.0", 20, 0.3, 80, since=32)
    assert [v.version for v in assembled(shop, "api").versions] == ["2.0.0"]


def test_an_autoscaler_is_found_by_what_it_scales() -> None:
    found = assembled(surge().hpa("search", 2, 8, 8, limited=True), "search")
    assert found.autoscaler == Autoscaler("search", 2, 8, 8, limited=True)
    assert assembled(surge().hpa("db", 2, 8, 8, limited=True), "search").autoscaler is None


def test_an_autoscaler_with_an_unknown_bound_is_not_known() -> None:
    found = assembled(surge().hpa("search", 2, 8, 8, limited=True).drop("hpa_max"), "search")
    assert (None, True) == (found.autoscaler, context.AUTOSCALER in found.missing)
    found = assembled(surge(), "search")
    assert (None, False) == (found.autoscaler, context.AUTOSCALER in found.missing)


def test_no_unschedulable_pod_is_zero_only_when_kubernetes_answers() -> None:
    assert assembled(surge(), "search").capacity.unschedulable == 0
    assert (
        assembled(surge().drop("replicas_desired", "unschedulable"), "search").capacity.unschedulable is None
    )


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_that_is_lost_is_named(source: str) -> None:
    assert source in assembled(bad_release().drop(source), "api").missing


def test_a_source_that_knows_only_other_workloads_is_named() -> None:
    shop = bad_release()
    shop.rows["image"] = [row for row in shop.rows["image"] if row[0]["workload"] != "api"]
    assert "image" in assembled(shop, "api").missing
    assert "image" not in assembled(shop, "web").missing


def test_a_partial_source_is_named_as_missing() -> None:
    shop = bad_release()
    answers = shop.answers()
    answers["call_rate"] = replace(answers["call_rate"], warnings=("remote read failed",))
    found = context.assemble(answers, shop.incidents.values(), {}, NOW_S)
    assert "call_rate" in found[workload("api")].missing


def test_samples_after_the_judged_step_are_not_used() -> None:
    shop = bad_release()
    past_s = NOW_S - 40 * 60
    found = context.assemble(shop.answers(), shop.incidents.values(), {}, past_s)
    assert found[workload("api")].changes == ()
    assert [spec for _, spec in found[workload("api")].images] == ["registry.example.com:5000/shop/api:1.0.0"]


def test_an_empty_answer_is_no_sample() -> None:
    shop = bad_release()
    answers = shop.answers()
    answers["call_rate"] = replace(answers["call_rate"], labels=(), values=np.zeros((0, 3001)))
    found = context.assemble(answers, shop.incidents.values(), {}, NOW_S)[workload("api")]
    assert (found.callers, "call_rate" in found.missing) == ((), True)
