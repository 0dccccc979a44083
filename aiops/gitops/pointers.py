"""What an Argo CD Application or a Flux Kustomization makes of the folder it deploys.

A pointer may set images, replicas, patches, names and variables on top of what the folder renders.
Source: argo-cd docs/user-guide/kustomize.md, fluxcd kustomize-controller docs/spec/v1/kustomizations.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from aiops.gitops import image_reference, sources
from aiops.gitops.kustomize import COUNTED, rename, set_images, set_replicas
from aiops.gitops.layers import Layer, Updater
from aiops.gitops.nodes import Mapping, Node, Scalar, entries_at, look, text_at
from aiops.gitops.patches import block, elsewhere, listed, patch
from aiops.gitops.rendered import Rendered, placeholder, spot_of
from aiops.gitops.revisions import Standing
from aiops.gitops.snapshot import Snapshot
from aiops.gitops.sources import Part, Source

Path = tuple[str | int, ...]
_DEEPEST = 8  # apps of apps of apps
_MOST = 100  # ways to deploy one object


@dataclass(slots=True)
class Pointer:
    """An Application source or Flux Kustomization that deploys a folder of this repository.

    `variables`: name -> scalar that Flux fills in, None when it fills in nothing; `others`: (kind, name)
    of what may fill in others, in the namespace `home`, the last one wins. `above`: the files of what
    deploys this object in turn.
    `problem`: why an edit of what we read does not reach it; `ours`: it deploys this repository.
    """

    file: str
    document: int
    path: Path
    node: Node
    folder: str
    namespace: str
    destination: str
    name: str = ""
    updaters: list[Updater] = field(default_factory=list)
    source: Source | None = None
    variables: dict[str, Part] | None = None
    others: tuple[tuple[str, str], ...] = ()
    home: str = ""
    above: Path = ()
    problem: str = ""
    ours: bool = True


def of(snapshot: Snapshot, one: Rendered, standing: Standing) -> Iterable[Pointer]:
    """Yield what an object deploys from folders of the repository.

    What deploys a folder of this name from elsewhere is told too: the folder here is not what runs.
    """
    if one.kind == "Application":
        yield from _of_application(snapshot, one, standing)
    elif one.kind == "Kustomization" and text_at(one.node, "apiVersion").startswith(
        "kustomize.toolkit.fluxcd.io/"
    ):
        spec, _ = look(one.node, "spec")
        if spec is None:
            return
        what, source = f"Kustomization/{one.name}", ("kind", "name", "namespace")
        kind, name, namespace = (text_at(spec, "sourceRef", key) for key in source)
        ours, problem = standing.of_flux(what, one, kind, name, namespace or one.namespace)
        folder = snapshot.real(sources.folder(text_at(spec, "path")))
        if not ours and not _is_told(snapshot, folder, standing):
            return
        variables, others = _variables(one, spec)
        yield Pointer(
            one.file,
            one.document,
            ("spec",),
            spec,
            folder,
            text_at(spec, "targetNamespace"),
            "",
            one.name,
            variables=variables,
            others=others,
            home=one.namespace,
            problem=problem,
            ours=ours,
        )


def _of_application(snapshot: Snapshot, one: Rendered, standing: Standing) -> Iterable[Pointer]:
    name = text_at(one.node, "spec", "destination", "name")
    namespace = text_at(one.node, "spec", "destination", "namespace")
    what = f"Application/{one.name}"
    for source in sources.of(snapshot, one):
        at = source.parts[0]
        url = text_at(at.node, "repoURL")
        ours = standing.is_ours(url)
        if at.node is None or not text_at(at.node, "path"):
            continue
        if not ours and not _is_told(snapshot, source.folder, standing):
            continue
        problem = standing.problem(what, text_at(at.node, "targetRevision"))
        if not ours:
            problem = f"{what} deploys it from {sources.address(url)}, which is another repository"
        yield Pointer(
            one.file,
            one.document,
            at.path,
            at.node,
            source.folder,
            namespace,
            name,
            one.name,
            one.updaters,
            source,
            problem=problem,
            ours=ours,
        )


def _is_told(snapshot: Snapshot, folder: str, standing: Standing) -> bool:
    """Tell whether a pointer to elsewhere speaks of a folder here; the root is in every repository."""
    return standing.certain and bool(folder) and folder in snapshot.folders


def chained(found: list[Pointer]) -> list[Pointer]:
    """Return each pointer once for every way it is deployed itself: an app of apps in two clusters.

    What deploys a file is the pointer to the nearest folder that holds it; when that one deploys
    another revision, so does everything below it.
    """
    by_folder: dict[str, list[Pointer]] = {}
    for one in found:
        by_folder.setdefault(one.folder, []).append(one)
    return [
        replace(one, above=tuple(each.file for each in chain), problem=_problem((one, *chain)))
        for one in found
        for chain in _chains(one, by_folder, ())
    ]


def _problem(chain: tuple[Pointer, ...]) -> str:
    return next((one.problem for one in chain if one.problem), "")


def _chains(
    one: Pointer, by_folder: dict[str, list[Pointer]], seen: tuple[str, ...]
) -> list[tuple[Pointer, ...]]:
    holding: list[Pointer] = []
    for folder in sources.above(one.file):
        holding = [each for each in by_folder.get(folder, ()) if each.file not in {one.file, *seen}]
        if holding:
            break
    if not holding or len(seen) >= _DEEPEST:
        return [()]
    found: dict[tuple[str, ...], tuple[Pointer, ...]] = {}
    for each in holding:
        for rest in _chains(each, by_folder, (*seen, one.file)):
            chain = (each, *rest)
            found.setdefault((*(step.file for step in chain), _problem(chain)), chain)
    return list(found.values())[:_MOST]


def _variables(one: Rendered, spec: Node) -> tuple[dict[str, Part] | None, tuple[tuple[str, str], ...]]:
    build, _ = look(spec, "postBuild")
    if not isinstance(build, Mapping):
        return None, ()
    inline, _ = look(build, "substitute")
    pairs = inline.pairs if isinstance(inline, Mapping) else []
    found = {
        key.value: Part(one.file, one.document, ("spec", "postBuild", "substitute", key.value), value)
        for key, value in pairs
        if isinstance(key, Scalar)
    }
    entries = entries_at(build, "substituteFrom")
    return found, tuple((text_at(entry, "kind"), text_at(entry, "name")) for entry in entries)


def deployed(snapshot: Snapshot, objects: list[Rendered], pointer: Pointer) -> list[Rendered]:
    """Return the objects of a kustomization as one pointer deploys them."""
    found = [one.copy() for one in objects]
    for one in found:
        one.updaters = pointer.updaters
    if pointer.problem:  # before what the pointer itself sets: that stands here and counts
        elsewhere(found, pointer.problem)
    return (
        _by_flux(snapshot, found, pointer) if pointer.source is None else _by_argo(snapshot, found, pointer)
    )


def _by_flux(snapshot: Snapshot, found: list[Rendered], pointer: Pointer) -> list[Rendered]:
    where = {"document": pointer.document, "prefix": pointer.path}
    keys = ("patchesStrategicMerge", "patches", "patchesJson6902")
    found = patch(found, listed(snapshot, pointer.file, pointer.node, *keys, **where))  # type: ignore[arg-type]
    for one in found:
        one.namespace = pointer.namespace or one.namespace
        images = tuple(container.image for container in one.containers)
        kind = "Flux Kustomization"
        one.layers.append(Layer(pointer.file, pointer.document, pointer.path, kind, images, ""))
    if entries_at(pointer.node, "components"):
        for one in found:
            block(one, f"components of {pointer.file} may set it")
    set_images(found, pointer.file, pointer.document, pointer.path, pointer.node)
    return found


def _by_argo(snapshot: Snapshot, found: list[Rendered], pointer: Pointer) -> list[Rendered]:
    source = pointer.source
    assert source is not None  # noqa: S101 - the caller asked
    broken = next((part.problem for part in source.parts if part.problem), "")
    if broken:
        for one in found:
            block(one, broken)
    part = source.at("kustomize")
    for one in found:
        one.namespace = one.namespace or pointer.namespace
    for key in ("patches",):
        at = source.at("kustomize", key)
        root = _holding(key, at)
        found = patch(found, listed(snapshot, at.file, root, key, document=at.document, prefix=at.path[:-1]))
    rename(found, part.node)
    for one in found:
        images = tuple(container.image for container in one.containers)
        name = one.name if one.kind in COUNTED else ""
        where = source.at("kustomize", "images")
        one.layers.append(
            Layer(where.file, where.document, where.path[:-1], "Application", images, name, strings=True)
        )
    at = source.at("kustomize", "replicas")
    set_replicas(found, at.file, at.document, at.path[:-1], _holding("replicas", at))
    _strings(found, source.at("kustomize", "images"))
    return found


def _holding(key: str, part: Part) -> Node | None:
    name = Scalar(key, "", "", "", 0, 0, 0)
    return Mapping("", "", 0, pairs=[(name, part.node)]) if part.node is not None else None


def _strings(found: list[Rendered], part: Part) -> None:
    """Let `images` of an Application win: texts `[old=]name[:tag][@digest]`."""
    for index, entry in enumerate(entries_at(part.node)):
        text = text_at(entry)
        old, equals, new = text.partition("=")
        parsed = image_reference.parse(new if equals else text)
        name = old if equals else (parsed.name if parsed else text)
        spot = spot_of(part.file, part.document, (*part.path, index), entry, "Application images")
        for one in found:
            for container in one.containers:
                if container.image != name:
                    continue
                if parsed is None:
                    why = placeholder(text) or "not an image reference by the OCI grammar"
                    container.spots.append(replace(spot, problem=spot.problem or why))
                    continue
                container.image = parsed.name
                if parsed.version:
                    container.version = parsed.version
                    container.spots.append(spot)
