"""Generated layers of kustomizations: what the resolver says must be what the real kustomize renders.

The oracle knows nothing of the resolver: the value it names is in the rendered object, and after
the edit exactly that value of that object differs. A refusal is allowed, and counted.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path
from typing import Any

import pytest
import real
import yaml
from gitops.folders import of_folder
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from aiops.domain import FieldName, Workload
from aiops.gitops import splice, where

EXAMPLES = 30  # three builds each, 0.1 s a build; 250 were run once, none was wrong
TAG = st.integers(0, 99).map(lambda n: f"v{n}")
COUNT = st.integers(1, 9)
NAMES = st.sampled_from(["app", "reg.example.com:5000/shop/web"])
WHERE = ("spec", "template", "spec", "containers", 0, "image")


def deployment(name: str, image: str, replicas: int | None) -> str:
    count = "" if replicas is None else f"  replicas: {replicas}\n"
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\nspec:\n{count}"
        f"  selector: {{matchLabels: {{app: {name}}}}}\n  template:\n"
        f"    metadata: {{labels: {{app: {name}}}}}\n    spec:\n      containers:\n"
        f"        - name: {name}\n          image: {image}\n"
    )


@st.composite
def layers(draw: st.DrawFn) -> dict[str, str]:
    """Return the files of a base, up to two overlays on top and perhaps a component."""
    image, tag = draw(NAMES), draw(TAG)
    replicas = draw(st.one_of(st.none(), COUNT))
    files = {"l0/web.yaml": deployment("web", f"{image}:{tag}", replicas)}
    if draw(st.booleans()):
        files["l0/web.yaml"] += "---\n" + deployment("other", "shop/other:v1", 1)
    top = draw(st.integers(1, 3))
    for level in range(top):
        below = "web.yaml" if level == 0 else f"../l{level - 1}"
        files |= draw(layer(f"l{level}", f"resources: [{below}]\n", kind=""))
    if draw(st.booleans()):
        head = (
            "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\ncommonAnnotations: {part: here}\n"
        )
        files |= draw(layer("part", head, kind="Component"))
        files[f"l{top - 1}/kustomization.yaml"] += "components: [../part]\n"
    return files


@st.composite
def layer(draw: st.DrawFn, folder: str, head: str, kind: str) -> dict[str, str]:
    """Return one kustomization that sets some of the fields in some of the ways."""
    files: dict[str, str] = {}
    text = head
    if draw(st.booleans()):
        old, new = draw(NAMES), draw(st.one_of(st.none(), NAMES))
        text += f"images:\n- name: {old}\n" + (f"  newName: {new}\n" if new else "")
        text += f"  newTag: {draw(TAG)}\n" if not new or draw(st.booleans()) else ""
    if draw(st.booleans()):
        text += f"replicas:\n- name: web\n  count: {draw(COUNT)}\n"
    patch = draw(st.sampled_from(["", "", "merge", "json-image", "inline"]))
    if patch == "merge":
        files[f"{folder}/patch.yaml"] = (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n"
            f"  replicas: {draw(COUNT)}\n  template:\n    spec:\n      containers:\n"
            f"        - {{name: web, image: 'app:{draw(TAG)}'}}\n"
        )
        text += "patches:\n- path: patch.yaml\n"
    elif patch == "json-image":
        files[f"{folder}/patch.yaml"] = (
            f"- op: replace\n  path: /spec/template/spec/containers/0/image\n  value: app:{draw(TAG)}\n"
        )
        text += "patches:\n- path: patch.yaml\n  target: {kind: Deployment, name: web}\n"
    elif patch == "inline":
        text += (
            "patches:\n- target: {kind: Deployment, name: w.b}\n"
            f"  patch: |-\n    - op: add\n      path: /spec/replicas\n      value: {draw(COUNT)}\n"
        )
    text += draw(replacement())
    if not kind and draw(st.booleans()):
        text += draw(st.sampled_from(["namePrefix: eu-\n", "nameSuffix: -v2\n", "namespace: shop\n"]))
    files[f"{folder}/kustomization.yaml"] = text
    return files


@st.composite
def replacement(draw: st.DrawFn) -> str:
    """Return no replacement mostly, else a literal that is written to the count or the image."""
    what = draw(st.sampled_from(["", "", "count", "image", "part"]))
    path = "replicas" if what == "count" else "template.spec.containers.[name=web].image"
    values = {"count": COUNT.map(str), "image": TAG.map(lambda tag: f"app:{tag}"), "part": TAG}
    if not what:
        return ""
    part = f"delimiter: ':', index: {draw(st.sampled_from([1, 2]))}"
    options = {"count": ", options: {create: true}", "image": "", "part": f", options: {{{part}}}"}[what]
    return (
        f"replacements:\n- sourceValue: '{draw(values[what])}'\n  targets:\n"
        f"  - {{select: {{kind: Deployment, name: web}}, fieldPaths: ['spec.{path}']{options}}}\n"
    )


def build(folder: Path, top: str) -> list[dict[str, Any]]:
    command = [str(real.kustomize()), "build", str(folder / top)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


def at(objects: list[dict[str, Any]], path: tuple[str | int, ...]) -> list[Any]:
    """Return the value at a path of every object; None where it is not."""
    found = []
    for value in objects:
        node: Any = value
        for part in path:
            node = node[part] if isinstance(node, list) or part in node else None
            if node is None:
                break
        found.append(node)
    return found


@pytest.mark.real
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],  # each attempt to shrink would be two more builds
    suppress_health_check=list(HealthCheck),
)
@given(layers(), st.sampled_from(["image.tag", "replicas"]))
def test_the_named_value_is_rendered_and_changes_alone(files: dict[str, str], field: FieldName) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path, text in files.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text, encoding="utf-8")
        top = max(path.partition("/")[0] for path in files if path.startswith("l"))
        before = build(folder, top)
        web = next(n for n, one in enumerate(before) if "web" in one["metadata"]["name"])
        source = of_folder(folder)
        workload = Workload("", "shop", "Deployment", before[web]["metadata"]["name"])
        target = where.resolve(source, workload, field)
        path = WHERE if field == "image.tag" else ("spec", "replicas")
        rendered = at(before, path)
        if target.winner is None:
            known = ("inline patch", "a replacement writes a part", "is not an image reference")
            assert rendered[web] is None or any(reason in str(target.refusal) for reason in known)
            return
        old = splice.value_of(target.winner.path, target.winner.value)
        assert old == str(rendered[web]).rpartition(":")[2]

        new = "v100" if field == "image.tag" else "77"
        content = source.read(target.winner.file)
        edit = splice.edit(content, target.winner, new, source.tree()[target.winner.file].blob)
        (folder / target.winner.file).write_bytes(splice.replace(content, [edit]))
        after = build(folder, top)

    changed = at(after, path)
    assert new == str(changed[web]).rpartition(":")[2]
    for n, one in enumerate(before):
        if n == web:
            node: Any = one
            for part in path[:-1]:
                node = node[part]
            node[path[-1]] = changed[web]
    assert before == after
