from __future__ import annotations

import pytest
from diagnose.scenes import Shop, good_target

from aiops.domain import Cause


def caller_of_nobody(flags: str, rate: float = 6.0) -> Shop:
    """Let web fail since its calls to cart reach no pod; web was released as well."""
    shop = Shop("web", "cart").image("web", "2.0.0", at=33).calls("gateway", "web", 20)
    shop.row(
        "lost_calls",
        rate,
        since=30,
        source_workload_namespace="shop",
        source_workload="web",
        destination_service_namespace="shop",
        destination_service_name="cart",
        response_flags=flags,
    )
    return shop.set("web", "error_ratio", 0.3, since=30).fire("web", "error_ratio")


@pytest.mark.parametrize(
    ("flags", "rule", "cause"),
    [("UH", "S6", Cause.DEPENDENCY), ("NR", "R14", Cause.CONFIG), ("URX,NC", "R14", Cause.CONFIG)],
)
def test_calls_that_reach_nobody_are_not_the_callers_release(flags: str, rule: str, cause: Cause) -> None:
    shop = caller_of_nobody(flags)
    decision, found = shop.decide("web", good_target("web")), shop.diagnose()["web"]
    assert ("hold", rule, cause) == (decision.action, decision.rule, found.cause)
    assert found.root is not None
    assert found.root.name == "cart"


def test_a_few_lost_calls_do_not_excuse_a_bad_release() -> None:
    decision = caller_of_nobody("UH", rate=0.5).decide("web", good_target("web"))
    assert (decision.action, decision.rule) == ("rollback", "R1")


def test_calls_that_were_lost_before_as_well_explain_nothing() -> None:
    shop = caller_of_nobody("UH")
    shop.rows["lost_calls"][0][1][:] = 6.0
    assert shop.decide("web", good_target("web")).rule == "R1"


def _switched(before: float, now: float) -> Shop:
    """Let `api`, which serves 20 requests, send `before`, then `now` calls to a callee that fails at 30 %."""
    shop = Shop("web", "api", "green").calls("web", "api", 20)
    shop.calls("api", "green", now, before=before)
    _, ratios = shop.rows["call_error_ratio"][-1]
    ratios[:] = 0.3
    share = {
        "destination_service_namespace": "shop",
        "destination_service_name": "leaf",
        "destination_workload_namespace": "shop",
    }
    for name, then, rest in (("green", now, before), ("leaf", 20 - now, 20 - before)):
        own = share | {"destination_workload": name, "destination_version": "1.0.0"}
        shop.row("service_rate", then, since=30, rest=rest, **own)
    return shop.set("api", "error_ratio", 0.3, since=30).fire("api", "error_ratio", onset=30)


def test_a_callee_that_always_failed_explains_failures_once_calls_are_switched_to_it() -> None:
    shop = _switched(0.1, 20)
    decision = shop.decide("api")
    assert (decision.action, decision.rule) == ("hold", "S6")
    assert decision.reason == (
        "a victim: prod-eu/shop/Deployment/green explains 100% of what rose here;"
        " share of leaf served by green 1.0.0 from 0% to 100%"
    )


def test_a_callee_that_always_failed_explains_nothing_while_it_gets_as_many_calls() -> None:
    assert _switched(20, 20).decide("api").rule == "R0"


def _behind_a_flood(asked: float) -> Shop:
    """Let web, which gets `asked` times its load, flood auth; auth passes it on to leaf, which is full."""
    shop = Shop("web", "auth", "leaf").calls("gateway", "web", 20 * asked, before=20)
    shop.calls("web", "auth", 60, before=20).calls("auth", "leaf", 60, before=20)
    shop.set("web", "request_rate", 20 * asked, since=30)
    for name in ("auth", "leaf"):
        shop.set(name, "request_rate", 60, since=30).set(name, "latency_p95", 900, since=30)
    shop.set("leaf", "cpu_utilization", 1.3, since=30)
    return shop.fire("leaf", "latency_p95", "request_rate", "cpu_utilization")


def test_load_of_a_loop_two_calls_away_is_not_scaled_for() -> None:
    decision, found = _behind_a_flood(1).decide("leaf"), _behind_a_flood(1).diagnose()["leaf"]
    assert (decision.action, decision.rule, found.cause) == ("hold", "S-RETRY", Cause.CLIENT)
    assert decision.reason == "prod-eu/shop/Deployment/web sends more without getting more itself"


def test_retries_that_a_request_rate_counts_are_no_load_from_outside() -> None:
    shop = _behind_a_flood(1).set("auth", "request_rate", 140, since=30)
    assert shop.decide("leaf").rule == "S-RETRY"


def test_load_from_outside_is_scaled_for_however_many_calls_away() -> None:
    assert _behind_a_flood(3).diagnose()["leaf"].cause is Cause.OVERLOAD


def test_calls_in_a_circle_carry_nothing_from_outside() -> None:
    shop = _behind_a_flood(1).calls("leaf", "web", 40, before=0.5)
    assert shop.decide("leaf").rule == "S-RETRY"
