from __future__ import annotations

import pytest
from diagnose.scenes import Shop, bad_release, good_target


def injected(shop: Shop, name: str, share: float) -> Shop:
    return shop.row("injected_ratio", share, destination_workload_namespace="shop", destination_workload=name)


def told(shop: Shop, name: str) -> tuple[str, str]:
    decision = shop.decide(name, good_target(name))
    return (decision.action, decision.rule)


def test_faults_that_a_proxy_injects_are_reported_as_injected() -> None:
    assert told(injected(bad_release(), "api", 0.3), "api") == ("hold", "G5")


def test_a_caller_into_whose_calls_faults_are_injected_is_told_of_them() -> None:
    shop = injected(Shop("web", "api").calls("web", "api", 20), "api", 0.3)
    shop.set("web", "error_ratio", 0.3, since=30).fire("web", "error_ratio")
    assert "30% of the requests to api" in shop.decide("web").reason


def test_no_injected_faults_are_no_excuse() -> None:
    assert told(injected(bad_release(), "api", 0.0), "api") == ("rollback", "R1")


@pytest.mark.parametrize("namespace", ["shop", "chaos-mesh"])
def test_a_chaos_experiment_holds_what_it_may_have_broken(namespace: str) -> None:
    shop = bad_release().row("chaos_running", 1, namespace=namespace, kind="NetworkChaos")
    assert told(shop, "api") == ("hold", "G-CHAOS")
    assert f"NetworkChaos in {namespace}" in shop.decide("api").reason


def test_an_experiment_in_another_namespace_or_of_yesterday_does_not() -> None:
    shop = bad_release().row("chaos_running", 1, namespace="other", kind="PodChaos")
    shop.row("chaos_running", 1, until=90, namespace="shop", kind="PodChaos")
    assert told(shop, "api") == ("rollback", "R1")
