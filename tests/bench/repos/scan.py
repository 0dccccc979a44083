"""The workloads of a repository, found without the code under test.

What kustomize renders, what Helm renders of charts in the repository, the releases that HelmRelease
and Application objects ask for, and raw manifests that none of these covers. Read with PyYAML as
plain data.
"""

from __future__ import annotations

import json
import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.repos import render, values
from bench.repos.render import Objects
from bench.repos.values import Part

PODS = ("Deployment", "StatefulSet", "DaemonSet", "Rollout", "Job", "CronJob")
SCALABLE = ("Deployment", "StatefulSet", "Rollout", "HelmRelease", "Application")
_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_PATCHES = ("patches", "patchesStrategicMerge", "patchesJson6902")
MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Found:
    """One workload. `root`: what deploys it, a folder or a file. `tool`: kustomize, helm, "" for neither.

    `sets_image`, `sets_capacity`: whether anything in the repository writes a tag, or a count.
    `image`: what its main container runs, as metrics would say; None when only a chart knows.
    """

    root: str
    tool: str
    kind: str
    namespace: str
    name: str
    sets_image: bool = True
    sets_capacity: bool = True
    image: str | None = None


@dataclass(slots=True)
class Scan:
    """All of a repository. `rendered`: (tool, folder) -> objects. `unrendered`: folder -> why not.

    `folders`: (tool, folder) -> the folders it is built from.
    """

    found: list[Found]
    rendered: dict[tuple[str, str], Objects]
    unrendered: dict[str, str]
    folders: dict[tuple[str, str], set[str]] = field(default_factory=dict)


def scan(folder: Path) -> Scan:
    """Look through the files of one commit."""
    files = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink() and path.stat().st_size <= MOST_BYTES
    }
    made = Scan([], {}, {})
    charts = sorted({posixpath.dirname(path) for path in files if posixpath.basename(path) == "Chart.yaml"})
    charts = [one for one in charts if not any(_inside(one, other) for other in charts if other != one)]
    covered: set[str] = set()
    unrendered: dict[str, str] = {}  # manifest -> the kustomization that lists it
    roots = _kustomizations(files, charts)
    for root in roots:
        objects = render.again(folder, "kustomize", root)
        if isinstance(objects, str):
            made.unrendered[root or "."] = objects
            unrendered |= dict.fromkeys(_reached(files, root)[0], root)
        else:
            made.rendered["kustomize", root] = objects
            made.found += _of(objects, root, "kustomize")
            reached, made.folders["kustomize", root] = _reached(files, root)
            covered |= reached
    for chart in charts:
        objects = render.again(folder, "helm", chart)
        if isinstance(objects, str):
            made.unrendered[chart or "."] = objects
        else:
            made.rendered["helm", chart] = objects
            made.found += _of(objects, chart, "helm")
    patches = _patches(files)
    for path, real_path in files.items():
        own = path.endswith((".yaml", ".yml")) and posixpath.basename(path) not in _KUSTOMIZATIONS
        if own and path not in covered | patches and not any(_inside(path, chart) for chart in charts):
            made.found += _of(_read(real_path), unrendered.get(path, path), "")
    made.found = list(dict.fromkeys(made.found))
    return made


def _inside(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/") if folder else path.startswith(("templates/", "charts/"))


def _read(path: Path) -> Objects:
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    return [] if "{{" in text and "kind:" not in text else render.documents(text)


def _of(objects: Objects, root: str, tool: str) -> list[Found]:
    found = []
    items = _items(objects)
    scaled = {_text(one, "spec", "scaleTargetRef", "name") for one in items}
    for one in items:
        kind, name, namespace = (
            _text(one, "kind"),
            _text(one, "metadata", "name"),
            _text(one, "metadata", "namespace"),
        )
        spec = one.get("spec")
        if not name or not isinstance(spec, dict):
            continue
        if kind in PODS and (images := _images(one)):
            tagged = any(_tagged(image) for image in images.values())
            counted = "replicas" in spec or name in scaled
            main = images.get(name) or next(iter(images.values()))
            found.append(Found(root, tool, kind, namespace, name, tagged, counted, main))
        elif kind == "HelmRelease":
            found += [_part(root, tool, kind, namespace, each) for each in _release(name, spec)]
        elif kind == "Application" and _is_chart(spec):
            found.append(_part(root, tool, kind, "", _application(name, spec)))
    return found


def _part(root: str, tool: str, kind: str, namespace: str, one: Part) -> Found:
    return Found(root, tool, kind, namespace, one.name, one.tagged, one.counted, one.image)


def _text(value: Any, *path: str) -> str:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return "" if value is None else str(value)


def _tagged(image: str) -> bool:
    return ":" in image.rpartition("/")[2] or "@" in image


def _items(objects: Objects) -> Objects:
    found = []
    for one in objects:
        items = one.get("items") if one.get("kind") == "List" else None
        found += [each for each in items if isinstance(each, dict)] if isinstance(items, list) else [one]
    return found


def _images(one: dict[str, Any]) -> dict[str, str]:
    """Return the images of a workload by container; none for a Rollout that runs those of a Deployment."""
    spec: Any = one.get("spec")
    keys = ("jobTemplate", "spec") if one["kind"] == "CronJob" else ()
    for key in (*keys, "template", "spec", "containers"):
        spec = spec.get(key) if isinstance(spec, dict) else None
    containers = spec if isinstance(spec, list) else []
    return {_text(each, "name"): _text(each, "image") for each in containers if _text(each, "image")}


def _release(name: str, spec: dict[str, Any]) -> list[Part]:
    """Return the workloads of a HelmRelease. Source of the name: helm-controller, spec.releaseName."""
    target = spec.get("targetNamespace")
    release = str(spec.get("releaseName") or (f"{target}-{name}" if target else name))
    elsewhere = "valuesFrom" in spec or "valuesFiles" in json.dumps(spec, default=str)
    return values.parts(release, spec.get("values"), elsewhere=elsewhere)


def _application(name: str, spec: dict[str, Any]) -> Part:
    """Return the release of an Application; parameters and value files may set anything."""
    helm: dict[str, Any] = {}
    for source in spec.get("sources") or [spec.get("source")]:
        helm |= (source.get("helm") if isinstance(source, dict) else None) or {}
    written = helm.get("valuesObject") or next(iter(render.documents(str(helm.get("values") or ""))), {})
    names = " ".join(_text(one, "name") for one in helm.get("parameters") or [])
    elsewhere = bool(helm.get("valueFiles"))
    (root, *_) = values.parts(str(helm.get("releaseName") or name), written, elsewhere=elsewhere)
    tagged = root.tagged or bool(re.search(r"(?:tag|digest|image)(?: |$)", names))
    counted = root.counted or bool(re.search(r"[Rr]eplica", names))
    return Part(root.name, tagged, counted, root.image)


def _is_chart(spec: Any) -> bool:
    if not isinstance(spec, dict):
        return False
    sources = spec.get("sources") or [spec.get("source")]
    return any(isinstance(one, dict) and (one.get("chart") or one.get("helm")) for one in sources)


def _kustomizations(files: dict[str, Path], charts: list[str]) -> list[str]:
    """Return the folders of kustomizations that no other one builds on."""
    found, below = {}, set()
    for path, real_path in files.items():
        if posixpath.basename(path) in _KUSTOMIZATIONS and not any(_inside(path, one) for one in charts):
            root = posixpath.dirname(path)
            read = _read(real_path)
            found[root] = read[0] if read else {}
    for root, one in found.items():
        for key in ("resources", "bases", "components"):
            for entry in one.get(key) or []:
                below.add(posixpath.normpath(posixpath.join(root, str(entry))))
    return sorted(root for root, one in found.items() if root not in below and one.get("kind") != "Component")


def _reached(files: dict[str, Path], root: str) -> tuple[set[str], set[str]]:
    """Return the manifest files that a kustomization lists, and the folders it builds on."""
    todo, seen, found = [root], set(), set()
    while todo:
        folder = todo.pop()
        seen.add(folder)
        names = [path for one in _KUSTOMIZATIONS if (path := posixpath.join(folder, one)) in files]
        for one in _read(files[names[0]]) if names else []:
            for key in ("resources", "bases", "components"):
                for entry in one.get(key) or []:
                    path = posixpath.normpath(posixpath.join(folder, str(entry)))
                    path = "" if path == "." else path
                    if path in files:
                        found.add(path)
                    elif path not in seen:
                        todo.append(path)
    return found, seen


def _patches(files: dict[str, Path]) -> set[str]:
    """Return the files that some kustomization uses as a patch: parts of objects, not objects."""
    found = set()
    for path, real_path in files.items():
        if posixpath.basename(path) in _KUSTOMIZATIONS:
            for one in _read(real_path):
                for entry in [each for key in _PATCHES for each in one.get(key) or []]:
                    name = entry.get("path") if isinstance(entry, dict) else entry
                    if isinstance(name, str) and "\n" not in name:
                        found.add(posixpath.normpath(posixpath.join(posixpath.dirname(path), name)))
    return found
