"""A few scenarios of every kind that is acted on, on one stage, through the whole pipeline.

`make bench-decisions` plays all of them on stages that nobody looked at.
"""

from __future__ import annotations

import pytest
from bench.decisions import judge, scenario
from bench.decisions.stage import stage

SEED = 101
PLAYED = (
    "bad-auth", "release-crash-loop-helm", "hpa-maxed", "retry-storm", "release-and-surge-elsewhere",
    "release-before-dependency-fails", "mesh-down", "scrape-outage-proxies",
)  # fmt: skip


@pytest.fixture(scope="module")
def outcomes():
    there = stage(SEED)
    before = judge.calm(there)
    played = [one for one in scenario.load() if one.name in PLAYED]
    assert {one.name for one in played} == set(PLAYED)
    return [judge.judge(one, there, before) for one in played]


def test_every_one_of_them_is_decided_right(outcomes):
    assert [(one.scenario, one.verdict, one.why) for one in outcomes if one.verdict != "right"] == []
