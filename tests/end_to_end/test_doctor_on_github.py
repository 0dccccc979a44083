"""What `aiops doctor` says of a repository on a GitHub API that this project did not write.

The emulator gives every account the rights of an owner and tells no scopes; a token that may only read,
or may too much, is in tests/edges/test_github_access.py.
"""

from __future__ import annotations

import json

import github
import pytest
import real
from end_to_end import on_github

from aiops.commands import doctor

pytestmark = pytest.mark.real
SEED = {
    "tokens": {on_github.TOKEN: {"login": "bot", "scopes": ["repo"]}},
    "github": {
        "users": [{"login": "bot"}],
        "repos": [{"owner": "bot", "name": "gitops", "auto_init": True}],
    },
}


@pytest.fixture
def repo(world, start_emulate, monkeypatch) -> github.Repository.Repository:
    """Return the repository as its owner reaches it; the world's settings use it."""
    server: real.Emulator = start_emulate(SEED)
    for name, value in on_github.used_by(world, server).items():
        if name.startswith("GITHUB_"):
            monkeypatch.setenv(name, value)
    return on_github.connected(server).get_repo(on_github.NAME)


def looked(capsys, world):
    code = doctor.doctor(world.config, None, as_json=True)
    out = capsys.readouterr().out
    assert on_github.TOKEN not in out
    return code, {one["name"]: one for one in json.loads(out)["checks"]}


def test_an_open_branch_is_a_warning_until_somebody_protects_it(capsys, world, repo):
    code, lines = looked(capsys, world)
    assert code == 0
    assert (lines["repository"]["state"], lines["forge"]["state"]) == ("ok", "ok")
    assert lines["forge"]["found"] == "pull requests are readable, the account may push"
    assert (lines["protection"]["state"], lines["protection"]["found"]) == ("warning", "not protected")
    assert lines["protection"]["todo"].startswith("protect main")

    # Not Branch.edit_protection(): PyGithub cannot read the emulator's answer.
    rules = {
        "required_pull_request_reviews": {"required_approving_review_count": 1},
        "required_status_checks": None,
        "enforce_admins": True,
        "restrictions": None,
    }
    where = f"/repos/{on_github.NAME}/branches/main/protection"
    repo.requester.requestJsonAndCheck("PUT", where, input=rules)
    _, lines = looked(capsys, world)
    assert (lines["protection"]["state"], lines["protection"]["found"]) == ("ok", "protected")


def test_an_archived_repository_ends_with_30_and_says_what_to_do(capsys, world, repo):
    repo.edit(archived=True)
    code, lines = looked(capsys, world)

    assert (code, lines["forge"]["state"], lines["forge"]["todo"]) == (30, "problem", "unarchive it")


def test_a_repository_that_is_not_there_is_one_line_and_the_rest_is_checked(capsys, world, repo):
    world.set(on_github.NAME, "bot/elsewhere")
    code, lines = looked(capsys, world)

    assert code == 30
    assert (lines["repository"]["state"], lines["forge"]["state"]) == ("problem", "problem")
    assert {lines[name]["state"] for name in ("prometheus", "retention", "model")} == {"ok"}


def test_looking_writes_nothing(capsys, world, repo):
    before = [one.sha for one in repo.get_commits()]
    looked(capsys, world)

    assert [one.sha for one in repo.get_commits()] == before
    assert [one.name for one in repo.get_branches()] == ["main"]
    assert repo.get_pulls(state="all").totalCount == 0
