"""Tests of the rule about one caller whose requests fail alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from diagnose.scenes import Shop, count_target, good_target

from aiops.domain import Cause


def failing(*, web: float = 0.5, mobile: float = 0.001, mobile_rate: float = 10.0) -> Shop:
    """Return an api that fails, with two callers of which each has its own share of it."""
    shop = Shop("web", "mobile", "api").calls("web", "api", 10, errors=web)
    shop.calls("mobile", "api", mobile_rate, errors=mobile)
    share = (10 * web + mobile_rate * mobile) / (10 + mobile_rate)
    shop.set("api", "request_rate", 10 + mobile_rate, since=3000)
    return shop.set("api", "error_ratio", share, since=30).fire("api", "error_ratio")


def test_the_caller_whose_requests_fail_alone_is_named() -> None:
    found = failing().diagnose()["api"]
    assert (found.cause, found.root.name if found.root else "") == (Cause.CLIENT, "web")
    assert failing().decide("api", good_target()).rule == "S-CALLER"


def _gateway() -> Shop:
    shop = Shop("web", "api").calls("gateway", "api", 10, errors=0.5).calls("web", "api", 10)
    return shop.set("api", "error_ratio", 0.25, since=30).fire("api", "error_ratio")


LEAVE: list[tuple[str, Callable[[], Shop], str]] = [
    ("it fails for both", lambda: failing(mobile=0.4), "R0"),
    ("the other one fails more than before as well", lambda: failing(mobile=0.015), "R0"),
    ("the other one hardly calls", lambda: failing(mobile_rate=0.01), "R0"),
    ("the gateway is the one", _gateway, "R0"),
    ("errors by caller are not known", lambda: failing().drop("call_error_ratio"), "R0"),
]


@pytest.mark.parametrize(("shop", "rule"), [one[1:] for one in LEAVE], ids=[one[0] for one in LEAVE])
def test_nobody_is_named(shop: Callable[[], Shop], rule: str) -> None:
    held = shop().decide("api", good_target())
    assert (held.action, held.rule) == ("hold", rule)


def test_a_release_that_breaks_what_one_caller_uses_goes_back_all_the_same() -> None:
    shop = failing().image("api", "2.0.0", at=32)
    shop.version("api", "1.0.0", 20, 0.001, 80, since=200, until=20)
    shop.version("api", "2.0.0", 20, 0.25, 80, since=32)
    assert shop.decide("api", good_target()).action == "rollback"


def test_no_pods_are_added_for_one_caller_whose_requests_fail() -> None:
    shop = failing().set("api", "cpu_utilization", 1.3, since=30).set("api", "request_rate", 40, since=30)
    shop.calls("gateway", "web", 30, before=10)
    held = shop.fire("api", "error_ratio", "request_rate").decide("api", count_target("api", "replicas", "4"))
    assert held.action == "hold"
