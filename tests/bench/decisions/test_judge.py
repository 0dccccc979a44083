"""Verdicts: what counts as right, wrong, missed and harmful."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bench.decisions import judge, scenario
from bench.decisions.drawing import Expected
from bench.decisions.stage import stage

from aiops.diagnose.diagnosis import blank
from aiops.domain import Hold, Incident, PlanItem, Rollback, Scale, State, Verdict, Workload

ROLLBACK = Rollback("image.tag", "1.2", "1.1", "R1", "why")
SCALE = Scale("replicas", 4, 6, "S3", "why")


@pytest.fixture(scope="module")
def scene():
    (one,) = scenario.only(scenario.load(), ["nothing"])
    return scenario.play(one, stage(101))


def verdict(scene, decision, expected=None, may=()):
    name = scene.stage.roles["alone"]
    workload = Workload("prod-eu", "apps", "Deployment", name)
    incident = Incident(
        workload, Verdict.ANOMALOUS, State.FIRING, 0, (), 2.0, "lstm", None, 1.0, 0, 10**6
    )  # fmt: skip
    item = PlanItem(workload, decision, incident, blank(workload), (), (), None) if decision else None
    return judge._of(item, expected, replace(scene, may={name: may}), name)[0]


def test_nothing_asked_and_nothing_done_is_right(scene):
    assert verdict(scene, None) == "right"
    assert verdict(scene, Hold("R0", "why")) == "right"


@pytest.mark.parametrize("decision", [ROLLBACK, SCALE])
def test_an_action_that_nobody_asked_for_is_harmful(scene, decision):
    assert verdict(scene, decision) == "harmful"
    assert verdict(scene, decision, Expected("hold")) == "harmful"
    assert verdict(scene, decision, may=(decision.action,)) == "right"
    assert verdict(scene, decision, Expected("hold"), may=(decision.action,)) == "wrong"


def test_the_other_action_is_harmful(scene):
    assert verdict(scene, SCALE, Expected("rollback", "image.tag", "1.1")) == "harmful"


def test_the_right_action_needs_the_right_value_field_and_rule(scene):
    assert verdict(scene, ROLLBACK, Expected("rollback", "image.tag", "1.1")) == "right"
    assert verdict(scene, ROLLBACK, Expected("rollback", "image.tag", "1.0")) == "wrong"
    assert verdict(scene, ROLLBACK, Expected("rollback", "image.tag", "1.1", ("R1b",))) == "wrong"
    assert verdict(scene, SCALE, Expected("scale", "hpa.max")) == "wrong"


def test_a_scale_must_be_enough_and_no_more_than_one_step(scene):
    name = scene.stage.roles["alone"]
    pods = scene.stage.mesh.service(name).replicas
    expected = Expected("scale", "replicas")
    assert judge.needed(scene, name) <= pods
    assert verdict(scene, Scale("replicas", 4, 6, "S3", "why"), expected) == "right"
    assert verdict(scene, Scale("replicas", 4, 7, "S3", "why"), expected) == "wrong"


def test_no_action_where_one_is_right_is_missed(scene):
    assert verdict(scene, None, Expected("scale", "replicas")) == "missed"
    assert verdict(scene, Hold("R0", "why"), Expected("scale", "replicas")) == "missed"


def test_a_hold_must_name_the_rule_and_the_words(scene):
    hold = Hold("R-TIE", "1.2 and load came together")
    assert verdict(scene, hold, Expected("hold", rules=("R-TIE",), says="1.2")) == "right"
    assert verdict(scene, hold, Expected("hold", rules=("S6",))) == "wrong"
    assert verdict(scene, hold, Expected("hold", says="1.3")) == "wrong"
    assert verdict(scene, None, Expected("hold")) == "missed"


def test_what_is_told_to_come_must_be_what_comes(scene):
    comes = replace(scene, scenario=replace(scene.scenario, outlook=("volume",)))

    assert judge._of_outlook(scene, []) == judge._of_outlook(comes, ["volume"]) == []
    assert judge._of_outlook(comes, []) == [("missed", "nobody was told of the volume")]
    assert judge._of_outlook(comes, ["volume", "quota"]) == [("wrong", "a quota was told to run out")]
    assert judge._of_outlook(scene, ["quota"]) == [("wrong", "a quota was told to run out")]
