"""The check of public repositories, on one that is made here: what it finds, and what it would see."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.edits.judge import Judge
from bench.repos import check, clones, render, scan
from bench.repos.scan import Found

POD = "  template:\n    spec:\n      containers:\n        - name: {0}\n          image: shop/{0}{1}\n"
META = "apiVersion: apps/v1\nkind: {2}\nmetadata:\n  name: {0}\nspec:\n"
FILES = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": (META + "  replicas: 2\n" + POD).format("web", ":v1", "Deployment"),
    "prod/kustomization.yaml": "resources: [../base]\nimages:\n- name: shop/web\n  newTag: v2\n",
    "plain/db.yaml": (META + POD).format("db", "", "StatefulSet"),
    "plain/agent.yaml": (META + POD).format("agent", ":v3", "DaemonSet"),
    "flux/release.yaml": (
        "kind: HelmRelease\nmetadata: {name: elsewhere}\nspec:\n  chart: {spec: {chart: elsewhere}}\n"
    ),
    "templates.yaml": "kind: Deployment\nmetadata: {name: {{ .x }}}\n",
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> clones.Clone:
    folder = tmp_path_factory.mktemp("clones")
    repo = folder / "shop"
    for path, text in FILES.items():
        (repo / path).parent.mkdir(parents=True, exist_ok=True)
        (repo / path).write_text(text, encoding="utf-8")
    (repo / "out.yaml").symlink_to("/etc/passwd")
    who = ["-c", "user.name=a", "-c", "user.email=a@example.com"]
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-q", "-m", "all"]):
        subprocess.run(["git", "-C", str(repo), *command], check=True)
    (found,) = clones.find(folder)
    return found


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    made = Judge()
    yield made
    made.close()


@pytest.mark.real
def test_every_workload_is_found_with_what_the_repository_sets(clone: clones.Clone, tmp_path: Path) -> None:
    clones.unpack(clone, tmp_path)

    assert not (tmp_path / "out.yaml").exists()
    assert [
        Found("prod", "kustomize", "Deployment", "", "web", image="shop/web:v2"),
        Found("flux/release.yaml", "", "HelmRelease", "", "elsewhere", sets_image=False, sets_capacity=False),
        Found("plain/agent.yaml", "", "DaemonSet", "", "agent", sets_capacity=False, image="shop/agent:v3"),
        Found(
            "plain/db.yaml",
            "",
            "StatefulSet",
            "",
            "db",
            sets_image=False,
            sets_capacity=False,
            image="shop/db",
        ),
    ] == scan.scan(tmp_path).found


@pytest.mark.real
def test_what_is_editable_is_proved_and_what_nothing_sets_is_rightly_refused(
    clone: clones.Clone, judge: Judge
) -> None:
    done = check.check(clone, judge)

    assert [] == [one.wrong for one in done.outcomes if one.wrong]
    assert {("web", "image", True), ("web", "capacity", True)} == {
        (one.workload.name, one.question, True) for one in done.outcomes if one.rendered
    }
    assert ((2, 4, 2), (1, 3, 2)) == (done.count("image"), done.count("capacity"))
    assert 0 == check.reasons([done], "image").total()


def test_two_rendered_fields_that_differ_are_wrong() -> None:
    before = [{"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 1, "paused": False}}]
    after = [{"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"replicas": 2, "paused": True}}]

    assert 2 == len(render.differences(before, after))
    assert 4 == len(render.differences(before, []))
    assert [] == render.differences(before, before)
