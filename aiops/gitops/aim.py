"""Where to write a key or list entry, when the place that wins also counts for other workloads.

Comes in: the object, the field and the scalar that wins. Goes out: the lowest place above it that
counts for this object alone, or None. Whether it really wins, and for nobody else, is proved later
on the changed repository (`edits`), so this may be wrong without harm.
"""

from __future__ import annotations

from aiops.domain import FieldName, Insertion
from aiops.gitops import image_reference, patch_entry
from aiops.gitops.inside import INSIDE
from aiops.gitops.layers import Layer
from aiops.gitops.nodes import Node, entries_at, look, text_at
from aiops.gitops.rendered import NUMBERS, POD_SPEC, Rendered
from aiops.gitops.repository_map import RepositoryMap
from aiops.gitops.snapshot import Spot
from aiops.gitops.units import Unit

Found = tuple[Unit, Rendered]
Path = tuple[str | int, ...]
NATIVE = POD_SPEC.keys() - {"Rollout"}  # kustomize merges their containers by name


def above(repository: RepositoryMap, holder: Rendered, field: FieldName, spot: Spot) -> Insertion | None:
    """Return where an entry would win over `spot` for `holder` alone, None when nowhere."""
    for layer in holder.layers:
        found = _entry(repository, layer, holder, field, spot)
        if found is not None:
            return found
    for layer in holder.layers:
        found = _patch(repository, layer, holder, field, spot)
        if found is not None:
            return found
    return _value(repository, holder, field, spot)


def _entry(
    repository: RepositoryMap, layer: Layer, holder: Rendered, field: FieldName, spot: Spot
) -> Insertion | None:
    """Return the `images` or `replicas` entry of a kustomization that sets the field."""
    below = repository.above.get(layer.key, [])
    documents = repository.snapshot.nodes(layer.file)
    root, _ = look(documents[layer.document], *layer.prefix)
    if field == "replicas":
        same = [one for one in below if layer.name and layer.name in one.names]
        alone = [one is holder for one in same] == [True]
        return _listed(layer, root, "replicas", layer.name, "count") if alone else None
    image = _image(layer, below, holder, spot)
    if field not in {"image.tag", "image.digest"} or not image:
        return None
    if layer.strings:
        path = (*layer.prefix, "images", len(entries_at(root, "images")))
        return Insertion(layer.file, layer.document, path, image, layer.kind)
    return _listed(layer, root, "images", image, "digest" if field == "image.digest" else "newTag")


def _image(layer: Layer, below: list[Rendered], holder: Rendered, spot: Spot) -> str:
    """Return the image name an entry would match, "" when it would match other containers too."""
    mine = [index for index, one in enumerate(holder.containers) if spot in one.spots[-1:]]
    if len(mine) != 1 or mine[0] >= len(layer.images):
        return ""
    image = layer.images[mine[0]]
    others = any(image in _images(one, layer) for one in below if one is not holder)
    return "" if others or layer.images.count(image) > 1 else image


def _patch(
    repository: RepositoryMap, layer: Layer, holder: Rendered, field: FieldName, spot: Spot
) -> Insertion | None:
    """Return a new patch in a kustomization, for the one object it would match by kind and name."""
    plain = layer.kind == "kustomization" and not holder.release
    if not plain or not spot.file or holder.kind not in {*POD_SPEC, *NUMBERS}:
        return None
    name = holder.names[0]
    same = [
        one for one in repository.above.get(layer.key, []) if one.kind == holder.kind and name in one.names
    ]
    documents = repository.snapshot.nodes(holder.file)
    written, _ = look(documents[holder.document], *holder.root)
    if [one is holder for one in same] != [True] or text_at(written, "metadata", "name") != name:
        return None
    path: Path | None = NUMBERS.get(holder.kind, {}).get(field)
    container = ""
    if field in {"image.tag", "image.digest"}:
        container, path = _patched(holder, spot)
    api_version, namespace = text_at(written, "apiVersion"), text_at(written, "metadata", "namespace")
    if path is None or not api_version:
        return None
    entry = patch_entry.Named(api_version, holder.kind, namespace, name, container).entry
    root, _ = look(repository.snapshot.nodes(layer.file)[layer.document], *layer.prefix)
    at = (*layer.prefix, "patches", len(entries_at(root, "patches")), "patch", INSIDE, *path)
    return Insertion(layer.file, layer.document, at, entry, patch_entry.KIND)


def _patched(holder: Rendered, spot: Spot) -> tuple[str, Path | None]:
    """Return the container whose image a scalar holds, and the path of its image in a patch.

    Only one that is alone in its list: kustomize moves a container that a patch names to the front.
    """
    mine = [one for one in holder.containers if spot in one.spots[-1:]]
    reference = image_reference.stands_in(spot.path, spot.value)
    if len(mine) != 1 or reference is None or mine[0].image != reference.name:
        return "", None
    if holder.kind not in NATIVE or sum(one.init == mine[0].init for one in holder.containers) > 1:
        return "", None
    part = "initContainers" if mine[0].init else "containers"
    return mine[0].name, (*POD_SPEC[holder.kind], part, 0, "image")


def _listed(layer: Layer, root: Node | None, key: str, name: str, value: str) -> Insertion | None:
    """Return the key of the entry with this name, or of a new entry behind the last one."""
    entries = entries_at(root, key)
    index = next((n for n, one in enumerate(entries) if text_at(one, "name") == name), len(entries))
    if index < len(entries) and look(entries[index], value) != (None, ""):
        return None
    entry = name if index == len(entries) else ""
    return Insertion(layer.file, layer.document, (*layer.prefix, key, index, value), entry, layer.kind)


def _images(one: Rendered, layer: Layer) -> tuple[str, ...]:
    return next((other.images for other in one.layers if other.key == layer.key), ())


def _value(repository: RepositoryMap, holder: Rendered, field: FieldName, spot: Spot) -> Insertion | None:
    """Return the key in a layer of Helm values that only this release reads."""
    key = "image" if field in {"image.tag", "image.digest"} else field
    openings = holder.openings.get(key, [])
    rank = next((one.rank for one in openings if (one.file, one.path) == (spot.file, spot.path)), -1)
    for one in openings:
        if one.rank <= rank or len(repository.openings.get(one.key, ())) != 1:
            continue
        return Insertion(one.file, one.document, one.path, one.parameter, one.kind)
    return None
