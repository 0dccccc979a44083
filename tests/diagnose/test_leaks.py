from __future__ import annotations

import numpy as np
from diagnose.scenes import COLUMN, TIMES, Shop, tag_target

from aiops.domain import Cause


def leaking(*, since: int, rate: float = 0.1) -> Shop:
    """Let memory rise by `rate` of the limit per hour since so many minutes ago."""
    shop = Shop("web", "api").calls("web", "api", 20)
    hours = np.maximum(0.0, (TIMES - (TIMES[-1] - since * 60)) / 3600)
    row = shop.values[shop.names.index("api"), COLUMN["memory_utilization"]]
    row[:] = np.minimum(0.4 + rate * hours, 0.99)
    return shop.fire("api", "memory_utilization", onset=60)


TARGET = tag_target("api", ("2.0.0", 5.05), ("1.0.0", 240))


def test_a_leak_that_begins_with_a_release_is_rolled_back_once_pods_are_killed() -> None:
    shop = leaking(since=300).image("api", "2.0.0", at=300).context_row("oom_killed", "api", 1)
    decision = shop.decide("api", TARGET)
    assert (decision.action, decision.rule) == ("rollback", "R13")


def test_without_harm_the_leak_is_named_and_nothing_is_proposed() -> None:
    shop = leaking(since=300).image("api", "2.0.0", at=300)
    decision = shop.decide("api", TARGET)
    assert (decision.action, decision.rule) == ("hold", "G-HARM")
    assert shop.diagnose()["api"].cause is Cause.LEAK


def test_a_leak_that_is_older_than_the_release_is_not_its_doing() -> None:
    shop = leaking(since=600).image("api", "2.0.0", at=300).context_row("oom_killed", "api", 1)
    decision = shop.decide("api", TARGET)
    assert (decision.action, decision.rule) == ("hold", "R13")
    assert "memory rose before it as well" in " ".join(shop.diagnose()["api"].ruled_out)


def test_a_leak_without_a_release_is_for_a_person() -> None:
    shop = leaking(since=300).context_row("oom_killed", "api", 1)
    assert (shop.decide("api", TARGET).action, shop.decide("api", TARGET).rule) == ("hold", "R13")
