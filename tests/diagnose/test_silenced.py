"""Tests of what a silence is held against, and of what it does to a decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from diagnose.scenes import NOW_S, Shop, bad_release, good_target, workload

from aiops.decide import policy
from aiops.diagnose import silenced
from aiops.domain import Decision, Hold
from aiops.errors import DataUnusable
from aiops.limits import LIMITS
from aiops.reading import read_silences


class Muting:
    """Mutes every alert that carries all of some labels."""

    def __init__(self, **labels: str) -> None:
        self.labels = labels

    def muting(self, alerts: Sequence[Mapping[str, str]], at_s: int) -> tuple[str | None, ...]:
        hit = [all(one.get(k) == v for k, v in self.labels.items()) for one in alerts]
        return tuple("moving house" if one else None for one in hit)


class Gone:
    def muting(self, alerts: Sequence[Mapping[str, str]], at_s: int) -> tuple[str | None, ...]:
        raise DataUnusable("nobody answers")


def decided(shop: Shop, silences: Muting | Gone | None) -> Decision:
    """Return the decision about `api`, as the pipeline reaches it."""
    found = shop.diagnose()["api"]
    contexts = read_silences(silences, shop.contexts, shop.answers(), NOW_S)
    asked = contexts[workload("api")]
    targets = dict.fromkeys(policy.fields(found, asked), good_target())
    return policy.decide(shop.incidents["api"], found, asked, targets, LIMITS, shop.panel)


def test_a_silence_holds_a_rollback_and_is_named() -> None:
    held = Hold("G-SILENCE", "silenced in Alertmanager: moving house")
    assert decided(bad_release(), Muting(namespace="shop", deployment="api")) == held


def test_a_silence_of_somebody_else_holds_nothing() -> None:
    for silences in (None, Muting(deployment="web"), Muting(namespace="shop", alertname="TooManyErrors")):
        assert decided(bad_release(), silences).action == "rollback"


def test_a_silence_of_an_alert_that_fires_for_it_holds() -> None:
    shop = bad_release().context_row("alerts_firing", "api", 1, alertname="TooManyErrors", severity="page")
    assert decided(shop, Muting(alertname="TooManyErrors", severity="page")).rule == "G-SILENCE"


def test_a_silence_of_one_of_its_pods_holds() -> None:
    shop = bad_release().row("pod_node", 1, namespace="shop", workload="api", pod="api-7d-x2", node="a")
    assert decided(shop, Muting(pod="api-7d-x2")).rule == "G-SILENCE"


def test_an_alertmanager_that_does_not_answer_stops_what_would_be_done() -> None:
    held = Hold("G-SILENCE", "Alertmanager does not answer: whether somebody silenced it is not known")
    assert decided(bad_release(), Gone()) == held


def test_without_alertmanager_nothing_is_missing() -> None:
    shop = bad_release()
    shop.diagnose()
    contexts = read_silences(None, shop.contexts, shop.answers(), NOW_S)
    assert "silences" not in contexts[workload("api")].missing


def test_label_sets_are_few_and_always_in_the_same_order() -> None:
    shop = bad_release()
    for number in range(400):
        labels = {"namespace": "shop", "workload": "api", "pod": f"api-{number}", "node": "a"}
        shop.row("pod_node", 1, **labels)
    answers = shop.answers()
    sets = silenced.as_alerts(answers, workload("api"))
    assert len(sets) == silenced.MAX_SETS
    assert sets == silenced.as_alerts(answers, workload("api"))
