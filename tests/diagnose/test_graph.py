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
