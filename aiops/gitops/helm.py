"""Helm values of a release: which scalar of which layer sets image, replicas and bounds.

No template is run, so names and keys follow the conventions of `helm create` and of the large
chart collections: `image.{registry,repository,tag,digest}`, `replicaCount`, `autoscaling.*`, the
same below the name of a component or subchart.
Precedence (last wins): chart values.yaml, values files in their order, inline values, parameters.
Source: argo-cd docs/user-guide/helm.md, fluxcd helm-controller docs/spec/v2/helmreleases.md.
"""

from __future__ import annotations

from dataclasses import replace

from aiops.gitops import image_reference
from aiops.gitops.layers import Opening, Release
from aiops.gitops.nodes import Mapping, Node, Scalar, look, scalar_tag
from aiops.gitops.rendered import Container, Rendered, number, placeholder, spot_of
from aiops.gitops.snapshot import Spot

_DEPTH = 3  # an umbrella chart nests `<subchart>.<component>.image`
_COMPONENTS = 200
_NAME_LENGTH = 63  # helm create truncates names to a DNS label
# Keys of a values file that hold an image but no workload of their own.
_NOT_COMPONENTS = frozenset({"initContainer", "initContainers", "sidecar", "sidecars", "global", "metrics"})
Prefix = tuple[str | int, ...]
_COUNTS = (("replicaCount",), ("replicas",), ("deployment", "replicas"))
_IMAGE_TAGS = (("image", "tag"), ("image", "version"), ("imageTag",))


def expand(release: Release) -> list[Rendered]:
    """Return the workloads and autoscalers of a release, as far as its values name them."""
    found: list[Rendered] = []
    controllers = _keys(release, ("controllers",))
    prefixes: list[Prefix] = [("controllers", key) for key in controllers] or _components(release)
    for prefix in prefixes:
        names = _names(release, prefix, len(controllers))
        workload = Rendered("", names, release.namespace, release.file, release.document)
        workload.updaters, workload.release = release.updaters, release.name
        workload.made_by = release
        _containers(release, prefix, workload)
        if prefix and not controllers and not workload.containers:
            # A count says less than an image: not enough to call a workload by the key alone.
            names = [name for name in names if name != prefix[-1]] or names
            workload.names = names
        count = next((keys for keys in _COUNTS if _set(release, (*prefix, *keys))), ("replicas",))
        workload.numbers["replicas"] = _numbers(release, (*prefix, *count))
        workload.openings["replicas"] = release.openings((*prefix, *count))
        enabled = _set(release, (*prefix, "autoscaling", "enabled"))
        # A layer nobody can read may switch autoscaling on; the metrics would show the autoscaler.
        known = [spot for spot in enabled if spot.value]
        if known and known[-1].problem:
            workload.numbers["replicas"].append(replace(known[-1], value=""))
        scaled = bool(known) and not known[-1].problem and known[-1].value.lower() == "true"
        if scaled:
            found.append(_autoscaler(release, prefix, names))
        described = workload.containers or workload.numbers["replicas"] or scaled
        if described or len(prefixes) == 1:
            found.append(workload)
    return found


def _containers(release: Release, prefix: Prefix, workload: Rendered) -> None:
    """Add the containers of a component: its `image`, or those of an app-template controller.

    Source: bjw-s helm-charts, common library: `controllers.<key>.containers.<key>.image`.
    """
    if prefix[:1] != ("controllers",):
        container = _container(release, prefix)
        if container is not None:
            workload.containers.append(container)
            workload.openings["image"] = _image_openings(release, prefix, container)
        return
    for part in ("containers", "initContainers"):
        for key in _keys(release, (*prefix, part)):
            container = _container(release, (*prefix, part, key))
            if container is not None:
                container.name, container.init = key, part == "initContainers"
                workload.containers.append(container)
                if not container.init:
                    openings = _image_openings(release, (*prefix, part, key), container)
                    workload.openings.setdefault("image", []).extend(openings)


def _image_openings(release: Release, prefix: Prefix, container: Container) -> list[Opening]:
    """Return where the scalar that wins for an image may be written above its layer."""
    if not container.spots:
        return []
    last = container.spots[-1].path
    for keys in (*_IMAGE_TAGS, ("image", "digest"), ("image", "repository"), ("image",)):
        if last[-len(keys) :] == keys:
            return release.openings((*prefix, *keys))
    return []


def _keys(release: Release, path: Prefix) -> list[str]:
    """Return the keys that any layer has below a path, sorted."""
    found: set[str] = set()
    for layer in release.layers:
        node, _ = look(layer.node, *path)
        if isinstance(node, Mapping):
            found |= {key.value for key, _ in node.pairs if isinstance(key, Scalar)}
    return sorted(found)[:_COMPONENTS]


def _autoscaler(release: Release, prefix: Prefix, names: list[str]) -> Rendered:
    made = Rendered("HorizontalPodAutoscaler", names, release.namespace, release.file, release.document)
    made.scales, made.release = ("", names[-1]), release.name
    for name, key in (("hpa.min", "minReplicas"), ("hpa.max", "maxReplicas")):
        made.numbers[name] = _numbers(release, (*prefix, "autoscaling", key))
        made.openings[name] = release.openings((*prefix, "autoscaling", key))
    return made


def _names(release: Release, prefix: Prefix, controllers: int) -> list[str]:
    """Return the names a workload of the release may have, the likeliest last.

    Source: the `fullname` helper of `helm create`; components append their own name to it.
    """
    override = [spot.value for spot in _set(release, (*prefix, "fullnameOverride")) if not spot.problem]
    short = [spot.value for spot in _set(release, (*prefix, "nameOverride")) if not spot.problem]
    chart = short[-1] if short else release.chart
    full = release.name if not chart or chart in release.name else f"{release.name}-{chart}"
    if override and override[-1]:
        return [override[-1][:_NAME_LENGTH]]
    if not prefix:
        return [name[:_NAME_LENGTH] for name in dict.fromkeys((release.name, full))]
    last = str(prefix[-1])
    if controllers == 1:  # app-template: a lone controller is called like the release
        return [name[:_NAME_LENGTH] for name in dict.fromkeys((f"{release.name}-{last}", release.name))]
    return [name[:_NAME_LENGTH] for name in dict.fromkeys((last, f"{full}-{last}", f"{release.name}-{last}"))]


def _components(release: Release) -> list[Prefix]:
    """Return the prefixes below which the values describe a workload; the root is always one."""
    found: dict[tuple[str, ...], None] = {(): None}
    for layer in release.layers:
        todo: list[tuple[tuple[str, ...], Node | None]] = [((), layer.node)]
        while todo and len(found) < _COMPONENTS:
            prefix, node = todo.pop()
            if not isinstance(node, Mapping):
                continue
            if _is_image(node.get("image")) or (prefix[-1:] != ("deployment",) and _is_counted(node)):
                found[prefix] = None
            if len(prefix) < _DEPTH:
                for key, value in node.pairs:
                    if isinstance(key, Scalar) and key.value not in _NOT_COMPONENTS and key.value != "image":
                        todo.append(((*prefix, key.value), value))
    return sorted(found)


def _is_image(node: Node | None) -> bool:
    if isinstance(node, Mapping):
        return any(node.get(key) is not None for key in ("repository", "tag", "digest"))
    return isinstance(node, Scalar) and image_reference.parse(node.value) is not None


def _is_counted(node: Mapping) -> bool:
    """Tell whether values set how many pods a component has: `webhook: {replicaCount: 2}`."""
    scaling = node.get("autoscaling")
    keys = ("minReplicas", "maxReplicas")
    if isinstance(scaling, Mapping) and any(scaling.get(key) is not None for key in keys):
        return True
    counts = [look(node, *keys)[0] for keys in _COUNTS]
    return any(isinstance(one, Scalar) and scalar_tag(one) == "int" for one in counts)


def _set(release: Release, path: Prefix) -> list[Spot]:
    """Return every spot that sets a path, the winner last; a layer nobody can read may set any."""
    spots: list[Spot] = []
    for layer in release.layers:
        full = (*layer.prefix, *path)
        if layer.node is None and layer.problem:
            spots.append(Spot(layer.file, layer.document, full, "", layer.kind, layer.problem))
            continue
        found, why = look(layer.node, *path)
        if isinstance(found, Scalar) or why:
            spots.append(spot_of(layer.file, layer.document, full, found, layer.kind, layer.problem or why))
    dotted = ".".join(map(str, path))
    spots.extend(spot for name, spot in release.parameters if name == dotted)
    return spots


def _numbers(release: Release, path: Prefix) -> list[Spot]:
    checked = []
    for spot in _set(release, path):
        layer = next(
            (one for one in release.layers if (*one.prefix, *path) == spot.path and one.file == spot.file),
            None,
        )
        node = look(layer.node, *path)[0] if layer else None
        if spot.problem or node is None:
            checked.append(spot)
        else:
            checked.append(number(spot.file, spot.document, spot.path, node, spot.kind))
    return checked


def _container(release: Release, prefix: Prefix) -> Container | None:
    """Return the container that the `image` key of a component describes, None without one."""
    whole = [spot for spot in _set(release, (*prefix, "image")) if spot.value]
    container = Container("", "", "", [])
    if whole and all(not isinstance(look(one.node, *prefix, "image")[0], Mapping) for one in release.layers):
        for spot in whole:
            parsed = image_reference.parse(spot.value)
            why = spot.problem or placeholder(spot.value)
            if parsed is None or not parsed.version:
                why = why or "the image has no tag: there is nothing to change"
            else:
                container.image, container.version = parsed.name, parsed.version
            container.spots.append(replace(spot, problem=why))
        return container
    base = (*prefix, "image")
    registry = [spot.value for spot in _set(release, (*base, "registry")) if spot.value]
    name = [spot.value for spot in _set(release, (*base, "repository")) if spot.value]
    container.image = "/".join([*registry[-1:], *name[-1:]]) if name else ""
    key = next((keys for keys in _IMAGE_TAGS if _written(release, (*prefix, *keys))), ("image", "tag"))
    digest = _written(release, (*base, "digest"))
    spots = _set(release, (*base, "digest") if digest and digest[-1].value else (*prefix, *key))
    whole_name = image_reference.parse(name[-1]) if name else None
    if not spots and whole_name is not None and whole_name.version:  # `repository: name:tag`
        container.image = "/".join([*registry[-1:], whole_name.name])
        spots = [replace(spot, kind=spot.kind) for spot in _set(release, (*base, "repository"))]
        container.version = whole_name.version
        container.spots.extend(replace(one, problem=one.problem or placeholder(one.value)) for one in spots)
        return container
    if not spots and not name:
        return None
    for spot in spots:
        why = spot.problem or placeholder(spot.value)
        if not spot.value:
            why = why or "the tag is empty: the chart's appVersion decides"
        elif not image_reference.is_version(spot.value):
            why = why or "not a tag or digest by the OCI grammar"
        container.version = spot.value
        container.spots.append(replace(spot, problem=why))
    if digest and digest[-1].value and container.spots:
        _beside(release, (*prefix, *key), container)
    return container


def _beside(release: Release, path: Prefix, container: Container) -> None:
    """Let the tag change together with the digest that wins over it."""
    tags, last = _written(release, path), container.spots[-1]
    if tags and (tags[-1].file, tags[-1].document) == (last.file, last.document):
        container.spots[-1] = replace(last, beside=tags[-1].path)
        container.version = f"{tags[-1].value}@{last.value}"
    elif tags:
        why = "tag and digest are set in different layers; set them in one"
        container.spots[-1] = replace(last, problem=last.problem or why)


def _written(release: Release, path: Prefix) -> list[Spot]:
    """Return the spots that a readable layer really sets."""
    return [spot for spot in _set(release, path) if spot.value]
