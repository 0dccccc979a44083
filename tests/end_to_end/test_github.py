"""The same story on a GitHub API that this project did not write, repository and pull requests."""

from __future__ import annotations

import os

import pytest
from end_to_end import on_github

pytestmark = pytest.mark.real


@pytest.fixture
def server():
    with on_github.running() as running:
        yield running


def test_github_gets_the_same_pull_requests_as_the_local_forge(command, world, server):
    at = ("--config", world.config, "--at", world.at, "--format", "json")
    local = command("run", *at, "--dry-run")
    env = on_github.used_by(world, server)

    first = command("run", *at, env=env)
    assert first.code == 0, first.err
    assert first.decisions() == local.decisions()
    repo = on_github.connected(server).get_repo(on_github.NAME)
    pulls = list(repo.get_pulls(state="all"))
    assert sorted(pull.head.ref.split("/")[1] for pull in pulls) == ["rollback", "scale"]
    for pull in pulls:
        compared = repo.compare("main", pull.head.ref)
        assert [(file.additions, file.deletions) for file in compared.files] == [(1, 1)]

    again = command("run", *at, "--detailed-exitcode", env=env)
    assert again.code == 0, again.err
    assert repo.get_pulls(state="all").totalCount == len(pulls)
    states = [one["pull_request"]["state"] for one in again.report["workloads"] if one["pull_request"]]
    assert states == ["exists", "exists"]
    assert on_github.TOKEN not in first.out + first.err + again.out + again.err


def test_a_missing_token_is_one_line_and_exit_2(command, world):
    world.set("{path: gitops.git, base: main}", f"{{github: {on_github.NAME}, base: main}}")
    world.set("forge: local", "forge: github")
    env = {name: value for name, value in os.environ.items() if name != "GITHUB_TOKEN"}
    done = command("run", "--config", world.config, "--at", world.at, env=env)
    assert done.code == 2
    assert "GITHUB_TOKEN is not set" in done.err
