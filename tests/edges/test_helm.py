"""Helm on a copy of a commit: what it must confirm, refuse and not reach.

The engine is the real one, as a library (`helm-python-sdk`); the command line in front of it is a
double that takes the flags Helm documents and merges value files as Helm does.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from gitops.folders import MemoryFiles

from aiops.commands import rendering
from aiops.domain import Workload
from aiops.edges import render_tools
from aiops.errors import ConfigError, EditRefused
from aiops.gitops import edits, where

pytestmark = pytest.mark.real
HELM = f"""#!{sys.executable}
import os, sys
import yaml, helm_python

def merged(low, high):
    both = isinstance(low, dict) and isinstance(high, dict)
    return {{**low, **{{k: merged(low.get(k), v) for k, v in high.items()}}}} if both else high

assert sys.argv[1] == "template" and "GITHUB_TOKEN" not in os.environ
flags, (name, chart) = sys.argv[2:-3], sys.argv[-2:]
assert sys.argv[-3] == "--"
values, namespace = {{}}, ""
while flags:
    flag = flags.pop(0)
    if flag == "--skip-tests":
        continue
    given = flags.pop(0)
    if flag == "--namespace":
        namespace = given
    elif flag == "--values":
        values = merged(values, yaml.safe_load(open(given)) or {{}})
    elif flag == "--set":
        path, _, text = given.partition("=")
        for key in reversed(path.split(".")):
            text = {{key: yaml.safe_load(text) if isinstance(text, str) and text.isdigit() else text}}
        values = merged(values, text)
    else:
        raise SystemExit("Error: unknown flag: " + flag)
try:
    with helm_python.Chart.load(chart) as loaded:
        made = loaded.render(values, name=name, namespace=namespace)
except Exception as error:
    raise SystemExit("Error: " + str(error))
print("\\n---\\n".join(made[key] for key in sorted(made)) if isinstance(made, dict) else made)
"""
TEMPLATE = b"""apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}, namespace: {{ .Release.Namespace }}}
spec:
  replicas: {{ .Values.replicaCount }}
  template:
    spec:
      containers:
        - name: web
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
"""
CHART = {
    "charts/web/Chart.yaml": b"apiVersion: v2\nname: web\nversion: 0.1.0\n",
    "charts/web/values.yaml": b"replicaCount: 2\nimage: {repository: shop/web, tag: 0.0.1}\n",
    "charts/web/templates/web.yaml": TEMPLATE,
}
APPLICATION = """apiVersion: argoproj.io/v1alpha1
kind: Application
metadata: {{name: web, namespace: argocd}}
spec:
  destination: {{namespace: shop}}
  source:
    path: charts/web
    helm: {helm}
"""
SHOWN = "spec.template.spec.containers.0.image of Deployment/web: shop/web:1.4.0 -> shop/web:1.3.9"


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "helm").write_text(HELM)
    (tmp_path / "bin" / "helm").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("GITHUB_TOKEN", "secret")
    render_tools.program.cache_clear()


def confirmed(files: dict[str, bytes]) -> str:
    commit = MemoryFiles(files)
    target = where.resolve(commit, Workload("", "shop", "", "web"), "image.tag")
    made = edits.of(commit, target, "1.3.9")
    return rendering.confirm(commit, target, made, "1.3.9", ())


@pytest.mark.parametrize(
    ("helm", "more"),
    [
        ("{valueFiles: [../../prod.yaml]}", {"prod.yaml": b"image:\n  tag: 1.4.0 # now\n"}),
        ("{valuesObject: {image: {tag: 1.4.0, note: 'a, b'}, extra: [1, true, null]}}", {}),
        ("{parameters: [{name: image.tag, value: 1.4.0}, {name: replicaCount, value: '3'}]}", {}),
        ("{valuesObject: {image: {tag: 1.2.0}}, parameters: [{name: image.tag, value: 1.4.0}]}", {}),
    ],
    ids=["file", "object", "parameter", "both"],
)
def test_an_edit_of_the_values_that_win_is_confirmed(helm: str, more: dict[str, bytes]) -> None:
    files = {**CHART, "app.yaml": APPLICATION.format(helm=helm).encode(), **more}

    assert SHOWN == confirmed(files)


def test_the_values_of_a_flux_release_of_a_chart_of_the_repository_are_confirmed() -> None:
    release = b"""apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
spec:
  chart: {spec: {chart: ./charts/web, sourceRef: {kind: GitRepository, name: gitops}}}
  values: {image: {tag: 1.4.0}}
"""
    assert SHOWN == confirmed({**CHART, "release.yaml": release})


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"charts/web/templates/web.yaml": TEMPLATE.replace(b".image.tag", b".other.tag")}, "helm says"),
        (
            {"charts/web/templates/two.yaml": TEMPLATE.replace(b"Release.Name", b"Chart.Version")},
            "2 fields differ",
        ),
        (
            {
                "charts/web/Chart.yaml": b"apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies:\n"
                b"- {name: redis, version: 1.0.0, repository: 'https://charts.example.com'}\n"
            },
            "its dependency redis is not vendored",
        ),
    ],
    ids=["template", "two", "dependency"],
)
def test_what_helm_makes_otherwise_is_refused(files: dict[str, bytes], reason: str) -> None:
    application = APPLICATION.format(helm="{valuesObject: {image: {tag: 1.4.0}}}").encode()

    with pytest.raises(EditRefused, match=reason):
        confirmed({**CHART, "app.yaml": application, **files})


def test_a_chart_from_elsewhere_is_refused_before_anything_runs() -> None:
    release = b"""apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
spec:
  chart: {spec: {chart: web, sourceRef: {kind: HelmRepository, name: charts}}}
  values: {image: {repository: shop/web, tag: 1.4.0}}
"""
    with pytest.raises(EditRefused, match="its chart is not in this repository"):
        confirmed({"release.yaml": release})


def test_without_helm_the_flag_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    application = APPLICATION.format(helm="{valuesObject: {image: {tag: 1.4.0}}}").encode()

    with pytest.raises(ConfigError, match="helm is not installed"):
        confirmed({**CHART, "app.yaml": application})
