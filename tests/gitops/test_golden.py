"""Golden folders: every kind and layout before and after, and what must be left alone.

`case.yaml` says what is asked; `before` and `after` are whole repositories (`after` only the file
that changes). Where a real tool can render the folder, exactly one field of one object differs.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import real
import yaml
from gitops.folders import MemoryFiles, of_folder

from aiops.domain import Checkout, Edit, Target, Workload
from aiops.errors import EditRefused
from aiops.gitops import edits, splice, where
from aiops.gitops.clusters import Cluster

GOLDEN = Path(__file__).parent / "golden"
CASES = sorted(folder.name for folder in GOLDEN.iterdir())
EDITS = [name for name in CASES if (GOLDEN / name / "after").exists()]
LEAVES = [name for name in CASES if name not in EDITS]
RENDERED = [name for name in EDITS if "render:" in (GOLDEN / name / "case.yaml").read_text()]


def case_of(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((GOLDEN / name / "case.yaml").read_text(encoding="utf-8"))
    return loaded


def resolved(name: str) -> Target:
    case = case_of(name)
    files = files_of(name)
    return where.resolve(
        files, Workload(**case["workload"]), case["field"], clusters_of(name), case.get("image")
    )


def files_of(name: str) -> MemoryFiles:
    """Return the repository; a case may say which branch of which repository was read."""
    told = case_of(name).get("checkout", {})
    addresses = tuple(told.get("addresses", ()))
    checkout = Checkout(told.get("branch", ""), told.get("default"), addresses)
    return of_folder(GOLDEN / name / "before", checkout)


def clusters_of(name: str) -> list[Cluster]:
    clusters = case_of(name).get("clusters", [])
    return [Cluster(one["name"], one["match"], tuple(one["paths"])) for one in clusters]


def edited(name: str) -> tuple[tuple[Edit, ...], dict[str, bytes]]:
    """Return the edits of one commit and the new content of every file they change."""
    target = resolved(name)
    assert (None, True) == (target.refusal, target.winner is not None)
    files = files_of(name)
    made = edits.of(files, target, str(case_of(name)["new"]), clusters_of(name))
    paths = dict.fromkeys(one.file for one in made)
    return made, {
        path: splice.replace(files.read(path), [one for one in made if one.file == path]) for path in paths
    }


def copied(name: str, contents: dict[str, bytes], folder: Path) -> Path:
    shutil.copytree(GOLDEN / name / "before", folder, symlinks=True)
    for path, content in contents.items():
        (folder / path).write_bytes(content)
    return folder


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_makes_the_expected_bytes_in_the_expected_files(name: str) -> None:
    _, contents = edited(name)

    after = {
        path.relative_to(GOLDEN / name / "after").as_posix(): path.read_bytes()
        for path in (GOLDEN / name / "after").rglob("*")
        if path.is_file()
    }
    assert after == contents


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_taken_back_restores_the_bytes(name: str) -> None:
    made, contents = edited(name)

    for path, content in contents.items():
        before = (GOLDEN / name / "before" / path).read_bytes()
        restored = content
        for one in sorted((one for one in made if one.file == path), key=lambda one: (-one.start, -one.end)):
            shift = sum(
                len(each.new_text.encode()) - (each.end - each.start)
                for each in made
                if each.file == path and (each.start, each.end) < (one.start, one.end)
            )
            start = one.start + shift
            end = start + len(one.new_text.encode())
            restored = restored[:start] + before[one.start : one.end] + restored[end:]
        assert before == restored


@pytest.mark.parametrize("name", LEAVES)
def test_what_cannot_be_known_is_left_alone_with_its_reason(name: str) -> None:
    target = resolved(name)

    assert target.winner is None
    assert target.refusal is not None
    assert case_of(name)["refusal"] in target.refusal
    assert "\n" not in target.refusal


@pytest.mark.parametrize("name", CASES)
def test_the_owner_is_named(name: str) -> None:
    assert case_of(name).get("owner") == resolved(name).owner


@pytest.mark.parametrize("name", RENDERED)
def test_the_real_tool_renders_exactly_one_field_of_one_object_differently(name: str, tmp_path: Path) -> None:
    case = case_of(name)
    _, contents = edited(name)

    before = leaves(render(case["render"], copied(name, {}, tmp_path / "before")))
    after = leaves(render(case["render"], copied(name, contents, tmp_path / "after")))

    seen = case["seen"]
    different = {
        key: (before.get(key), after.get(key)) for key in before | after if before.get(key) != after.get(key)
    }
    assert {(seen["object"], seen["path"]): (seen["old"], seen["new"])} == different


@pytest.mark.parametrize("name", RENDERED)
def test_what_an_edit_renders_is_valid_for_kubernetes(name: str, tmp_path: Path) -> None:
    import kubernetes_validate

    case = case_of(name)
    _, contents = edited(name)

    checked = 0
    for one in render(case["render"], copied(name, contents, tmp_path / "after")):
        if one["apiVersion"].partition("/")[0] in {"v1", "apps", "batch", "autoscaling"}:
            kubernetes_validate.validate(one, "1.34", strict=True)
            checked += 1
    # Kubernetes itself has no schema of a custom resource: a case that renders no other object says so.
    assert (checked == 0) == case.get("only_custom_resources", False)


def render(how: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """Return the objects a real tool makes of a folder: kustomize, Helm, or none for plain files."""
    if "kustomize" in how:
        command = [str(real.kustomize()), "build", str(folder / how["kustomize"])]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
        text = done.stdout
    elif "helm" in how:
        return helm(how, folder)
    else:
        text = (folder / how["plain"]).read_text(encoding="utf-8-sig")
    return [one for one in yaml.safe_load_all(text) if one]


def helm(how: dict[str, Any], folder: Path) -> list[dict[str, Any]]:
    """Return what the Helm engine makes of a chart and its values files."""
    import helm_python

    values: dict[str, Any] = {}
    for name in how["values"]:
        values |= yaml.safe_load((folder / name).read_text(encoding="utf-8"))
    with helm_python.Chart.load(str(folder / how["helm"])) as chart:
        made = chart.render(values, name=how["name"], namespace="shop")
    texts = made.values() if isinstance(made, dict) else [str(made)]
    return [one for text in texts for one in yaml.safe_load_all(text) if one]


def leaves(objects: list[dict[str, Any]]) -> dict[tuple[str, str], Any]:
    """Return (object, dotted path) -> value of every scalar of every object."""
    found: dict[tuple[str, str], Any] = {}
    for one in objects:
        name = f"{one['kind']}/{one['metadata']['name']}"
        todo: list[tuple[str, Any]] = [("", one)]
        while todo:
            path, node = todo.pop()
            if isinstance(node, dict):
                todo.extend((f"{path}.{key}" if path else str(key), value) for key, value in node.items())
            elif isinstance(node, list):
                todo.extend((f"{path}.{index}", value) for index, value in enumerate(node))
            else:
                found[name, path] = node
    return found


def test_an_edit_is_refused_when_the_file_changed_since() -> None:
    (edit,), _ = edited("plain-tag")
    before = (GOLDEN / "plain-tag" / "before" / edit.file).read_bytes()

    with pytest.raises(EditRefused, match="changed since"):
        splice.replace(before + b"# one more\n", [edit])
