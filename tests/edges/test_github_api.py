"""The referee between aiops and its GitHub double: GitHub's description, not what somebody remembers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests
from edges import github_api, github_server, slice_github_api
from edges.github_double import REPO, Double, Fault

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
