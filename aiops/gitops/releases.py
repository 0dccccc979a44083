"""Which releases the repository asks for: Argo CD Applications, Flux HelmReleases, bare charts.

Comes in: the rendered pointer objects and the snapshot. Goes out: `helm.Release`s whose layers
stand in this repository; a layer that does not (a ConfigMap, another repository, a URL) becomes
a layer that may set anything, so that nothing below it is edited in vain.
"""

from __future__ import annotations

import posixpath

from aiops.errors import EditRefused
from aiops.gitops import inside
from aiops.gitops.helm import Release
from aiops.gitops.nodes import Mapping, Node, Scalar, entries_at, look, text_at
from aiops.gitops.rendered import Rendered, Values
from aiops.gitops.snapshot import Snapshot, Spot


def source_override(snapshot: Snapshot, folder: str, application: str) -> str:
    """Return the file by which Argo CD overrides an Application source, "" when there is none.

    Source: argo-cd docs/user-guide/parameters.md, "Store Overrides In Git".
    """
    for name in (".argocd-source.yaml", f".argocd-source-{application}.yaml"):
        path = posixpath.join(folder, name)
        if snapshot.exists(path):
            return path
    return ""


def sources(node: Node | None) -> list[tuple[tuple[str | int, ...], Node]]:
    """Return (path in the document, source) of an Application; `sources` replaces `source`."""
    many = entries_at(node, "spec", "sources")
    if many:
        return [(("spec", "sources", index), one) for index, one in enumerate(many)]
    one, _ = look(node, "spec", "source")
    return [(("spec", "source"), one)] if one is not None else []


def of_application(snapshot: Snapshot, found: Rendered) -> list[Release]:
    """Return the releases of an Argo CD Application, one for each source that is a chart."""
    made = []
    for prefix, source in sources(found.node):
        folder = posixpath.normpath(text_at(source, "path")) if text_at(source, "path") else ""
        chart = text_at(source, "chart")
        local = bool(folder) and snapshot.exists(posixpath.join(folder, "Chart.yaml"))
        if not chart and not local:
            continue
        release = Release(
            text_at(source, "helm", "releaseName") or found.name,
            posixpath.basename(chart or folder),
            text_at(found.node, "spec", "destination", "namespace") or found.namespace,
            found.file,
            found.document,
            _chart_values(snapshot, folder) if local else [],
            updaters=found.updaters,
        )
        for name in (text_at(one) for one in entries_at(source, "helm", "valueFiles")):
            release.layers.append(_values_file(snapshot, found, folder, name))
        _inline(release, found, prefix, source)
        if override := source_override(snapshot, folder, found.name):
            release.layers.append(Values(override, 0, (), None, "Application", f"{override} overrides git"))
            release.parameters.clear()
        made.append(release)
    return made


def _inline(release: Release, found: Rendered, prefix: tuple[str | int, ...], source: Node) -> None:
    """Add what the Application itself sets: values, valuesObject, parameters, in that order."""
    text, _ = look(source, "helm", "values")
    if isinstance(text, Scalar) and text.value.strip():
        path = (*prefix, "helm", "values", inside.INSIDE)
        release.layers.append(_string(found, path, text, "Application values"))
    inner, why = look(source, "helm", "valuesObject")
    if inner is not None or why:
        path = (*prefix, "helm", "valuesObject")
        release.layers.append(Values(found.file, found.document, path, inner, "Application", why))
    for index, entry in enumerate(entries_at(source, "helm", "parameters")):
        path = (*prefix, "helm", "parameters", index, "value")
        spot = Spot(found.file, found.document, path, text_at(entry, "value"), "Application parameter")
        release.parameters.append((text_at(entry, "name"), spot))
    list_ = (*prefix, "helm", "parameters")
    count = len(entries_at(source, "helm", "parameters"))
    release.writable = (found.file, found.document, list_, count)


def _string(found: Rendered, path: tuple[str | int, ...], text: Scalar, kind: str) -> Values:
    """Return the layer of values that a string holds; only a literal block can be edited."""
    problem = "" if text.style == "|" else f"YAML inside a string of {found.kind}/{found.name}"
    try:
        node = inside.document(text.value, pure=False)
    except EditRefused as error:
        return Values(found.file, found.document, path, None, kind, error.message)
    return Values(found.file, found.document, path, node, kind, problem)


def of_helm_release(snapshot: Snapshot, found: Rendered) -> list[Release]:
    """Return the release of a Flux HelmRelease; `spec.values` wins over `valuesFrom`."""
    spec, _ = look(found.node, "spec")
    target = text_at(spec, "targetNamespace")
    chart = text_at(spec, "chart", "spec", "chart") or text_at(spec, "chartRef", "name")
    folder = posixpath.normpath(chart) if chart else ""
    local = bool(chart) and snapshot.exists(posixpath.join(folder, "Chart.yaml"))
    release = Release(
        text_at(spec, "releaseName") or (f"{target}-{found.name}" if target else found.name),
        posixpath.basename(chart),
        target or found.namespace,
        found.file,
        found.document,
        _chart_values(snapshot, folder) if local else [],
    )
    for name in (text_at(one) for one in entries_at(spec, "chart", "spec", "valuesFiles")):
        release.layers.append(_values_file(snapshot, found, "", name))
    paths: list[str] = []
    for entry in entries_at(spec, "valuesFrom"):
        what = f"{text_at(entry, 'kind')}/{text_at(entry, 'name')} (valuesFrom) may set it"
        if text_at(entry, "targetPath"):
            paths.append(text_at(entry, "targetPath"))
        else:
            release.layers.append(Values(found.file, found.document, (), None, "HelmRelease", what))
    release.layers.extend(found.values)
    if not found.values and isinstance(spec, Mapping) and spec.get("values") is None:
        path = ("spec", "values")
        release.layers.append(Values(found.file, found.document, path, None, "HelmRelease", creatable=True))
    for target_path in paths:  # it overrides spec.values
        what = "valuesFrom with this targetPath sets it"
        release.parameters.append(
            (target_path, Spot(found.file, found.document, (), "", "HelmRelease", what))
        )
    if entries_at(spec, "postRenderers"):
        what = f"postRenderers of HelmRelease/{found.name} may set it"
        release.layers.append(Values(found.file, found.document, (), None, "HelmRelease", what))
        release.parameters.clear()
    return [release]


def of_chart(snapshot: Snapshot, folder: str) -> list[Release]:
    """Return the release of a chart that nothing in this repository deploys by name.

    Its name is the folder's; other values files beside it may be used, nobody says which.
    """
    name = posixpath.basename(folder)
    layers = _chart_values(snapshot, folder)
    for path in snapshot.paths:
        base = posixpath.basename(path)
        if (
            posixpath.dirname(path) == folder
            and base.startswith("values")
            and base.endswith((".yaml", ".yml"))
            and base != "values.yaml"
        ):
            layer = _file_layer(snapshot, path)
            layer.problem = layer.problem or f"no Application or HelmRelease says whether {path} is used"
            layers.append(layer)
    return [Release(name, name, "", posixpath.join(folder, "Chart.yaml"), 0, layers)]


def _chart_values(snapshot: Snapshot, folder: str) -> list[Values]:
    path = posixpath.join(folder, "values.yaml")
    return [_file_layer(snapshot, path)] if snapshot.exists(path) else []


def _values_file(snapshot: Snapshot, found: Rendered, folder: str, name: str) -> Values:
    """Return the layer of one values file; `$ref/path` counts from the root of the repository."""
    reference, slash, rest = name.partition("/")
    inside = rest if slash and reference.startswith("$") else posixpath.join(folder, name)
    path = posixpath.normpath(inside.lstrip("/"))
    if "://" in name or not snapshot.exists(path):
        what = f"values file {name[:120]} is not in this repository and may set it"
        return Values(found.file, found.document, (), None, found.kind, what)
    return _file_layer(snapshot, path)


def _file_layer(snapshot: Snapshot, path: str) -> Values:
    try:
        documents = snapshot.nodes(path)
    except EditRefused as error:
        return Values(path, 0, (), None, "Helm values", f"{path}: {error.message}")
    if len(documents) > 1:
        return Values(path, 0, (), None, "Helm values", f"{path}: has more than one document")
    return Values(path, 0, (), documents[0] if documents else None, "Helm values")
