"""Tests of the rule about an autoscaler that comes too late every day, up to the decision."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from diagnose.scenes import Shop, count_target

from aiops.domain import Familiar, Hold, Scale
from aiops.limits import LIMITS

DAY = 1440  # minutes
MINIMUM = count_target("search", "hpa.min", "2")


def late(
    *,
    yesterday: bool = True,
    ended_with_load: bool = False,
    came_from: str = "gateway",
    followed: bool = True,
    maximum: int = 8,
) -> Shop:
    """Return a rush at one time of the day; pods came half an hour after it began."""
    shop = Shop("search", "web", "db").calls(came_from, "search", 60, before=20)
    if yesterday:
        shop.set("search", "request_rate", 60, since=DAY + 32, until=DAY - 60)
        if ended_with_load:
            shop.set("search", "request_rate", 20, since=DAY, until=0)
        shop.set("search", "cpu_utilization", 1.3, since=DAY + 30, until=DAY - 60)
        shop.set("search", "latency_p95", 900, since=DAY + 30, until=DAY + 1)
        shop.set("search", "error_ratio", 0.5, since=DAY + 30, until=DAY + 1)
    shop.set("search", "request_rate", 60, since=32).set("search", "latency_p95", 900, since=30)
    shop.set("search", "error_ratio", 0.3, since=30).set("search", "cpu_utilization", 1.3, since=30)
    shop.hpa("search", 2, maximum, 5, limited=False).replicas("search", 2)
    if followed:
        shop.rows["replicas_desired"][-1][1][-28:] = 5
    return shop.fire("search", "latency_p95", "error_ratio", "request_rate", "cpu_utilization")


def test_the_minimum_is_raised_for_a_peak_that_hurt_yesterday_until_pods_had_come() -> None:
    assert late().decide("search", MINIMUM) == Scale(
        "hpa.min",
        2,
        3,
        "S2",
        "60 req/s at the peak, 20 req/s used 50% of 2: 4 needed, 3 is the most that one proposal may ask for;"
        " meant until 2026-03-25, lower it then",
        per_pod=18.0,  # 10 req/s used half of what a pod asks for; 90 % is full
    )


def _stateful() -> Shop:
    return late().kind("search", "StatefulSet").fire("search", "latency_p95", "error_ratio", "request_rate")


LEAVE: list[tuple[str, Callable[[], Shop], str]] = [
    ("the first day", lambda: late(yesterday=False), "S1"),
    ("yesterday it ended with the load", lambda: late(ended_with_load=True), "S-KNOWN"),
    ("the autoscaler asked for nothing more", lambda: late(followed=False), "S-KNOWN"),
    ("its bounds are equal", lambda: late(maximum=2), "S-KNOWN"),
    ("a release in the hour before", lambda: late().image("search", "2.0.0", at=40), "S-KNOWN"),
    ("a caller in a loop", lambda: late(came_from="web"), "S-KNOWN"),
    ("a callee fails", lambda: late().calls("search", "db", 60, errors=0.9), "S-KNOWN"),
    ("pods wait for a node", lambda: late().context_row("unschedulable", "search", 1), "S4"),
    ("the call graph is missing", lambda: late().drop("call_error_ratio"), "S-BLIND"),
    ("a StatefulSet", _stateful, "S-KNOWN"),
]


@pytest.mark.parametrize(("shop", "rule"), [one[1:] for one in LEAVE], ids=[one[0] for one in LEAVE])
def test_the_minimum_is_left_where_it_is(shop: Callable[[], Shop], rule: str) -> None:
    held = shop().decide("search", MINIMUM)
    assert (held.action, held.rule) == ("hold", rule)


def test_a_minimum_that_the_cluster_does_not_have_is_left_alone() -> None:
    held = late().decide("search", count_target("search", "hpa.min", "3"))
    assert held == Hold("G-DRIFT", "the repository says at least 3 replicas, the cluster has 2")


def test_a_minimum_of_zero_is_switched_off_on_purpose() -> None:
    held = late().decide("search", count_target("search", "hpa.min", "0"))
    assert (held.action, held.rule) == ("hold", "S-OFF")


@pytest.mark.parametrize(("kind", "expected"), [("frequent", "scale"), ("new-level", "hold")])
def test_what_comes_every_day_is_news_for_this_rule_and_what_lasts_is_not(kind, expected) -> None:
    shop = late()
    seen = Familiar(kind, "seen before")
    shop.fire("search", "latency_p95", "error_ratio", "request_rate", "cpu_utilization", familiar=seen)
    assert shop.decide("search", MINIMUM).action == expected


def test_the_minimum_never_passes_the_maximum_nor_the_step() -> None:
    for maximum in range(3, 9):
        raised = late(maximum=maximum).decide("search", count_target("search", "hpa.min", "2"))
        assert isinstance(raised, Scale)
        assert raised.old < raised.new <= min(maximum, raised.old * LIMITS.scale_factor)


def test_without_an_autoscaler_there_is_no_minimum_to_raise() -> None:
    shop = late()
    for source in ("hpa_min", "hpa_max", "hpa_current", "hpa_limited"):
        shop.rows[source].clear()
    asked = next(one for one in shop.diagnose()["search"].trace if one.rule == "S2")
    assert (asked.holds, asked.answer) == (False, "no autoscaler of it is known")
