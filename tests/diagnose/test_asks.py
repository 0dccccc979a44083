from __future__ import annotations

import pytest
from diagnose.scenes import Shop, good_target

from aiops.diagnose.graph import DAY_S


def loop(
    *,
    share: float = 1.0,
    sent: float = 160.0,
    released: int = 34,
    onset: int = 32,
    peak: float = 24.0,
    other: float = 0.0,
) -> Shop:
    """Let a release of `api` send `sent` instead of 20 calls per second to `db`, a `share` succeeds."""
    shop = Shop("web", "api", "db").calls("web", "api", 20).image("api", "2.0.0", at=released)
    edge = {
        "source_workload_namespace": "shop",
        "source_workload": "api",
        "destination_workload_namespace": "shop",
        "destination_workload": "db",
    }
    shop.row("call_rate", sent, since=released, rest=20, **edge)
    shop.row("call_error_ratio", 0.3, since=onset, rest=0, **edge)
    shop.row("call_success_ratio", share, since=released, rest=1, **edge)
    if other:
        shop.row("call_rate", other, since=released, rest=20, **edge | {"source_workload": "jobs"})
    shop.version("api", "2.0.0", 20, 0.3, 80, since=released)
    shop.version("api", "1.0.0", 20, 0.001, 80, since=3000, until=released)
    shop.set("db", "request_rate", peak, since=DAY_S // 60 - 60, until=DAY_S // 60 - 120)
    shop.set("db", "request_rate", sent + other, since=released)
    return shop.set("api", "error_ratio", 0.3, since=onset).fire("api", "error_ratio", onset=onset)


def told(shop: Shop) -> tuple[str, str]:
    decision = shop.decide("api", good_target())
    return (decision.action, decision.rule)


def test_a_new_version_that_drowns_its_database_goes_back() -> None:
    found = loop().diagnose()["api"]
    assert "calls to prod-eu/shop/Deployment/db answered well per own request (1 before the release)" in [
        said.claim for said in found.evidence
    ]
    assert told(loop()) == ("rollback", "R1")


@pytest.mark.parametrize(
    ("why", "shop"),
    [
        ("each good answer was sent for eight times: retries", lambda: loop(share=1 / 8)),
        ("it asks for as much as before", lambda: loop(sent=20)),
        ("a little more is what any release may do", lambda: loop(sent=30)),
        ("the database served as much a day ago", lambda: loop(peak=150.0)),
        ("the database served it well for half an hour", lambda: loop(released=55, onset=25)),
        ("somebody else sends most of what is new", lambda: loop(other=400.0)),
    ],
)
def test_a_victim_of_its_database_is_left_alone(why: str, shop: object) -> None:
    assert callable(shop)
    assert told(shop()) == ("hold", "S6"), why


def test_without_the_share_that_was_answered_well_nothing_is_claimed() -> None:
    shop = loop()
    shop.rows["call_success_ratio"].clear()
    assert told(shop) == ("hold", "S6")
