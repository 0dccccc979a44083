"""Which releases the repository asks for: Argo CD Applications, Flux HelmReleases, bare charts.

Comes in: the rendered pointer objects and the snapshot. Goes out: `Release`s whose layers
stand in this repository; a layer that does not (a ConfigMap, another repository, a URL) becomes
a layer that may set anything, so that nothing below it is edited in vain.
"""

from __future__ import annotations

import posixpath

from aiops.errors import EditRefused
from aiops.gitops import inside, sources
from aiops.gitops.layers import Release, Values
from aiops.gitops.nodes import Mapping, Node, Scalar, entries_at, look, text_at
from aiops.gitops.rendered import Rendered, spot_of
from aiops.gitops.revisions import Standing
from aiops.gitops.snapshot import Snapshot, Spot


def of_application(snapshot: Snapshot, found: Rendered, standing: Standing) -> list[Release]:
    """Return the releases of an Argo CD Application, one for each source that is a chart.

    What a source takes from another repository or revision is not known; what the Application
    itself sets stands above that.
    """
    made = []
    every = sources.of(snapshot, found)
    references = {one.text("ref"): _elsewhere(found, one, standing) for one in every}
    for source in every:
        chart, folder = source.text("chart"), source.folder
        own = standing.is_ours(source.text("repoURL"))
        references[""] = "it is in the chart" if chart else _elsewhere(found, source, standing)
        local = own and bool(source.text("path")) and snapshot.exists(posixpath.join(folder, "Chart.yaml"))
        if not chart and not local:
            continue
        release = Release(
            source.text("helm", "releaseName") or found.name,
            _chart_name(snapshot, folder) if local else posixpath.basename(chart or folder),
            text_at(found.node, "spec", "destination", "namespace") or found.namespace,
            found.file,
            found.document,
            _chart_values(snapshot, folder, references[""]) if local else [],
            updaters=found.updaters,
            folder=folder if local and not references[""] else None,
        )
        for name in (text_at(one) for one in entries_at(source.at("helm", "valueFiles").node)):
            release.layers.append(_values_file(snapshot, found, folder, name, references))
        _inline(release, found, source)
        made.append(release)
    return made


def _elsewhere(found: Rendered, source: sources.Source, standing: Standing) -> str:
    """Return why files of a source are not those that we read, "" when they are."""
    if not standing.is_ours(source.text("repoURL")):
        return "it is in another repository"
    return standing.problem(f"Application/{found.name}", source.text("targetRevision"))


def _inline(release: Release, found: Rendered, source: sources.Source) -> None:
    """Add what the Application itself sets: values, valuesObject, parameters, in that order."""
    broken = next((part for part in source.parts if part.problem), None)
    if broken is not None:
        release.layers.append(Values(broken.file, 0, (), None, "Application", broken.problem))
        return
    part = source.at("helm", "values")
    object_ = source.at("helm", "valuesObject")
    if isinstance(part.node, Scalar) and part.node.value.strip() and object_.node is None:
        release.layers.append(_string(found, part, part.node))
    if object_.node is not None or object_.problem:
        release.layers.append(
            Values(object_.file, object_.document, object_.path, object_.node, "Application", object_.problem)
        )
    part = source.at("helm", "parameters")
    for index, entry in enumerate(entries_at(part.node)):
        value, _ = look(entry, "value")
        path = (*part.path, index, "value")
        spot = spot_of(part.file, part.document, path, value, "Application parameter")
        release.parameters.append((text_at(entry, "name"), spot))
    for entry in entries_at(source.at("helm", "fileParameters").node):
        what = f"fileParameters of Application/{found.name} set it"
        release.parameters.append((text_at(entry, "name"), Spot(part.file, 0, (), "", "Application", what)))
    release.writable = (part.file, part.document, part.path, len(entries_at(part.node)))


def _string(found: Rendered, part: sources.Part, text: Scalar) -> Values:
    """Return the layer of values that a string holds; only a literal block can be edited."""
    path = (*part.path, inside.INSIDE)
    kind = f"{found.kind} values"
    problem = "" if text.style == "|" else f"YAML inside a string of {found.kind}/{found.name}"
    if text.origin is not None:
        problem = "values filled in from a template; edit what fills them in"
    try:
        node = inside.document(text.value, pure=False)
    except EditRefused as error:
        return Values(part.file, part.document, path, None, kind, error.message)
    return Values(part.file, part.document, path, node, kind, problem)


def of_helm_release(
    snapshot: Snapshot, found: Rendered, objects: list[Rendered], standing: Standing
) -> list[Release]:
    """Return the release of a Flux HelmRelease; `spec.values` wins over `valuesFrom`.

    `objects`: of the same unit; a ConfigMap there is a layer like a values file.
    """
    spec, _ = look(found.node, "spec")
    target = text_at(spec, "targetNamespace")
    chart = text_at(spec, "chart", "spec", "chart") or text_at(spec, "chartRef", "name")
    folder = snapshot.real(posixpath.normpath(chart)) if chart else ""
    ours, elsewhere = _flux_source(found, spec, standing)
    local = bool(chart) and ours and snapshot.exists(posixpath.join(folder, "Chart.yaml"))
    release = Release(
        text_at(spec, "releaseName") or (f"{target}-{found.name}" if target else found.name),
        _chart_name(snapshot, folder) if local else posixpath.basename(chart),
        target or found.namespace,
        found.file,
        found.document,
        _chart_values(snapshot, folder, elsewhere) if local else [],
        folder=folder if local and not elsewhere else None,
    )
    for name in (text_at(one) for one in entries_at(spec, "chart", "spec", "valuesFiles")):
        release.layers.append(_values_file(snapshot, found, "", name, {"": elsewhere}))
    paths: list[str] = []
    for entry in entries_at(spec, "valuesFrom"):
        what = f"{text_at(entry, 'kind')}/{text_at(entry, 'name')} (valuesFrom) may set it"
        if text_at(entry, "targetPath"):
            paths.append(text_at(entry, "targetPath"))
        else:
            release.layers.append(_config_map(snapshot, found, entry, objects, what))
    release.layers.extend(found.values)
    if not found.values and isinstance(spec, Mapping) and spec.get("values") is None:
        path = ("spec", "values")
        release.layers.append(Values(found.file, found.document, path, None, "HelmRelease", creatable=True))
    for target_path in paths:  # it overrides spec.values
        what = "valuesFrom with this targetPath sets it"
        release.parameters.append(
            (target_path, Spot(found.file, found.document, (), "", "HelmRelease", what))
        )
    patched = [one for one in entries_at(spec, "postRenderers") if _patches(one)]
    if patched:
        what = f"postRenderers of HelmRelease/{found.name} may set it"
        release.layers.append(Values(found.file, found.document, (), None, "HelmRelease", what))
        release.parameters.clear()
    return [release]


def _flux_source(found: Rendered, spec: Node | None, standing: Standing) -> tuple[bool, str]:
    """Return (whether the chart of a HelmRelease is in this repository, why it is not what is deployed)."""
    if look(spec, "chartRef")[0] is not None:
        return False, "its chart comes from elsewhere (chartRef)"
    where = ("chart", "spec", "sourceRef")
    kind, name, namespace = (text_at(spec, *where, key) for key in ("kind", "name", "namespace"))
    return standing.of_flux(f"HelmRelease/{found.name}", found, kind, name, namespace or found.namespace)


def _patches(renderer: Node) -> bool:
    """Tell whether a post-renderer does more than set images by name."""
    inner, _ = look(renderer, "kustomize")
    keys = {getattr(key, "value", "") for key, _ in inner.pairs} if isinstance(inner, Mapping) else {"?"}
    return bool(keys - {"images"})


def _config_map(
    snapshot: Snapshot, found: Rendered, entry: Node, objects: list[Rendered], unknown: str
) -> Values:
    """Return the layer that a ConfigMap of the repository holds, written out or generated from a file."""
    name, key = text_at(entry, "name"), text_at(entry, "valuesKey") or "values.yaml"
    same = [one for one in objects if one.kind == "ConfigMap" and name in one.names]
    if text_at(entry, "kind") == "ConfigMap" and len(same) == 1:
        made = same[0]
        if key in made.files:
            return _file_layer(snapshot, made.files[key])
        text, _ = look(made.node, "data", key)
        if isinstance(text, Scalar):
            part = sources.Part(made.file, made.document, (*made.root, "data", key), text)
            return _string(made, part, text)
    return Values(found.file, found.document, (), None, "HelmRelease", unknown)


def of_kustomization(snapshot: Snapshot, folder: str, file: str, root: Node | None) -> list[Release]:
    """Return the releases of `helmCharts` of a kustomization.

    Source: kubectl.docs.kubernetes.io/references/kustomize/builtins/#_helmchartinflationgenerator_
    """
    made = []
    home = text_at(root, "helmGlobals", "chartHome") or "charts"
    for index, entry in enumerate(entries_at(root, "helmCharts")):
        chart = text_at(entry, "name")
        local = snapshot.real(posixpath.normpath(posixpath.join(folder, home, chart)))
        release = Release(
            text_at(entry, "releaseName") or "release-name",
            chart,
            text_at(entry, "namespace") or text_at(root, "namespace"),
            file,
            0,
            _chart_values(snapshot, local),
        )
        pointer = Rendered("kustomization", [chart], "", file, 0)
        if text_at(entry, "valuesFile"):
            release.layers.append(_values_file(snapshot, pointer, folder, text_at(entry, "valuesFile"), {}))
        inline, why = look(entry, "valuesInline")
        merge = text_at(entry, "valuesMerge")
        if inline is not None and merge not in {"", "override"}:
            why = f"valuesMerge {merge[:20]} decides which value wins"
        if inline is not None or why:
            path = ("helmCharts", index, "valuesInline")
            release.layers.append(Values(file, 0, path, inline, "kustomization helmCharts", why))
        for name in (text_at(one) for one in entries_at(entry, "additionalValuesFiles")):
            release.layers.append(_values_file(snapshot, pointer, folder, name, {}))
        made.append(release)
    return made


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
    chart = _chart_name(snapshot, folder)
    return [Release(name, chart, "", posixpath.join(folder, "Chart.yaml"), 0, layers, folder=folder)]


def _chart_name(snapshot: Snapshot, folder: str) -> str:
    """Return what a chart calls itself: its folder may be called otherwise, names follow the chart."""
    try:
        documents = snapshot.nodes(snapshot.real(posixpath.join(folder, "Chart.yaml")))
    except EditRefused:
        documents = ()
    return text_at(documents[0] if documents else None, "name") or posixpath.basename(folder)


def _chart_values(snapshot: Snapshot, folder: str, problem: str = "") -> list[Values]:
    """Return the chart's own values. `problem`: why those that we read are not what is deployed."""
    path = snapshot.real(posixpath.join(folder, "values.yaml"))
    if not snapshot.exists(path):
        return []
    layer = _file_layer(snapshot, path)
    layer.problem = layer.problem or problem
    return [layer]


def _values_file(
    snapshot: Snapshot, found: Rendered, folder: str, name: str, references: dict[str, str]
) -> Values:
    """Return the layer of one values file; `$ref/path` counts from the root of the repository.

    `references`: name of a source -> why its files are not those we read; "" is the source itself.
    """
    reference, slash, rest = name.partition("/")
    inside = rest if slash and reference.startswith("$") else posixpath.join(folder, name)
    path = snapshot.real(posixpath.normpath(inside.lstrip("/")))
    named = reference[1:] if slash and reference.startswith("$") else ""
    elsewhere = references.get(named, "")
    if elsewhere or "://" in name or not snapshot.exists(path):
        what = f"values file {name[:120]} is not in this repository and may set it"
        what = f"values file {name[:120]} may set it: {elsewhere}" if elsewhere else what
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
