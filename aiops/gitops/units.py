"""What is deployed as a whole, once for each thing that deploys it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aiops.errors import EditRefused
from aiops.gitops import pointers, sources
from aiops.gitops.patches import elsewhere
from aiops.gitops.rendered import Rendered
from aiops.gitops.revisions import Standing
from aiops.gitops.snapshot import Snapshot


@dataclass(slots=True)
class Unit:
    """One thing that is deployed as a whole.

    `path`: folder of a kustomization or file of a plain manifest. `anchors`: the paths that tell
    the cluster: its own, and those of what points to it. `destinations`: clusters that a pointer
    names. `problem`: why nothing of it is known. `pointer`: what deploys it, if something does;
    `name`: its name. `elsewhere`: why an edit here does not reach what is deployed.
    """

    path: str
    anchors: tuple[str, ...]
    destinations: tuple[str, ...]
    objects: list[Rendered]
    problem: str = ""
    pointer: pointers.Pointer | None = None
    name: str = ""
    elsewhere: str = ""

    @property
    def label(self) -> str:
        """What to call it: the path, and the pointer when there is one."""
        path = self.path or "the root of the repository"
        # The last anchor is the root: it tells an app of apps in one cluster from that in another.
        by = ", ".join(
            dict.fromkeys(part for part in (*self.anchors[1:2], self.name, *self.anchors[2:][-1:]) if part)
        )
        return f"{path} (by {by})" if by else path


def pointers_of(snapshot: Snapshot, found: list[Rendered], standing: Standing) -> list[pointers.Pointer]:
    """Return what deploys folders of the repository, once for every way it is deployed itself."""
    every = [each for one in found for each in pointers.of(snapshot, one, standing)]
    ours = {one.folder for one in every if one.ours}
    return pointers.chained([one for one in every if one.ours or one.folder not in ours])


def pointed(
    snapshot: Snapshot, units: list[Unit], found: list[pointers.Pointer], rendered: dict[str, Unit]
) -> list[Unit]:
    """Return the units as they are deployed: once for each pointer to their folder."""
    made: list[Unit] = []
    by_folder: dict[str, list[pointers.Pointer]] = {}
    for pointer in found:
        by_folder.setdefault(pointer.folder, []).append(pointer)
    for unit in units:
        if unit.path in by_folder:
            continue
        over = [one for folder in sources.above(unit.path) for one in by_folder.get(folder, ())]
        alone = not over or (unit.path in rendered and not _collects(snapshot, over[0]))
        made.extend([unit] if alone else _reached(snapshot, unit, over))
    return made + [_deployed(snapshot, rendered[one.folder], one) for one in found if one.folder in rendered]


def _collects(snapshot: Snapshot, pointer: pointers.Pointer) -> bool:
    """Tell whether a pointer deploys every kustomization below its folder: Flux without one of its own."""
    return pointer.source is None and snapshot.kustomization(pointer.folder) is None


def _reached(snapshot: Snapshot, unit: Unit, over: list[pointers.Pointer]) -> Iterable[Unit]:
    """Yield a plain file or kustomization once for each pointer to the nearest folder that holds it.

    Those farther up (an app of apps) only help to tell the cluster. Flux makes a kustomization of
    a plain folder, so what it sets counts here too; Argo CD does not.
    """
    nearest = [one for one in over if one.folder == over[0].folder and one.file != unit.path]
    far = [one for one in over if one not in nearest]
    linked = snapshot.real(unit.path) != unit.path
    for pointer in nearest or over[:1]:
        if linked and pointer.source is None:
            continue  # Flux leaves links out of what it archives (source-controller, Storage.Archive)
        around = [one for one in (pointer, *far) if one.file != unit.path]
        paths = dict.fromkeys((unit.path, *(one.file for one in around), *map(str, pointer.above)))
        names = dict.fromkeys(one.destination for one in around if one.destination)
        made = _deployed(snapshot, unit, pointer) if pointer.source is None else None
        found = made.objects if made else [one.copy() for one in unit.objects]
        if made is None and pointer.problem:
            elsewhere(found, pointer.problem)
        for one in found:
            one.namespace = one.namespace or next((each.namespace for each in around if each.namespace), "")
            one.updaters = [each for p in around for each in p.updaters]
        filled = next((one for one in around if one.variables is not None), None)
        problem = made.problem if made else unit.problem
        yield Unit(
            unit.path, tuple(paths), tuple(names), found, problem, filled, pointer.name, pointer.problem
        )


def _deployed(snapshot: Snapshot, unit: Unit, pointer: pointers.Pointer) -> Unit:
    """Return a kustomization as one pointer deploys it, with what the pointer overrides."""
    problem, found = unit.problem, []
    try:
        found = pointers.deployed(snapshot, unit.objects, pointer)
    except EditRefused as error:
        problem = problem or str(error)
    destinations = (pointer.destination,) if pointer.destination else ()
    anchors = tuple(dict.fromkeys((unit.path, pointer.file, *map(str, pointer.above))))
    return Unit(unit.path, anchors, destinations, found, problem, pointer, pointer.name, pointer.problem)
