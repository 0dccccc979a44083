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
from aiops.gitops import (
    applicationset,
    helm,
    kargo,
    links,
    owners,
    releases,
    replacements,
    revisions,
    sources,
    substitute,
    units,
)
from aiops.gitops.config_maps import ConfigMaps
from aiops.gitops.kargo import Promotions
from aiops.gitops.kustomize import Renderer, set_images
from aiops.gitops.layers import Release
from aiops.gitops.nodes import entries_at, look, text_at
from aiops.gitops.patches import elsewhere
from aiops.gitops.rendered import POD_SPEC, Rendered, objects
from aiops.gitops.revisions import Standing
from aiops.gitops.snapshot import KUSTOMIZATIONS, Snapshot, Spot
from aiops.gitops.units import Unit
from aiops.ports import Files

_YAML = (".yaml", ".yml", ".json")


@dataclass(slots=True)
class RepositoryMap:
    """The units of one commit, indexed: a run asks for many workloads.

    `reach`: key of a winning spot -> (unit, object) it wins for. `named`: name -> the workloads
    called so. `scalers`: name of a workload -> the autoscalers that target it. `canaries`: name of
    a workload -> the Flagger Canaries for it. `above`: key of a layer -> the objects below it.
    `openings`: key of a layer of values -> the releases that read it. `promotions`: what Kargo writes.
    """

    snapshot: Snapshot
    units: list[Unit]
    reach: dict[object, list[tuple[Unit, Rendered]]] = field(default_factory=dict)
    named: dict[str, list[tuple[Unit, Rendered]]] = field(default_factory=dict)
    scalers: dict[str, list[tuple[Unit, Rendered]]] = field(default_factory=dict)
    canaries: dict[str, list[tuple[Unit, Rendered]]] = field(default_factory=dict)
    above: dict[object, list[Rendered]] = field(default_factory=dict)
    openings: dict[object, set[tuple[str, int, str, str]]] = field(default_factory=dict)
    promotions: Promotions = field(default_factory=Promotions)


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
    inside = frozenset(charts)
    folders = sorted(
        folder for folder in snapshot.folders if snapshot.kustomization(folder) and not _below(folder, inside)
    )
    rendered = {folder: _render(renderer, folder) for folder in folders}
    shared = renderer.replacing.shared()
    for unit in rendered.values():
        replacements.alone(unit.objects, shared)
    # A component that nothing refers to is not deployed: kustomize does not build one by itself.
    lower = renderer.referenced | renderer.components
    tops = [folder for folder in folders if folder not in lower]
    plain = [
        Unit(path, (path,), (), found)
        for path in snapshot.paths
        if path.endswith(_YAML)
        and path not in renderer.used
        and path not in snapshot.followed
        and posixpath.basename(path) not in KUSTOMIZATIONS
        if not _below(path, inside) and (found := _plain(snapshot, path))
    ]
    every = [rendered[folder] for folder in tops] + plain
    found = _applications(snapshot, every)
    standing = revisions.standing(snapshot, found)
    promotions = kargo.promotions(found, snapshot.checkout, revisions.addresses(snapshot, found))
    pointers = units.pointers_of(snapshot, found, standing)
    every = units.pointed(snapshot, every, pointers, rendered)
    deployed = set(_expand(snapshot, every, standing, ConfigMaps(snapshot, pointers)))
    for folder in charts:
        if folder not in deployed and not _below(folder, inside):
            found = [one for release in releases.of_chart(snapshot, folder) for one in helm.expand(release)]
            every.append(Unit(folder, (folder,), (), found))
    return _indexed(RepositoryMap(snapshot, every, promotions=promotions))


def _applications(snapshot: Snapshot, units: list[Unit]) -> list[Rendered]:
    """Add the Applications of ApplicationSets; return every object, with who updates its images."""
    named = revisions.addresses(snapshot, [one for unit in units for one in unit.objects])
    for unit in units:
        sets = [one for one in unit.objects if one.kind == "ApplicationSet"]
        unit.objects += [made for one in sets for made in applicationset.expand(snapshot, one, named)]
    found = [one for unit in units for one in unit.objects]
    told = [one for one in found if one.kind == "ImageUpdater"]
    for one in found:
        if one.kind == "Application":
            one.updaters = owners.updaters(one, told)
    return found


def _indexed(made: RepositoryMap) -> RepositoryMap:
    for unit in made.units:
        for one in unit.objects:
            for key in dict.fromkeys(spot.key for spot in winners(one)):
                made.reach.setdefault(key, []).append((unit, one))
            for layer in one.layers:
                made.above.setdefault(layer.key, []).append(one)
            for opening in (each for several in one.openings.values() for each in several):
                made.openings.setdefault(opening.key, set()).add(
                    (unit.label, one.document, one.file, one.release)
                )
            _index_name(made, unit, one)
    return made


def _index_name(made: RepositoryMap, unit: Unit, one: Rendered) -> None:
    if one.kind == "Canary":
        target = text_at(one.node, "spec", "targetRef", "name")
        made.canaries.setdefault(target, []).append((unit, one))
    if one.scales:
        made.scalers.setdefault(one.scales[1], []).append((unit, one))
    elif one.kind in POD_SPEC:
        made.named.setdefault(one.name, []).append((unit, one))
    elif not one.kind:  # a release may call its workload by any of these names
        for name in one.names:
            made.named.setdefault(name, []).append((unit, one))


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
    path = snapshot.real(path)
    try:
        return objects(path, snapshot.nodes(path)) if snapshot.is_relevant(path) else []
    except EditRefused as error:
        snapshot.refuse(path, error)
        return []


def _expand(snapshot: Snapshot, units: list[Unit], standing: Standing, maps: ConfigMaps) -> Iterable[str]:
    """Add the workloads of Helm releases to their units; yield the chart folders that are deployed."""
    for unit in list(units):
        for one in list(unit.objects):
            if one.kind == "Application":
                found = releases.of_application(snapshot, one, standing)
                yield from (source.folder for source in sources.of(snapshot, one))
                if found:
                    units.append(_of_application(unit, one, found))
            elif one.kind == "HelmRelease":
                yield snapshot.real(sources.folder(text_at(one.node, "spec", "chart", "spec", "chart")))
                unit.objects.extend(_of_helm_release(snapshot, unit, one, standing))
        if unit.pointer is not None:
            substitute.fill_in(unit.objects, unit.pointer, maps)
    groups: dict[tuple[str, ...], list[Rendered]] = {}
    for unit in units:  # plain files of one folder belong together
        folder = posixpath.dirname(unit.path) if unit.path.endswith(_YAML) else unit.path
        groups.setdefault((folder, unit.name, *unit.anchors[1:]), []).extend(unit.objects)
    for group in groups.values():
        links.link(group)


def _of_application(unit: Unit, one: Rendered, found: list[Release]) -> Unit:
    """Return the charts of an Application as a unit of their own: each may be in another cluster."""
    name = text_at(one.node, "spec", "destination", "name")
    made = [each for release in found for each in helm.expand(release)]
    if unit.elsewhere:
        elsewhere(made, unit.elsewhere)
    return Unit(unit.path, unit.anchors, (name,) if name else unit.destinations, made, name=one.name)


def _of_helm_release(snapshot: Snapshot, unit: Unit, one: Rendered, standing: Standing) -> list[Rendered]:
    found = releases.of_helm_release(snapshot, one, unit.objects, standing)
    made = [each for release in found for each in helm.expand(release)]
    for index, renderer in enumerate(entries_at(one.node, "spec", "postRenderers")):
        path = (*one.root, "spec", "postRenderers", index, "kustomize")
        set_images(made, one.file, one.document, path, look(renderer, "kustomize")[0])
    if unit.elsewhere:
        elsewhere(made, unit.elsewhere)
    return made


def _below(path: str, charts: frozenset[str]) -> bool:
    """Tell whether a path belongs to the templates or vendored charts of a Helm chart."""
    return any(
        posixpath.basename(folder) in {"templates", "charts", "crds"} and posixpath.dirname(folder) in charts
        for folder in (path, *sources.above(path))
    )
