"""Which object of the repository is the workload that the metrics name, and what scales it.

Raises EditRefused with one line when there is none, or when nothing tells several apart.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import replace

from aiops.domain import Workload
from aiops.errors import EditRefused
from aiops.gitops.clusters import Cluster, covers, holds, known
from aiops.gitops.nodes import text_at
from aiops.gitops.rendered import Rendered
from aiops.gitops.repository_map import RepositoryMap
from aiops.gitops.units import Unit

AUTOSCALERS = ("HorizontalPodAutoscaler", "ScaledObject")
Found = tuple[Unit, Rendered]


def deploys(unit: Unit, cluster: Cluster) -> bool:
    """Tell whether a unit is deployed to a cluster."""
    return covers(cluster, unit.anchors) or (bool(cluster.name) and cluster.name in unit.destinations)


def own(workload: Workload, clusters: Sequence[Cluster]) -> list[Cluster]:
    """Return the clusters a workload may be in. Raises EditRefused when none is configured."""
    found = [cluster for cluster in known(clusters) if holds(cluster, workload)]
    if not found:
        raise EditRefused(
            f"no cluster in `clusters` matches cluster={workload.cluster!r}",
            todo="add it to `clusters` in aiops.yaml",
        )
    return found


def choose(repository: RepositoryMap, workload: Workload, own: Sequence[Cluster]) -> Found:
    """Return the one object that is the workload. Raises EditRefused: none, or several."""
    found = _called(repository, workload, own)
    if not found and (behind := canary_target(repository, workload)):
        found = _called(repository, replace(workload, name=behind), own)
    exact = [(unit, one) for unit, one in found if one.namespace == workload.namespace]
    found = exact or found
    if not found:
        raise EditRefused(_absent(repository, workload, own), where=str(workload))
    if len(found) > 1:
        # Without `clusters`, a folder that is called like the cluster tells overlays apart.
        named = [(unit, one) for unit, one in found if _names_cluster(unit, workload.cluster)]
        found = named or found
    if len(found) > 1:
        found = [one for one in found if _is_all(one[1], found)] or found
    if len(found) > 1:
        # A folder of `clusters` that is a kustomization means that one, not those in folders below it.
        folders = {posixpath.normpath(path) for cluster in own for path in cluster.paths}
        found = [(unit, one) for unit, one in found if unit.path in folders] or found
    if len(found) > 1:
        places = ", ".join(dict.fromkeys(f"{unit.label}: {one.file}" for unit, one in found[:4]))
        raise EditRefused(
            f"{len(found)} places deploy it and nothing tells them apart: {places}",
            where=str(workload),
            todo="say in aiops.yaml under `clusters` which folder deploys to which cluster",
        )
    return found[0]


def _is_all(rollout: Rendered, found: Sequence[Found]) -> bool:
    """Tell whether the others are the Deployment that a Rollout takes its pods from."""
    others = [one for _, one in found if one is not rollout]
    return rollout.kind == "Rollout" and all(any(one is same for same in rollout.same) for one in others)


def canary_target(repository: RepositoryMap, workload: Workload) -> str:
    """Return the workload that Flagger copied to the one the metrics name, "" when it did not.

    Source: flagger docs/usage/how-it-works.md: `<target>-primary` serves, `<target>-canary` is a Service.
    """
    for suffix in ("-primary", "-canary"):
        name = workload.name.removesuffix(suffix)
        if name != workload.name and any(
            not one.namespace or not workload.namespace or one.namespace == workload.namespace
            for _, one in repository.canaries.get(name, ())
        ):
            return name
    return ""


def _called(repository: RepositoryMap, workload: Workload, own: Sequence[Cluster]) -> list[Found]:
    return [
        (unit, one)
        for unit, one in repository.named.get(workload.name, [])
        if _is_called(one, workload) and any(deploys(unit, cluster) for cluster in own)
    ]


def _is_called(one: Rendered, workload: Workload) -> bool:
    """Tell whether an object of the right name may be the workload by kind and namespace."""
    if workload.kind and one.kind and one.kind != workload.kind:
        return False
    return not (one.namespace and workload.namespace) or one.namespace == workload.namespace


def _names_cluster(unit: Unit, cluster: str) -> bool:
    if not cluster:
        return False
    return cluster in unit.destinations or any(cluster in anchor.split("/") for anchor in unit.anchors)


def _absent(repository: RepositoryMap, workload: Workload, own: Sequence[Cluster]) -> str:
    """Say why a workload was not found: what could not be read, or where else it is."""
    here = [unit for unit in repository.units if any(deploys(unit, cluster) for cluster in own)]
    problem = next((unit.problem for unit in here if unit.problem), "")
    if problem:
        return f"not found; {problem}"
    refused = repository.snapshot.refused().items()
    for path, reason in sorted(refused, key=lambda one: (not any(covers(c, one[:1]) for c in own), one)):
        if workload.name in path or repository.snapshot.mentions(path, workload.name):
            return f"not found; {path}: {reason}"
    for one in (one for unit in here for one in unit.objects if workload.name in one.names):
        if one.kind == "HelmRelease" or text_at(one.node, "spec", "source", "chart"):
            return f"the values of {one.kind}/{one.name} set nothing of it: the chart's default decides"
    charts = [
        unit.path for unit in here if repository.snapshot.exists(posixpath.join(unit.path, "Chart.yaml"))
    ]
    if charts:
        return f"no manifest deploys it, and templates of charts are not read ({charts[0] or '.'})"
    others = [
        unit.label for unit, one in repository.named.get(workload.name, []) if _is_called(one, workload)
    ]
    if others:
        return f"deployed by {others[0]}, which is in no folder of this cluster in `clusters`"
    return "no manifest of the repository deploys it"


def autoscaler(
    repository: RepositoryMap, own: Sequence[Cluster], found: Found, cluster: str
) -> Rendered | None:
    """Return the autoscaler that targets the workload, the nearest first, None without one.

    Nearest: of the same unit, then of the same folder, then of the same clusters. Raises
    EditRefused when several are equally near: two autoscalers on one workload fight.
    """
    unit, workload = found
    folder = posixpath.dirname(unit.path)
    targeting = [
        (other, one)
        for name in dict.fromkeys(workload.names)
        for other, one in repository.scalers.get(name, [])
        if _scales(one, workload) and any(deploys(other, cluster) for cluster in own)
    ]
    if _names_cluster(unit, cluster):  # an autoscaler of another cluster's folder is not ours
        targeting = [(other, one) for other, one in targeting if _names_cluster(other, cluster)]
    for near in (
        [one for other, one in targeting if other is unit],
        [one for other, one in targeting if posixpath.dirname(other.path) == folder],
        [one for _, one in targeting],
    ):
        if len(near) > 1:
            names = ", ".join(f"{one.kind}/{one.name} ({one.file})" for one in near[:4])
            raise EditRefused(f"several autoscalers target it: {names}")
        if near:
            return near[0]
    return None


def _scales(one: Rendered, workload: Rendered) -> bool:
    if one.kind not in AUTOSCALERS or not one.scales:
        return False
    kind = one.scales[0]
    same_kind = not kind or not workload.kind or kind == workload.kind
    same_namespace = not (one.namespace and workload.namespace) or one.namespace == workload.namespace
    return same_kind and same_namespace
