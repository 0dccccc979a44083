"""What may be written above an object: kustomization entries, Helm values; and who else writes tags."""

from __future__ import annotations

from dataclasses import dataclass

from aiops.gitops.nodes import Node


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
