"""The referee between aiops and its GitHub double: GitHub's description, not what somebody remembers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from edges import github_api, github_server, slice_github_api
from edges.github_apps import WRITE, Apps
from edges.github_double import REPO, Double, Fault
from propose import sample, storms

from aiops.edges import github_access, github_app, github_client, github_comments
from aiops.edges.github_forge import GitHubForge
from aiops.edges.github_repository import GitHubRepository
from aiops.limits import LIMITS
from aiops.propose import tracking

PULL = {"title": "t", "head": "x", "base": "main", "body": "b"}
SLICE = json.loads(Path(github_api.__file__).with_name("github_api.json").read_text(encoding="utf-8"))


def answered(verb: str, path: str, status: int, known: Any) -> tuple[Any, tuple[str, ...]]:
    text, wrong = github_api.answered(verb, path, status, json.dumps(known))
    return json.loads(text), wrong


@pytest.mark.parametrize(
    ("verb", "path", "body"),
    [
        ("POST", f"{REPO}/pulls", PULL),
        ("GET", f"{REPO}/git/ref/heads/aiops/scale/0123456789ab-1", None),
        ("PATCH", f"{REPO}/git/refs/heads/a/b", {"sha": "a" * 40, "force": False}),
        ("GET", f"{REPO}/contents/apps/web/values.yaml", None),
        ("DELETE", f"{REPO}/issues/comments/3", None),
        ("PATCH", f"{REPO}/issues/3", {"title": None, "state": "closed"}),  # null, where it is allowed
        ("POST", "/graphql", {"query": "query { viewer { login } }"}),
    ],
)
def test_a_request_that_github_describes_is_not_blamed(verb: str, path: str, body: Any) -> None:
    assert [] == github_api.asked(verb, path, {}, body)


@pytest.mark.parametrize(
    ("verb", "path", "query", "body", "expected"),
    [
        ("POST", "/pulls", {}, {**PULL, "base": None}, ": sent $.base: None is not of type 'string'"),
        ("POST", "/pulls", {}, {"head": "x", "title": "t"}, ": sent $: 'base' is a required property"),
        (
            "POST",
            "/pulls",
            {},
            {**PULL, "bodi": "x"},
            ": sent $: Additional properties are not allowed ('bodi'",
        ),
        (
            "PATCH",
            "/issues/3",
            {},
            {"state": "done"},
            ": sent $.state: 'done' is not one of ['open'",
        ),
        ("POST", "/issues/3/labels", {}, {"labels": [3]}, ": sent $: {'labels': [3]} is not valid under any"),
        ("GET", "/pulls", {"head_branch": ["x"]}, None, ": no parameter 'head_branch'"),
        ("GET", "/pulls", {"state": ["merged"]}, None, ": state: $: 'merged' is not one of ['open'"),
        ("GET", "/pulls", {"page": ["x"]}, None, ": page: $: 'x' is not of type 'integer'"),
        ("GET", "/pulls", {"per_page": ["1"]}, {"state": "open"}, ": sent a body"),
        ("GET", "/git/refs/heads/main", {}, None, ": not in the slice of GitHub's description"),
        ("GET", "/pulls/first", {}, None, ": not in the slice of GitHub's description"),
    ],
)
def test_a_request_that_github_would_not_understand_is_one_line(
    verb: str, path: str, query: dict[str, list[str]], body: Any, expected: str
) -> None:
    (line,) = github_api.asked(verb, REPO + path, query, body)
    assert line.startswith(f"{verb} {REPO}{path}{expected}")


def test_an_answer_is_completed_and_what_is_known_stays() -> None:
    known = [{"number": 3, "title": "t", "head": {"ref": "x", "repo": None}, "closed_at": None}]
    (found,), wrong = answered("GET", f"{REPO}/pulls", 200, known)

    assert () == wrong
    assert known[0] == {name: found[name] for name in known[0] if name != "head"} | {
        "head": {name: found["head"][name] for name in ("ref", "repo")}
    }
    assert {"user", "base", "labels", "created_at"} < set(found)


@pytest.mark.parametrize(
    ("verb", "path", "status", "known", "expected"),
    [
        ("GET", "/pulls", 200, [{"number": "3"}], ": $[0].number: '3' is not of type 'integer'"),
        ("GET", "/pulls", 200, [{"branch": "x"}], ": $[0]: Additional properties are not allowed ('branch'"),
        (
            "GET",
            "/pulls",
            200,
            [{"created_at": "yesterday"}],
            ": $[0].created_at: 'yesterday' is not a ",
        ),
        ("GET", "/git/ref/heads/x", 200, {"url": ""}, ": $.url: '' is not a 'uri'"),
        ("POST", "/pulls", 200, {}, ", which is not described"),
        ("DELETE", "/issues/comments/3", 204, {}, " with a body"),
        ("GET", "/contents/x", 200, {"type": "folder"}, ": $: {'type': 'folder'} is not valid under any"),
    ],
)
def test_an_answer_that_github_never_gives_is_one_line(
    verb: str, path: str, status: int, known: Any, expected: str
) -> None:
    _, (line,) = answered(verb, REPO + path, status, known)
    assert line.startswith(f"{verb} {REPO}{path}: answered {status}{expected}")


@pytest.mark.parametrize("name", sorted(f"{verb} {path}" for verb, path in slice_github_api.OPERATIONS))
def test_what_is_filled_in_is_itself_as_described(name: str) -> None:
    verb, template = name.split()
    path = template.replace("{owner}/{repo}", "acme/gitops")
    path = "/".join("3" if part.startswith("{") else part for part in path.split("/"))
    operation = github_api.find(verb, path)
    assert operation is not None
    assert name == operation.name
    for status, schema in operation.answers.items():
        if schema is not None and status < 300:
            known = [{}] if schema.get("type") == "array" else {}
            assert (status, ()) == (status, answered(verb, path, status, known)[1])


class Forgetful(Double):
    """A double that makes a mistake of its own."""

    def answer(self, verb: str, path: str, query: dict[str, list[str]], sent: Any) -> tuple[int, Any]:
        return 200, {"login": None, "id": 1}


def test_a_mistake_of_the_double_ends_its_test() -> None:
    with (
        pytest.raises(AssertionError, match=r"GET /user: answered 200: \$: .*is not valid under any"),
        github_server.running(Forgetful()) as double,
    ):
        assert 200 == requests.get(f"{double.base_url}/user", timeout=5).status_code


class Broken(Double):
    """A double that ends in the middle of an answer."""

    def answer(self, verb: str, path: str, query: dict[str, list[str]], sent: Any) -> tuple[int, Any]:
        raise KeyError(path)


@pytest.mark.parametrize("described", [True, False])
def test_a_double_that_breaks_is_not_taken_for_a_reset_on_purpose(described):
    with (
        pytest.raises(AssertionError, match=r"GET /user: the double broke: KeyError\('/user'\)"),
        github_server.running(Broken(), described=described) as double,
        pytest.raises(requests.ConnectionError),
    ):
        requests.get(f"{double.base_url}/user", timeout=5)


def test_a_mistake_of_ours_ends_the_test() -> None:
    with (
        pytest.raises(AssertionError, match=r"GET /repos/acme/gitops/pulls: no parameter 'stat'"),
        github_server.running(Double()) as double,
    ):
        requests.get(f"{double.base_url}{REPO}/pulls?stat=open", timeout=5)


@pytest.mark.parametrize("kind", ["status", "html", "truncate"])
def test_a_fault_on_purpose_is_no_mistake(kind: str) -> None:
    with github_server.running(Double()) as double:
        double.fault = lambda _verb, _path: Fault(kind, 418, body={"no": "teapot"}, applied=True)
        try:
            requests.get(f"{double.base_url}/user", timeout=5)
        except requests.RequestException:
            assert "truncate" == kind


def test_the_slice_holds_what_it_is_cut_for_and_nothing_that_no_operation_refers_to() -> None:
    held = [(verb, path) for path, verbs in SLICE["paths"].items() for verb in verbs]
    assert sorted(slice_github_api.OPERATIONS) == sorted(held)
    again = slice_github_api.cut({**SLICE, "openapi": ""}, "", "")
    assert {**SLICE, "about": again["about"]} == again


def test_every_operation_of_the_slice_is_one_that_aiops_asks_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(github_comments, "PAUSE_S", 0)
    with github_server.running(Apps(WRITE)) as double:
        double.seed({sample.IMAGE_FILE: sample.IMAGE_CONTENT, sample.HPA_FILE: sample.HPA_CONTENT})
        signed = github_app.installation("4711", private_key(), double.base_url, "acme/gitops", deadline_s=20)
        repo = github_client.repository(signed.token, double.base_url, "acme/gitops", deadline_s=20)
        github_access.of(repo, "main")
        read(GitHubRepository(repo))
        propose(GitHubForge(repo), double)
        track(GitHubForge(repo))
    found = {github_api.find(verb, path) for verb, path, _ in double.journal}
    names = {f"{verb} {path}" for verb, path in slice_github_api.OPERATIONS}
    assert names == {operation.name for operation in found if operation is not None}


def read(repository: GitHubRepository) -> None:
    """Ask all that a run asks of a repository without a checkout."""
    sha = repository.head("main")
    assert repository.files(sha).read(sample.IMAGE_FILE) == sample.IMAGE_CONTENT  # before the tree is listed
    assert sample.HPA_FILE in repository.files(sha).tree()
    assert [one.sha for one in repository.commits(sha, sample.HPA_FILE, 5)] == [sha]


def propose(forge: GitHubForge, double: Double) -> None:
    """Open, bring up to date and end a pull request, two runs at once."""
    made = replace(
        sample.composed(sample.rollback_item(), base_sha=double.refs["heads/main"]), reviewers=("octocat",)
    )
    pull = forge.open(made, 0)
    double.seed({sample.HPA_FILE: b"x: 1\n", sample.IMAGE_FILE: sample.IMAGE_CONTENT})
    pull = forge.update(pull, replace(made, base_sha=double.refs["heads/main"]), 0)
    other = {"issue": 1, "body": "over", "user": {"login": "bot"}}

    def late(verb: str, path: str) -> None:
        if verb == "POST" and path.endswith("/comments"):  # of a run that looked when we did
            double.comments[0] = {"id": 0, **other}

    double.fault = late
    assert forge.settle(pull, pull.body, "over", close=True, now_s=0).state == "closed"
    assert list(double.comments) == [0]


def track(forge: GitHubForge) -> None:
    """Open a tracking issue and close it."""
    (text,) = tracking.texts(storms.storm(), forge.issues(), "abcdef012345", sample.NOW_S, LIMITS)
    made = forge.track(text, 0)
    assert forge.track(replace(text, number=made.number, state="closed"), 0).state == "closed"


def private_key() -> str:
    made = rsa.generate_private_key(65537, 2048)
    return made.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    ).decode()
