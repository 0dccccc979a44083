"""The repository by REST on `emulate`, and GitHub's refusals by canned answers."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import github
import pytest
import real
import responses
from edges import github_api

from aiops.domain import Checkout, Workload
from aiops.edges import github_client, github_repository
from aiops.edges.github_repository import GitHubRepository
from aiops.errors import AiopsError, ConfigError, EditRefused, ForgeBusy, ForgeRefused
from aiops.gitops import past, where

TOKEN = "token-of-the-bot"
API = "https://api.example.com:443"  # the connection always names the port


def manifest(tag: str) -> str:
    return (
        "kind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 3\n  template:\n    spec:\n"
        f"      containers:\n        - name: web\n          image: shop/web:{tag}\n"
    )


@pytest.fixture(scope="module")
def emulated() -> Iterator[Any]:
    seed = {
        "tokens": {TOKEN: {"login": "bot", "scopes": ["repo"]}},
        "github": {
            "users": [{"login": "bot"}],
            "repos": [{"owner": "bot", "name": "gitops", "auto_init": True}],
        },
    }
    with real.running_emulate(seed) as running:
        writer = github.Github(
            base_url=running.base_url,
            auth=github.Auth.Token(TOKEN),
            retry=None,
            seconds_between_requests=None,
            seconds_between_writes=None,
        ).get_repo("bot/gitops")
        made = writer.create_file("deploy/web.yaml", "Deploy 1.0", manifest("1.0"), branch="main")
        writer.update_file(
            "deploy/web.yaml", "Deploy 1.1", manifest("1.1"), made["content"].sha, branch="main"
        )
        yield running


@pytest.mark.real
def test_a_workload_is_found_with_its_history_by_rest(emulated: Any) -> None:
    repository = GitHubRepository(github_client.repository(TOKEN, emulated.base_url, "bot/gitops"))
    sha = repository.head("main")
    address = f"https://{urlsplit(emulated.base_url).hostname}/bot/gitops"  # where this GitHub stands
    assert Checkout("main", default=True, addresses=(address,)) == repository.files(sha).checkout
    files = repository.files(sha)

    target = where.resolve(files, Workload("", "shop", "Deployment", "web"), "image.tag")
    found = past.values(repository, sha, target)

    assert None is found.refusal
    assert ("deploy/web.yaml", "100644") == (found.winner.file, files.tree()["deploy/web.yaml"].mode)
    assert ["1.1", "1.0"] == [one.value for one in found.history]
    assert files is repository.files(sha)


@pytest.mark.real
def test_a_branch_that_is_not_there_is_the_users_to_change(emulated: Any) -> None:
    repository = GitHubRepository(github_client.repository(TOKEN, emulated.base_url, "bot/gitops"))

    with pytest.raises(ConfigError, match="no branch 'nope'"):
        repository.head("nope")


def answer(path: str, known: dict[str, Any]) -> responses.BaseResponse:
    """Let the server answer what GitHub's description says it does, `known` in it."""
    path = f"/repos/acme/gitops{path}"
    text, wrong = github_api.answered("GET", path, 200, json.dumps(known))
    assert () == wrong
    return responses.get(f"{API}{path}", body=text, content_type="application/json")


def canned() -> GitHubRepository:
    """Return a repository whose server is a list of answers."""
    body = {"id": 1, "full_name": "acme/gitops", "name": "gitops", "url": f"{API}/repos/acme/gitops"}
    answer("", body)
    return GitHubRepository(github_client.repository(TOKEN, API, "acme/gitops"))


def tree(**more: Any) -> dict[str, Any]:
    entries = [
        {"path": "web.yaml", "mode": "100644", "type": "blob", "sha": "a" * 40, "size": 12},
        {"path": "link.yaml", "mode": "120000", "type": "blob", "sha": "b" * 40, "size": 9},
        {"path": "module", "mode": "160000", "type": "commit", "sha": "c" * 40},
        {"path": "huge.yaml", "mode": "100644", "type": "blob", "sha": "d" * 40, "size": 50_000_000},
        {"path": "folder", "mode": "040000", "type": "tree", "sha": "e" * 40},
    ]
    return {"sha": "f" * 40, "url": API, "tree": entries, "truncated": False, **more}


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("link.yaml", "a symbolic link"),
        ("module", "a submodule"),
        ("huge.yaml", "larger than"),
        ("folder", "not in this commit"),
        ("absent.yaml", "not in this commit"),
    ],
)
@responses.activate
def test_only_regular_files_of_a_usable_size_are_read(path: str, reason: str) -> None:
    repository = canned()
    answer(f"/git/trees/{'f' * 40}", tree())
    files = repository.files("f" * 40)
    files.tree()

    with pytest.raises(EditRefused, match=reason):
        files.read(path)


@responses.activate
def test_a_link_is_read_as_text() -> None:
    repository = canned()
    answer(f"/git/trees/{'f' * 40}", tree())
    blob = {"sha": "b" * 40, "encoding": "base64", "content": base64.b64encode(b"web.yaml\n"[:8]).decode()}
    answer(f"/git/blobs/{'b' * 40}", blob)
    files = repository.files("f" * 40)

    assert "web.yaml" == files.link("link.yaml")
    with pytest.raises(EditRefused, match="not a symbolic link"):
        files.link("web.yaml")


@responses.activate
def test_a_blob_is_asked_for_once() -> None:
    repository = canned()
    answer(f"/git/trees/{'f' * 40}", tree())
    blob = {"sha": "a" * 40, "size": 4, "encoding": "base64", "content": base64.b64encode(b"a: 1").decode()}
    asked = answer(f"/git/blobs/{'a' * 40}", blob)
    files = repository.files("f" * 40)
    files.tree()

    assert (b"a: 1", b"a: 1") == (files.read("web.yaml"), files.read("web.yaml"))
    assert 1 == asked.call_count


@responses.activate
def test_half_a_listing_is_no_listing() -> None:
    repository = canned()
    answer(f"/git/trees/{'f' * 40}", tree(truncated=True))

    with pytest.raises(ForgeRefused, match="half a list is no list"):
        repository.files("f" * 40).tree()


@responses.activate
def test_too_many_manifests_to_read_one_by_one_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_repository, "MAX_BLOBS", 0)
    repository = canned()

    with pytest.raises(ForgeRefused, match=r"set repository\.path"):
        repository.blob("a" * 40, "web.yaml")


@pytest.mark.parametrize(
    ("status", "expected"), [(401, ForgeRefused), (403, ForgeRefused), (429, ForgeBusy), (502, ForgeBusy)]
)
@responses.activate
def test_a_refusal_says_whether_running_again_helps(status: int, expected: type[AiopsError]) -> None:
    repository = canned()
    responses.get(f"{API}/repos/acme/gitops/branches/main", status=status, body=json.dumps({"message": "no"}))

    with pytest.raises(expected) as caught:
        repository.head("main")
    assert TOKEN not in str(caught.value)
