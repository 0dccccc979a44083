"""Our own inputs fail: the stated exit code, one clear line, no pull request."""

from __future__ import annotations

import os

import pytest


def fails(done, world, code):
    assert done.code == code, done.err
    lines = [line for line in done.err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, done.err
    assert world.pulls() == []
    return lines[0]


@pytest.mark.parametrize(
    ("address", "code", "said"),
    [
        ("http://127.0.0.1:1", 20, "http://127.0.0.1:1: connection refused"),
        ("127.0.0.1:9090", 2, "prometheus.url: malformed address, expected http:// or https://"),
        ("ftp://127.0.0.1", 2, "prometheus.url: malformed address, expected http:// or https://"),
        ("http://", 2, "prometheus.url: malformed address, expected a host name"),
    ],
)
def test_a_wrong_address_is_one_line(command, world, address, code, said):
    text = world.config.read_text(encoding="utf-8")
    recording = text.split("prometheus: ")[1].splitlines()[0]
    world.set(recording, f"{{url: '{address}'}}")
    assert said in fails(command("run", "--config", world.config, "--at", world.at), world, code)


def test_a_missing_recording_is_one_line(command, world):
    text = world.config.read_text(encoding="utf-8")
    recording = text.split("recording: ")[1].split("}")[0]
    world.set(recording, "no/such/recording")
    said = fails(command("run", "--config", world.config, "--at", world.at), world, 2)
    assert "no/such/recording: no recording here" in said


def test_a_time_without_data_cannot_be_judged(command, world):
    said = fails(command("run", "--config", world.config, "--at", "2020-01-01T00:00:00Z"), world, 20)
    assert "the queries of `signals` returned no workload" in said


def test_a_forge_that_is_down_does_not_lose_the_analysis(command, world):
    world.set("{path: gitops.git,", "{path: gitops.git, github: bot/gitops,")
    world.set("forge: local", "forge: github")
    env = {**os.environ, "GITHUB_TOKEN": "canary-token", "GITHUB_API_URL": "http://127.0.0.1:1"}
    done = command("run", "--config", world.config, "--at", world.at, "--format", "json", env=env)
    assert done.code == 31, done.err
    assert [error["code"] for error in done.report["errors"]] == ["forge-busy"]
    assert sorted(action for action, _, _ in done.decisions().values()) == ["rollback", "scale"]
    assert {one["pull_request"] and one["pull_request"]["state"] for one in done.report["workloads"]} == {
        None
    }
    assert "canary-token" not in done.out + done.err


def test_a_missing_branch_is_one_line(command, world):
    world.set("base: main", "base: nosuchbranch")
    line = fails(command("run", "--config", world.config, "--at", world.at), world, 2)
    assert "nosuchbranch" in line


def test_a_json_report_is_written_for_a_run_that_failed(command, world):
    world.set("base: main", "base: nosuchbranch")
    done = command("run", "--config", world.config, "--at", world.at, "--format", "json")
    assert done.report["exit_code"] == 2
    assert [error["code"] for error in done.report["errors"]] == ["config"]
