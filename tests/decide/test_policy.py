from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from diagnose import scenes
from diagnose.scenes import Shop, bad_release, count_target, good_target, surge, tag_target
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.decide import policy, rules
from aiops.domain import Decision, Familiar, Hold, PastValue, Rollback, Scale, State, Target, Verdict
from aiops.limits import LIMITS, Limits

REPLICAS = count_target("search", "replicas", "4")


def told(decision: Decision) -> tuple[str, str]:
    """Return action and rule: what every scenario has to get right."""
    return (decision.action, decision.rule)


def test_a_bad_release_goes_back_to_the_tag_that_ran_well() -> None:
    assert bad_release().decide("api", good_target()) == Rollback(
        "image.tag",
        "2.0.0",
        "1.0.0",
        "R1",
        "2.0.0 is blamed; 1.0.0 ran healthy before it (in place 10.0 days)",
    )


def test_a_surge_gets_more_replicas_within_the_step() -> None:
    decision = surge(2.0).decide("search", REPLICAS)
    assert isinstance(decision, Scale)
    assert (decision.field, decision.old, decision.new, decision.rule) == ("replicas", 4, 6, "S3")


def test_a_small_surge_gets_what_it_needs_and_no_more() -> None:
    decision = surge(1.25).decide("search", count_target("search", "replicas", "4"))
    assert isinstance(decision, Scale)
    assert decision.new == 5


def test_what_another_number_of_pods_served_is_not_what_these_serve() -> None:
    shop = surge(1.5).set("search", "request_rate", 90, since=4000, until=1500)  # eight pods then
    before = count_target("search", "replicas", "4")
    counts = [
        PastValue("4", "b" * 40, scenes.NOW_S - 1000 * 60, None, ()),
        PastValue("8", "a" * 40, 0, 1, ()),
    ]
    decision = shop.decide("search", replace(before, history=tuple(counts)))
    assert isinstance(decision, Scale)
    assert (decision.new, decision.per_pod) == (6, 5.0)


def test_a_count_that_was_set_just_now_has_served_nothing_to_size_by() -> None:
    counts = (PastValue("4", "b" * 40, scenes.NOW_S - 70 * 60, None, ()), PastValue("8", "a" * 40, 0, 1, ()))
    decision = surge(2.0).decide("search", replace(REPLICAS, history=counts))
    assert told(decision) == ("hold", "S-BLIND")
    assert "4 replicas only since" in decision.reason


def _crash_loop() -> Shop:
    shop = Shop("web", "api").calls("web", "api", 20).image("api", "2.0.0", at=12)
    shop.context_row("waiting_reason", "api", 1, reason="ImagePullBackOff")
    shop.context_row("rollout_progressing", "api", 1)
    return shop.set("api", "pods_waiting", 1, since=10).fire("api", "pods_waiting", onset=10)


def test_a_bad_release_waits_for_its_rollout_unless_that_missed_its_deadline() -> None:
    going_on = bad_release().context_row("rollout_progressing", "api", 1)
    assert told(going_on.decide("api", good_target())) == ("hold", "G3")
    going_on.context_row("rollout_stuck", "api", 1)
    assert told(going_on.decide("api", good_target())) == ("rollback", "R1")


def test_an_image_that_cannot_be_pulled_goes_back_although_traffic_is_fine_and_the_rollout_hangs() -> None:
    assert told(_crash_loop().decide("api", tag_target("api", ("2.0.0", 0.3), ("1.0.0", 240)))) == (
        "rollback",
        "R1b",
    )


def test_a_worker_without_requests_goes_back_only_when_it_cannot_start() -> None:
    worker = _crash_loop().set("api", "request_rate", 0.0, since=3000)
    assert told(worker.decide("api", tag_target("api", ("2.0.0", 0.3), ("1.0.0", 240)))) == (
        "rollback",
        "R1b",
    )
    quiet = bad_release().set("api", "request_rate", 0.001, since=3000, until=32)
    assert told(quiet.decide("api", good_target())) == ("hold", "R3")


def test_what_is_not_known_of_the_cluster_holds_a_scale_back() -> None:
    shop = surge().hpa("search", 2, 4, 4, limited=True).drop("hpa_limited")
    assert told(shop.decide("search", count_target("search", "hpa.max", "4"))) == ("hold", "S1b")
    found, asked = shop.diagnose()["search"], shop.contexts[scenes.workload("search")]
    blind = replace(asked, autoscaler=None, capacity=replace(asked.capacity, unschedulable=None))
    assert policy.fields(found, replace(asked, autoscaler=None)) == ("replicas",)
    assert policy.fields(found, blind) == ()


def test_a_workload_that_is_still_learned_is_rolled_back_only_when_it_cannot_start() -> None:
    shop = _crash_loop().fire("api", "pods_waiting", onset=10, verdict=Verdict.LEARNING)
    assert told(shop.decide("api", tag_target("api", ("2.0.0", 0.3), ("1.0.0", 240)))) == ("rollback", "R1b")
    learning = bad_release().fire("api", "error_ratio", verdict=Verdict.LEARNING)
    assert told(learning.decide("api", good_target())) == ("hold", "G2")


def _mesh_without_harm() -> Shop:
    shop = surge(2.0)
    return shop.set("search", "latency_p95", 120, since=30).fire("search", "request_rate", "cpu_utilization")


def _batch_every_night() -> Shop:
    shop = surge(2.0)
    for signal, level in (("request_rate", 41), ("latency_p95", 880), ("cpu_utilization", 1.25)):
        shop.set("search", signal, level, since=24 * 60 + 40, until=24 * 60 - 40)
    return shop


def _retries() -> Shop:
    shop = Shop("web", "search").calls("web", "search", 60, before=20, errors=0.4)
    shop.set("search", "request_rate", 60, since=30).set("search", "error_ratio", 0.4, since=30)
    shop.set("search", "cpu_utilization", 1.2, since=30)
    return shop.fire("search", "error_ratio", "request_rate", "cpu_utilization")


def _release_with_surge() -> Shop:
    return surge(2.0).image("search", "2.0.0", at=40)


def _leak() -> Shop:
    shop = Shop("web", "search").set("search", "memory_utilization", 0.95, since=60)
    return shop.set("search", "latency_p95", 400, since=30).fire(
        "search", "memory_utilization", "latency_p95"
    )


def _quota() -> Shop:
    labels = {"namespace": "shop", "resourcequota": "team", "resource": "limits.cpu"}
    return surge().row("quota_used", 0.97, **labels)


SCALE_HOLDS: list[tuple[str, Callable[[], Shop], Target | None, str]] = [
    ("nothing that users notice", _mesh_without_harm, REPLICAS, "G-HARM"),
    ("the same peak every night", _batch_every_night, REPLICAS, "S-KNOWN"),
    ("retries of what fails", _retries, REPLICAS, "S-RETRY"),
    ("a release in the same minutes", _release_with_surge, REPLICAS, "R-TIE"),
    ("a leak", _leak, REPLICAS, "R13"),
    (
        "a StatefulSet",
        lambda: surge().kind("search", "StatefulSet").fire("search", "latency_p95", "request_rate"),
        REPLICAS,
        "S8",
    ),
    (
        "a workload of unknown kind",
        lambda: surge().kind("search", "").fire("search", "latency_p95", "request_rate"),
        REPLICAS,
        "S8",
    ),
    ("a quota that is used up", _quota, REPLICAS, "S4"),
    (
        "a VerticalPodAutoscaler on the same workload",
        lambda: surge().context_row("vpa_active", "search", 1),
        REPLICAS,
        "S6b",
    ),
    (
        "an autoscaler that cannot read its metric",
        lambda: (
            surge()
            .hpa("search", 2, 8, 4, limited=False)
            .row(
                "hpa_active",
                0,
                namespace="shop",
                horizontalpodautoscaler="search",
                scaletargetref_kind="Deployment",
                scaletargetref_name="search",
            )
        ),
        None,
        "G10",
    ),
    ("pods without a node", lambda: surge().context_row("unschedulable", "search", 1), REPLICAS, "S4"),
    (
        "an autoscaler whose pods are not ready yet",
        lambda: surge().hpa("search", 2, 4, 4, limited=True).replicas("search", 4, 2),
        None,
        "S1b",
    ),
    (
        "an autoscaler whose bounds nobody tells",
        lambda: surge().hpa("search", 2, 8, 8, limited=True).drop("hpa_max"),
        REPLICAS,
        "S-BLIND",
    ),
    ("an autoscaler below its maximum", lambda: surge().hpa("search", 2, 8, 4, limited=False), None, "S1"),
    (
        "an autoscaler at its maximum, not limited",
        lambda: surge().hpa("search", 2, 4, 4, limited=False),
        None,
        "S1b",
    ),
    (
        "an autoscaler that is fixed on purpose",
        lambda: surge().hpa("search", 4, 4, 4, limited=True),
        None,
        "S1b",
    ),
    ("replicas 0", surge, count_target("search", "replicas", "0"), "S-OFF"),
    ("replicas that are a placeholder", surge, count_target("search", "replicas", "${R}"), "EDIT"),
    ("replicas that somebody changed by hand", surge, count_target("search", "replicas", "2"), "G-DRIFT"),
    (
        "an owner that only git knows",
        surge,
        count_target("search", "replicas", "4", owner="HorizontalPodAutoscaler/search"),
        "EDIT",
    ),
    ("no place to edit", surge, None, "EDIT"),
    (
        "not sustained",
        lambda: surge().fire("search", "latency_p95", "request_rate", state=State.PENDING),
        REPLICAS,
        "G-SUSTAIN",
    ),
    (
        "a new level",
        lambda: surge().fire("search", "latency_p95", "request_rate", familiar=Familiar("new-level", "old")),
        REPLICAS,
        "G-FAMILIAR",
    ),
    ("no data", lambda: surge().fire("search", "latency_p95", verdict=Verdict.NO_DATA), REPLICAS, "G1"),
    (
        "half of the samples missing",
        lambda: surge().fire("search", "latency_p95", "request_rate", coverage=0.4),
        REPLICAS,
        "G1",
    ),
    (
        "too little history",
        lambda: surge().fire("search", "latency_p95", "request_rate", verdict=Verdict.LEARNING),
        REPLICAS,
        "G2",
    ),
    (
        "a rollout that goes on",
        lambda: surge().context_row("rollout_progressing", "search", 1),
        REPLICAS,
        "G3",
    ),
    (
        "the absolute maximum",
        lambda: surge().replicas("search", 50),
        count_target("search", "replicas", "50"),
        "S-CAP",
    ),
]


@pytest.mark.parametrize(
    ("make", "target", "rule"), [row[1:] for row in SCALE_HOLDS], ids=[row[0] for row in SCALE_HOLDS]
)
def test_more_capacity_is_not_asked_for(make: Callable[[], Shop], target: Target | None, rule: str) -> None:
    decision = make().decide("search", *([target] if target else []))
    assert ("hold", rule) == told(decision)


def test_a_surge_without_load_that_users_notice_ends_in_spare_capacity() -> None:
    shop = (
        surge(2.0)
        .set("search", "cpu_utilization", 0.6, since=30)
        .fire("search", "latency_p95", "request_rate")
    )
    assert told(shop.decide("search", REPLICAS)) == ("hold", "S-SPARE")


def test_an_autoscaler_at_its_limit_gets_a_higher_bound_and_never_replicas() -> None:
    shop = surge(1.4).hpa("search", 2, 4, 4, limited=True)
    decision = shop.decide("search", REPLICAS, count_target("search", "hpa.max", "4"))
    assert isinstance(decision, Scale)
    assert (decision.field, decision.old, decision.new, decision.rule) == ("hpa.max", 4, 6, "S1b")


def test_a_bound_is_sized_by_the_pods_that_served_before_the_autoscaler_moved() -> None:
    shop = surge(3.0).replicas("search", 4).hpa("search", 2, 12, 12, limited=True)
    for labels, values in (*shop.rows["replicas_desired"], *shop.rows["replicas_available"]):
        if labels["workload"] == "search":
            values[-32:] = 12
    decision = shop.decide("search", count_target("search", "hpa.max", "12"))
    assert isinstance(decision, Scale)
    assert (decision.old, decision.new) == (12, 13)
    assert "60 req/s offered, 20 req/s served healthy by 4: 13 would be enough" in decision.reason


def test_only_the_bound_is_asked_for_when_an_autoscaler_owns_the_replicas() -> None:
    assert told(surge().hpa("search", 2, 4, 4, limited=True).decide("search", REPLICAS)) == ("hold", "EDIT")


def _sidecar() -> Shop:
    shop = Shop("web", "api").calls("web", "api", 20, errors=0.3)
    shop.image("api", "1.20", container="istio-proxy").image("api", "1.21", at=32, container="istio-proxy")
    return shop.set("api", "error_ratio", 0.3, since=30).fire("api", "error_ratio")


def _old_release() -> Shop:
    shop = Shop("web", "api").calls("web", "api", 20).image("api", "2.0.0", at=120)
    return shop.set("api", "error_ratio", 0.3, since=30).fire("api", "error_ratio")


def _late_release() -> Shop:
    shop = Shop("web", "api").calls("web", "api", 20).image("api", "2.0.0", at=27)
    return shop.set("api", "error_ratio", 0.3, since=30).fire("api", "error_ratio")


def _sick_before() -> Shop:
    shop = bad_release()
    return shop.set("api", "error_ratio", 0.25, since=300, until=31)


def _both_versions_bad() -> Shop:
    shop = Shop("web", "api").calls("web", "api", 20).image("api", "2.0.0", at=32)
    shop.version("api", "1.0.0", 10, 0.3, 80, since=200).version("api", "2.0.0", 10, 0.3, 80, since=32)
    return shop.set("api", "error_ratio", 0.3, since=30).fire("api", "error_ratio")


def _neighbour_released(at: int) -> Shop:
    return bad_release().image("web", "6.0.0", at=at)


def _never() -> Target:
    return replace(good_target(), annotations=(("aiops/rollback", "never"),))


def _victim_with_release() -> Shop:
    shop = Shop("api", "db").calls("api", "db", 20, errors=0.3).image("api", "2.0.0", at=32)
    shop.set("api", "error_ratio", 0.3, since=30).fire("api", "error_ratio")
    return shop.set("db", "error_ratio", 0.3, since=30).fire("db", "error_ratio")


ROLLBACK_HOLDS: list[tuple[str, Callable[[], Shop], Target, str]] = [
    ("a new sidecar", _sidecar, good_target(), "R0"),
    ("a release two hours before", _old_release, good_target(), "R0"),
    ("a release after the onset", _late_release, good_target(), "R0"),
    ("as bad before the release", _sick_before, good_target(), "R0"),
    ("the old version is as bad", _both_versions_bad, good_target(), "R0"),
    ("a harmless release of a victim", _victim_with_release, good_target(), "S6"),
    ("a caller that was released with it", lambda: _neighbour_released(20), good_target(), "R-PAIR"),
    ("a manifest that says never", bad_release, _never(), "R-NEVER"),
    ("nothing to go back to", bad_release, tag_target("api", ("2.0.0", 0.58)), "R3"),
    (
        "the old value was in place for minutes",
        bad_release,
        tag_target("api", ("2.0.0", 0.58), ("1.0.0", 0.9)),
        "R3",
    ),
    (
        "the current value was returned to",
        bad_release,
        tag_target("api", ("2.0.0", 0.58), ("1.0.0", 30), ("2.0.0", 90)),
        "R4",
    ),
    (
        "a migration in the commit",
        bad_release,
        tag_target("api", ("2.0.0", 0.58), ("1.0.0", 240), touched=("db/migrations/0042.sql",)),
        "R5",
    ),
    (
        "more than the tag in the commit",
        bad_release,
        tag_target("api", ("2.0.0", 0.58), ("1.0.0", 240), touched=("clusters/prod-eu/api-config.yaml",)),
        "R7",
    ),
    ("a branch as the old tag", bad_release, tag_target("api", ("2.0.0", 0.58), ("main", 240)), "R9"),
    ("a tag that moves", lambda: bad_release("latest"), good_target(tag="latest"), "R9"),
    (
        "git says another tag than runs",
        bad_release,
        tag_target("api", ("2.0.1", 0.1), ("1.0.0", 240)),
        "G-DRIFT",
    ),
    (
        "a place that is refused",
        bad_release,
        tag_target("api", ("2.0.0", 0.58), ("1.0.0", 240), refusal="templated"),
        "EDIT",
    ),
    (
        "a StatefulSet",
        lambda: bad_release().kind("api", "StatefulSet").fire("api", "error_ratio"),
        good_target(),
        "S8",
    ),
    (
        "too little traffic",
        lambda: bad_release().set("api", "request_rate", 0.01, since=3000),
        good_target(),
        "G1",
    ),
    ("errors that users do not notice", lambda: bad_release(errors=0.015), good_target(), "G-HARM"),
]


@pytest.mark.parametrize(
    ("make", "target", "rule"), [row[1:] for row in ROLLBACK_HOLDS], ids=[row[0] for row in ROLLBACK_HOLDS]
)
def test_a_release_is_not_rolled_back(make: Callable[[], Shop], target: Target, rule: str) -> None:
    assert ("hold", rule) == told(make().decide("api", target))


def test_failures_are_counted_one_by_one_where_hardly_anybody_calls() -> None:
    few = bad_release().set("api", "request_rate", 0.05, since=3000)  # 3 a minute
    assert told(few.decide("api", good_target())) == ("rollback", "R1")
    rare = bad_release(errors=0.025).set("api", "request_rate", 0.05, since=3000)
    assert told(rare.decide("api", good_target())) == ("hold", "G1")


def _deploys_that_hurt(*minutes: int, until: int = 15) -> tuple[Shop, Target]:
    """Return a bad release after deploys some hours ago, each of which failed for a while."""
    shop = bad_release()
    values = [("2.0.0", 0.58)]
    for number, length in enumerate(minutes, start=1):
        hours = 6.0 * number
        at = int(hours * 60)
        shop.set("api", "error_ratio", 0.3, since=at - 2, until=at - length)
        values.append((f"1.{9 - number}.0", hours))
    return shop, tag_target("api", *values, ("1.0.0", 240))


def test_what_comes_with_every_deploy_and_passes_is_not_rolled_back() -> None:
    shop, target = _deploys_that_hurt(50, 45)
    decision = shop.decide("api", target)
    assert told(decision) == ("hold", "R1c")
    assert "each of the last 2 deploys was as bad for up to 50 min" in decision.reason


@pytest.mark.parametrize(
    "minutes", [(50,), (20, 10), (50, 0)], ids=["only once", "shorter", "not every time"]
)
def test_what_is_not_usual_at_each_deploy_is(minutes: tuple[int, ...]) -> None:
    shop, target = _deploys_that_hurt(*minutes)
    assert told(shop.decide("api", target)) == ("rollback", "R1")


def test_what_people_took_back_did_not_pass_by_itself() -> None:
    """Two bad releases of the last day, each rolled back within the hour, are no habit of deploys."""
    shop = bad_release()
    values = [("2.0.0", 0.58)]
    for number, hours in enumerate((6.0, 12.0), start=1):
        at = int(hours * 60)
        shop.set("api", "error_ratio", 0.3, since=at - 2, until=at - 55)
        values += [("1.0.0", hours - 0.9), (f"1.{9 - number}.0", hours)]
    target = tag_target("api", *values, ("1.0.0", 240))
    assert told(shop.decide("api", target)) == ("rollback", "R1")


def _aborted(shop: Shop) -> Shop:
    return shop.row("rollout_phase", 1, namespace="shop", workload="api", phase="Degraded")


def test_the_repository_catches_up_with_a_rollout_that_was_aborted() -> None:
    shop = Shop("web", "api").calls("web", "api", 20).fire("api", "error_ratio")
    decision = _aborted(shop).decide("api", good_target())
    assert isinstance(decision, Rollback)
    assert (decision.rule, decision.variant, decision.old, decision.new) == (
        "G4",
        "catch-up",
        "2.0.0",
        "1.0.0",
    )


def test_a_canary_that_flagger_gave_up_counts_under_the_name_of_its_target() -> None:
    shop = Shop("web", "api-primary").calls("web", "api-primary", 20).fire("api-primary", "error_ratio")
    shop.image("api-primary", "1.0.0", repo="r/api", container="api").context_row("canary_status", "api", 2)
    assert shop.decide("api-primary", tag_target("api-primary", ("2.0.0", 1), ("1.0.0", 240))).rule == "G4"


def test_an_aborted_release_that_changed_more_than_the_tag_is_for_a_person() -> None:
    shop = Shop("web", "api").calls("web", "api", 20).fire("api", "error_ratio")
    target = good_target()
    newest = replace(target.history[0], touched=("clusters/prod-eu/settings.yaml",))
    decision = _aborted(shop).decide("api", replace(target, history=(newest, *target.history[1:])))
    assert told(decision) == ("hold", "R7")


def test_an_aborted_rollout_whose_new_version_still_runs_is_left_to_its_controller() -> None:
    assert told(_aborted(bad_release()).decide("api", good_target())) == ("hold", "G4")


@pytest.mark.parametrize(
    ("each", "every", "expected"),
    [("10", "50", ("scale", "S3", 5)), ("10", "45", ("hold", "S5", 0)), ("ten", "45", ("scale", "S3", 6))],
)
def test_declared_connections_of_the_database_cap_the_pods(
    each: str, every: str, expected: tuple[str, str, int]
) -> None:
    notes = (("aiops/connections-max", every), ("aiops/connections-per-pod", each))
    decision = surge(2.0).decide("search", replace(REPLICAS, annotations=notes))
    new = decision.new if isinstance(decision, Scale) else 0
    assert (*told(decision), new) == expected


def test_every_gate_is_told_with_its_answer() -> None:
    shop = bad_release()
    shop.decide("api", good_target())
    found = shop.diagnose()["api"]
    asked = policy.asked(
        shop.incidents["api"], found, shop.contexts[scenes.workload("api")], LIMITS, shop.panel
    )
    assert [(one.rule, one.holds) for one in asked] == [
        (name, False) for name in ("G1", "G-SUSTAIN", "G-SILENCE", "G-HARM", "G1", "G3")
    ]


def test_a_neighbour_that_was_released_an_hour_apart_does_not_stand_in_the_way() -> None:
    assert told(_neighbour_released(80).decide("api", good_target())) == ("rollback", "R1")


def test_a_release_that_cannot_start_goes_back_whoever_was_released_beside_it() -> None:
    shop = _crash_loop().image("web", "6.0.0", at=14)
    assert told(shop.decide("api", tag_target("api", ("2.0.0", 0.3), ("1.0.0", 240)))) == ("rollback", "R1b")


def test_an_image_that_is_pinned_by_digest_goes_back_to_the_digest_before() -> None:
    old, new = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    shop = bad_release(f"registry.example.com:5000/shop/api@{new}")
    target = replace(tag_target("api", (new, 0.58), (old, 240)), field="image.digest")
    decision = shop.decide("api", target)
    assert isinstance(decision, Rollback)
    assert (decision.field, decision.old, decision.new) == ("image.digest", new, old)


def test_fewer_successes_on_the_new_version_alone_are_the_release() -> None:
    shop = bad_release(errors=0.001)
    for version, share, since, until in (("1.0.0", 0.99, 200, 23), ("2.0.0", 0.6, 32, 0)):
        labels = {
            "destination_workload_namespace": "shop",
            "destination_workload": "api",
            "destination_version": version,
        }
        shop.row("version_success_ratio", share, since=since, until=until, **labels)
    shop.fire("api", "cpu_utilization")
    assert told(shop.decide("api", good_target())) == ("rollback", "R1d")


def test_the_same_tag_in_another_overlay_does_not_stand_in_the_way() -> None:
    target = tag_target(
        "api",
        ("2.0.0", 0.58),
        ("1.0.0", 240),
        touched=("clusters/prod-us/kustomization.yaml", "apps/cart/x.yaml"),
    )
    assert told(bad_release().decide("api", target)) == ("rollback", "R1")


def test_a_value_that_was_never_tested_is_skipped_only_by_opt_in() -> None:
    target = tag_target("api", ("2.0.0", 0.58), ("1.9.0", 0.8), ("1.0.0", 240))
    assert told(bad_release().decide("api", target)) == ("hold", "R3")
    further = replace(target, annotations=(("aiops/rollback", "further"),))
    decision = bad_release().decide("api", further)
    assert isinstance(decision, Rollback)
    assert decision.new == "1.0.0"


def test_a_value_that_ran_badly_stops_the_search() -> None:
    shop = bad_release().set("api", "latency_p95", 700, since=600, until=33)
    decision = shop.decide("api", tag_target("api", ("2.0.0", 0.58), ("1.9.0", 10), ("1.0.0", 240)))
    assert told(decision) == ("hold", "R3")


def test_the_victim_of_a_bad_release_is_left_alone_and_told_of_the_root() -> None:
    decision = bad_release().decide("web", good_target("web"))
    assert told(decision) == ("hold", "S6")
    assert decision.reason == "a victim: prod-eu/shop/Deployment/api explains 100% of what rose here"


def test_a_refused_edit_has_its_own_variant() -> None:
    decision = bad_release().decide(
        "api", tag_target("api", ("2.0.0", 0.58), ("1.0.0", 240), refusal="templated")
    )
    assert Hold("EDIT", "templated", variant="edit-refused") == decision


# --- what must always hold --------------------------------------------------------------------

PLAIN: list[tuple[str, Callable[[], Shop], tuple[Target, ...]]] = [
    ("api", bad_release, (good_target(),)),
    ("web", bad_release, (good_target("web"),)),
    ("search", surge, (REPLICAS,)),
    ("search", _retries, (REPLICAS,)),
    ("search", _release_with_surge, (REPLICAS, good_target("search"))),
    ("api", _victim_with_release, (good_target(),)),
    (
        "search",
        lambda: surge().hpa("search", 2, 8, 4, limited=False),
        (count_target("search", "replicas", "4", owner="HorizontalPodAutoscaler/search"),),
    ),
]


@settings(max_examples=60, deadline=None)
@given(case=st.sampled_from(PLAIN), lost=st.sets(st.sampled_from(scenes.SOURCES), min_size=1, max_size=4))
def test_a_missing_source_never_creates_an_action(
    case: tuple[str, Callable[[], Shop], tuple[Target, ...]], lost: set[str]
) -> None:
    name, make, targets = case
    with_all = make().decide(name, *targets)
    without = make().drop(*lost).decide(name, *targets)
    assert without.action in {"hold", with_all.action}


def _surrounded() -> Shop:
    """Return a bad release in a namespace where two of everything goes on."""
    shop = bad_release()
    for kind in ("PodChaos", "NetworkChaos"):
        shop.row("chaos_running", 1, namespace="shop", kind=kind)
    for phase in ("Progressing", "Paused"):
        shop.row("rollout_phase", 1, namespace="shop", workload="api", phase=phase)
    for name in ("One", "Two"):
        shop.context_row("alerts_firing", "api", 1, alertname=name, severity="page")
    return shop


ANY_ORDER = [*PLAIN, ("api", _surrounded, (good_target(),))]


@settings(max_examples=25, deadline=None)
@given(case=st.sampled_from(ANY_ORDER), seed=st.integers(0, 2**16))
def test_the_order_of_the_input_never_changes_a_decision(
    case: tuple[str, Callable[[], Shop], tuple[Target, ...]], seed: int
) -> None:
    name, make, targets = case
    shuffled = make().decide(name, *targets, order=np.random.default_rng(seed))
    assert make().decide(name, *targets) == shuffled
    assert make().diagnose() == make().diagnose(np.random.default_rng(seed))


@settings(max_examples=40, deadline=None)
@given(
    current=st.integers(1, 70),
    factor=st.floats(1.25, 30),
    step=st.integers(1, 20),
    times=st.floats(1.0, 4.0),
    most=st.integers(2, 60),
)
def test_a_scale_adds_at_least_one_and_never_passes_a_cap(
    current: int, factor: float, step: int, times: float, most: int
) -> None:
    limits = Limits(scale_step=step, scale_factor=times, replicas_max=most)
    target = count_target("search", "replicas", str(current))
    decision = surge(factor).replicas("search", current).decide("search", target, limits=limits)
    if current >= most:
        assert told(decision) == ("hold", "S-CAP")
    else:
        assert isinstance(decision, Scale)
        assert (
            current + 1 <= decision.new <= min(most, current + step, max(current + 1, int(current * times)))
        )


def test_every_rule_that_is_told_is_in_the_rule_book() -> None:
    seen = {
        asked.rule for _, make, _ in PLAIN for found in make().diagnose().values() for asked in found.trace
    }
    seen |= {row[3] for row in (*SCALE_HOLDS, *ROLLBACK_HOLDS)}
    assert seen <= set(rules.RULES)
