"""A repository for the demo's mesh as another team would keep it: plain manifests, one folder an app.

No kustomization, no chart, no second cluster; tags stand in the manifests, quoted and with comments,
and a Service follows in the same file. Nothing of `aiops.mesh.repository` is used.
"""

from __future__ import annotations

from aiops.mesh.faults import Deploy
from aiops.mesh.graph import Mesh, Service
from aiops.mesh.repository import Revision
from aiops.mesh.scenarios import Scenario

PERSON = "Kim Example <kim@example.org>"
_LEAD_S = 120  # the commit of a deploy comes before its rollout


def history(scene: Scenario) -> list[Revision]:
    """Return one commit with everything, and one for each deploy."""
    tags = {service.name: service.tag for service in scene.mesh.services}
    services = {service.name: service for service in scene.mesh.services}
    first = {path: text for one in services.values() for path, text in _app(scene.mesh, one, tags).items()}
    first["README.md"] = b"Argo CD syncs apps/.\n"
    commits = [Revision(scene.start_s - 3_600, PERSON, "Move the shop here\n", first)]
    for event in sorted(
        (one for one in scene.events if isinstance(one, Deploy)), key=lambda one: one.start_s
    ):
        tags[event.service] = event.tag
        files = _app(scene.mesh, services[event.service], tags)
        message = f"{event.service} {event.tag}\n"
        commits.append(Revision(event.start_s - _LEAD_S, PERSON, message, files))
    return commits


def _app(mesh: Mesh, service: Service, tags: dict[str, str]) -> dict[str, bytes | None]:
    name, scaled = service.name, service.autoscale is not None
    replicas = "" if scaled else f"  replicas: {service.replicas} # sized in spring\n"
    stateful = f"  serviceName: {name}\n" if service.kind == "StatefulSet" else ""
    files: dict[str, bytes | None] = {
        f"apps/{name}/workload.yaml": f"""\
---
apiVersion: apps/v1
kind: {service.kind}
metadata: {{name: {name}, namespace: {mesh.namespace}}}
spec:
{replicas}{stateful}  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
      - name: {name}
        image: "{mesh.image(name)}:{tags[name]}" # by the release pipeline
        resources: {{requests: {{cpu: 500m}}}}
---
apiVersion: v1
kind: Service
metadata: {{name: {name}, namespace: {mesh.namespace}}}
spec: {{selector: {{app: {name}}}, ports: [{{port: 80}}]}}
""".encode()
    }
    if service.autoscale is not None:
        low, high = service.autoscale.minimum, service.autoscale.maximum
        files[f"apps/{name}/autoscaler.yaml"] = f"""\
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: {name}, namespace: {mesh.namespace}}}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: {service.kind}, name: {name}}}
  minReplicas: {low}
  maxReplicas: {high}
""".encode()
    return files
