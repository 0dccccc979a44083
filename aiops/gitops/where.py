"""Where one field of one workload lives: the places that set it, the one that wins, who owns it.

Comes in: the files of one commit, a workload as the metrics name it, a field. Goes out: a
`Target` with a winner, or with a refusal of one line. History is added by `past.values`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import get_args

from aiops.domain import FieldName, Insertion, Pin, Place, Target, Workload
from aiops.errors import EditRefused
from aiops.gitops import aim, choose, image_reference, owners
from aiops.gitops.choose import Found
from aiops.gitops.clusters import Cluster, known
from aiops.gitops.rendered import POD_SPEC, Container, Rendered
from aiops.gitops.repository_map import RepositoryMap, read
from aiops.gitops.snapshot import Spot
from aiops.gitops.units import Unit
from aiops.ports import Files

FIELDS: tuple[FieldName, ...] = get_args(FieldName)
IMAGES = ("image.tag", "image.digest")
PINNED = "pinned by digest: a tag would change nothing; image.digest is what can change"
_NAMED = 4  # containers that a refusal names


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
    pins: tuple[Pin, ...] = ()
    insertion: Insertion | None = None
    try:
        own = choose.own(workload, clusters)
        unit, rendered = choose.choose(repository, workload, own)
        notes = tuple(sorted(rendered.annotations.items()))
        autoscaler = choose.autoscaler(repository, own, (unit, rendered), workload.cluster)
        owner = f"{autoscaler.kind}/{autoscaler.name}" if autoscaler and field not in IMAGES else None
        container = _container(rendered, image) if field in IMAGES else None
        spots = _spots(rendered, autoscaler, container, field)
        places = _places(repository, spots)
        place = repository.snapshot.place(spots[-1])
        beside = _beside(repository, spots[-1])
        _check_value(field, place)
        holder = autoscaler if autoscaler and field.startswith("hpa.") else rendered
        insertion = _aimed(repository, unit, holder, field, spots[-1])
        if container is not None:
            owners.refuse_promoted(repository.promotions, container, place)
            owner, pins = owners.of_image(repository.snapshot, rendered, container, place)
            owner = owner or _canary(repository, workload, rendered)
            pins = () if insertion and all(one.what == "marker" for one in pins) else pins
    except EditRefused as error:
        return Target(workload, field, places, None, owner, (), str(error), notes)
    return Target(workload, field, places, place, owner, (), None, notes, insertion, pins, beside)


def workloads(
    files: Files, clusters: Sequence[Cluster] = ()
) -> tuple[tuple[Workload, tuple[Target, ...]], ...]:
    """Return every workload of the repository with the targets that make sense for it, sorted.

    Autoscaler bounds are listed only where an autoscaler is, `replicas` only where it can be set.
    """
    return tuple((one, targets(files, one, fields, clusters)) for one, fields in named(files, clusters))


def named(
    files: Files, clusters: Sequence[Cluster] = ()
) -> tuple[tuple[Workload, tuple[FieldName, ...]], ...]:
    """Return every workload with its fields, sorted; no place is looked for yet."""
    repository = read(files)
    found: dict[Workload, tuple[FieldName, ...]] = {}
    for unit in repository.units:
        for cluster in known(clusters):
            if not choose.deploys(unit, cluster):
                continue
            for one in unit.objects:
                if not _is_workload(one):
                    continue
                workload = Workload(cluster.name, one.namespace, one.kind, one.name)
                if workload not in found:
                    found[workload] = _fields(repository, cluster, (unit, one))
    return tuple(sorted(found.items()))


def targets(
    files: Files, workload: Workload, fields: Sequence[FieldName], clusters: Sequence[Cluster] = ()
) -> tuple[Target, ...]:
    """Return where each of these fields of one workload lives."""
    return tuple(resolve(files, workload, name, clusters) for name in fields)


def _fields(repository: RepositoryMap, cluster: Cluster, found: Found) -> tuple[FieldName, ...]:
    one = found[1]
    digest = any(":" in container.version for container in one.containers)
    image: FieldName = "image.digest" if digest else "image.tag"
    if one.kind in {"DaemonSet", "Job", "CronJob"}:
        return (image,)
    try:
        scaled = choose.autoscaler(repository, [cluster], found, cluster.name) is not None
    except EditRefused:
        scaled = True
    return (image, "replicas", "hpa.min", "hpa.max") if scaled else (image, "replicas")


def _is_workload(one: Rendered) -> bool:
    return one.kind in POD_SPEC or one.kind == ""


def _spots(
    workload: Rendered, autoscaler: Rendered | None, container: Container | None, field: FieldName
) -> list[Spot]:
    """Return the spots that set a field, the winner last. Raises EditRefused when there is none."""
    if field in {"hpa.min", "hpa.max"}:
        return _bounds(autoscaler, field)
    if field == "replicas":
        if autoscaler is not None:
            owner = f"{autoscaler.kind}/{autoscaler.name}"
            raise EditRefused(f"owned by {owner}: its bounds are what can change")
        if not workload.numbers.get("replicas"):
            raise EditRefused("no place sets the number of replicas; write it first")
        return workload.numbers["replicas"]
    if container is None or not container.spots:
        raise EditRefused(
            f"no place sets the image of container {(container and container.name) or workload.name}"
        )
    pinned = ":" in container.version and not container.spots[-1].problem
    if field == "image.tag" and pinned:
        raise EditRefused(PINNED)
    if field == "image.digest" and not pinned and not container.spots[-1].problem:
        raise EditRefused("not pinned by digest; image.tag is what can change")
    return container.spots


def _bounds(autoscaler: Rendered | None, field: FieldName) -> list[Spot]:
    if autoscaler is None:
        raise EditRefused("no autoscaler in the repository targets it")
    if autoscaler.paused:
        raise EditRefused(f"{autoscaler.kind}/{autoscaler.name} is paused: its bounds do nothing")
    spots = autoscaler.numbers.get(field, [])
    if not spots:
        key = "minimum" if field == "hpa.min" else "maximum"
        raise EditRefused(f"{autoscaler.kind}/{autoscaler.name} does not write its {key}; write it first")
    return spots


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
            written = _some([one.image for one in choices])
            raise EditRefused(f"no container has the image {running.name} that runs; written are: {written}")
        choices = same or unknown
    # Istio's injector puts its own image there: istio.io, "Customizing injection".
    choices = [one for one in choices if (one.name, one.image) != ("istio-proxy", "auto")] or choices
    main = [one for one in choices if not one.init] or choices
    if len(main) > 1:
        main = [one for one in main if one.name in workload.names] or main
    if len(main) != 1:
        names = _some([one.name for one in main])
        raise EditRefused(f"which container is meant cannot be told; candidates: {names}")
    return main[0]


def _some(names: list[str]) -> str:
    """Return the first few names, and how many more there are: a reason is one line to read."""
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (", ".join(names[:_NAMED]) or "none") + more


def _canary(repository: RepositoryMap, workload: Workload, rendered: Rendered) -> str | None:
    """Return the Flagger Canary that rolls a workload out: it also takes a rollback through its analysis."""
    for _, one in repository.canaries.get(rendered.name, ()):
        if not (one.namespace and workload.namespace) or one.namespace == workload.namespace:
            return f"Canary/{one.name}"
    return None


def _beside(repository: RepositoryMap, spot: Spot) -> Place | None:
    if spot.beside is None:
        return None
    return repository.snapshot.place(replace(spot, path=spot.beside, beside=None))


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


def _aimed(
    repository: RepositoryMap, unit: Unit, holder: Rendered, field: FieldName, spot: Spot
) -> Insertion | None:
    """Return None when the scalar counts for this workload alone, else where one that does can be written.

    Raises EditRefused when there is no such place: the change must be seen in one workload.
    """
    others = [
        f"{one.name} of {other.label}"
        for other, one in repository.reach.get(spot.key, [])
        if one is not holder and not any(one is same for same in holder.same)
    ]
    if not others:
        return None
    insertion = aim.above(repository, holder, field, spot)
    if insertion is None:
        raise EditRefused(
            f"also sets {', '.join(dict.fromkeys(others[:3]))}",
            where=spot.file,
            todo=f"set it for this workload alone, in {unit.path or 'its overlay'}",
        )
    return insertion
