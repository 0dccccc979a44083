"""The same story on a GitHub API that this project did not write, repository and pull requests."""

from __future__ import annotations

import datetime as dt
import os

import github
import pytest
import real

from aiops.mesh import repository, scenarios

NAME, TOKEN = "bot/gitops", "token-of-the-bot"
pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def server():
    seed = {
        "tokens": {TOKEN: {"login": "bot", "scopes": ["repo"]}},
        "github": {
            "users": [{"login": "bot"}],
            "repos": [{"owner": "bot", "name": "gitops", "auto_init": True}],
        },
    }
    with real.running_emulate(seed) as running:
        upload(running)
        yield running


def connected(server) -> github.Github:
    return github.Github(
        base_url=server.base_url,
        auth=github.Auth.Token(TOKEN),
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )


def upload(server) -> None:
    """Commit the mesh's whole history, each commit dated as the deploy it stands for."""
    repo = connected(server).get_repo(NAME)
    scene = scenarios.demo(7)
    tip = repo.get_git_commit(repo.get_branch("main").commit.sha)
    for revision in repository.history(scene.mesh, scene.events, scene.start_s):
        elements = [
            github.InputGitTreeElement(path, "100644", "blob", content=content.decode())
            for path, content in sorted(revision.files.items())
            if content is not None
        ]
        when = dt.datetime.fromtimestamp(revision.time_s, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        who = github.InputGitAuthor("Mesh", "mesh@example.com", when)
        tree = repo.create_git_tree(elements, tip.tree)
        tip = repo.create_git_commit(revision.message, tree, [tip], author=who, committer=who)
    # Not GitRef.edit(): the emulator's `url` of a ref leads nowhere.
    repo.requester.requestJsonAndCheck(
        "PATCH", f"/repos/{NAME}/git/refs/heads/main", input={"sha": tip.sha, "force": True}
    )


def test_github_gets_the_same_pull_requests_as_the_local_forge(command, world, server):
    at = ("--config", world.config, "--at", world.at, "--format", "json")
    local = command("run", *at, "--dry-run")
    world.set("{path: gitops.git, base: main}", f"{{github: {NAME}, base: main}}")
    world.set("forge: local", "forge: github")
    env = {**os.environ, "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": server.base_url}

    first = command("run", *at, env=env)
    assert first.code == 0, first.err
    assert first.decisions() == local.decisions()
    pulls = list(connected(server).get_repo(NAME).get_pulls(state="all"))
    assert sorted(pull.head.ref.split("/")[1] for pull in pulls) == ["rollback", "scale"]
    for pull in pulls:
        compared = connected(server).get_repo(NAME).compare("main", pull.head.ref)
        assert [(file.additions, file.deletions) for file in compared.files] == [(1, 1)]

    again = command("run", *at, env=env)
    assert again.code == 0, again.err
    assert connected(server).get_repo(NAME).get_pulls(state="all").totalCount == len(pulls)
    assert TOKEN not in first.out + first.err + again.out + again.err


def test_a_missing_token_is_one_line_and_exit_2(command, world):
    world.set("{path: gitops.git, base: main}", f"{{github: {NAME}, base: main}}")
    world.set("forge: local", "forge: github")
    env = {name: value for name, value in os.environ.items() if name != "GITHUB_TOKEN"}
    done = command("run", "--config", world.config, "--at", world.at, env=env)
    assert done.code == 2
    assert "GITHUB_TOKEN is not set" in done.err
