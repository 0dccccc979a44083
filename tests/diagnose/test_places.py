from __future__ import annotations

from diagnose.scenes import Shop, bad_release, good_target

from aiops.domain import Cause


def pods(shop: Shop, errors: dict[str, tuple[str, float]]) -> Shop:
    """Let each pod run on a node with an error ratio: {pod: (node, ratio)}."""
    for pod, (node, ratio) in errors.items():
        shop.row("pod_node", 1, namespace="shop", workload="api", pod=pod, node=node)
        labels = {"destination_workload_namespace": "shop", "destination_workload": "api", "pod": pod}
        shop.row("pod_error_ratio", ratio, **labels)
    return shop


def failing() -> Shop:
    shop = Shop("web", "api").calls("web", "api", 20)
    return shop.set("api", "error_ratio", 0.2, since=30).fire("api", "error_ratio")


ON_ONE_NODE = {
    "api-7-a": ("node-a", 0.6),
    "api-7-b": ("node-a", 0.5),
    "api-7-c": ("node-b", 0.001),
    "api-7-d": ("node-c", 0.0),
}


def test_pods_that_fail_on_one_node_are_the_node() -> None:
    shop = pods(failing(), ON_ONE_NODE)
    found = shop.diagnose()["api"]
    assert (found.cause, found.root, found.place) == (Cause.SHARED, None, "node/node-a")
    assert (shop.decide("api").action, shop.decide("api").rule) == ("hold", "G-PLACE")


def test_a_release_is_not_rolled_back_for_a_bad_node_under_both_versions() -> None:
    spread = {
        **ON_ONE_NODE,
        "api-8-a": ("node-b", 0.0),
        "api-8-b": ("node-a", 0.6),
        "api-8-c": ("node-c", 0.0),
    }
    shop = pods(failing().image("api", "2.0.0", at=32), spread)
    decision = shop.decide("api", good_target())
    assert (decision.action, decision.rule) == ("hold", "G-PLACE")


def test_pods_of_the_new_version_alone_are_the_release_wherever_they_stand() -> None:
    new = {"api-8-a": ("node-a", 0.9), "api-7-c": ("node-b", 0.001), "api-7-d": ("node-c", 0.0)}
    decision = pods(bad_release(), new).decide("api", good_target())
    assert (decision.action, decision.rule) == ("rollback", "R1")


def test_pods_that_are_all_as_bad_are_no_place() -> None:
    even = {"api-7-a": ("node-a", 0.2), "api-7-b": ("node-b", 0.2), "api-7-c": ("node-c", 0.2)}
    assert pods(failing(), even).decide("api").rule == "R0"


def test_a_zone_is_named_when_it_holds_all_bad_pods_and_no_good_one() -> None:
    shop = pods(
        failing(),
        {
            "api-7-a": ("node-a", 0.6),
            "api-7-b": ("node-b", 0.6),
            "api-7-c": ("node-c", 0.0),
            "api-7-d": ("node-d", 0.0),
        },
    )
    for node, zone in (("node-a", "eu-1a"), ("node-b", "eu-1a"), ("node-c", "eu-1b"), ("node-d", "eu-1b")):
        shop.row("node_zone", 1, node=node, zone=zone)
    assert shop.diagnose()["api"].place == "zone/eu-1a"


def test_one_bad_pod_beside_good_ones_on_its_node_is_named_alone() -> None:
    shop = pods(
        failing(), {"api-7-a": ("node-a", 0.8), "api-7-b": ("node-a", 0.0), "api-7-c": ("node-b", 0.0)}
    )
    assert shop.diagnose()["api"].place == "pod/api-7-a"


def node_down(shop: Shop, condition: str = "NotReady") -> Shop:
    for pod, node in (("api-7-a", "node-a"), ("api-7-b", "node-b"), ("api-7-c", "node-c")):
        shop.row("pod_node", 1, namespace="shop", workload="api", pod=pod, node=node)
    shop.row("pod_unready", 1, since=31, namespace="shop", workload="api", pod="api-7-a")
    return shop.row("node_trouble", 1, since=31, node="node-a", condition=condition)


def test_a_node_that_is_not_ready_under_the_lost_pods_is_named() -> None:
    shop = node_down(failing())
    decision = shop.decide("api")
    assert (decision.rule, shop.diagnose()["api"].place) == ("G-PLACE", "node/node-a")
    assert decision.reason == "1 of 3 pods are gone or not ready, all on node/node-a (NotReady)"


def test_a_node_that_vanished_is_named() -> None:
    shop = node_down(failing(), "Cordoned")
    shop.rows["node_trouble"].clear()
    shop.row("node_zone", 1, until=28, node="node-a", zone="eu-1a")
    assert shop.decide("api").reason.endswith("(Gone)")


def test_a_troubled_node_with_healthy_pods_on_it_explains_nothing() -> None:
    shop = node_down(failing())
    shop.rows["pod_unready"].clear()
    assert shop.decide("api").rule == "R0"


def test_lost_pods_elsewhere_as_well_are_not_the_node() -> None:
    shop = node_down(failing()).row("pod_unready", 1, namespace="shop", workload="api", pod="api-7-c")
    assert shop.decide("api").rule == "R0"
