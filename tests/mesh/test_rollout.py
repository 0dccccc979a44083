from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.mesh import rollout
from aiops.mesh.graph import Autoscale, Service
from aiops.mesh.rollout import Generation, Replicas

STEPS = 60
NODES = ("node-a", "node-b")
PLAIN = Service("cart", "1.0.0", 2, 20.0)


def run(
    service: Service, wanted: int, generations: tuple[Generation, ...], demand: float = 0.1
) -> tuple[Replicas, np.ndarray]:  # type: ignore[type-arg]
    asked = np.full(STEPS, wanted, dtype=np.int64)
    bounds = (np.full(STEPS, 2, dtype=np.int64), np.full(STEPS, 6, dtype=np.int64))
    held = rollout.run(service, rollout.Ground(NODES), generations, asked, bounds, np.full(STEPS, demand), 0)
    return held, rollout.ready_counts(held.pods, len(generations), STEPS)


def releases(*, broken: bool = False) -> tuple[Generation, ...]:
    return (Generation(0, "1.0.0", "", broken=False), Generation(10, "1.1.0", "", broken=broken))


@settings(deadline=None)
@given(st.integers(1, 12))
def test_a_rolling_update_keeps_three_quarters_serving_and_ends(wanted: int) -> None:
    _, ready = run(PLAIN, wanted, releases())
    assert (ready.sum(axis=0) >= wanted - wanted // 4).all()
    assert [0, wanted] == ready[:, -1].tolist()
    assert (ready.sum(axis=0) <= wanted + -(-wanted // 4)).all()


@settings(deadline=None)
@given(st.integers(1, 12))
def test_a_release_that_cannot_start_stops_half_way(wanted: int) -> None:
    held, ready = run(PLAIN, wanted, releases(broken=True))
    assert ready[1].max() == 0
    assert (ready[0] >= wanted - wanted // 4).all()
    assert any(pod.generation == 1 and pod.died == STEPS for pod in held.pods)


def test_pods_of_a_statefulset_keep_their_names() -> None:
    held, ready = run(Service("db", "1.0.0", 3, 20.0, kind="StatefulSet"), 3, releases())
    assert {"db-0", "db-1", "db-2"} == {pod.name for pod in held.pods}
    assert ready.sum(axis=0).min() == 2
    lives = sorted((pod.name, pod.born, pod.died) for pod in held.pods)
    for (name, _, died), (other, born, _) in pairwise(lives):
        assert name != other or died <= born


def test_a_rollback_finds_the_old_replicaset() -> None:
    back = (*releases(), Generation(30, "1.0.0", "", broken=False))
    names = [generation.replicaset("cart") for generation in back]
    assert names[0] == names[2] != names[1]
    _, ready = run(PLAIN, 2, back)
    assert ready[:, -1].tolist() == [0, 0, 2]


def test_pods_have_names_of_their_own() -> None:
    held, _ = run(PLAIN, 8, releases())
    assert len({pod.name for pod in held.pods}) == len(held.pods) == 16


@settings(deadline=None)
@given(st.floats(0.0, 30.0))
def test_an_autoscaler_stays_inside_its_bounds(demand: float) -> None:
    service = Service("web", "1.0.0", 2, 20.0, autoscale=Autoscale(2, 6))
    held, _ = run(service, 2, releases()[:1], demand)
    assert ((held.wanted >= 2) & (held.wanted <= 6)).all()
    cores = 0.7 * 0.7  # CPU of one pod at the target
    if demand > 1.1 * 6 * cores or demand < cores:  # it wants more than 6 pods, or fewer than 2
        assert held.limited[-1]
        assert held.wanted[-1] == (6 if demand > cores else 2)
    elif 2.5 * cores < demand < 5 * cores:
        assert not held.limited[-1]
