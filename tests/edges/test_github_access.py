"""What a token may do is found by reading only, and what GitHub does not tell is not claimed."""

from __future__ import annotations

import pytest
from edges import github_server
from edges.github_double import REPO, Double, Fault

from aiops.commands import checks
from aiops.config import Config
from aiops.edges import github_access, github_client
from aiops.edges.github_access import Access

CONFIG = Config.model_validate(
    {"prometheus": {"url": "http://x"}, "repository": {"github": "acme/gitops"}, "forge": "github"}
)


def access(name, *, archived, push, excess, protected):
    return Access(name, archived, push, excess, protected)


class Rights(Double):
    """A GitHub that also tells rights and whether the base branch is protected."""

    def __init__(self, permissions, *, protected):
        super().__init__()
        self.permissions, self.protected = permissions, protected

    def answer(self, verb, path, query, sent):
        if path == f"{REPO}/branches/main" and self.protected is not None:
            return 200, {"name": "main", "protected": self.protected}
        if path == f"{REPO}/branches/main":
            return 404, {"message": "Not Found"}
        status, found = super().answer(verb, path, query, sent)
        told = path == REPO and self.permissions is not None
        return status, {**found, "permissions": self.permissions} if told else found


def asked(server):
    with github_server.running(server):
        return github_access.of(github_client.repository("t", server.base_url, "acme/gitops"), "main")


def test_rights_and_protection_are_read_and_nothing_is_written():
    server = Rights({"push": True, "pull": True}, protected=True)

    assert asked(server) == access("acme/gitops", archived=False, push=True, excess=(), protected=True)
    assert {verb for verb, _, _ in server.journal} == {"GET"}


def test_what_the_server_does_not_tell_is_not_known():
    assert asked(Rights(None, protected=None)) == access(
        "acme/gitops", archived=False, push=None, excess=(), protected=None
    )


@pytest.mark.parametrize(("switched_on", "state"), [(True, "unknown"), (False, "problem")])
def test_a_repository_without_issues_is_known_before_the_storm(switched_on, state):
    class Switched(Rights):
        def answer(self, verb, path, query, sent):
            status, found = super().answer(verb, path, query, sent)
            return status, {**found, "has_issues": switched_on} if path == REPO else found

    wanting = CONFIG.model_copy(update={"issues": True})
    lines = checks.access(asked(Switched({"push": True}, protected=True)), wanting)
    assert [(one.name, one.state) for one in lines] == [
        ("forge", "ok"),
        ("issues", state),
        ("protection", "ok"),
    ]


def test_scopes_beyond_the_repository_are_named():
    server = Rights({"push": True}, protected=False)
    headers = {"x-oauth-scopes": "repo, admin:org"}
    server.fault = lambda _verb, path: (
        Fault("status", 200, headers, {"id": 7, "full_name": "acme/gitops", "url": "", "permissions": {}})
        if path == REPO
        else None
    )

    assert asked(server).excess == ("admin:org",)


@pytest.mark.parametrize(
    ("found", "states"),
    [
        (access("a/b", archived=False, push=True, excess=(), protected=True), ["ok", "ok"]),
        (access("a/b", archived=False, push=None, excess=(), protected=None), ["unknown", "unknown"]),
        (
            access("a/b", archived=False, push=True, excess=("admin:org",), protected=False),
            ["warning", "warning"],
        ),
        (access("a/b", archived=False, push=False, excess=(), protected=True), ["problem", "ok"]),
        (access("a/b", archived=True, push=True, excess=(), protected=True), ["problem", "ok"]),
    ],
)
def test_only_what_stops_a_run_is_a_problem_and_it_ends_with_30(found, states):
    lines = checks.access(found, CONFIG)

    assert [one.state for one in lines] == states
    assert {one.exit_code for one in lines if one.state == "problem"} <= {30}
    assert all(one.todo for one in lines if one.state != "ok")
