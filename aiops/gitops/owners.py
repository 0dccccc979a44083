"""Who would set an image tag again after a rollback, and the one change that stops it.

Flux image automation writes where a marker comment stands; argocd-image-updater where annotations
of the Application or an ImageUpdater object say; Kargo promotes to what a stage is authorized for, or
writes what the steps of a Stage say (`kargo`).
Renovate and Dependabot open pull requests, which people may decline: they are named, and nothing is
pinned for them. Their settings may be JSON5, presets of other repositories, or both.
Source: docs.renovatebot.com/configuration-options, fluxcd.io/flux/guides/image-update,
argocd-image-updater configuration/images (v0, v1), kargo docs
user-guide/how-to-guides/argo-cd-integration.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Collection

from aiops.domain import Pin, Place
from aiops.errors import EditRefused
from aiops.gitops import image_reference
from aiops.gitops.kargo import Promotions
from aiops.gitops.layers import Updater
from aiops.gitops.nodes import Mapping, Node, Scalar, Sequence, entries_at, look, text_at
from aiops.gitops.rendered import Container, Rendered
from aiops.gitops.snapshot import Snapshot

_PREFIX = "argocd-image-updater.argoproj.io/"
_KARGO = "kargo.akuity.io/authorized-stage"
_PROMOTED = "promotion"
_RENOVATE = ("renovate.json", "renovate.json5")
_BOTS = {
    **dict.fromkeys(
        (*_RENOVATE, *(f"{folder}/{name}" for folder in (".github", ".gitlab") for name in _RENOVATE)),
        "Renovate",
    ),
    **dict.fromkeys((".renovaterc", ".renovaterc.json", ".renovaterc.json5"), "Renovate"),
    **dict.fromkeys((".github/dependabot.yml", ".github/dependabot.yaml"), "Dependabot"),
}


def bots(paths: Collection[str]) -> tuple[str, ...]:
    """Return the bots that may propose a newer tag again, each with the file of its settings."""
    return tuple(f"{name} ({path})" for path, name in _BOTS.items() if path in paths)


def updaters(application: Rendered, objects: list[Rendered]) -> list[Updater]:
    """Return what argocd-image-updater was told about an Application, by annotation or object."""
    found = []
    annotations, _ = look(application.node, "metadata", "annotations")
    stage = text_at(annotations, _KARGO)
    if stage:
        at = (application.file, application.document, (*application.root, "metadata", "annotations"))
        found.append(Updater(f"Kargo stage {stage[:80]}", *at, (), _PROMOTED))
    listed = text_at(annotations, f"{_PREFIX}image-list")
    if isinstance(annotations, Mapping) and listed:
        where = (application.file, application.document, (*application.root, "metadata", "annotations"))
        images = tuple(_alias(one) for one in listed.split(",") if one.strip())
        method = text_at(annotations, f"{_PREFIX}write-back-method") or "argocd"
        found.append(Updater("argocd-image-updater", *where, images, method))
    for one in objects:
        for index, reference in enumerate(entries_at(one.node, "spec", "applicationRefs")):
            if fnmatch.fnmatchcase(application.name, text_at(reference, "namePattern") or "\0"):
                found.append(_of_object(one, index, reference))
    return found


def _of_object(one: Rendered, index: int, reference: Node) -> Updater:
    images = tuple(
        (str(number), text_at(image, "imageName"))
        for number, image in enumerate(entries_at(reference, "images"))
    )
    method = (
        text_at(reference, "writeBackConfig", "method")
        or text_at(one.node, "spec", "writeBackConfig", "method")
        or "argocd"
    )
    path = ("spec", "applicationRefs", index, "images")
    return Updater(f"ImageUpdater/{one.name}", one.file, one.document, path, images, method)


def _alias(text: str) -> tuple[str, str]:
    """Return (alias, image) of `[alias=]name[:constraint]`; "" when there is no alias."""
    alias, equals, image = text.strip().rpartition("=")
    return (alias.strip() if equals else "", image.strip())


def refuse_promoted(promotions: Promotions, container: Container, place: Place) -> None:
    """Raise EditRefused when a promotion of Kargo writes the place: it would set the tag again."""
    found = promotions.writing(place, container.image)
    if found is not None:
        raise _promoted(f"Kargo stage {found.stage[:80]}")


def _promoted(owner: str) -> EditRefused:
    return EditRefused(
        f"owned by {owner}: the next promotion would set the tag again",
        todo="promote the earlier freight to this stage",
    )


def of_image(
    snapshot: Snapshot, workload: Rendered, container: Container, place: Place
) -> tuple[str | None, tuple[Pin, ...]]:
    """Return the owner of an image tag and what a rollback changes beside it.

    Raises EditRefused when the tag in git is not what counts, or cannot be made to stay.
    """
    policy = snapshot.image_policy(place)
    if policy:
        lift = f"put the comment that names {policy} back behind the value"
        return policy, (Pin(policy, "marker", place.file, place.document, place.path, lift),)
    for one in workload.updaters:
        if one.method == _PROMOTED:
            raise _promoted(one.owner)
        if not container.image:
            raise EditRefused(f"{one.owner} may own it: the name of the image is not in this repository")
        for alias, image in one.images:
            name = image.partition(":")[0] if "/" not in image.rpartition(":")[2] else image
            if image_reference.same_image(_bare(name, image), container.image):
                return one.owner, (_ignore(snapshot, one, alias),)
    return None, ()


def _bare(name: str, image: str) -> str:
    """Return an image without its constraint (`reg:5000/web:~1.2` is `reg:5000/web`)."""
    head, colon, tail = image.rpartition(":")
    return head if colon and "/" not in tail else (name if "/" not in image else image)


def _ignore(snapshot: Snapshot, one: Updater, alias: str) -> Pin:
    if not one.method.startswith("git"):
        raise EditRefused(
            f"owned by {one.owner} with write-back method {one.method[:20]}: the tag it writes into the"
            " cluster wins over git",
            todo="use write-back-method git",
        )
    if one.path[-1] == "annotations":
        if not alias:
            raise EditRefused(
                f"owned by {one.owner}, which would set the tag again; the image has no alias to ignore it by"
            )
        path: tuple[str | int, ...] = (*one.path, f"{_PREFIX}{alias}.ignore-tags")
    else:
        tags = (*one.path, int(alias), "commonUpdateSettings", "ignoreTags")
        documents = snapshot.nodes(one.file)
        listed, _ = look(documents[one.document], *tags)
        path = (*tags, len(listed.entries) if isinstance(listed, Sequence) else 0)
    return Pin(
        one.owner, "ignore", one.file, one.document, path, "take the tag out of the ignored tags again"
    )


def ignored(node: Node | None, path: tuple[str | int, ...]) -> Scalar | None:
    """Return the scalar that lists ignored tags, None when it is not written yet."""
    found, _ = look(node, *path)
    return found if isinstance(found, Scalar) else None
