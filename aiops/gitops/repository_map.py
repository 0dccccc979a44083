"""Everything one commit deploys: which folder, file or release renders which workload, and where.

A *unit* is one thing that is deployed as a whole: a kustomization nothing else builds on (or that
an Application or Flux Kustomization points to), or a plain manifest file. Objects of a unit know
the scalar that wins for each field; `reach` knows every workload that a scalar wins for.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from aiops.errors import EditRefused
from aiops.gitops import helm, image_reference, owners, releases
from aiops.gitops.kustomize import COUNTED, Renderer, set_images, set_replicas
from aiops.gitops.nodes import Node, entries_at, look, text_at
from aiops.gitops.patches import block, block_images
from aiops.gitops.rendered import POD_SPEC, Layer, Rendered, Updater, objects
from aiops.gitops.snapshot import KUSTOMIZATIONS, Snapshot, Spot
from aiops.ports import Files

_YAML = (".yaml", ".yml", ".json")


@dataclass(slots=True)
class Unit:
    """One thing that is deployed as a whole.

    `path`: folder of a kustomization or file of a plain manifest. `anchors`: the paths that tell
    the cluster: its own, and those of what points to it. `destinations`: clusters that a pointer
    names. `problem`: why nothing of it is known.
    """

    path: str
    anchors: tuple[str, ...]
    destinations: tuple[str, ...]
    objects: list[Rendered]
    problem: str = ""

    @property
    def label(self) -> str:
        """What to call it: the path, and the pointer when there is one."""
        path = self.path or "the root of the repository"
        return f"{path} (by {self.anchors[1]})" if len(self.anchors) > 1 else path


@dataclass(frozen=True, slots=True)
class _Pointer:
    """An Application source or Flux Kustomization that deploys a folder of this repository."""

    file: str
    document: int
    prefix: tuple[str | int, ...]
    node: Node
    folder: str
    namespace: str
    destination: str
    updaters: list[Updater]
    flux: bool
    override: str = ""


@dataclass(slots=True)
class RepositoryMap:
    """The units of one commit, indexed: a run asks for many workloads.

    `reach`: key of a winning spot -> (unit, object) it wins for. `named`: name -> the workloads
    called so. `scalers`: name of a workload -> the autoscalers that target it. `above`: key of a
    layer -> the objects below it. `openings`: key of a layer of values -> the releases that read it.
    """

    snapshot: Snapshot
    units: list[Unit]
    reach: dict[object, list[tuple[Unit, Rendered]]] = field(default_factory=dict)
    named: dict[str, list[tuple[Unit, Rendered]]] = field(default_factory=dict)
    scalers: dict[str, list[tuple[Unit, Rendered]]] = field(default_factory=dict)
    above: dict[object, list[Rendered]] = field(default_factory=dict)
    openings: dict[object, set[tuple[str, int, str]]] = field(default_factory=dict)


# One map per commit and process: every field of every workload of a run asks the same question.
_MAPS: WeakKeyDictionary[Files, RepositoryMap] = WeakKeyDictionary()


def read(files: Files) -> RepositoryMap:
    """Return the map of a commit; kept as long as the `Files` object lives."""
    known = _MAPS.get(files)
    if known is None:
        known = _MAPS[files] = _build(Snapshot(files))
    return known


def changed(before: RepositoryMap, files: Files, paths: frozenset[str]) -> RepositoryMap:
    """Return the map of the same commit with other content in `paths`; the rest is not read again."""
    return _build(before.snapshot.changed(files, paths))


def _build(snapshot: Snapshot) -> RepositoryMap:
    renderer = Renderer(snapshot)
    charts = [
        folder for folder in sorted(snapshot.folders) if snapshot.exists(posixpath.join(folder, "Chart.yaml"))
    ]
    folders = sorted(
        folder for folder in snapshot.folders if snapshot.kustomization(folder) and not _below(folder, charts)
    )
    rendered = {folder: _render(renderer, folder) for folder in folders}
    # A component that nothing refers to is not deployed: kustomize does not build one by itself.
    tops = [folder for folder in folders if folder not in renderer.referenced | renderer.components]
    plain = [
        Unit(path, (path,), (), found)
        for path in snapshot.paths
        if path.endswith(_YAML)
        and path not in renderer.used
        and posixpath.basename(path) not in KUSTOMIZATIONS
        if not _below(path, charts) and (found := _plain(snapshot, path))
    ]
    units = [rendered[folder] for folder in tops] + plain
    _set_updaters(units)
    pointers = [pointer for unit in units for one in unit.objects for pointer in _pointers(snapshot, one)]
    units = _pointed(units, pointers, rendered)
    deployed = set(_expand(snapshot, units))
    for folder in charts:
        if folder not in deployed and not _below(folder, [other for other in charts if other != folder]):
            found = [one for release in releases.of_chart(snapshot, folder) for one in helm.expand(release)]
            units.append(Unit(folder, (folder,), (), found))
    return _indexed(RepositoryMap(snapshot, units))


def _set_updaters(units: list[Unit]) -> None:
    """Tell every Application what argocd-image-updater was told about it."""
    found = [one for unit in units for one in unit.objects]
    told = [one for one in found if one.kind == "ImageUpdater"]
    for one in found:
        if one.kind == "Application":
            one.updaters = owners.updaters(one, told)


def _indexed(made: RepositoryMap) -> RepositoryMap:
    for unit in made.units:
        for one in unit.objects:
            for key in dict.fromkeys(spot.key for spot in winners(one)):
                made.reach.setdefault(key, []).append((unit, one))
            for layer in one.layers:
                made.above.setdefault(layer.key, []).append(one)
            for opening in (each for several in one.openings.values() for each in several):
                made.openings.setdefault(opening.key, set()).add((unit.label, one.document, one.file))
            if one.scales:
                made.scalers.setdefault(one.scales[1], []).append((unit, one))
            elif one.kind in POD_SPEC:
                made.named.setdefault(one.name, []).append((unit, one))
            elif not one.kind:  # a release may call its workload by any of these names
                for name in one.names:
                    made.named.setdefault(name, []).append((unit, one))
    return made


def winners(one: Rendered) -> Iterable[Spot]:
    """Yield the spots that win for the fields of an object."""
    for container in one.containers:
        if container.spots:
            yield container.spots[-1]
    for spots in one.numbers.values():
        if spots:
            yield spots[-1]


def _render(renderer: Renderer, folder: str) -> Unit:
    try:
        return Unit(folder, (folder,), (), renderer.render(folder))
    except EditRefused as error:
        return Unit(folder, (folder,), (), [], str(error))


def _plain(snapshot: Snapshot, path: str) -> list[Rendered]:
    try:
        return objects(path, snapshot.nodes(path)) if snapshot.is_relevant(path) else []
    except EditRefused:
        return []  # the snapshot keeps the reason


def _pointers(snapshot: Snapshot, one: Rendered) -> Iterable[_Pointer]:
    """Yield what an Application or Flux Kustomization deploys from a folder of the repository."""
    if one.kind == "Application":
        server = text_at(one.node, "spec", "destination", "name")
        namespace = text_at(one.node, "spec", "destination", "namespace")
        for prefix, source in releases.sources(one.node):
            if text_at(source, "path"):
                folder = _folder(text_at(source, "path"))
                owner = one.updaters
                override = releases.source_override(snapshot, folder, one.name)
                yield _Pointer(
                    one.file,
                    one.document,
                    prefix,
                    source,
                    folder,
                    namespace,
                    server,
                    owner,
                    flux=False,
                    override=override,
                )
    elif one.kind == "Kustomization" and text_at(one.node, "apiVersion").startswith(
        "kustomize.toolkit.fluxcd.io/"
    ):
        spec, _ = look(one.node, "spec")
        if spec is not None:
            folder = _folder(text_at(spec, "path"))
            namespace = text_at(spec, "targetNamespace")
            yield _Pointer(one.file, one.document, ("spec",), spec, folder, namespace, "", [], flux=True)


def _folder(path: str) -> str:
    clean = posixpath.normpath(path.lstrip("/") or ".")
    return "" if clean == "." else clean


def _pointed(units: list[Unit], pointers: list[_Pointer], rendered: dict[str, Unit]) -> list[Unit]:
    """Return the units as they are deployed: once for each pointer to their folder."""
    made: list[Unit] = []
    folders = {pointer.folder for pointer in pointers}
    for unit in units:
        if unit.path not in folders:
            over = [one for one in pointers if unit.path.startswith(f"{one.folder}/" if one.folder else "")]
            made.append(unit if unit.path in rendered or not over else _reached(unit, over))
    return made + [_deployed(rendered[one.folder], one) for one in pointers if one.folder in rendered]


def _reached(unit: Unit, pointers: list[_Pointer]) -> Unit:
    """Return a plain file together with the pointers whose folder holds it."""
    paths = dict.fromkeys((unit.path, *(one.file for one in pointers if one.file != unit.path)))
    names = dict.fromkeys(one.destination for one in pointers if one.destination)
    objects_ = [one.copy() for one in unit.objects]
    for one in objects_:
        one.namespace = one.namespace or next((p.namespace for p in pointers if p.namespace), "")
        one.updaters = [each for p in pointers for each in p.updaters]
    return Unit(unit.path, tuple(paths), tuple(names), objects_, unit.problem)


def _deployed(unit: Unit, pointer: _Pointer) -> Unit:
    """Return a kustomization as one pointer deploys it, with what the pointer overrides."""
    found = [one.copy() for one in unit.objects]
    for one in found:
        one.updaters = pointer.updaters
        one.layers.append(_layer(one, pointer))
        if pointer.flux:
            one.namespace = pointer.namespace or one.namespace
        else:
            one.namespace = one.namespace or pointer.namespace
    if pointer.flux:
        set_images(found, pointer.file, pointer.document, pointer.prefix, pointer.node)
        if entries_at(pointer.node, "patches"):
            for one in found:
                block(one, f"patches of {pointer.file} may set it")
    else:
        inner, _ = look(pointer.node, "kustomize")
        set_replicas(found, pointer.file, pointer.document, (*pointer.prefix, "kustomize"), inner)
        for entry in entries_at(inner, "images"):
            old, _, new = text_at(entry).partition("=")  # `[old=]name[:tag][@digest]`
            parsed = image_reference.parse(old)
            name = parsed.name if parsed and not new else old
            for one in found:
                same = [container for container in one.containers if container.image == name]
                block_images(same, f"spec.source.kustomize.images of {pointer.file} sets it")
        if pointer.override:
            for one in found:
                block(one, f"{pointer.override} overrides git")
    destinations = (pointer.destination,) if pointer.destination else ()
    return Unit(unit.path, (unit.path, pointer.file), destinations, found, unit.problem)


def _layer(one: Rendered, pointer: _Pointer) -> Layer:
    """Return what a pointer may set: Flux only images, Argo CD images (as texts) and replicas."""
    images = tuple(container.image for container in one.containers)
    if pointer.flux:
        return Layer(pointer.file, pointer.document, pointer.prefix, "Flux Kustomization", images, "")
    prefix = (*pointer.prefix, "kustomize")
    name = one.name if one.kind in COUNTED else ""
    return Layer(pointer.file, pointer.document, prefix, "Application", images, name, strings=True)


def _expand(snapshot: Snapshot, units: list[Unit]) -> Iterable[str]:
    """Add the workloads of Helm releases to their units; yield the chart folders that are deployed."""
    for unit in units:
        for one in list(unit.objects):
            if one.kind == "Application":
                found = releases.of_application(snapshot, one)
                yield from (_folder(text_at(source, "path")) for _, source in releases.sources(one.node))
            elif one.kind == "HelmRelease":
                found = releases.of_helm_release(snapshot, one)
                yield _folder(text_at(one.node, "spec", "chart", "spec", "chart"))
            else:
                continue
            unit.objects.extend(made for release in found for made in helm.expand(release))


def _below(path: str, charts: list[str]) -> bool:
    """Tell whether a path belongs to the templates or vendored charts of a Helm chart."""
    return any(
        path.startswith((f"{chart}/templates/", f"{chart}/charts/", f"{chart}/crds/"))
        if chart
        else path.startswith(("templates/", "charts/", "crds/"))
        for chart in charts
    )
