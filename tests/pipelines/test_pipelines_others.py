"""The composite action, the GitLab jobs and the dead-man rule: valid, and as careful as the workflow."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import real
import yaml

from aiops.cli import app

PIPELINES = real.CHECKOUT / "pipelines"
ACTION = yaml.safe_load((real.CHECKOUT / "action.yml").read_text(encoding="utf-8"))
SHORT = yaml.safe_load((PIPELINES / "github-actions-short.yaml").read_text(encoding="utf-8"))
LONG = (PIPELINES / "github-actions.yaml").read_text(encoding="utf-8")
GITLAB = yaml.safe_load((PIPELINES / "gitlab-ci.yml").read_text(encoding="utf-8"))


def test_no_expression_becomes_script_in_the_action():
    assert not [step for step in ACTION["runs"]["steps"] if "${{" in step.get("run", "")]


def test_the_action_uses_the_pinned_commits_of_the_workflow():
    for file in (real.CHECKOUT / "action.yml", PIPELINES / "github-actions-short.yaml"):
        used = re.findall(r"uses: (actions/\S+@[0-9a-f]{40} # v\S+)", file.read_text(encoding="utf-8"))
        assert used
        assert [one for one in used if one not in LONG] == []


def test_only_the_analysing_half_of_the_action_knows_prometheus():
    known = {
        step["name"]: step["env"]["PROMETHEUS_TOKEN"]
        for step in ACTION["runs"]["steps"]
        if "PROMETHEUS_TOKEN" in step.get("env", {})
    }
    assert known == {"Analyse": "${{ inputs.prometheus-token }}", "Propose": ""}


def test_each_half_of_the_action_takes_an_app_instead_of_a_token_and_never_both():
    for name in ("Analyse", "Propose"):
        env = next(step["env"] for step in ACTION["runs"]["steps"] if step["name"] == name)
        assert env["GITHUB_TOKEN"] == "${{ inputs.app-id == '' && inputs.github-token || '' }}"
        assert env["GITHUB_APP_ID"] == "${{ inputs.app-id }}"
        assert env["GITHUB_APP_PRIVATE_KEY"] == "${{ inputs.app-private-key }}"


def test_the_short_workflow_gives_each_half_what_it_needs_and_names_inputs_that_exist():
    jobs = SHORT["jobs"]
    assert SHORT["permissions"] == {}
    assert {name: job["permissions"] for name, job in jobs.items()} == {
        "analyse": {"contents": "read"},
        "propose": {"contents": "write", "pull-requests": "write"},
    }
    for name, job in jobs.items():
        given = job["steps"][-1]["with"]
        assert given["half"] == name
        assert set(given) <= set(ACTION["inputs"])


def audited(folder: Path, **files: str) -> subprocess.CompletedProcess[str]:
    """Let zizmor look at files that lie where GitHub looks for them."""
    for name, text in files.items():
        path = folder / ("action.yml" if name == "action" else f".github/workflows/{name}.yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    command = [real.zizmor(), "--offline", "--no-progress", "--no-config", "--quiet", folder]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.real
def test_the_auditor_of_workflows_finds_nothing(tmp_path):
    short = (PIPELINES / "github-actions-short.yaml").read_text(encoding="utf-8")
    action = (real.CHECKOUT / "action.yml").read_text(encoding="utf-8")
    done = audited(tmp_path, long=LONG, short=short, action=action)
    assert done.returncode == 0, done.stdout


@pytest.mark.real
def test_the_auditor_of_workflows_sees_a_title_that_becomes_script(tmp_path):
    step = "echo ${{ github.event.pull_request.title }}"
    done = audited(tmp_path, bad=LONG.replace("pip install --quiet -c", f"{step}; pip install --quiet -c"))
    assert (done.returncode != 0, "template-injection" in done.stdout) == (True, True)


@pytest.mark.parametrize(
    ("job", "token"), [("analyse", "GITHUB_READ_TOKEN"), ("propose", "GITHUB_WRITE_TOKEN")]
)
def test_a_job_of_gitlab_uses_its_own_token_and_a_command_that_exists(job, token):
    script = "\n".join(GITLAB[job]["script"])
    assert set(re.findall(r"GITHUB_\w+_TOKEN", script)) == {token}
    command, *arguments = re.findall(r"(?m)^aiops ([^|\n]*)", script)[0].split()
    app.commands[command].make_context(command, arguments)


def test_the_proposing_job_of_gitlab_has_no_token_of_prometheus():
    assert GITLAB["propose"]["variables"] == {"PROMETHEUS_TOKEN": ""}
    assert GITLAB["propose"]["environment"] != GITLAB["analyse"]["environment"]


@pytest.mark.real
def test_the_dead_man_rule_is_one_that_prometheus_loads_and_fires_when_runs_stop(tmp_path):
    (tmp_path / "dead-man.yaml").write_text((PIPELINES / "dead-man.yaml").read_text(encoding="utf-8"))
    series = 'kube_cronjob_status_last_successful_time{namespace="aiops",cronjob="aiops"}'

    def stopped(values: str, *alerts: dict[str, object]) -> dict[str, object]:
        ask = {"eval_time": "2h", "alertname": "AiopsStopped", "exp_alerts": list(alerts)}
        given = [{"series": series, "values": values}] if values else []
        return {"interval": "10m", "input_series": given, "alert_rule_test": [ask]}

    rule = yaml.safe_load((PIPELINES / "dead-man.yaml").read_text(encoding="utf-8"))["groups"][0]["rules"][0]
    told = {"exp_labels": dict(rule["labels"]), "exp_annotations": rule["annotations"]}
    absent = {**told, "exp_labels": {**rule["labels"], "namespace": "aiops", "cronjob": "aiops"}}
    tests = [stopped("0+600x12"), stopped("0x12", told), stopped("", absent)]
    text = {"rule_files": ["dead-man.yaml"], "evaluation_interval": "10m", "tests": tests}
    (tmp_path / "test.yaml").write_text(yaml.safe_dump(text))
    done = subprocess.run(
        [real.promtool(), "test", "rules", "test.yaml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
