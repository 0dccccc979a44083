"""The CronJob: valid by the official schemas, and what each half may know is kept apart."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
import real
import yaml

MANIFEST = real.CHECKOUT / "pipelines" / "kubernetes-cronjob.yaml"
OLDEST, NEWEST = "1.27", "1.34"
DOCUMENTS: list[dict[str, Any]] = list(yaml.safe_load_all(MANIFEST.read_text(encoding="utf-8")))


def document(kind: str) -> dict[str, Any]:
    """Return the one document of a kind."""
    (found,) = [document for document in DOCUMENTS if document["kind"] == kind]
    return found


CRON = document("CronJob")["spec"]
POD = CRON["jobTemplate"]["spec"]["template"]["spec"]
(ANALYSE,) = POD["initContainers"]
(PROPOSE,) = POD["containers"]


def secrets(container: dict[str, Any]) -> dict[str, str]:
    """Return environment variable -> name of the secret it comes from."""
    return {
        one["name"]: one["valueFrom"]["secretKeyRef"]["name"]
        for one in container["env"]
        if "valueFrom" in one
    }


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("found", DOCUMENTS, ids=lambda found: str(found["kind"]))
def test_a_manifest_fits_the_schema_of_its_kind(found: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(found, version, strict=True)


def test_the_schema_check_sees_a_misspelt_field() -> None:
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(
            {**document("ServiceAccount"), "automountToken": False}, NEWEST, strict=True
        )


def test_the_half_that_reads_prometheus_has_no_token_that_writes() -> None:
    assert secrets(ANALYSE) == {"PROMETHEUS_TOKEN": "aiops-analyse", "GITHUB_TOKEN": "aiops-analyse"}


def test_the_half_that_writes_has_no_credentials_for_prometheus() -> None:
    assert secrets(PROPOSE) == {"GITHUB_TOKEN": "aiops-propose"}
    assert {"name": "PROMETHEUS_TOKEN", "value": ""} in PROPOSE["env"]


def test_the_half_that_writes_cannot_change_the_plan() -> None:
    mounts = {one["name"]: one.get("readOnly", False) for one in PROPOSE["volumeMounts"]}
    assert mounts == {"config": True, "plan": True, "tmp": False}


@pytest.mark.parametrize("container", [ANALYSE, PROPOSE], ids=["analyse", "propose"])
def test_a_container_can_do_nothing_but_its_work(container: dict[str, Any]) -> None:
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert "memory" in container["resources"]["limits"]


def test_the_pod_has_no_access_to_the_cluster() -> None:
    assert POD["securityContext"]["runAsNonRoot"]
    assert POD["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert (POD["automountServiceAccountToken"], POD["enableServiceLinks"]) == (False, False)
    assert document("ServiceAccount")["automountServiceAccountToken"] is False
    assert not {found["kind"] for found in DOCUMENTS} & {"Role", "ClusterRole", "RoleBinding"}


def test_the_network_policy_is_about_this_pod_and_lets_nobody_in() -> None:
    policy = document("NetworkPolicy")["spec"]
    assert (
        policy["podSelector"]["matchLabels"] == CRON["jobTemplate"]["spec"]["template"]["metadata"]["labels"]
    )
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert policy["ingress"] == []
    ports = {(port["protocol"], port["port"]) for rule in policy["egress"] for port in rule["ports"]}
    assert ports == {("UDP", 53), ("TCP", 53), ("TCP", 9090), ("TCP", 443)}


def test_runs_never_overlap_and_none_starts_on_the_hour() -> None:
    assert CRON["concurrencyPolicy"] == "Forbid"
    assert CRON["schedule"] == "7-59/10 * * * *"
    job = CRON["jobTemplate"]["spec"]
    assert job["backoffLimit"] == 0
    assert job["activeDeadlineSeconds"] < 600
