from __future__ import annotations

from diagnose.scenes import NOW_S, Shop, workload

from aiops.domain import Cause, State


def burning(*, state: State = State.FIRING) -> Shop:
    """`db` burns CPU and answers slowly; only `web`, which calls it through `api`, has an incident."""
    shop = Shop("web", "api", "db").calls("web", "api", 20).calls("api", "db", 20)
    shop.set("db", "cpu_utilization", 0.95, since=30)
    return shop.set("web", "error_ratio", 0.3, since=30).fire("web", "error_ratio", state=state)


def places(shop: Shop, name: str = "web") -> list[str]:
    return [one.claim for one in shop.diagnose()[name].evidence if one.claim.startswith("a place to look")]


def test_an_incident_that_no_rule_explains_names_whose_state_moved() -> None:
    shop = burning()
    shop.fire("api", "latency_p95", state=State.PENDING)  # so that its calls are known
    found = shop.diagnose()["web"]
    assert (found.cause, found.root) == (Cause.UNKNOWN, None)
    told = [one for one in found.evidence if "cpu_utilization" in one.claim]
    assert str(workload("db")) in told[0].claim
    assert (round(told[0].value or 0, 2), told[0].query) == (0.45, "query of cpu_utilization")
    assert told[0].at_s == NOW_S - 30 * 60


def test_calls_that_were_not_read_lead_nowhere() -> None:
    assert not any(str(workload("db")) in claim for claim in places(burning().drop("call_rate")))


def test_a_pending_incident_looks_for_nothing() -> None:
    assert places(burning(state=State.PENDING)) == []


def test_a_cause_that_a_rule_names_needs_no_suspects() -> None:
    shop = Shop("web", "api").calls("web", "api", 20, errors=0.3)
    for name in ("web", "api"):
        shop.set(name, "error_ratio", 0.3, since=30).fire(name, "error_ratio")
    assert places(shop) == []


def test_a_storm_of_unexplained_incidents_is_not_searched() -> None:
    names = [f"w{index}" for index in range(12)]
    shop = Shop(*names)
    for name in names:  # strange numbers alone: no shared cause
        shop.set(name, "cpu_utilization", 0.95, since=30).fire(name, "cpu_utilization")
    assert places(shop, "w0") == []
