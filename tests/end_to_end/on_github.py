"""The mesh's GitOps repository on a GitHub API server, and the settings that use it."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager

import github
import real

from aiops.mesh import repository, scenarios

NAME, TOKEN = "bot/gitops", "token-of-the-bot"


@contextmanager
def running() -> Iterator[real.Emulator]:
    """Serve a GitHub API whose one repository has the mesh's whole history."""
    seed = {
        "tokens": {TOKEN: {"login": "bot", "scopes": ["repo"]}},
        "github": {
            "users": [{"login": "bot"}],
            "repos": [{"owner": "bot", "name": "gitops", "auto_init": True}],
        },
    }
    with real.running_emulate(seed) as server:
        _upload(server)
        yield server


def used_by(world, server) -> dict[str, str]:
    """Point the settings of a world at the server; return the environment that holds the token."""
    world.set("{path: gitops.git, base: main}", f"{{github: {NAME}, base: main}}")
    world.set("forge: local", "forge: github")
    return {**os.environ, "GITHUB_TOKEN": TOKEN, "GITHUB_API_URL": server.base_url}


def connected(server) -> github.Github:
    """Return PyGithub as a person would use it, to look at what aiops did."""
    return github.Github(
        base_url=server.base_url,
        auth=github.Auth.Token(TOKEN),
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )


def _upload(server) -> None:
    """Commit each revision, dated as the deploy it stands for."""
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
