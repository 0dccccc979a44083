"""What `aiops where` tells a person and a program about one workload of a real repository."""

import json
import os
import subprocess

import pytest
import real

from aiops import terminal
from aiops.commands import where
from aiops.edges.render_tools import program

KUSTOMIZATION = """resources: [web.yaml]
images:
- name: shop/web
  newTag: {tag}  # {{"$imagepolicy": "flux-system:web:tag"}}
"""
WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    spec:
      containers:
        - {name: web, image: "shop/web:1.0.0"}
"""


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gitops")

    def git(*arguments):
        settings = ["-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True)

    git("init", "-q", "--initial-branch=main")
    (folder / "web.yaml").write_text(WEB)
    for tag, other in (("1.3.0", "a"), ("1.4.0", "b")):
        (folder / "kustomization.yaml").write_text(KUSTOMIZATION.format(tag=tag))
        (folder / "migration.sql").write_text(other)
        git("add", "-A")
        git("commit", "-qm", f"Deploy {tag}")
    git("clone", "-q", "--depth", "1", f"file://{folder}", str(folder.parent / f"{folder.name}-shallow"))
    return folder


def told(capsys, repository, *, as_json, shallow=False):
    folder = repository.parent / f"{repository.name}-shallow" if shallow else repository
    assert 0 == where.where("shop/web", folder, folder / "aiops.yaml", as_json=as_json)
    return capsys.readouterr().out


def test_places_stand_in_order_of_precedence_with_the_winner_first(capsys, repository):
    lines = told(capsys, repository, as_json=False).splitlines()

    start = lines.index("  image.tag = 1.4.0")
    assert lines[start + 1].startswith("    wins  kustomization.yaml images[0].newTag = 1.4.0")
    assert lines[start + 2].startswith("          web.yaml spec.template.spec.containers[0].image")


def test_the_owner_and_how_to_lift_the_pin_are_told(capsys, repository):
    text = told(capsys, repository, as_json=False)

    assert "owned by ImagePolicy/flux-system:web:tag" in text
    assert "a rollback also takes its marker away in kustomization.yaml; to lift it, put the comment" in text


def test_past_values_come_with_what_else_their_commit_changed(capsys, repository):
    text = told(capsys, repository, as_json=False)

    assert "which also changed migration.sql" in text
    assert "was   1.3.0" in text
    assert "shallow" not in text


def test_a_shallow_clone_says_so(capsys, repository):
    assert "The clone is shallow" in told(capsys, repository, as_json=False, shallow=True)
    assert json.loads(told(capsys, repository, as_json=True, shallow=True))["history_complete"] is False


def test_the_document_holds_the_same(capsys, repository):
    found = json.loads(told(capsys, repository, as_json=True))

    (one,) = found["workloads"]
    image, replicas = one["fields"]
    assert ("aiops.where/1", "web") == (found["schema"], one["workload"]["name"])
    assert ["spec.template.spec.containers[0].image", "images[0].newTag"] == [
        place["path"] for place in image["places"]
    ]
    assert ["1.4.0", "1.3.0"] == [past["value"] for past in image["history"][:2]]
    assert "no place sets the number of replicas" in replicas["refusal"]


def test_a_name_cannot_drive_the_terminal():
    assert "\\x1b[2J" == terminal.plain("\x1b[2J")


@pytest.mark.real
def test_kustomize_confirms_an_edit_when_it_is_asked(capsys, repository, monkeypatch):
    monkeypatch.setenv("PATH", f"{real.kustomize().parent}:{os.environ['PATH']}")
    program.cache_clear()

    assert 0 == where.where("shop/web", repository, repository / "aiops.yaml", as_json=True, render=True)
    (workload,) = json.loads(capsys.readouterr().out)["workloads"]
    field = next(one for one in workload["fields"] if one["field"] == "image.tag")
    at = "spec.template.spec.containers.0.image of Deployment/web"
    expected = f"rendered, exactly one field differs: {at}: shop/web:1.4.0 -> shop/web:0.0.0"
    assert expected == field["rendered"]


def test_one_workload_is_rendered_and_not_all(capsys, repository):
    assert 2 == where.where(None, repository, repository / "aiops.yaml", as_json=False, render=True)
    assert "expected a TARGET" in capsys.readouterr().err
