"""What kustomize renders from the mesh's repository is what the plant reads from it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import real
import yaml

from aiops.mesh import repository, scenarios
from aiops.mesh.faults import ConfigChange

DEMO = scenarios.demo(1)
EVENTS = (*DEMO.events, ConfigChange("cart", DEMO.end_s - 600, "blue"))
FILES = repository.latest(repository.history(DEMO.mesh, EVENTS, DEMO.start_s))


def rendered(folder: Path, cluster: str) -> list[dict[str, Any]]:
    for path, content in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    text = subprocess.run(
        [real.kustomize(), "build", str(folder / "clusters" / cluster)], check=True, capture_output=True
    ).stdout
    return list(yaml.safe_load_all(text))


@pytest.mark.real
def test_the_overlay_renders_to_what_the_plant_runs(tmp_path: Path) -> None:
    objects = rendered(tmp_path, "prod-eu")
    controls = {c.service: c for c in repository.controls_from(DEMO.mesh, FILES, DEMO.end_s)}
    workloads = {o["metadata"]["name"]: o for o in objects if o["kind"] in ("Deployment", "StatefulSet")}
    assert {service.name for service in DEMO.mesh.services if not service.helm} == set(workloads)
    for name, one in workloads.items():
        spec, service = one["spec"], DEMO.mesh.service(name)
        assert one["metadata"]["namespace"] == DEMO.mesh.namespace
        assert one["kind"] == service.kind
        assert spec.get("replicas") == controls[name].replicas
        (container,) = spec["template"]["spec"]["containers"]
        assert container["name"] == name
        assert container["image"] == f"{DEMO.mesh.image(name)}:{controls[name].tag}"
        assert container["resources"]["limits"]["memory"] == f"{service.memory_limit_mib:.0f}Mi"
    settings = workloads["cart"]["spec"]["template"]["spec"]["containers"][0]["envFrom"][0]["configMapRef"]
    assert settings["name"].startswith("cart-settings-")  # the hash: other settings are another name
    (scaler,) = [o for o in objects if o["kind"] == "HorizontalPodAutoscaler"]
    bounds = (scaler["spec"]["minReplicas"], scaler["spec"]["maxReplicas"])
    assert bounds == (controls["web"].minimum, controls["web"].maximum)


@pytest.mark.real
@pytest.mark.parametrize("cluster", ["prod-eu", "prod-us"])
def test_every_rendered_object_is_valid_for_kubernetes(cluster: str, tmp_path: Path) -> None:
    import kubernetes_validate

    for one in rendered(tmp_path, cluster):
        kubernetes_validate.validate(one, "1.31", strict=True)
