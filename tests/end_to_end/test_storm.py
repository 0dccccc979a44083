"""A storm through the command line: one notice, one issue where that is wanted, no pull request."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from propose import sample, storms

from aiops.propose import plan_file
from aiops.report import utc

NOW_S = sample.NOW_S
SETTINGS = """\
prometheus: {url: "http://127.0.0.1:9"}
repository: {path: gitops, base: main}
forge: local
issues: true
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    repository = tmp_path / "gitops"
    git = ["git", "-C", str(repository), "-c", "user.name=p", "-c", "user.email=p@x"]
    subprocess.run(["git", "init", "-q", "-b", "main", str(repository)], check=True)
    subprocess.run([*git, "commit", "-q", "--allow-empty", "-m", "first"], check=True)
    (tmp_path / "aiops.yaml").write_text(SETTINGS, encoding="utf-8")
    return tmp_path


def proposed(command, folder: Path, plan, *flags: str):
    (folder / "plan.json").write_bytes(plan_file.dump(plan))
    return command(
        "propose", "--plan", folder / "plan.json", "--config", folder / "aiops.yaml",
        "--at", utc(plan.data_time_s), "--format", "json", *flags,
    )  # fmt: skip


def issues(folder: Path) -> list[dict[str, object]]:
    found = sorted((folder / "gitops.forge").glob("issues/*.json"))
    return [json.loads(path.read_text(encoding="utf-8")) for path in found]


def test_a_storm_of_a_thousand_opens_one_issue_that_is_renewed_and_closed(command, folder):
    begun = proposed(command, folder, storms.storm(red=1_000, quiet=0))
    assert (begun.code, begun.report["tracking_issue"]["state"]) == (40, "opened"), begun.err
    again = proposed(command, folder, storms.storm(red=1_000, quiet=0))
    assert again.report["tracking_issue"]["state"] == "exists"
    newer = proposed(command, folder, storms.storm(NOW_S + 600, red=900, quiet=100))
    assert newer.report["tracking_issue"]["state"] == "updated"
    over = proposed(command, folder, storms.calm(NOW_S + 4_800, quiet=1_000))
    assert (over.code, over.report["tracking_issue"]["state"]) == (0, "closed"), over.err
    assert [(one["number"], one["state"]) for one in issues(folder)] == [(1, "closed")]
    assert list((folder / "gitops.forge").glob("pulls/*")) == []


def test_without_the_key_and_in_a_dry_run_nothing_is_written(command, folder):
    dry = proposed(command, folder, storms.storm(), "--dry-run")
    assert (dry.code, dry.report["tracking_issue"]) == (
        40,
        {"number": None, "url": None, "state": "dry-run"},
    )
    settings = folder / "aiops.yaml"
    settings.write_text(SETTINGS.replace("issues: true\n", ""), encoding="utf-8")
    silent = proposed(command, folder, storms.storm())
    assert (silent.code, silent.report["tracking_issue"]) == (40, None)
    assert not (folder / "gitops.forge").exists()


def test_the_label_on_the_issue_pauses(command, folder):
    proposed(command, folder, storms.storm())
    path = folder / "gitops.forge" / "issues" / "1.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**data, "labels": ["aiops/pause"]}), encoding="utf-8")
    paused = proposed(command, folder, storms.storm(NOW_S + 600))
    states = {one["id"]: one["state"] for one in paused.report["guardrails"]}
    assert (states["G-PAUSE"], paused.report["tracking_issue"]["state"]) == ("tripped", "exists")


def test_an_issue_that_cannot_be_read_may_hold_a_pause_and_stops_the_run(command, folder):
    proposed(command, folder, storms.storm())
    (folder / "gitops.forge" / "issues" / "1.json").write_text("{", encoding="utf-8")
    done = proposed(command, folder, storms.calm(NOW_S + 600))
    assert done.code == 30
    assert [one["where"] for one in done.report["errors"]] == ["issues/1.json"]
    assert "G-PAUSE" not in {one["id"] for one in done.report["guardrails"]}
