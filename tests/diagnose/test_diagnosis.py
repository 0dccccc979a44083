from __future__ import annotations

import numpy as np
import pytest
from diagnose.scenes import NOW_S, Shop, bad_release, surge, workload

from aiops.diagnose import causes, versions
from aiops.domain import Cause, State


def test_a_bad_release_is_named_with_evidence_before_and_after_and_by_version() -> None:
    found = bad_release().diagnose()["api"]
    assert (found.cause, found.root) == (Cause.BAD_RELEASE, workload("api"))
    assert found.change is not None
    assert found.change.new == "registry.example.com:5000/shop/api:2.0.0"
    told = {(e.query, round(e.value, 3)) for e in found.evidence if e.value is not None}
    assert {("query of error_ratio", 0.001), ("query of error_ratio", 0.3)} <= told
    assert {("query of version_error_ratio", 0.3), ("query of version_error_ratio", 0.001)} <= told


def test_its_callers_are_victims_with_the_same_root() -> None:
    found = bad_release().diagnose()["web"]
    assert (found.cause, found.root) == (Cause.DEPENDENCY, workload("api"))


def test_a_victim_of_a_victim_has_the_root_at_the_end() -> None:
    shop = Shop("web", "api", "db").calls("web", "api", 20, errors=0.3).calls("api", "db", 20, errors=0.3)
    for name in ("web", "api", "db"):
        shop.set(name, "error_ratio", 0.3, since=30).fire(name, "error_ratio")
    found = shop.diagnose()
    assert [found[name].root for name in ("web", "api")] == [workload("db")] * 2
    assert (found["db"].cause, found["db"].root) == (Cause.UNKNOWN, None)


def test_a_server_that_is_gone_is_blamed_by_its_callers_alone() -> None:
    shop = Shop("web").calls("web", "api", 20, errors=1.0)
    found = shop.set("web", "error_ratio", 0.9, since=30).fire("web", "error_ratio").diagnose()["web"]
    assert (found.cause, found.root) == (Cause.DEPENDENCY, workload("api", ""))


def test_a_harmless_release_minutes_before_a_callee_breaks_is_cleared() -> None:
    shop = bad_release().calls("api", "db", 20, errors=0.3)
    found = shop.diagnose()["api"]
    assert (found.cause, found.root) == (Cause.DEPENDENCY, workload("db", ""))
    assert "explains 100% of the symptom" in found.ruled_out[0]


def test_two_that_blame_each_other_end() -> None:
    shop = Shop("a", "b").calls("a", "b", 20, errors=0.3).calls("b", "a", 20, errors=0.3)
    for name in ("a", "b"):
        shop.set(name, "error_ratio", 0.3, since=30).fire(name, "error_ratio")
    assert {d.cause for d in shop.diagnose().values()} == {Cause.DEPENDENCY}


def test_a_callee_that_began_later_explains_nothing() -> None:
    shop = Shop("web", "api").calls("web", "api", 20, errors=0.3, onset=10)
    shop.set("web", "error_ratio", 0.3, since=30).fire("web", "error_ratio", onset=30)
    shop.set("api", "error_ratio", 0.3, since=10).fire("api", "error_ratio", onset=10)
    assert shop.diagnose()["web"].cause is Cause.UNKNOWN


def test_a_callee_that_fails_too_little_explains_nothing() -> None:
    shop = Shop("web", "api").calls("web", "api", 2, errors=0.3)
    shop.set("web", "error_ratio", 0.3, since=30).fire("web", "error_ratio")
    assert shop.diagnose()["web"].cause is Cause.UNKNOWN


def test_two_callees_that_together_explain_it_are_told_by_the_larger() -> None:
    shop = Shop("web", "api").calls("web", "api", 20, errors=0.09).calls("web", "auth", 20, errors=0.08)
    shop.set("web", "error_ratio", 0.2, since=30).fire("web", "error_ratio")
    assert shop.diagnose()["web"].root == workload("api")


def test_latency_of_a_callee_explains_latency_here() -> None:
    shop = Shop("web", "api").calls("web", "api", 20)
    shop.set("web", "latency_p95", 700, since=30).fire("web", "latency_p95")
    shop.set("api", "latency_p95", 600, since=30).fire("api", "latency_p95")
    assert shop.diagnose()["web"].root == workload("api")
    shop.set("api", "latency_p95", 120, since=30)
    assert shop.diagnose()["web"].cause is Cause.UNKNOWN


def test_cpu_per_request_that_rose_with_a_version_is_a_regression_and_no_overload() -> None:
    shop = surge(1.3).image("search", "2.0.0", at=34)
    shop.set("search", "cpu_utilization", 1.4, since=30)
    found = shop.diagnose()["search"]
    assert found.cause is Cause.BAD_RELEASE
    assert [e.value for e in found.evidence if "CPU per request" in e.claim] == [pytest.approx(2.8 / 1.3)]
    assert [e.claim for e in found.against] != []


@pytest.mark.parametrize(
    ("before", "now", "cause"), [(200, 350, Cause.BAD_RELEASE), (290, 350, Cause.UNKNOWN)]
)
def test_a_release_is_blamed_only_for_what_got_clearly_worse(before: float, now: float, cause: Cause) -> None:
    shop = Shop("api").image("api", "2.0.0", at=32).calls("gateway", "api", 20)
    shop.set("api", "latency_p95", before, since=3000).set("api", "latency_p95", now, since=30)
    assert shop.fire("api", "latency_p95").diagnose()["api"].cause is cause


def _slower_release() -> Shop:
    """Return a release that needs much more CPU: pods shed, and the gateway sends again."""
    shop = surge(2.5).image("search", "2.0.0", at=34).set("search", "error_ratio", 0.75, since=30)
    return shop.fire("search", "error_ratio", "latency_p95", "request_rate", "cpu_utilization")


def test_a_release_after_which_less_succeeds_is_no_surge_although_more_is_sent() -> None:
    found = _slower_release().diagnose()["search"]
    assert (found.cause, found.trace[-1].rule) == (Cause.BAD_RELEASE, "R1")


def test_pods_that_serve_less_under_more_load_are_not_scaled() -> None:
    shop = _slower_release()
    shop.rows["image"] = [r for r in shop.rows["image"] if r[0]["workload"] != "search"]
    shop.image("search", "1.0.0")
    found = shop.diagnose()["search"]
    assert (found.cause, found.trace[-1].rule) == (Cause.UNKNOWN, "S-RETRY")


def test_more_load_without_a_saturated_cpu_is_no_overload() -> None:
    shop = surge(2.0).set("search", "cpu_utilization", 0.8, since=30)
    found = shop.fire("search", "latency_p95", "request_rate", "cpu_utilization").diagnose()["search"]
    assert (found.cause, found.trace[-1].rule) == (Cause.CLIENT, "S-SPARE")


def test_a_release_without_harm_is_cleared_and_listed() -> None:
    shop = Shop("api").image("api", "2.0.0", at=32).set("api", "memory_utilization", 0.9, since=30)
    found = shop.fire("api", "memory_utilization").diagnose()["api"]
    assert found.cause is Cause.LEAK
    assert any("no errors and no latency after it" in line for line in found.ruled_out)


def test_changes_that_cannot_be_the_cause_are_listed_with_the_reason() -> None:
    shop = Shop("api").image("api", "2.0.0", at=130).image("api", "1.20", container="istio-proxy")
    shop.image("api", "1.21", at=35, container="istio-proxy")
    shop.set("api", "error_ratio", 0.3, since=30).fire("api", "error_ratio")
    ruled_out = shop.diagnose()["api"].ruled_out
    assert ["100 min before" in ruled_out[0], "injected by the platform" in ruled_out[1]] == [True, True]


def test_other_causes_that_were_looked_at_are_ruled_out_by_name() -> None:
    assert bad_release().diagnose()["api"].ruled_out == (
        "a known peak: it was calmer at this time of day before",
        "a failing dependency: no callee explains it",
        "overload: load is not above what was forecast or is usual",
    )


def test_what_could_not_be_looked_at_is_not_ruled_out() -> None:
    found = bad_release().drop("call_rate", "call_error_ratio").diagnose()["api"]
    assert not any("dependency" in line for line in found.ruled_out)


def test_the_load_that_passes_through_is_rooted_where_it_enters() -> None:
    shop = Shop("web", "api").calls("gateway", "web", 60, before=20).calls("web", "api", 60, before=20)
    for name in ("web", "api"):
        shop.set(name, "request_rate", 60, since=30).fire(name, "request_rate")
    found = shop.diagnose()
    assert [(found[n].cause, found[n].root) for n in ("web", "api")] == [(Cause.CLIENT, workload("web"))] * 2


def test_less_traffic_is_rooted_in_the_caller_that_has_the_incident() -> None:
    shop = Shop("web", "api").calls("web", "api", 5, before=20)
    shop.set("web", "error_ratio", 0.6, since=30).fire("web", "error_ratio")
    shop.set("api", "request_rate", 5, since=30).fire("api", "request_rate")
    found = shop.diagnose()["api"]
    assert (found.cause, found.root) == (Cause.CLIENT, workload("web"))


def test_three_unexplained_that_hurt_at_once_are_one_shared_cause() -> None:
    shop = Shop("a", "b", "c", "d")
    for name in ("a", "b", "c"):
        shop.set(name, "latency_p95", 800, since=30).fire(name, "latency_p95")
    shop.set("d", "cpu_utilization", 0.9, since=30).fire("d", "cpu_utilization")
    assert [d.cause for _, d in sorted(shop.diagnose().items())] == [Cause.SHARED] * 3 + [Cause.UNKNOWN]
    shop.fire("c", "latency_p95", state=State.INACTIVE)
    assert {d.cause for d in shop.diagnose().values()} == {Cause.UNKNOWN}


def test_the_impact_names_the_callers_the_busiest_first() -> None:
    shop = bad_release().calls("mobile", "api", 50)
    impact = shop.diagnose()["api"].impact
    assert impact.callers == ("prod-eu/shop/mobile", "prod-eu/shop/Deployment/web")
    assert impact.share_failing == pytest.approx(0.3)
    assert (impact.share_slow, impact.growing) == (None, False)


def test_every_rule_leaves_its_answer_in_the_trace() -> None:
    shop = Shop("api").set("api", "latency_p95", 800, since=30).fire("api", "latency_p95")
    trace = shop.diagnose()["api"].trace
    assert [(asked.rule, asked.holds) for asked in trace] == [
        *((rule, False) for rule, _ in causes.RULES),
        ("R0", True),
    ]


def test_what_is_not_measured_is_unknown_and_no_guess() -> None:
    shop = Shop("api").image("api", "2.0.0", at=32).set("api", "error_ratio", 0.3, since=30)
    shop.set("api", "error_ratio", np.nan, since=3000, until=31)
    assert shop.fire("api", "error_ratio").diagnose()["api"].cause is Cause.UNKNOWN


TAGS = [
    ("registry.example.com:5000/shop/api:1.2", "1.2"),
    ("registry.example.com:5000/shop/api", ""),
    ("api:1.2@sha256:abc", "1.2"),
    ("api@sha256:abc", ""),
]


@pytest.mark.parametrize(("image", "tag"), TAGS)
def test_the_tag_of_an_image_is_no_port_and_no_digest(image: str, tag: str) -> None:
    assert tag == versions.tag_of(image)


def test_two_proportions_are_apart_by_standard_errors() -> None:
    assert versions.two_proportions(0.5, 100, 0.5, 100) == 0
    assert versions.two_proportions(0.0, 100, 0.0, 100) == 0
    assert versions.two_proportions(0.6, 100, 0.4, 100) == pytest.approx(2.828, abs=1e-3)


def test_times_of_evidence_are_on_the_grid_of_the_judged_data() -> None:
    assert all(NOW_S - 7200 <= e.at_s <= NOW_S for e in bad_release().diagnose()["api"].evidence)


def test_what_fires_hangs_or_was_edited_nearby_is_told_when_no_rule_explains_it() -> None:
    shop = Shop("api").set("api", "latency_p95", 800, since=30).fire("api", "latency_p95")
    where = {"destination_workload_namespace": "shop", "destination_workload": "api"}
    shop.row("disconnect_ratio", 0.2, since=30, rest=0.0, **where)
    shop.row("config_version", 8, since=33, rest=7, namespace="shop", object="ConfigMap/flags")
    shop.context_row("alerts_firing", "api", 1, alertname="ApiSlow", severity="page")
    said = [one.claim for one in shop.diagnose()["api"].evidence]
    assert [claim for claim in said if not claim.startswith("a place to look")] == [
        "requests whose client left before an answer: they hang",
        "3 min before the onset an edit of ConfigMap/flags",
        "latency_p95 left its band: expected about 80 ms",
        "alert ApiSlow fires",
    ]


def test_the_share_of_slow_requests_is_counted() -> None:
    shop = Shop("api").set("api", "latency_p95", 800, since=30).fire("api", "latency_p95")
    where = {"destination_workload_namespace": "shop", "destination_workload": "api"}
    shop.row("slow_ratio", 0.25, since=30, rest=0.0, **where)
    assert shop.diagnose()["api"].impact.share_slow == 0.25


def test_what_left_its_band_is_told_in_the_unit_of_its_value() -> None:
    shop = Shop("api").set("api", "error_ratio", 0.4, since=30).fire("api", "error_ratio")
    claims = [one.claim for one in shop.diagnose()["api"].evidence]
    assert "error_ratio left its band: expected about 0.1%" in claims


def test_evidence_reads_as_sentences() -> None:
    shop = bad_release()
    said = [one.claim for one in shop.diagnose()["api"].evidence]
    assert any(
        " min before the onset the image of container api changed from " in claim and claim.endswith("2.0.0")
        for claim in said
    ), said
    said = [one.claim for one in surge(2.5).diagnose()["search"].evidence]
    rates = [claim for claim in said if claim.startswith("requests per second now")]
    assert [claim.endswith("was usual before and at this hour") for claim in rates] == [True]
