"""The shared history with its last hours added is the whole simulation."""

from __future__ import annotations

import numpy as np
import pytest
from bench.decisions import judge, scenario, told
from bench.decisions.stage import stage

from aiops.detect import windows
from aiops.domain import Grid
from aiops.ingest import presets
from aiops.mesh.answers import MeshMetrics

NAME = "release-and-surge-elsewhere"


@pytest.fixture(scope="module")
def scene():
    (one,) = scenario.only(scenario.load(), [NAME])
    return scenario.play(one, stage(101))


@pytest.fixture(scope="module")
def whole(scene):
    return MeshMetrics(judge.simulation(scene)())


@pytest.fixture(scope="module")
def parts(scene, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(told, "CACHE", tmp_path_factory.mktemp("kept"))
        found = judge.told(scene, judge.calm(scene.stage))
        yield found
        query = presets.signal_queries(("istio",))[0]
        grid = Grid(scene.fork_s, scene.stage.now_s, 60)
        expected = found.read(query, grid)
        found.own.keep()
        again = judge.told(scene, judge.calm(scene.stage))
        again.own.make = None  # what was kept needs no simulation
        same(again.read(query, grid), expected)


def same(actual, expected):
    assert actual.labels == expected.labels
    # More series in a sum are added up in another order: the last bit may differ.
    np.testing.assert_allclose(actual.values, expected.values, rtol=1e-12, atol=1e-15)
    np.testing.assert_array_equal(actual.times, expected.times)


@pytest.mark.parametrize("query", presets.signal_queries(("istio", "kubernetes")), ids=lambda q: q.name)
def test_a_signal_on_every_window_is_that_of_the_whole_simulation(query, scene, whole, parts):
    wanted = windows.wanted(scene.stage.now_s, 60)
    for grid in (wanted.recent, wanted.week_ago, wanted.reference):
        same(parts.read(query, grid), whole.read(query, grid))


def test_a_clock_ahead_finds_what_the_whole_simulation_has_there(scene, whole, parts):
    (query, *_) = presets.signal_queries(("istio",))
    for now_s in (scene.stage.now_s + 3_600, scene.stage.now_s - 3_600):
        grid = windows.wanted(now_s, 60).recent
        same(parts.read(query, grid), whole.read(query, grid))


@pytest.mark.parametrize("query", presets.context_queries(), ids=lambda q: q.name)
def test_a_context_query_is_that_of_the_whole_simulation(query, scene, whole, parts):
    end_s = scene.stage.now_s - 120
    for hours in (2, 26):
        grid = Grid(end_s - hours * 3_600, end_s, 60)
        same(parts.read(query, grid), whole.read(query, grid))
