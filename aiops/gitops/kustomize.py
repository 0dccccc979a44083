"""Kustomizations, rendered symbolically: which scalar wins for each object of a folder.

Order of a layer, as kustomize runs it: resources, components, strategic merge patches, patches,
namespace, prefix, suffix, JSON 6902 patches, replicas, images, replacements.
Source: kustomize api/internal/target/kusttarget_configplugin.go. Plug-ins and remote bases are
never run or fetched: what they might set is a problem, what they might add is not seen.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace

from aiops.errors import EditRefused
from aiops.gitops import helm, image_reference, releases
from aiops.gitops.layers import Layer
from aiops.gitops.nodes import Mapping, Node, Scalar, Sequence, entries_at, look, text_at
from aiops.gitops.patches import MAX_STEPS, Patch, block, block_images, listed, matches, patch
from aiops.gitops.rendered import Container, Rendered, number, objects, placeholder, spot_of
from aiops.gitops.replacements import ConfigMapFiles, Entry, Replacing
from aiops.gitops.snapshot import Snapshot, Spot
from aiops.gitops.sources import Part

MAX_LAYERS = 32
MAX_OBJECTS = 5_000  # bases that include each other twice grow without bound
# The kinds whose spec.replicas the replicas field reaches (kustomize replicas.md); a Rollout is not one.
COUNTED = frozenset({"Deployment", "StatefulSet"})
_LABELS = re.compile(r"(?:^|/)(?:labels|annotations|matchLabels|selector)$")


class Renderer:
    """Renders folders of one snapshot; keeps what was rendered."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._done: dict[str, list[Rendered]] = {}
        self._refused: dict[str, EditRefused] = {}
        self.referenced: set[str] = set()  # folders that another kustomization builds on
        self.components: set[str] = set()  # folders whose kustomization is a component
        self.used: set[str] = set()  # files that belong to a kustomization
        self.replacing = Replacing()

    def render(self, folder: str, above: tuple[str, ...] = ()) -> list[Rendered]:
        """Return the objects of a folder that has a kustomization. Raises EditRefused."""
        if folder in above:
            raise EditRefused("kustomizations build on each other in a circle", where=folder or ".")
        if len(above) >= MAX_LAYERS:
            raise EditRefused(
                f"expected at most {MAX_LAYERS} kustomizations on top of each other", where=folder
            )
        if folder in self._refused:
            raise self._refused[folder]
        if folder not in self._done:
            try:
                file, root = self._kustomization(folder)
                self._done[folder] = self._layer([], folder, file, root, above)
            except EditRefused as error:
                if not above:  # below others it may be they who go in a circle, or are too many
                    self._refused[folder] = error
                raise
        return [found.copy() for found in self._done[folder]]

    def _kustomization(self, folder: str) -> tuple[str, Node | None]:
        file = self._snapshot.kustomization(folder)
        if file is None:
            raise EditRefused("has no kustomization.yaml", where=folder or ".")
        self.used.add(file)
        documents = self._snapshot.nodes(file) or (None,)
        if any(root is not None for root in documents[1:]) or not isinstance(documents[0], Mapping):
            raise EditRefused("expected one document with keys", where=file)
        if documents[0].merges:
            raise EditRefused("a merge key (<<) may supply anything here", where=file)
        if text_at(documents[0], "kind") == "Component":
            self.components.add(folder)
        return file, documents[0]

    def _layer(
        self, below: list[Rendered], folder: str, file: str, root: Node | None, above: tuple[str, ...]
    ) -> list[Rendered]:
        """Return the objects below, plus those of this kustomization, after its transformations."""
        snapshot = self._snapshot
        found = below + self._resources(folder, file, root, above)
        for entry in entries_at(root, "components"):
            part = self._join(folder, text_at(entry))
            if part is None or part in above:
                raise EditRefused("a component that is not in this repository may set anything", where=file)
            self.referenced.add(part)
            component_file, component = self._kustomization(part)
            found = self._layer(found, part, component_file, component, (*above, folder))
        if len(found) > MAX_OBJECTS:
            raise EditRefused(f"renders more than {MAX_OBJECTS} objects", where=file)
        found += self._generated(folder, file, root)
        early = listed(snapshot, file, root, "patchesStrategicMerge", "patches", folder=folder)
        late = listed(snapshot, file, root, "patchesJson6902", folder=folder)
        self.used.update(one.file for one in (*early, *late))
        found = patch(found, early)
        names = {id(one): one.name for one in found}
        rename(found, root)
        found = patch(found, late)
        for one in found:
            images = tuple(container.image for container in one.containers)
            name = names[id(one)] if one.kind in COUNTED else ""
            one.layers = [Layer(file, 0, (), "kustomization", images, name)]
        set_replicas(found, file, 0, (), root)
        set_images(found, file, 0, (), root)
        self._replace(found, folder, file, root, (*early, *late))
        return found

    def _resources(self, folder: str, file: str, root: Node | None, above: tuple[str, ...]) -> list[Rendered]:
        found: list[Rendered] = []
        for key in ("resources", "bases"):
            for entry in entries_at(root, key):
                path = self._join(folder, text_at(entry))
                if path is None:
                    continue  # a remote base, or outside of the repository: its objects are not ours to edit
                if path in self._snapshot.folders:
                    self.referenced.add(path)
                    found.extend(self.render(path, (*above, folder)))
                elif self._snapshot.exists(path):
                    self.used.add(path)
                    found.extend(self._file(path))
                if len(found) > MAX_OBJECTS:
                    raise EditRefused(f"renders more than {MAX_OBJECTS} objects", where=folder)
        made = releases.of_kustomization(self._snapshot, folder, file, root)
        self.used.update(layer.file for release in made for layer in release.layers)
        return found + [one for release in made for one in helm.expand(release)]

    def _file(self, path: str) -> list[Rendered]:
        try:
            return objects(path, self._snapshot.nodes(path)) if self._snapshot.is_relevant(path) else []
        except EditRefused as error:
            self._snapshot.refuse(path, error)  # a search for the workload tells it
            return []

    def _generated(self, folder: str, file: str, root: Node | None) -> list[Rendered]:
        """Return the ConfigMaps that are generated from files: they may hold Helm values."""
        found = []
        for entry in entries_at(root, "configMapGenerator"):
            made = Rendered("ConfigMap", [text_at(entry, "name")], text_at(entry, "namespace"), file, 0)
            for name in (text_at(one) for one in entries_at(entry, "files")):
                key, equals, path = name.partition("=")
                full = self._join(folder, path if equals else key)
                if full is not None and self._snapshot.exists(full):
                    made.files[key if equals else posixpath.basename(key)] = full
                    self.used.add(full)
            found.append(made)
        return found

    def _replace(
        self, found: list[Rendered], folder: str, file: str, root: Node | None, patches: tuple[Patch, ...]
    ) -> None:
        """Let `replacements` win; mark what `transformers` may set, which are not evaluated."""
        paths = (self._join(folder, text_at(one)) for one in entries_at(root, "resources"))
        beside = ConfigMapFiles(self._snapshot, (one for one in paths if one is not None))

        def config_map(name: str) -> Part:
            asked = Rendered("ConfigMap", [name], "", file, 0)
            generated = (text_at(one, "name") for one in entries_at(root, "configMapGenerator"))
            others = entries_at(root, "components") or any(matches(one, asked) for one in patches)
            if others or name in generated:
                return Part(file, 0, (), None, "something else may change")
            return beside.find(name)

        self.replacing.apply(found, file, self._replacements(folder, file, root), config_map)
        if not all(self._only_labels(folder, entry) for entry in entries_at(root, "transformers")):
            for one in found:
                block(one, f"transformers of {file} may set it")

    def _replacements(self, folder: str, file: str, root: Node | None) -> Iterator[Entry]:
        """Yield each replacement: inline, or of a file that holds one or a list of them."""
        for index, entry in enumerate(entries_at(root, "replacements")):
            path = self._join(folder, text_at(entry, "path")) if text_at(entry, "path") else None
            if path is None:
                yield Entry(file, 0, ("replacements", index), entry)
                continue
            self.used.add(path)
            for document, node in enumerate(self._snapshot.nodes(path)):
                listed_ = enumerate(node.entries) if isinstance(node, Sequence) else ()
                yield from (Entry(path, document, (number,), one) for number, one in listed_)
                if isinstance(node, Mapping):
                    yield Entry(path, document, (), node)

    def _only_labels(self, folder: str, entry: Node) -> bool:
        """Tell whether a transformer is one of kustomize's own that writes labels or annotations."""
        path = self._join(folder, text_at(entry))
        if path is None or not self._snapshot.exists(path):
            return False
        self.used.add(path)
        return all(
            text_at(root, "apiVersion") == "builtin"
            and text_at(root, "kind") in {"LabelTransformer", "AnnotationsTransformer"}
            and all(_LABELS.search(text_at(spec, "path")) for spec in entries_at(root, "fieldSpecs"))
            for root in self._snapshot.nodes(path)
            if root is not None
        )

    def _join(self, folder: str, entry: str) -> str | None:
        path = _joined(folder, entry)
        return path if path is None else self._snapshot.real(path)


def _joined(folder: str, entry: str) -> str | None:
    """Return the path in the repository that an entry means, None for remote and outside ones."""
    if not entry or "://" in entry or entry.startswith(("/", "git@")) or "?" in entry or "\0" in entry:
        return None
    path = posixpath.normpath(posixpath.join(folder, entry))
    if path == ".." or path.startswith("../"):
        return None
    return "" if path == "." else path


def rename(found: list[Rendered], root: Node | None) -> None:
    """Set the namespace, and add prefix and suffix to the names."""
    namespace, prefix, suffix = (text_at(root, key) for key in ("namespace", "namePrefix", "nameSuffix"))
    for one in found:
        one.namespace = namespace or one.namespace
        if prefix or suffix:
            one.names.append(f"{prefix}{one.name}{suffix}")


def set_replicas(
    found: list[Rendered], file: str, document: int, prefix: tuple[str | int, ...], root: Node | None
) -> None:
    """Let the entries of a `replicas` list win over what was set before."""
    if len(found) * len(entries_at(root, "replicas")) > MAX_STEPS:
        for one in found:
            block(one, f"more `replicas` than can be compared may set it ({file})")
        return
    for index, entry in enumerate(entries_at(root, "replicas")):
        name = text_at(entry, "name")
        count, why = look(entry, "count")
        for one in found:
            if one.kind in COUNTED and name in one.names and (count is not None or why):
                path = (*prefix, "replicas", index, "count")
                spot = number(file, document, path, count, "kustomization replicas", why)
                one.numbers.setdefault("replicas", []).append(spot)


def set_images(
    found: list[Rendered], file: str, document: int, prefix: tuple[str | int, ...], root: Node | None
) -> None:
    """Let the entries of an `images` list win over what was set before, in their order."""
    containers = [container for one in found for container in one.containers]
    if len(containers) * len(entries_at(root, "images")) > MAX_STEPS:
        block_images(containers, f"more `images` than can be compared may set it ({file})")
        return
    for index, entry in enumerate(entries_at(root, "images")):
        path = (*prefix, "images", index)
        for one in found:
            for container in one.containers:
                if container.image and container.image == text_at(entry, "name"):
                    _set_image(container, file, document, path, entry)


def _set_image(
    container: Container, file: str, document: int, path: tuple[str | int, ...], entry: Node
) -> None:
    kind = "kustomization images"
    name, name_why = look(entry, "newName")
    tag, tag_why = look(entry, "newTag")
    digest, digest_why = look(entry, "digest")
    why = name_why or tag_why or digest_why
    if isinstance(name, Scalar) and name.value:
        container.image = name.value
        if not image_reference.is_name(name.value):
            why = why or placeholder(name.value) or "newName is not an image name"
    if look(entry, "tagSuffix")[0] is not None:
        why = why or "a tagSuffix is added to the tag"
    key, winner = ("digest", digest) if digest is not None else ("newTag", tag)
    if isinstance(winner, Scalar) and winner.value:
        container.version = winner.value
        why = why or placeholder(winner.value)
        if not why and not image_reference.is_version(winner.value):
            why = f"{key} is not a tag or digest by the OCI grammar"
        spot = spot_of(file, document, (*path, key), winner, kind, why)
        if key == "digest" and isinstance(tag, Scalar) and tag.value:
            container.version = f"{tag.value}@{winner.value}"
            spot = replace(spot, beside=(*path, "newTag"))
        container.spots.append(spot)
    elif why:
        container.spots.append(Spot(file, document, path, "", kind, why))
