from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import real
import requests
from github import Auth, Github

COMPONENTS = {
    "prometheus": real.prometheus,
    "promtool": real.promtool,
    "kustomize": real.kustomize,
    "emulate": real.emulate,
    "mermaid": real.mermaid_js,
    "node": real.node,
    "chromium": real.chromium,
}


@pytest.mark.real
@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_is_a_file(name: str) -> None:
    assert COMPONENTS[name]().is_file()


@pytest.mark.parametrize("name", [name for name in COMPONENTS if name != "node"])
@pytest.mark.parametrize(("ci", "outcome"), [("", pytest.skip.Exception), ("true", pytest.fail.Exception)])
def test_a_missing_component_skips_on_a_persons_machine_and_fails_in_ci(
    name: str, ci: str, outcome: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(real, "COMPONENTS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CI", ci)

    with pytest.raises(outcome, match="is missing"):
        COMPONENTS[name]()


@pytest.mark.real
def test_a_backfilled_prometheus_answers_with_what_was_written(
    start_prometheus: Callable[..., str], backfill: Callable[..., None], tmp_path: Path
) -> None:
    start_s = 1_763_856_000
    lines = [f'up{{job="shop"}} 1 {start_s + 60 * minute}\n' for minute in range(120)]
    backfill(["# TYPE up gauge\n", *lines, "# EOF\n"], tmp_path / "data")
    base_url = start_prometheus(tmp_path / "data")

    reply = requests.get(
        f"{base_url}/api/v1/query", params={"query": "count_over_time(up[2h])", "time": start_s + 119 * 60}
    ).json()

    assert [{"metric": {"job": "shop"}, "value": [start_s + 119 * 60, "120"]}] == reply["data"]["result"]


@pytest.mark.real
def test_promtool_refusing_the_text_fails_the_test(backfill: Callable[..., None], tmp_path: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="promtool refused"):
        backfill(["up 1 1763856000\n"], tmp_path / "data")  # no `# EOF`


@pytest.mark.real
def test_the_emulator_serves_the_repository_it_was_seeded_with(
    start_emulate: Callable[..., real.Emulator],
) -> None:
    running = start_emulate(
        {
            "tokens": {"canary-token": {"login": "acme-bot", "scopes": ["repo"]}},
            "github": {
                "users": [{"login": "acme-bot"}],
                "repos": [{"owner": "acme-bot", "name": "gitops", "auto_init": True}],
            },
        }
    )
    github = Github(
        base_url=running.base_url,
        auth=Auth.Token(running.token),
        retry=None,
        seconds_between_requests=None,
        seconds_between_writes=None,
    )
    with github:
        assert github.get_repo("acme-bot/gitops").default_branch == "main"


@pytest.mark.real
def test_a_server_that_will_not_start_shows_what_it_said(
    start_prometheus: Callable[..., str], tmp_path: Path
) -> None:
    with pytest.raises(pytest.fail.Exception, match="no_such_key"):
        start_prometheus(tmp_path / "data", "no_such_key: 1\n")


def test_a_test_cannot_leave_this_machine() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as outgoing,
        pytest.raises(pytest.fail.Exception, match=r"192\.0\.2\.1"),
    ):
        outgoing.connect(("192.0.2.1", 9))
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("prometheus.invalid", 9090)
