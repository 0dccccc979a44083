"""The scenario files say what they mean, and every stage can play them."""

from __future__ import annotations

import numpy as np
import pytest
from bench.decisions import drawing, scenario
from bench.decisions.stage import DOORS, ROLES, stage

from aiops.decide.rules import RULES
from aiops.mesh.faults import Deploy, Surge

SCENARIOS = scenario.load()
# Rules of the field guide that docs/rules.md spells in another way or has none for.
GUIDE = {f"G{n}" for n in range(1, 11)} | {f"S{n}" for n in range(1, 11)} | {f"R{n}" for n in range(1, 15)}


def test_there_are_many_and_each_says_what_it_is_about():
    assert len(SCENARIOS) >= 80
    assert [one.name for one in SCENARIOS if not one.story or not one.rules] == []


def test_every_rule_that_a_scenario_names_exists():
    named = {rule for one in SCENARIOS for rule in one.rules}
    assert sorted(named - set(RULES) - GUIDE) == []


@pytest.mark.parametrize("seed", [101, 402])
def test_every_scenario_can_be_played_and_draws_the_same_twice(seed):
    there = stage(seed)
    for one in SCENARIOS:
        scene = scenario.play(one, there)
        assert scene.events == scenario.play(one, stage(seed)).events
        ours = [event for event in scene.events if event not in there.events]
        assert all(event.start_s >= scene.fork_s for event in ours), one.name
        assert set(scene.expected) <= set(there.roles.values())


def test_another_stage_is_another_graph_with_other_magnitudes():
    first, second = stage(101), stage(102)
    assert first.mesh != second.mesh
    assert set(first.roles) == set(ROLES) == set(second.roles)
    one = next(s for s in SCENARIOS if s.name == "surge-fixed-replicas")
    factors = []
    for there in (first, second):
        (surge,) = [e for e in scenario.play(one, there).events if isinstance(e, Surge)]
        factors.append(surge.factor / there.room["alone"])
    assert factors[0] != factors[1]
    assert all(1.25 <= factor <= 2.2 for factor in factors)


def test_the_value_to_return_to_is_the_one_before():
    there = stage(101)
    one = next(s for s in SCENARIOS if s.name == "release-errors")
    scene = scenario.play(one, there)
    name = there.roles["middle"]
    tags = [e.tag for e in scene.events if isinstance(e, Deploy) and e.service == name]
    assert scene.expected[name].to == tags[-2]


def test_a_word_that_nobody_reads_is_refused(tmp_path):
    text = "kind: k\nrules: [R1]\nstory: s\nhappens: [{release: middle, ago_min: 5, wat: 1}]\nexpect: {}\n"
    (tmp_path / "odd.yaml").write_text(text, encoding="utf-8")
    (odd,) = scenario.load(tmp_path)
    with pytest.raises(ValueError, match="wat"):
        scenario.play(odd, stage(101))


def test_doors_have_room_on_an_ordinary_day():
    for seed in (101, 102, 103, 401):
        there = stage(seed)
        tight = {role: room for role, room in there.room.items() if room < (1.4 if role in DOORS else 2.0)}
        assert tight == {}, seed


def test_numbers_are_drawn_evenly_on_a_log_scale():
    drawer = drawing.Drawing(stage(101), np.random.default_rng(1), "x")
    drawn = np.array([drawer.number("0.1..10") for _ in range(2_000)])
    assert 0.1 <= drawn.min() <= drawn.max() <= 10
    assert abs(np.median(np.log10(drawn))) < 0.1
