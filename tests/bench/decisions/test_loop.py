"""One incident in the closed loop, as the suite can afford it; `make bench-loop` plays ten on many stages."""

from __future__ import annotations

from bench.decisions import loop, scenario
from bench.decisions.stage import stage


def test_a_merged_rollback_ends_the_incident_and_nothing_follows():
    (one,) = scenario.only(scenario.load(), ["release-crash-loop-helm"])
    found = loop.play(scenario.play(one, stage(101)), looks=3)
    assert [role for _, role, _ in found.acts] == ["chart"]
    assert (found.most, found.enough, found.well) == (1, True, True)


def test_the_table_counts_actions_and_recoveries():
    done = loop.Loop("hpa-maxed", 1, ((0, "scaled", "t"),), 1, enough=True, well=True, pod_hours=3.0)
    many = loop.Loop("hpa-maxed", 2, (), 3, enough=None, well=True, pod_hours=3.0)
    lines = list(loop.table([done, many], [(1.0, 2.0)], [done]))
    assert [line.split()[1:] for line in lines if line.startswith("hpa-maxed")] == [
        ["2", "0", "1", "0", "1", "1/1"]
    ]
    assert "more than two actions on one workload: 1 of 2" in lines[-3]
    assert "0.50 times" in lines[-2]
    assert "1 of 1" in lines[-1]
