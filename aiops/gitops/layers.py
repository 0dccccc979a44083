"""What may be written above an object: kustomization entries, Helm values; and who else writes tags."""

from __future__ import annotations

from dataclasses import dataclass, field

from aiops.gitops.nodes import Mapping, Node
from aiops.gitops.snapshot import Spot


@dataclass(frozen=True, slots=True)
class Layer:
    """A place above an object where an `images` or `replicas` entry would win over all below.

    `images`: the image name of each container below this layer; `name`: the name of the object
    there, "" when this layer cannot set replicas. `strings`: entries are `name:tag` texts.
    """

    file: str
    document: int
    prefix: tuple[str | int, ...]
    kind: str
    images: tuple[str, ...]
    name: str
    strings: bool = False

    @property
    def key(self) -> tuple[str, int, tuple[str | int, ...]]:
        """What makes two layers the same place."""
        return (self.file, self.document, self.prefix)


@dataclass(slots=True)
class Values:
    """One layer of Helm values, or one patch of it: a mapping at `prefix` of a document.

    `creatable`: nothing stands at `prefix` yet, and a key may be written there.
    """

    file: str
    document: int
    prefix: tuple[str | int, ...]
    node: Node | None
    kind: str
    problem: str = ""
    creatable: bool = False


@dataclass(frozen=True, slots=True)
class Opening:
    """A layer of Helm values in which a key may be written; it wins over all layers of lower rank.

    `path`: of the new scalar in the document; `parameter`: its name when that is a parameter.
    """

    file: str
    document: int
    prefix: tuple[str | int, ...]
    path: tuple[str | int, ...]
    kind: str
    rank: int
    parameter: str = ""

    @property
    def key(self) -> tuple[str, int, tuple[str | int, ...]]:
        """What makes two openings the same place."""
        return (self.file, self.document, self.prefix)


@dataclass(frozen=True, slots=True)
class Updater:
    """What argocd-image-updater was told about an Application: (alias, image) pairs, and where.

    `path`: of the annotations, or of the list of images. `method`: `argocd` or `git...`.
    """

    owner: str
    file: str
    document: int
    path: tuple[str | int, ...]
    images: tuple[tuple[str, str], ...]
    method: str


@dataclass(slots=True)
class Release:
    """One Helm release and its layers of values, lowest first.

    `parameters`: (dotted path, spot) that override every layer. `writable`: where a parameter may
    be added (file, document, path to the list, its length), None where there is no such list.
    `folder`: of the chart, None when it is not in this repository.
    """

    name: str
    chart: str
    namespace: str
    file: str
    document: int
    layers: list[Values]
    parameters: list[tuple[str, Spot]] = field(default_factory=list)
    updaters: list[Updater] = field(default_factory=list)
    writable: tuple[str, int, tuple[str | int, ...], int] | None = None
    folder: str | None = None

    def openings(self, path: tuple[str | int, ...]) -> list[Opening]:
        """Return where a path may be written, by rank: the layers that can be read, then a parameter."""
        found = [
            Opening(one.file, one.document, one.prefix, (*one.prefix, *path), one.kind, rank)
            for rank, one in enumerate(self.layers)
            if not one.problem and (isinstance(one.node, Mapping) or one.creatable)
        ]
        if self.writable is not None:
            file, document, prefix, count = self.writable
            full = (*prefix, count, "value")
            kind, rank = "Application parameter", len(self.layers)
            found.append(Opening(file, document, prefix, full, kind, rank, ".".join(map(str, path))))
        return found
