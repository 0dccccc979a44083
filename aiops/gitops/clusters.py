"""Which folders of the repository deploy to which cluster, and which cluster a workload is in.

Comes from `clusters:` of the configuration; without it one cluster covers the whole repository.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiops.domain import Workload


@dataclass(frozen=True, slots=True)
class Cluster:
    """One cluster: the metric labels that mean it, and the folders that deploy to it.

    `match`: label -> value; empty means that `name` is the value of the label `cluster`.
    `paths`: folders from the root of the repository; "." is all of it.
    """

    name: str
    match: Mapping[str, str]
    paths: tuple[str, ...]


# What `clusters:` left out means: whatever the metrics call it, the repository deploys to it.
EVERYWHERE = Cluster("", {}, (".",))


def known(clusters: Sequence[Cluster]) -> tuple[Cluster, ...]:
    """Return the clusters to work with: the configured ones, or the one that covers everything."""
    return tuple(clusters) or (EVERYWHERE,)


def holds(cluster: Cluster, workload: Workload) -> bool:
    """Tell whether the workload runs in the cluster, by the labels its metrics carry.

    A workload without a cluster label is in every cluster as far as anybody can tell. Of the
    labels in `match` only those that a `Workload` keeps (cluster, namespace) can be compared.
    """
    labels = {"cluster": workload.cluster, "namespace": workload.namespace}
    match = dict(cluster.match) or ({"cluster": cluster.name} if cluster.name else {})
    return all(labels.get(label) in {value, ""} for label, value in match.items() if label in labels)


def covers(cluster: Cluster, paths: Sequence[str]) -> bool:
    """Tell whether one of the paths (files or folders) stands in a folder of the cluster."""
    return any(_inside(path, folder) for folder in cluster.paths for path in paths)


def _inside(path: str, folder: str) -> bool:
    clean = posixpath.normpath(folder)
    return clean in {".", path} or path.startswith(f"{clean}/")
