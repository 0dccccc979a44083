"""Where one field of one workload lives: the places that set it, the one that wins, who owns it.

Comes in: the files of one commit, a workload as the metrics name it, a field. Goes out: a
`Target` with a winner, or with a refusal of one line. History is added by `past.values`.
"""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import get_args

from aiops.domain import FieldName, Place, Target, Workload
from aiops.errors import EditRefused
from aiops.gitops import image_reference
from aiops.gitops.clusters import Cluster, covers, holds, known
from aiops.gitops.rendered import POD_SPEC, Container, Rendered
from aiops.gitops.repository_map import RepositoryMap, Unit, read
from aiops.gitops.snapshot import Spot
from aiops.ports import Files

FIELDS: tuple[FieldName, ...] = get_args(FieldName)
_AUTOSCALERS = ("HorizontalPodAutoscaler", "ScaledObject")
Found = tuple[Unit, Rendered]


def resolve(
    files: Files,
    workload: Workload,
    field: FieldName,
    clusters: Sequence[Cluster] = (),
    image: str | None = None,
) -> Target:
    """Find the scalar that sets `field` of `workload` at this commit.

    `image`: the image that runs, as metrics write it; it tells several containers apart.
    The target has no history. `winner` is None exactly when `refusal` says why.
    """
    repository = read(files)
    places: tuple[Place, ...] = ()
    owner: str | None = None
    notes: tuple[tuple[str, str], ...] = ()
    try:
        own = _own(workload, clusters)
        unit, rendered = _choose(repository, workload, own)
        notes = tuple(sorted(rendered.annotations.items()))
        autoscaler = _autoscaler(repository, own, (unit, rendered), workload.cluster)
        owner = _owner(rendered, autoscaler, field)
        spots = _spots(rendered, autoscaler, field, image)
        places = _places(repository, spots)
        place = repository.snapshot.place(spots[-1])
        owner = owner or repository.snapshot.image_policy(place)
        _check_value(field, place)
        _check_owner(field, owner)
        holder = autoscaler if autoscaler and field.startswith("hpa.") else rendered
        _check_reach(repository, unit, holder, spots[-1])
    except EditRefused as error:
        return Target(workload, field, places, None, owner, (), str(error), notes)
    return Target(workload, field, places, place, owner, (), None, notes)


def workloads(
    files: Files, clusters: Sequence[Cluster] = ()
) -> tuple[tuple[Workload, tuple[Target, ...]], ...]:
    """Return every workload of the repository with the targets that make sense for it, sorted.

    Autoscaler bounds are listed only where an autoscaler is, `replicas` only where it can be set.
    """
    repository = read(files)
    found: dict[Workload, tuple[Target, ...]] = {}
    for unit in repository.units:
        for cluster in known(clusters):
            if not _deploys(unit, cluster):
                continue
            for one in unit.objects:
                if not _is_workload(one):
                    continue
                workload = Workload(cluster.name, one.namespace, one.kind, one.name)
                if workload not in found:
                    fields = _fields(repository, cluster, (unit, one))
                    found[workload] = tuple(resolve(files, workload, name, clusters) for name in fields)
    return tuple(sorted(found.items()))


def _fields(repository: RepositoryMap, cluster: Cluster, found: Found) -> tuple[FieldName, ...]:
    one = found[1]
    digest = any(":" in container.version for container in one.containers)
    image: FieldName = "image.digest" if digest else "image.tag"
    if one.kind in {"DaemonSet", "Job", "CronJob"}:
        return (image,)
    try:
        scaled = _autoscaler(repository, [cluster], found, cluster.name) is not None
    except EditRefused:
        scaled = True
    return (image, "replicas", "hpa.min", "hpa.max") if scaled else (image, "replicas")


def _is_workload(one: Rendered) -> bool:
    return one.kind in POD_SPEC or one.kind == ""


def _deploys(unit: Unit, cluster: Cluster) -> bool:
    return covers(cluster, unit.anchors) or (bool(cluster.name) and cluster.name in unit.destinations)


def _own(workload: Workload, clusters: Sequence[Cluster]) -> list[Cluster]:
    own = [cluster for cluster in known(clusters) if holds(cluster, workload)]
    if not own:
        raise EditRefused(
            f"no cluster in `clusters` matches cluster={workload.cluster!r}",
            todo="add it to `clusters` in aiops.yaml",
        )
    return own


def _choose(repository: RepositoryMap, workload: Workload, own: Sequence[Cluster]) -> Found:
    """Return the one object that is the workload. Raises EditRefused: none, or several."""
    found = [
        (unit, one)
        for unit, one in repository.named.get(workload.name, [])
        if _is_called(one, workload) and any(_deploys(unit, cluster) for cluster in own)
    ]
    exact = [(unit, one) for unit, one in found if one.namespace == workload.namespace]
    found = exact or found
    if not found:
        raise EditRefused(_absent(repository, workload, own), where=str(workload))
    if len(found) > 1:
        # Without `clusters`, a folder that is called like the cluster tells overlays apart.
        named = [(unit, one) for unit, one in found if _names_cluster(unit, workload.cluster)]
        found = named or found
    if len(found) > 1:
        places = ", ".join(dict.fromkeys(f"{unit.label}: {one.file}" for unit, one in found[:4]))
        raise EditRefused(
            f"{len(found)} places deploy it and nothing tells them apart: {places}",
            where=str(workload),
            todo="say in aiops.yaml under `clusters` which folder deploys to which cluster",
        )
    return found[0]


def _is_called(one: Rendered, workload: Workload) -> bool:
    """Tell whether an object of the right name may be the workload by kind and namespace."""
    if workload.kind and one.kind and one.kind != workload.kind:
        return False
    return not (one.namespace and workload.namespace) or one.namespace == workload.namespace


def _names_cluster(unit: Unit, cluster: str) -> bool:
    if not cluster:
        return False
    return cluster in unit.destinations or any(cluster in anchor.split("/") for anchor in unit.anchors)


def _absent(repository: RepositoryMap, workload: Workload, own: Sequence[Cluster]) -> str:
    """Say why a workload was not found: what could not be read, or where else it is."""
    for unit in repository.units:
        if unit.problem and any(_deploys(unit, cluster) for cluster in own):
            return f"not found; {unit.problem}"
    for path, reason in sorted(repository.snapshot.refused().items()):
        if workload.name in path or repository.snapshot.mentions(path, workload.name):
            return f"not found; {path}: {reason}"
    others = [
        unit.label for unit, one in repository.named.get(workload.name, []) if _is_called(one, workload)
    ]
    if others:
        return f"deployed by {others[0]}, which is in no folder of this cluster in `clusters`"
    return "no manifest of the repository deploys it"


def _autoscaler(
    repository: RepositoryMap, own: Sequence[Cluster], found: Found, cluster: str
) -> Rendered | None:
    """Return the autoscaler that targets the workload, the nearest first, None without one.

    Nearest: of the same unit, then of the same folder, then of the same clusters. Raises
    EditRefused when several are equally near: two autoscalers on one workload fight.
    """
    unit, workload = found
    folder = posixpath.dirname(unit.path)
    targeting = [
        (other, one)
        for name in dict.fromkeys(workload.names)
        for other, one in repository.scalers.get(name, [])
        if _scales(one, workload) and any(_deploys(other, cluster) for cluster in own)
    ]
    if _names_cluster(unit, cluster):  # an autoscaler of another cluster's folder is not ours
        targeting = [(other, one) for other, one in targeting if _names_cluster(other, cluster)]
    for near in (
        [one for other, one in targeting if other is unit],
        [one for other, one in targeting if posixpath.dirname(other.path) == folder],
        [one for _, one in targeting],
    ):
        if len(near) > 1:
            names = ", ".join(f"{one.kind}/{one.name} ({one.file})" for one in near[:4])
            raise EditRefused(f"several autoscalers target it: {names}")
        if near:
            return near[0]
    return None


def _scales(one: Rendered, workload: Rendered) -> bool:
    if one.kind not in _AUTOSCALERS or not one.scales:
        return False
    kind = one.scales[0]
    same_kind = not kind or not workload.kind or kind == workload.kind
    same_namespace = not (one.namespace and workload.namespace) or one.namespace == workload.namespace
    return same_kind and same_namespace


def _owner(workload: Rendered, autoscaler: Rendered | None, field: FieldName) -> str | None:
    if field in {"image.tag", "image.digest"}:
        return workload.image_owner or None
    return f"{autoscaler.kind}/{autoscaler.name}" if autoscaler else None


def _spots(
    workload: Rendered, autoscaler: Rendered | None, field: FieldName, image: str | None
) -> list[Spot]:
    """Return the spots that set a field, the winner last. Raises EditRefused when there is none."""
    if field in {"hpa.min", "hpa.max"}:
        if autoscaler is None:
            raise EditRefused("no autoscaler in the repository targets it")
        spots = autoscaler.numbers.get(field, [])
        if not spots:
            key = "minimum" if field == "hpa.min" else "maximum"
            raise EditRefused(f"{autoscaler.kind}/{autoscaler.name} does not write its {key}; write it first")
        return spots
    if field == "replicas":
        if autoscaler is not None:
            owner = f"{autoscaler.kind}/{autoscaler.name}"
            raise EditRefused(f"owned by {owner}: its bounds are what can change")
        if not workload.numbers.get("replicas"):
            raise EditRefused("no place sets the number of replicas; write it first")
        return workload.numbers["replicas"]
    container = _container(workload, image)
    if not container.spots:
        raise EditRefused(f"no place sets the image of container {container.name or workload.name}")
    pinned = ":" in container.version and not container.spots[-1].problem
    if field == "image.tag" and pinned:
        raise EditRefused("pinned by digest: a tag would change nothing; image.digest is what can change")
    if field == "image.digest" and not pinned and not container.spots[-1].problem:
        raise EditRefused("not pinned by digest; image.tag is what can change")
    return container.spots


def _container(workload: Rendered, image: str | None) -> Container:
    """Return the container that runs `image`, or the one that is plainly the main one."""
    running = image_reference.parse(image) if image else None
    choices = workload.containers
    if not choices:
        raise EditRefused("no values of the repository set its image: the chart's default decides")
    if running is not None and (running.version or "/" in running.name):
        same = [one for one in choices if one.image and image_reference.same_image(one.image, running.name)]
        unknown = [one for one in choices if not one.image]
        if not same and not unknown:
            written = ", ".join(one.image for one in choices) or "none"
            raise EditRefused(f"no container has the image {running.name} that runs; written are: {written}")
        choices = same or unknown
    main = [one for one in choices if not one.init] or choices
    if len(main) > 1:
        main = [one for one in main if one.name in workload.names] or main
    if len(main) != 1:
        names = ", ".join(one.name for one in main) or "none"
        raise EditRefused(f"which container is meant cannot be told; candidates: {names}")
    return main[0]


def _places(repository: RepositoryMap, spots: Sequence[Spot]) -> tuple[Place, ...]:
    """Return the places that could be measured; the winner's own reason is raised elsewhere."""
    places = []
    for spot in spots:
        try:
            places.append(repository.snapshot.place(spot))
        except EditRefused:
            continue
    return tuple(places)


def _check_value(field: FieldName, place: Place) -> None:
    if field == "replicas" and place.value == "0":
        raise EditRefused("replicas is 0: switched off on purpose", where=place.file)


def _check_owner(field: FieldName, owner: str | None) -> None:
    if owner and field in {"image.tag", "image.digest"}:
        raise EditRefused(f"owned by {owner}, which would set the tag again; suspend it first")


def _check_reach(repository: RepositoryMap, unit: Unit, holder: Rendered, spot: Spot) -> None:
    """Refuse a scalar that wins for another workload too: the change must be seen in one."""
    others = [
        f"{one.name} of {other.label}"
        for other, one in repository.reach.get(spot.key, [])
        if one is not holder
    ]
    if others:
        raise EditRefused(
            f"also sets {', '.join(dict.fromkeys(others[:3]))}",
            where=spot.file,
            todo=f"set it for this workload alone, in {unit.path or 'its overlay'}",
        )
