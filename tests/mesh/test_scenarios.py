from __future__ import annotations

import numpy as np
import pytest

from aiops.mesh import scenarios
from aiops.mesh.faults import Deploy, Surge
from aiops.mesh.plant import simulate
from aiops.mesh.random_graph import random_graph

HOUR = 3600


@pytest.mark.parametrize("seed", range(6))
def test_the_demo_is_the_same_story_with_every_seed(seed: int) -> None:
    first, other = scenarios.demo(seed), scenarios.demo(seed + 100)
    assert first.mesh == other.mesh
    assert [type(event) for event in first.events] == [type(event) for event in other.events]
    assert first.end_s - first.start_s >= 15 * 24 * HOUR
    # Two and a half hours say the same as sixteen days: what happens is at the end.
    now = simulate(first.mesh, first.end_s - 9000, first.end_s, first.events, (), seed).running
    failing = {name for name, state in now.items() if state.errors[-1, -1] > 0.02}
    assert {"checkout", "web", "mobile-api"} == failing
    assert {"search"} == {name for name, state in now.items() if state.rho[-15:].mean() > 0.95}
    assert now["nightly-export"].offered[-1] > 10 * now["nightly-export"].offered[-45]
    assert now["nightly-export"].rho[-1] < 0.6
    assert np.count_nonzero(now["wishlist"].offered) == 121


def test_the_last_events_are_the_ones_to_find() -> None:
    scene = scenarios.demo(0)
    minutes = {
        event.service: (scene.end_s - event.start_s) // 60
        for event in scene.events
        if isinstance(event, Deploy | Surge) and scene.end_s - event.start_s < 12 * HOUR
    }
    assert {"recommendation", "search", "checkout"} == set(minutes)
    assert minutes["recommendation"] == 40
    assert 25 <= minutes["checkout"] <= 29
    assert 33 <= minutes["search"] <= 37


@pytest.mark.parametrize("seed", range(8))
def test_another_mesh_runs_well_on_an_ordinary_day(seed: int) -> None:
    scene = scenarios.ordinary(seed, days=4)
    trace = simulate(scene.mesh, scene.end_s - 24 * HOUR, scene.end_s, scene.events, (), seed)
    assert 8 <= len(scene.mesh.services) <= 16
    for name, state in trace.running.items():
        assert state.shed.max() < 1e-3, name
        assert state.errors.max() < 0.02, name
        assert state.offered.max() > 0, name


def test_graphs_differ_by_seed_and_repeat() -> None:
    assert random_graph(1) == random_graph(1)
    assert len({random_graph(seed).services for seed in range(10)}) == 10
