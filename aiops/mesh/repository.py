"""The GitOps repository of the mesh, as data: every commit, and back from files to controls.

Comes in: a mesh and what was deployed when. Goes out: `Revision`s that `edges.git_history` writes
to a real repository. The commit of a deploy stands one to three minutes before its rollout, as
with a GitOps controller that polls. `controls_from` closes the loop: what the files say is what
the plant runs next.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from aiops.mesh import manifests
from aiops.mesh.faults import ConfigChange, Control, Deploy, Event
from aiops.mesh.graph import Mesh, Service

DAY_S = 86_400
OTHER = "prod-us"  # a second cluster with its own tags, so that a path alone names no cluster
BOT, PERSON = "release-bot <release-bot@example.com>", "Ada Example <ada@example.com>"


@dataclass(frozen=True, slots=True)
class Revision:
    """One commit: unix seconds, "Name <mail>", message, and path -> content (None = removed)."""

    time_s: int
    author: str
    message: str
    files: Mapping[str, bytes | None]


@dataclass(slots=True)
class _State:
    """What the two clusters ask for at one moment."""

    mesh: Mesh
    services: list[Service]
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    settings: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, service: Service, size: int) -> None:
        """Add a service to both clusters."""
        for cluster in (self.mesh.cluster, OTHER):
            self.tags.setdefault(cluster, {})[service.name] = service.tag
            self.sizes.setdefault(cluster, {})[service.name] = size if cluster != OTHER else 1

    def cluster(self, cluster: str) -> dict[str, bytes]:
        """Return the files that say what one cluster runs."""
        plain = [s.name for s in self.services if not s.helm]
        fixed = [s.name for s in self.services if not s.helm and s.autoscale is None]
        scaled = [s for s in self.services if s.autoscale is not None]
        files = {
            f"clusters/{cluster}/kustomization.yaml": manifests.overlay(
                self.mesh,
                cluster,
                {name: self.tags[cluster][name] for name in plain},
                {name: self.sizes[cluster][name] for name in fixed},
                [f"{service.name}-hpa.yaml" for service in scaled],
                self.settings.get(cluster, {}),
            )
        }
        for service in self.services:
            if service.helm:
                tag, size = self.tags[cluster][service.name], self.sizes[cluster][service.name]
                path = f"apps/{service.name}/values-{cluster}.yaml"
                files[path] = manifests.values(service, cluster, tag, size)
        return files

    def base(self) -> dict[str, bytes]:
        """Return the files that all clusters share."""
        plain = [service for service in self.services if not service.helm]
        files = {"base/kustomization.yaml": manifests.base(sorted(s.name for s in plain))}
        for service in plain:
            files[f"base/{service.name}/deployment.yaml"] = manifests.deployment(self.mesh, service)
            files[f"base/{service.name}/service.yaml"] = manifests.network_service(service)
        return files

    def applications(self) -> dict[str, bytes]:
        """Return what tells Argo CD what to deploy where, charts and autoscalers."""
        files: dict[str, bytes] = {}
        for cluster in (self.mesh.cluster, OTHER):
            folder, name = f"clusters/{cluster}", self.mesh.namespace
            source = manifests.overlay_source(cluster)
            files[f"{folder}/argocd/{name}.yaml"] = manifests.application(self.mesh, cluster, name, source)
            for service in self.services:
                if service.autoscale is not None:
                    scale = service.autoscale
                    small = 1 if cluster == OTHER else scale.minimum
                    path = f"{folder}/{service.name}-hpa.yaml"
                    files[path] = manifests.autoscaler(service, small, scale.maximum)
                if service.helm:
                    path, source = (
                        f"{folder}/argocd/{service.name}.yaml",
                        manifests.chart_source(service, cluster),
                    )
                    files[path] = manifests.application(self.mesh, cluster, service.name, source)
                    files.update(manifests.chart(self.mesh, service))
        return files


def history(mesh: Mesh, events: Sequence[Event], start_s: int) -> tuple[Revision, ...]:
    """Return all commits, oldest first: the state before `start_s`, then one per deploy.

    The other cluster gets a release a day later, if anything happens after that.
    """
    old = [service for service in mesh.services if service.created_s is None]
    state = _State(mesh, old)
    for service in old:
        state.add(service, max(1, service.replicas - 1))
    shared = {**state.base(), **state.applications(), "README.md": _README}
    first = {**shared, **state.cluster(mesh.cluster), **state.cluster(OTHER)}
    found = [Revision(start_s - 60 * DAY_S + 9 * 3600, PERSON, "Move the shop to GitOps", first)]
    for service in old:
        state.sizes[mesh.cluster][service.name] = service.replicas
    message = "Add a pod everywhere for the winter sale"
    found.append(Revision(start_s - 30 * DAY_S + 11 * 3600, PERSON, message, state.cluster(mesh.cluster)))
    for time_s, cluster, event in _agenda(mesh, events):
        found.append(_revision(state, time_s, cluster, event))
    return tuple(found)


_README = b"""# What the shop runs

`base/` is shared, `clusters/<cluster>/` says what differs, `apps/` holds Helm charts.
Argo CD deploys `main`. Open a pull request; nobody pushes to `main` by hand.
"""


def _agenda(mesh: Mesh, events: Sequence[Event]) -> list[tuple[int, str, Deploy | ConfigChange | Service]]:
    """Return (commit time, cluster, what) in order of time."""
    deploys = [event for event in events if isinstance(event, Deploy | ConfigChange)]
    newest = max((event.start_s for event in deploys), default=0)
    agenda: list[tuple[int, str, Deploy | ConfigChange | Service]] = []
    for event in deploys:
        # Argo CD polls every 3 minutes: 60 to 180 s from commit to rollout, fixed by the event.
        wait = 60 + zlib.crc32(f"{event.service}{event.start_s}".encode()) % 121
        agenda.append((event.start_s - wait, mesh.cluster, event))
        if event.start_s + DAY_S < newest:
            agenda.append((event.start_s + DAY_S - wait, OTHER, event))
    agenda.extend(
        (service.created_s - 120, mesh.cluster, service)
        for service in mesh.services
        if service.created_s is not None
    )
    return sorted(agenda, key=lambda item: (item[0], item[1]))


def _revision(state: _State, time_s: int, cluster: str, event: Deploy | ConfigChange | Service) -> Revision:
    """Return the commit of one change, and keep what it changed."""
    if isinstance(event, Service):
        state.services = [s for s in state.mesh.services if s in state.services or s is event]
        state.add(event, event.replicas)
        files = {**state.base(), **state.cluster(cluster), **state.cluster(OTHER)}
        return Revision(time_s, PERSON, f"Add {event.name} {event.tag}", files)
    if isinstance(event, Deploy):
        before = state.tags[cluster][event.service]
        state.tags[cluster][event.service] = event.tag
        message = f"{event.service}: {before} -> {event.tag} ({cluster})"
    else:
        state.settings.setdefault(cluster, {})[event.service] = event.revision
        message = f"{event.service}: settings {event.revision} ({cluster})"
    kept = state.cluster(cluster)
    helm = state.mesh.service(event.service).helm
    prefix = f"apps/{event.service}/" if helm and isinstance(event, Deploy) else "clusters/"
    files = {k: v for k, v in kept.items() if k.startswith(prefix)}
    also = event.also if isinstance(event, Deploy) else ()
    beside = {path: f"-- {event.service} {message}\n".encode() for path in also}
    return Revision(time_s, BOT, message, {**files, **beside})


def latest(revisions: Sequence[Revision]) -> dict[str, bytes]:
    """Return the files after the last commit, by path."""
    files: dict[str, bytes] = {}
    for revision in revisions:
        for path, content in revision.files.items():
            if content is None:
                files.pop(path, None)
            else:
                files[path] = content
    return dict(sorted(files.items()))


def controls_from(mesh: Mesh, files: Mapping[str, bytes], start_s: int) -> tuple[Control, ...]:
    """Return what the repository asks of the mesh's cluster, as controls from `start_s` on.

    Reads the overlay, the autoscalers beside it and the values that Applications name: what Argo
    CD would deploy, without templating. KeyError or yaml.YAMLError when the files are not ours.
    """
    folder = f"clusters/{mesh.cluster}"
    top: dict[str, Any] = yaml.safe_load(files[f"{folder}/kustomization.yaml"])
    names = {mesh.image(service.name): service.name for service in mesh.services}
    tags = {names[entry["name"]]: str(entry["newTag"]) for entry in top["images"] if entry["name"] in names}
    sizes = {entry["name"]: int(entry["count"]) for entry in top["replicas"]}
    bounds: dict[str, tuple[int, int]] = {}
    for path in sorted(files):
        if not path.startswith(f"{folder}/") or not path.endswith(".yaml"):
            continue
        document: dict[str, Any] = yaml.safe_load(files[path])
        if document["kind"] == "HorizontalPodAutoscaler":
            spec = document["spec"]
            target = spec["scaleTargetRef"]["name"]
            bounds[target] = (int(spec["minReplicas"]), int(spec["maxReplicas"]))
        elif document["kind"] == "Application" and "helm" in document["spec"]["source"]:
            source = document["spec"]["source"]
            merged: dict[str, Any] = {}
            for name in source["helm"]["valueFiles"]:
                merged.update(yaml.safe_load(files[f"{source['path']}/{name}"]))
            release = source["helm"]["releaseName"]
            tags[release] = str(merged["image"]["tag"])
            sizes[release] = int(merged["replicaCount"])
    return tuple(
        Control(
            service.name,
            start_s,
            tags.get(service.name),
            sizes.get(service.name),
            *bounds.get(service.name, (None, None)),
        )
        for service in mesh.services
        if service.name in tags
    )
