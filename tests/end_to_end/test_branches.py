"""One branch an environment: one `aiops.yaml` a branch, each sees and changes its own and nothing else."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from aiops.commands import propose, where

WEB = """apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, namespace: shop}}
spec:
  replicas: {count}
  template:
    spec:
      containers:
        - {{name: web, image: "shop/web:1.{count}.0"}}
"""
APPLICATION = """apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: web-{name}, namespace: argocd}}
spec:
  destination: {{namespace: shop, name: {name}}}
  source: {{repoURL: "https://git.example.com/acme/gitops.git", path: apps/web, targetRevision: env/{name}}}
"""
CONFIG = """prometheus: {{url: "http://127.0.0.1:9"}}
repository: {{path: {repository}, base: env/{name}}}
clusters: [{{name: {name}, match: {{cluster: {name}}}, paths: [.]}}]
forge: local
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    work = tmp_path / "gitops"
    (work / "apps/web").mkdir(parents=True)
    git(work, "init", "-q", "--initial-branch=main")
    git(work, "remote", "add", "origin", "https://git.example.com/acme/gitops.git")
    for count, name in ((2, "test"), (4, "prod")):
        git(work, "checkout", "-q", "-b", f"env/{name}")
        (work / "apps/web/web.yaml").write_text(WEB.format(count=count))
        for each in ("test", "prod"):
            (work / f"{each}.yaml").write_text(APPLICATION.format(name=each))
        git(work, "add", "-A")
        git(work, "commit", "-qm", name)
        (tmp_path / f"{name}.yaml").write_text(CONFIG.format(repository=work, name=name))
    return tmp_path


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.mark.parametrize(("name", "count"), [("test", 2), ("prod", 4)])
def test_each_configuration_shows_what_its_branch_holds(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, count: int
) -> None:
    assert 0 == where.where("shop/web", None, folder / f"{name}.yaml", as_json=False)

    told = capsys.readouterr().out
    assert f"{name}/shop/Deployment/web" in told
    assert f"replicas = {count}" in told
    assert "cannot be edited" not in told


def test_a_proposal_starts_from_its_branch_and_leaves_the_others(folder: Path) -> None:
    before = git(folder / "gitops", "rev-parse", "env/test", "env/prod")

    done = propose.by_hand(
        "scale", "shop/web", to="5", repo=None, config_file=folder / "prod.yaml", dry_run=False, as_json=False
    )

    refs = git(folder / "gitops", "for-each-ref", "--format=%(refname:short)", "refs/heads/aiops").split()
    assert (0, 1) == (done, len(refs))
    assert before == git(folder / "gitops", "rev-parse", "env/test", "env/prod")
    assert git(folder / "gitops", "rev-parse", "env/prod") == git(
        folder / "gitops", "rev-parse", f"{refs[0]}~"
    )
    assert "  replicas: 5" in git(folder / "gitops", "show", f"{refs[0]}:apps/web/web.yaml")


def test_a_workload_of_another_environment_is_not_answered_here(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    done = propose.by_hand(
        "scale",
        "test/shop/web",
        to="5",
        repo=None,
        config_file=folder / "prod.yaml",
        dry_run=True,
        as_json=False,
    )

    assert 2 == done
    assert "no workload 'test/shop/web'" in capsys.readouterr().err
