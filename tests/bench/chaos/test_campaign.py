"""A slice of `make chaos`: every single kill, some pairs, some of eight at once."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest
from bench.chaos import campaign, cheap
from bench.chaos.storm import StormWorld
from bench.chaos.world import World
from edges import github_server
from edges.github_double import Double


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("chaos") / "gitops.git"
    # As in the campaign: without the fields that nobody reads.
    served = github_server.running(Double(folder=folder), described=False)
    with served as double, campaign.deadly(), cheap.remembered():
        yield World(double)


def test_an_undisturbed_run_does_everything_once(world: World) -> None:
    world.restore()
    assert world.faults()["lost decisions"] == 5
    result = world.run()
    assert [str(error) for error in result.errors] == []
    assert world.faults() == dict.fromkeys(world.faults(), 0)


def test_both_sides_of_an_undisturbed_run_are_as_github_describes_them() -> None:
    with github_server.running(Double()) as double, campaign.deadly(), cheap.remembered():
        assert () == World(double).run().errors
        assert [] == double.wrong
    assert {"GET", "POST", "PATCH"} == {verb for verb, _, _ in double.journal}


def test_a_kill_that_is_not_survived_would_be_seen(world: World) -> None:
    world.restore()
    campaign._run(world, (10, "after"), campaign.Counter(), None)
    assert world.faults()["lost decisions"] > 0


def test_a_slice_of_the_campaign_finds_nothing_wrong(world: World) -> None:
    places = campaign.calls(world)
    assert places > 40
    every = list(campaign.trials(2 * places + 8, places, seed=1))
    for trial in (*every[: 2 * places : 7], *every[2 * places :]):
        found = campaign.play(world, trial)
        if trial.kind == campaign.MANY:
            del found[campaign.SAID_TWICE]
        assert (trial, {name: count for name, count in found.items() if count}) == (trial, {})


@pytest.fixture(scope="module")
def stormy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StormWorld]:
    folder = tmp_path_factory.mktemp("storm") / "gitops.git"
    with github_server.running(Double(folder=folder)) as double, campaign.deadly(), cheap.remembered():
        yield StormWorld(double)


def test_in_a_storm_a_run_opens_one_issue(stormy: StormWorld) -> None:
    stormy.restore()
    assert stormy.faults() == {"duplicate issues": 0, "lost decisions": 1}
    assert [str(error) for error in stormy.run().errors] == []
    assert stormy.faults() == {"duplicate issues": 0, "lost decisions": 0}


def test_in_a_storm_every_kill_leaves_one_issue_and_runs_at_once_as_well(stormy: StormWorld) -> None:
    places = campaign.calls(stormy)
    assert places > 5
    for trial in campaign.trials(2 * places + 20, places, seed=1):
        found = campaign.play(stormy, trial)
        if trial.kind != campaign.KINDS[0]:
            del found[campaign.TAKEN_BACK]
        assert (trial, {name: count for name, count in found.items() if count}) == (trial, {})


def test_what_the_double_writes_is_a_repository_that_git_accepts(world: World) -> None:
    world.restore()
    world.run()
    git = ["git", "-C", str(world.double.bare.folder)]
    subprocess.run([*git, "fsck", "--strict", "--no-dangling"], check=True, capture_output=True)
    shown = subprocess.run(
        [*git, "for-each-ref", "--format=%(objectname) %(refname)"], check=True, capture_output=True
    )
    assert shown.stdout.decode().split() == [
        part for name, sha in sorted(world.double.refs.items()) for part in (sha, f"refs/{name}")
    ]
