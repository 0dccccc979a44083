"""A slice of `make bench-bytes`."""

from __future__ import annotations

import pytest
from bench.decisions import judge, repeats, scenario
from bench.decisions.stage import stage


@pytest.fixture(scope="module")
def played():
    (one,) = scenario.only(scenario.load(), [repeats.NAME])
    scene = scenario.play(one, stage(repeats.SEED))
    before = judge.calm(scene.stage)
    return scene, judge.told(scene, before), before


def test_order_and_schedule_do_not_change_a_byte(played):
    scene, metrics, before = played
    earlier = judge.carried(scene.stage, before)
    assert earlier
    assert len(repeats.plans(scene, metrics, 4, earlier)) == 1


def test_a_shard_scores_its_workloads_as_one_run_for_all_does(played):
    scene, metrics, _ = played
    assert repeats.shards_agree(scene, metrics, 2)
