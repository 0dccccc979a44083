"""What the real tools make of a folder: kustomize without network and plug-ins, Helm as a library."""

from __future__ import annotations

import posixpath
import re
import subprocess
from pathlib import Path
from typing import Any

import real
import yaml

TIMEOUT_S = 30
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
# kustomize adds a hash of the content to the name of a generated ConfigMap, and to who refers to it.
_HASH = re.compile(r"-[bcdfghkmt2456789]{10}$")  # the letters it writes a hash in
Objects = list[dict[str, Any]]


def again(folder: Path, tool: str, root: str) -> Objects | str:
    """Return what a tool makes of a folder of the repository."""
    if tool == "kustomize":
        return kustomize(folder / root)
    return helm(folder / root, posixpath.basename(root) or folder.name)


def kustomize(folder: Path) -> Objects | str:
    """Return the objects of a kustomization, or why kustomize does not render it here."""
    reason = ""
    for restrict in ("LoadRestrictionsRootOnly", "LoadRestrictionsNone"):  # Flux builds with the latter
        command = [str(real.kustomize()), "build", f"--load-restrictor={restrict}", str(folder)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                check=False,
                timeout=TIMEOUT_S,
                env={"PATH": "/nonexistent", "HOME": "/nonexistent", "HTTPS_PROXY": "http://127.0.0.1:9"},
            )
        except subprocess.TimeoutExpired:
            return f"needed more than {TIMEOUT_S} s"
        if done.returncode == 0:
            return documents(done.stdout.decode("utf-8", "replace"))
        reason = done.stderr.decode("utf-8", "replace").strip()[-160:].replace("\n", " ")
    return reason


def helm(folder: Path, name: str) -> Objects | str:
    """Return the objects of a chart with its own values, or why Helm does not render it here."""
    import helm_python

    try:
        with helm_python.Chart.load(str(folder)) as chart:
            made = chart.render({}, name=name, namespace="default")
    except Exception as error:  # noqa: BLE001 - the library raises what the Go side says
        return str(error)[-160:].replace("\n", " ")
    texts = made.values() if isinstance(made, dict) else [str(made)]
    return [one for text in texts for one in documents(text) if not _is_test(one)]


def _is_test(one: dict[str, Any]) -> bool:
    """Tell whether an object is a test hook: not deployed, and often of a random name."""
    notes = (one.get("metadata") or {}).get("annotations") or {}
    return "test" in str(notes.get("helm.sh/hook", ""))


def documents(text: str) -> Objects:
    """Return the mappings of a YAML stream; [] when it is not readable."""
    try:
        return [one for one in yaml.load_all(text, Loader=_LOADER) if isinstance(one, dict)]
    except (yaml.YAMLError, ValueError, RecursionError):
        return []


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Return every scalar of an object by its path."""
    if isinstance(value, dict):
        return {
            key: leaf for name, one in value.items() for key, leaf in leaves(one, f"{path}/{name}").items()
        }
    if isinstance(value, str) and "\n" in value and (inner := documents(value)):
        return leaves(inner, path)  # a ConfigMap of Helm values: what counts is what they say
    if isinstance(value, str):
        return {path: _HASH.sub("", value)}
    if isinstance(value, list):
        return {key: leaf for n, one in enumerate(value) for key, leaf in leaves(one, f"{path}/{n}").items()}
    return {path: value}


def differences(before: Objects, after: Objects) -> list[tuple[str, str, Any, Any]]:
    """Return (object, path, old, new) of every leaf that differs; objects are told apart by name."""
    old, new = ({_name(one): leaves(one) for one in some} for some in (before, after))
    found = []
    for name in sorted({*old, *new}):
        was, now = old.get(name, {}), new.get(name, {})
        found += [
            (name, path, was.get(path), now.get(path))
            for path in sorted({*was, *now})
            if was.get(path) != now.get(path)
        ]
    return found


def _name(one: dict[str, Any]) -> str:
    meta = one.get("metadata") or {}
    return f"{one.get('kind')}/{meta.get('namespace', '')}/{_HASH.sub('', str(meta.get('name')))}"
