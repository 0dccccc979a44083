"""Retraining on a schedule: valid by the official schemas, and given nothing that it does not need."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
import real
import yaml
from click.testing import CliRunner

from aiops import cli

FOLDER = real.CHECKOUT / "pipelines"
DOCUMENTS: list[dict[str, Any]] = list(yaml.safe_load_all((FOLDER / "kubernetes-train.yaml").read_text()))
BESIDE: list[dict[str, Any]] = list(yaml.safe_load_all((FOLDER / "kubernetes-cronjob.yaml").read_text()))
CLAIM, POLICY, CRON = DOCUMENTS
POD = CRON["spec"]["jobTemplate"]["spec"]["template"]["spec"]
(TRAIN,) = POD["containers"]


@pytest.mark.parametrize("version", ["1.27", "1.34"])
@pytest.mark.parametrize("found", DOCUMENTS, ids=lambda found: str(found["kind"]))
def test_a_manifest_fits_the_schema_of_its_kind(found: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(found, version, strict=True)


def test_it_reads_prometheus_and_has_no_token_of_a_forge() -> None:
    assert {one["name"] for one in TRAIN["env"]} == {"PROMETHEUS_TOKEN", "OMP_NUM_THREADS"}
    ports = {port["port"] for rule in POLICY["spec"]["egress"] for port in rule["ports"]}
    assert ports == {53, 9090}
    labels = CRON["spec"]["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    assert POLICY["spec"]["podSelector"]["matchLabels"] == labels


def test_what_it_takes_from_the_job_beside_it_is_there_and_locked_down_the_same() -> None:
    kinds = {one["kind"]: one for one in BESIDE}
    assert POD["serviceAccountName"] == kinds["ServiceAccount"]["metadata"]["name"]
    volumes = {one["name"]: one for one in POD["volumes"]}
    assert volumes["config"]["configMap"]["name"] == kinds["ConfigMap"]["metadata"]["name"]
    assert volumes["models"]["persistentVolumeClaim"]["claimName"] == CLAIM["metadata"]["name"]
    other = kinds["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert POD["securityContext"] == other["securityContext"]
    assert TRAIN["securityContext"] == other["containers"][0]["securityContext"]
    assert (POD["automountServiceAccountToken"], POD["enableServiceLinks"]) == (False, False)


def test_the_command_is_one_that_aiops_takes() -> None:
    program, *arguments = TRAIN["command"]
    assert program == "aiops"
    done = CliRunner().invoke(cli.app, [*arguments, "--help"])
    assert done.exit_code == 0
    name, *rest = arguments
    cli.app.commands[name].make_context(name, list(rest))


def test_the_image_holds_torch_where_it_is_asked_for() -> None:
    text = (FOLDER / "Containerfile").read_text(encoding="utf-8")
    assert 'ARG EXTRAS=""' in text
    assert '".${EXTRAS}"' in text
    assert '--build-arg EXTRAS="[train]"' in (FOLDER / "kubernetes-train.yaml").read_text(encoding="utf-8")
