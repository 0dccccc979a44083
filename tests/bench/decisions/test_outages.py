"""A slice of `make bench-outages`: outages of our inputs open nothing, and the bench can tell."""

from __future__ import annotations

import numpy as np
import pytest
from bench.decisions import judge, outages, scenario
from bench.decisions.stage import MINUTE, stage


@pytest.fixture(scope="module")
def calm():
    there = stage(101)
    before = judge.calm(there)
    (one,) = scenario.only(scenario.load(), ["nothing"])
    scene = scenario.play(one, there)
    return scene, judge.told(scene, before)


@pytest.mark.parametrize("row", sorted(outages.ON_VALUES))
def test_an_outage_of_a_quarter_of_an_hour_opens_nothing(calm, row):
    scene, metrics = calm
    faulty = outages.Faulty(metrics, outages.ON_VALUES[row], outages.ALL, 15 * MINUTE, 1)
    assert outages._run(row, scene, faulty).said == ()


@pytest.mark.parametrize("row", ["F01", "F06", "F19"])
def test_metrics_that_cannot_be_read_open_nothing(calm, row):
    scene, metrics = calm
    assert outages._run(row, scene, outages.Broken(metrics, row, outages.ALL)).said == ()


def test_only_the_window_and_the_query_that_are_named_are_changed(calm):
    scene, metrics = calm
    asked, other = judge.job().signals[:2]
    faulty = outages.Faulty(metrics, outages.ON_VALUES["F22 all zero"], asked.name, 15 * MINUTE, 1)
    grid = outages.Grid(scene.stage.now_s - 40 * MINUTE, scene.stage.now_s, 60)
    whole, changed = metrics.read(asked, grid), faulty.read(asked, grid)
    np.testing.assert_array_equal(changed.values[:, :25], whole.values[:, :25])
    assert np.nanmax(changed.values[:, 25:]) == 0.0 < np.nanmax(whole.values[:, 25:])
    np.testing.assert_array_equal(faulty.read(other, grid).values, metrics.read(other, grid).values)


def test_a_missed_control_and_a_pull_request_of_an_outage_are_named():
    found = [
        outages.Trial("F11 gaps", ("Scale a/b",)), outages.Trial("F11 gaps", ()),
        outages.Trial("control hpa-maxed", (), caught=False),
    ]  # fmt: skip
    lines = list(outages.table(found))
    assert "outages with a pull request: 1 of 2" in "\n".join(lines)
    assert "  F11 gaps: Scale a/b" in lines
    assert [line.split()[-4:] for line in lines if line.startswith("controls")] == [
        ["caught", "0", "of", "1"]
    ]
