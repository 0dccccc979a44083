"""Which cluster a workload is in, and which folders deploy to it."""

from __future__ import annotations

import pytest

from aiops.domain import Workload
from aiops.gitops import clusters
from aiops.gitops.clusters import Cluster

EU = Cluster("prod-eu", {"cluster": "eu-1"}, ("clusters/prod-eu", "shared/"))


@pytest.mark.parametrize(
    ("cluster", "label", "expected"),
    [
        (EU, "eu-1", True),
        (EU, "prod-eu", False),
        (EU, "", True),
        (Cluster("prod-eu", {}, (".",)), "prod-eu", True),
        (Cluster("prod-eu", {}, (".",)), "other", False),
        (clusters.EVERYWHERE, "anything", True),
        (Cluster("x", {"environment": "prod"}, (".",)), "anything", True),
    ],
)
def test_a_cluster_holds_a_workload_by_its_labels(cluster: Cluster, label: str, *, expected: bool) -> None:
    assert expected == clusters.holds(cluster, Workload(label, "shop", "", "web"))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("clusters/prod-eu", True),
        ("clusters/prod-eu/web/kustomization.yaml", True),
        ("clusters/prod-eu-2/web.yaml", False),
        ("shared/web.yaml", True),
        ("other", False),
    ],
)
def test_a_cluster_covers_whole_folders_only(path: str, *, expected: bool) -> None:
    assert expected == clusters.covers(EU, [path])


def test_without_configuration_one_cluster_covers_the_repository() -> None:
    assert (clusters.EVERYWHERE,) == clusters.known(())
    assert clusters.covers(clusters.EVERYWHERE, ["any/where.yaml"])
