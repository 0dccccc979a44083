"""A pod for each half: valid by the official schemas, and neither can reach what belongs to the other."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import real
import yaml

PIPELINES = real.CHECKOUT / "pipelines"
HALVES = ("analyse", "propose")


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((PIPELINES / name).read_text(encoding="utf-8")))


BOTH, ONE_POD = documents("kubernetes-two-pods.yaml"), documents("kubernetes-cronjob.yaml")
CRON = {
    half: one["spec"]
    for half in HALVES
    for one in BOTH
    if one["kind"] == "CronJob" and one["metadata"]["name"] == f"aiops-{half}"
}
POLICIES = {
    half: one["spec"]
    for half in HALVES
    for one in BOTH
    if one["kind"] == "NetworkPolicy" and one["metadata"]["name"] == f"aiops-{half}"
}
TEMPLATES = {half: CRON[half]["jobTemplate"]["spec"]["template"] for half in HALVES}
CONTAINERS = {half: TEMPLATES[half]["spec"]["containers"][0] for half in HALVES}


@pytest.mark.parametrize("version", ["1.27", "1.34"])
def test_every_manifest_fits_the_schema_of_its_kind(version: str) -> None:
    for one in BOTH:
        kubernetes_validate.validate(one, version, strict=True)
    assert len(BOTH) == 7


def test_each_half_is_given_its_own_secrets() -> None:
    secrets = {
        half: sorted(
            (one["name"], one["valueFrom"]["secretKeyRef"]["name"])
            for one in found["env"]
            if "valueFrom" in one
        )
        for half, found in CONTAINERS.items()
    }
    assert secrets == {
        "analyse": [("GITHUB_TOKEN", "aiops-analyse"), ("PROMETHEUS_TOKEN", "aiops-analyse")],
        "propose": [("GITHUB_APP_ID", "aiops-propose")],
    }
    mounted = [
        (half, one["secret"]["secretName"])
        for half in HALVES
        for one in TEMPLATES[half]["spec"]["volumes"]
        if "secret" in one
    ]
    assert mounted == [("propose", "aiops-propose")]


def test_only_the_half_without_the_writing_token_reaches_prometheus() -> None:
    ports = {
        half: sorted({port["port"] for rule in one["egress"] for port in rule["ports"]})
        for half, one in POLICIES.items()
    }
    assert ports == {"analyse": [53, 443, 9090, 9091], "propose": [53, 443, 9091]}
    (monitoring,) = [
        rule["to"][0]
        for rule in POLICIES["propose"]["egress"]
        if rule["ports"] == [{"protocol": "TCP", "port": 9091}]
    ]
    assert monitoring["podSelector"]["matchLabels"] == {"app.kubernetes.io/name": "prometheus-pushgateway"}


@pytest.mark.parametrize("half", HALVES)
def test_one_policy_is_about_each_pod_and_no_other_adds_to_it(half: str) -> None:
    # Policies add up: one more that selects the pod would open what this one closes.
    labels = TEMPLATES[half]["metadata"]["labels"].items()
    about = [
        one["metadata"]["name"]
        for one in [*BOTH, *ONE_POD]
        if one["kind"] == "NetworkPolicy" and one["spec"]["podSelector"]["matchLabels"].items() <= labels
    ]
    assert about == [f"aiops-{half}"]
    assert (POLICIES[half]["policyTypes"], POLICIES[half]["ingress"]) == (["Ingress", "Egress"], [])


@pytest.mark.parametrize("half", HALVES)
def test_a_pod_is_as_locked_up_as_the_one_that_holds_both(half: str) -> None:
    (single,) = [one for one in ONE_POD if one["kind"] == "CronJob"]
    expected = single["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    pod, box = TEMPLATES[half]["spec"], CONTAINERS[half]
    for name in ("securityContext", "automountServiceAccountToken", "enableServiceLinks", "restartPolicy"):
        assert pod[name] == expected[name]
    assert box["securityContext"] == expected["containers"][0]["securityContext"]
    assert "memory" in box["resources"]["limits"]
    assert {one["kind"] for one in BOTH} & {"Role", "ClusterRole", "RoleBinding"} == set()


def test_the_halves_take_turns_with_the_volume() -> None:
    begins = {half: int(CRON[half]["schedule"].partition("-")[0]) for half in HALVES}
    for half, other in (HALVES, HALVES[::-1]):
        free_s = (begins[other] - begins[half]) % 10 * 60
        late_s = CRON[half]["startingDeadlineSeconds"]
        assert late_s + CRON[half]["jobTemplate"]["spec"]["activeDeadlineSeconds"] < free_s
        assert CRON[half]["concurrencyPolicy"] == "Forbid"
    mounts = {one["name"]: one.get("readOnly", False) for one in CONTAINERS["propose"]["volumeMounts"]}
    assert mounts == {"config": True, "plan": True, "app": True, "tmp": False}


@pytest.mark.parametrize(("writes", "expected"), [(True, 0), (False, 1)])
def test_a_run_that_fails_leaves_no_plan_of_an_earlier_one(
    tmp_path: Path,
    writes: bool,  # noqa: FBT001
    expected: int,
) -> None:
    (tmp_path / "plan.json").write_text("old", encoding="utf-8")
    program = tmp_path / "aiops"
    plan = f"if [ $1 = run ]; then {f'echo new >{tmp_path}/plan.json' if writes else ':'}; exit 40; fi"
    program.write_text(f"#!/bin/sh\n{plan}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    *shell, script = CONTAINERS["analyse"]["command"]

    done = subprocess.run(
        [*shell, script.replace("/plan/", f"{tmp_path}/")],
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        check=False,
    )

    assert done.returncode == expected
    assert (tmp_path / "plan.json").exists() == writes


ALERTMANAGER = yaml.safe_load((PIPELINES / "alertmanager.yaml").read_text(encoding="utf-8"))
RECEIVERS = {one["name"]: one.get("webhook_configs", [{}])[0] for one in ALERTMANAGER["receivers"]}


def test_an_alert_starts_a_workflow_that_can_be_started_so_and_sends_nothing_else() -> None:
    github = RECEIVERS["aiops-github"]
    workflow = yaml.safe_load((PIPELINES / "github-actions.yaml").read_text(encoding="utf-8"))
    assert "workflow_dispatch" in workflow[True]
    assert github["url"].endswith("/actions/workflows/aiops.yaml/dispatches")
    assert github["payload"] == {"ref": "main"}


def test_an_alert_starts_a_pipeline_whose_rules_let_it() -> None:
    pipeline = yaml.safe_load((PIPELINES / "gitlab-ci.yml").read_text(encoding="utf-8"))
    assert '$CI_PIPELINE_SOURCE == "trigger"' in pipeline["workflow"]["rules"][0]["if"]


def test_an_alert_that_ends_starts_nothing_and_no_receiver_holds_a_secret() -> None:
    (route,) = ALERTMANAGER["route"]["routes"]
    assert (route["receiver"] in RECEIVERS, route["continue"]) == (True, True)
    for name in ("aiops-github", "aiops-gitlab"):
        assert RECEIVERS[name]["send_resolved"] is False
        assert RECEIVERS[name]["http_config"]["follow_redirects"] is False
    assert set(RECEIVERS["aiops-github"]["http_config"]["authorization"]) == {"credentials_file"}
    assert "url" not in RECEIVERS["aiops-gitlab"]
