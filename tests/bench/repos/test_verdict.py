"""What the judge of a proposed commit would see: it must be able to say no."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from bench.edits.judge import Judge
from bench.repos import scan, verdict
from bench.repos.scan import Found
from gitops.folders import of_folder

from aiops.domain import Workload
from aiops.gitops import where
from aiops.gitops.clusters import Cluster

POD = "  template:\n    spec:\n      containers:\n        - name: web\n          image: shop/web:v1\n"
WEB = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\nspec:\n  replicas: 2\n" + POD
FILES = {
    "base/kustomization.yaml": "resources: [web.yaml]\n",
    "base/web.yaml": WEB,
    "eu/kustomization.yaml": "resources:\n- ../base\n",
    "us/kustomization.yaml": "resources:\n- ../base\n",
}


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    made = Judge()
    yield made
    made.close()


@pytest.mark.real
@pytest.mark.parametrize(
    ("after", "reason"),
    [
        ("a: 1\nb: 2\n", ""),
        ("b: 2\na: 1\n", ""),
        ("a: 1\nb: [{name: x, newTag: 2}]\n", ""),
        ("a: 1\nb: 3\n", "/0/b holds 2 0 times"),
        ("a: 1\nb: 2\nc: 2\n", "2 keys or entries are new"),
        ("a: 1\nb: {c: 2, d: 2}\n", "/0/b holds 2 2 times"),
        ("a: 3\nb: 2\n", "bytes beside the new text differ"),
        ("a: 12\n", "/0/a: 1 became 12"),
        ("a: 1\nb: [2\n", "Flow sequence"),
    ],
)
def test_only_one_new_key_that_holds_the_value_is_right(judge: Judge, after: str, reason: str) -> None:
    found = judge.addition(b"a: 1\n", after.encode(), "2")

    assert (reason == "", True) == (found == "", reason in found)


@pytest.mark.real
def test_an_edit_that_another_folder_renders_too_is_wrong(tmp_path: Path, judge: Judge) -> None:
    for path, text in FILES.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(text)
    files, found = of_folder(tmp_path), scan.scan(tmp_path)
    eu = [Cluster("", {}, ("eu",))]
    one = Found("eu", "kustomize", "Deployment", "", "web")
    target = where.resolve(files, Workload("", "", "Deployment", "web"), "replicas", eu)

    assert ("", True) == verdict.judged(files, tmp_path, found, one, target, eu, judge)
    shared = {"base/web.yaml": WEB.replace("replicas: 2", "replicas: 3").encode()}
    again = verdict.rendered(tmp_path, found, shared, ("kustomize", "eu"))
    assert ("us changes too: Deployment//web /spec/replicas", True) == verdict.compared(
        one, found, again, "base/web.yaml", "3"
    )
