from __future__ import annotations

import pytest
from diagnose.scenes import NOW_S, Shop, bad_release, count_target, good_target, surge

from aiops.domain import Cause, Hold


def failing(onset: int = 30) -> Shop:
    shop = Shop("web", "api").calls("web", "api", 20)
    return shop.set("api", "error_ratio", 0.3, since=onset).fire("api", "error_ratio", onset=onset)


def told(shop: Shop, name: str = "api") -> tuple[str, str]:
    decision = shop.decide(name, good_target())
    return (decision.action, decision.rule)


def test_a_new_pod_template_with_the_same_image_is_a_configuration_change() -> None:
    shop = failing().template("api", "api-old").template("api", "api-new", at=33)
    found = shop.diagnose()["api"]
    assert (Cause.CONFIG, "pod template from api-old to api-new") == (
        found.cause,
        f"{found.change.subject} from {found.change.old} to {found.change.new}" if found.change else "",
    )
    assert told(shop) == ("hold", "R6")


def test_an_old_replicaset_that_comes_back_is_a_change_as_well() -> None:
    shop = (
        failing()
        .template("api", "api-old")
        .template("api", "api-new", at=90)
        .template("api", "api-old", at=33)
    )
    assert told(shop) == ("hold", "R6")


def test_a_release_is_no_configuration_change_although_it_is_a_new_template() -> None:
    shop = bad_release().template("api", "api-old").template("api", "api-new", at=32)
    assert told(shop) == ("rollback", "R1")


@pytest.mark.parametrize(
    ("subject", "rule"),
    [
        ("ConfigMap/api-settings", "R6"),
        ("Secret/api", "R6"),
        ("ConfigMap/apiary", "R0"),
        ("ConfigMap/flags", "R0"),
    ],
)
def test_an_edit_in_place_counts_when_the_object_is_called_like_the_workload(subject: str, rule: str) -> None:
    shop = failing().row("config_version", 8, since=33, rest=7, namespace="shop", object=subject)
    assert told(shop) == ("hold", rule)


def test_an_edit_in_another_namespace_is_nobody_of_ours() -> None:
    shop = failing().row("config_version", 8, since=33, rest=7, namespace="other", object="ConfigMap/api")
    assert told(shop) == ("hold", "R0")


def test_what_cannot_start_since_its_settings_changed_is_no_rollback() -> None:
    shop = Shop("api").template("api", "api-old").template("api", "api-new", at=12)
    shop.context_row("waiting_reason", "api", 1, reason="CrashLoopBackOff")
    shop.set("api", "pods_waiting", 1, since=10).fire("api", "pods_waiting", onset=10)
    assert told(shop) == ("hold", "R6")


def test_a_release_that_ran_well_until_the_settings_changed_is_cleared() -> None:
    shop = failing(onset=15).image("api", "2.0.0", at=50).template("api", "api-old")
    shop.template("api", "api-new", at=50).template("api", "api-newer", at=17)
    found = shop.diagnose()["api"]
    assert found.cause is Cause.CONFIG
    assert "ran well until pod template" in " ".join(found.ruled_out)


def test_a_release_and_an_edit_in_the_same_minutes_are_both_named() -> None:
    shop = failing().image("api", "2.0.0", at=33)
    shop.row("config_version", 8, since=32, rest=7, namespace="shop", object="ConfigMap/api")
    decision = shop.decide("api", good_target())
    assert (decision.action, decision.rule) == ("hold", "R-TIE")
    assert "2.0.0 and an edit of ConfigMap/api came together" in decision.reason


def test_an_edit_beside_a_release_does_not_save_a_version_that_alone_is_worse() -> None:
    shop = bad_release().row("config_version", 8, since=32, rest=7, namespace="shop", object="ConfigMap/api")
    assert told(shop) == ("rollback", "R1")


def test_two_rollouts_within_minutes_are_two_changes_and_both_are_named() -> None:
    shop = bad_release().template("api", "api-1")
    shop.template("api", "api-2", at=35).template("api", "api-3", at=32)
    decision = shop.decide("api", good_target())
    assert (decision.action, decision.rule) == ("hold", "R-TIE")
    assert "and pod template from api-1 to api-2 came together" in decision.reason


def serves(shop: Shop, workload: str, version: str, now: float, before: float, *, at: int = 33) -> Shop:
    labels = {
        "destination_service_namespace": "shop",
        "destination_service_name": "api",
        "destination_workload_namespace": "shop",
        "destination_workload": workload,
        "destination_version": version,
    }
    return shop.row("service_rate", now, since=at, rest=before, **labels)


def test_a_version_that_gets_more_of_the_traffic_without_a_new_image_is_an_exposure() -> None:
    shop = serves(serves(failing(), "api", "2.0.0", 10, 0.5), "api-stable", "1.0.0", 10, 19.5)
    decision = shop.decide("api", good_target())
    assert (decision.action, decision.rule) == ("hold", "R-EXPOSE")
    assert decision.reason == (
        "share of api served by api 2.0.0 from 2% to 50%, 3 min before the onset, with the image unchanged"
    )


def test_a_rollout_moves_the_shares_and_stays_a_release() -> None:
    shop = serves(serves(bad_release(), "api", "2.0.0", 20, 0, at=32), "api", "1.0.0", 0, 20, at=32)
    assert told(shop) == ("rollback", "R1")


def test_shares_that_stand_still_are_no_exposure() -> None:
    shop = serves(serves(failing(), "api", "2.0.0", 20, 10), "api-stable", "1.0.0", 20, 10)
    assert told(shop) == ("hold", "R0")


def test_traffic_that_was_moved_away_is_told_of_who_lost_it() -> None:
    shop = Shop("web", "api").set("api", "request_rate", 1, since=30).fire("api", "request_rate")
    serves(serves(shop, "api", "1.0.0", 1, 20), "api-new", "2.0.0", 19, 0)
    decision = shop.decide("api")
    assert (decision.action, decision.rule) == ("hold", "R-EXPOSE")
    assert "moved away" in decision.reason


@pytest.mark.parametrize(
    ("ended_min", "namespace", "rule"),
    [(32, "shop", "R-CERT"), (120, "shop", "R0"), (32, "other", "R0"), (-60, "shop", "R0")],
)
def test_a_certificate_of_the_namespace_that_ended_in_the_hour_before_is_named(
    ended_min: int, namespace: str, rule: str
) -> None:
    ends_s = float(NOW_S - ended_min * 60)
    shop = failing().row("certificate_end", ends_s, namespace=namespace, name="shop-tls")
    held = shop.decide("api", good_target())
    assert isinstance(held, Hold)
    assert (held.rule, "certificate shop-tls" in held.reason) == (rule, rule == "R-CERT")


def test_a_release_and_the_end_of_a_certificate_in_the_same_minutes_are_a_tie() -> None:
    shop = failing().image("api", "2.0.0", at=32)
    shop.row("certificate_end", float(NOW_S - 33 * 60), namespace="shop", name="shop-tls")
    assert told(shop) == ("hold", "R-TIE")


def test_a_certificate_that_ended_harmlessly_does_not_stop_more_capacity() -> None:
    shop = surge().row("certificate_end", float(NOW_S - 35 * 60), namespace="shop", name="old-tls")
    assert shop.decide("search", count_target("search", "replicas", "4")).action == "scale"
