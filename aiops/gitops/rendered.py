"""What the repository deploys, symbolically: each object with the scalars that set its fields.

Layers append to the list of a field, so the last spot of a list is the one that wins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from aiops.errors import EditRefused
from aiops.gitops import image_reference
from aiops.gitops.layers import Layer, Opening, Release, Updater, Values
from aiops.gitops.nodes import Mapping, Node, Scalar, entries_at, look, scalar_tag, text_at
from aiops.gitops.snapshot import Spot

# Where the pod template stands, by kind. Kinds without an entry are no workloads.
POD_SPEC: dict[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "Rollout": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
# Integer fields by kind: field name here -> path in the manifest.
NUMBERS: dict[str, dict[str, tuple[str, ...]]] = {
    "Deployment": {"replicas": ("spec", "replicas")},
    "StatefulSet": {"replicas": ("spec", "replicas")},
    "Rollout": {"replicas": ("spec", "replicas")},
    "HorizontalPodAutoscaler": {"hpa.min": ("spec", "minReplicas"), "hpa.max": ("spec", "maxReplicas")},
    "ScaledObject": {"hpa.min": ("spec", "minReplicaCount"), "hpa.max": ("spec", "maxReplicaCount")},
}
POINTERS = (
    "Application", "ApplicationSet", "Canary", "ClusterPromotionTask", "ConfigMap", "GitRepository",
    "HelmRelease", "ImageUpdater", "Kustomization", "PromotionTask", "Stage",
)  # fmt: skip
_INTEGER = re.compile(r"0|[1-9][0-9]*")
NOTE = "aiops/"  # annotations that start with it speak to us
MAX_CONTAINERS = 500  # of one pod; a node runs 110 pods
MAX_REPLICAS = 100_000  # larger numbers are a slip of the keyboard, not a plan


@dataclass(slots=True)
class Container:
    """One container: the image name as it stands after the layers so far, and what set its version."""

    name: str
    image: str
    version: str
    spots: list[Spot]
    init: bool = False


@dataclass(slots=True)
class Rendered:
    """One object of the repository, with the scalars that set its fields.

    `names`: every name it had, the current one last. `scales`: (kind, name) of the workload an
    autoscaler is for. `node`: the document, for what points to other folders. `layers`: where an
    entry would win over what is below. `same`: objects that are one workload with this one (a
    Rollout and the Deployment it takes its pods from). `openings`: field -> layers of values.
    `root`: where the object stands in its document. `release`: the Helm release that renders it.
    `reference`: the Deployment a Rollout takes its pods from. `paused`: KEDA leaves it alone.
    `files`: key -> file of a ConfigMap that a kustomization generates.
    `annotations`: those that speak to us, `aiops/...`. `made_by`: the release of a workload of a chart.
    """

    kind: str
    names: list[str]
    namespace: str
    file: str
    document: int
    containers: list[Container] = field(default_factory=list)
    numbers: dict[str, list[Spot]] = field(default_factory=dict)
    scales: tuple[str, str] | None = None
    node: Node | None = None
    values: list[Values] = field(default_factory=list)
    root: tuple[str | int, ...] = ()
    release: str = ""
    reference: str = ""
    paused: bool = False
    files: dict[str, str] = field(default_factory=dict)
    updaters: list[Updater] = field(default_factory=list)
    same: list[Rendered] = field(default_factory=list)
    layers: list[Layer] = field(default_factory=list)
    openings: dict[str, list[Opening]] = field(default_factory=dict)
    annotations: dict[str, str] = field(default_factory=dict)
    made_by: Release | None = None

    @property
    def name(self) -> str:
        """The name it has in the cluster."""
        return self.names[-1]

    def copy(self) -> Rendered:
        """Return an object that a layer may change without changing this one."""
        return replace(
            self,
            names=list(self.names),
            containers=[replace(one, spots=list(one.spots)) for one in self.containers],
            numbers={name: list(spots) for name, spots in self.numbers.items()},
            values=list(self.values),
            annotations=dict(self.annotations),
            layers=list(self.layers),
        )


def objects(file: str, documents: tuple[Node | None, ...]) -> list[Rendered]:
    """Return the workloads, autoscalers and pointers of a manifest file; other kinds are left out."""
    found = []
    for index, root in enumerate(documents):
        if text_at(root, "kind") == "List":
            for number, item in enumerate(entries_at(root, "items")):
                found.append(_object(file, index, ("items", number), item))
        else:
            found.append(_object(file, index, (), root))
    return [one for one in found if one is not None]


def _object(file: str, document: int, prefix: tuple[str | int, ...], node: Node | None) -> Rendered | None:
    kind, name = text_at(node, "kind"), text_at(node, "metadata", "name")
    if not name or not (kind in POD_SPEC or kind in NUMBERS or kind in POINTERS):
        return None
    made = Rendered(kind, [name], text_at(node, "metadata", "namespace"), file, document, root=prefix)
    if kind in POINTERS:
        made.node = node
    overlay(made, file, document, prefix, node)
    return made


def _notes(node: Node | None) -> dict[str, str]:
    found, _ = look(node, "metadata", "annotations")
    pairs = found.pairs if isinstance(found, Mapping) else ()
    return {
        key.value: value.value
        for key, value in pairs
        if isinstance(key, Scalar) and isinstance(value, Scalar) and key.value.startswith(NOTE)
    }


def overlay(
    target: Rendered,
    file: str,
    document: int,
    prefix: tuple[str | int, ...],
    node: Node | None,
    problem: str = "",
) -> None:
    """Merge the fields that a manifest or a strategic merge patch sets into an object."""
    kind = target.kind
    target.reference = text_at(node, "spec", "workloadRef", "name") or target.reference
    if kind == "ScaledObject":
        marks, _ = look(node, "metadata", "annotations")
        target.paused = target.paused or any(
            text_at(marks, f"autoscaling.keda.sh/{name}") for name in ("paused", "paused-replicas")
        )
    target.annotations.update(_notes(node))
    for name, path in NUMBERS.get(kind, {}).items():
        found, why = look(node, *path)
        if found is not None or why:
            spot = number(file, document, (*prefix, *path), found, kind, problem or why)
            target.numbers.setdefault(name, []).append(spot)
    reference = "scaleTargetRef"
    if kind in NUMBERS and text_at(node, "spec", reference, "name"):
        default = "Deployment" if kind == "ScaledObject" else ""
        target.scales = (
            text_at(node, "spec", reference, "kind") or default,
            text_at(node, "spec", reference, "name"),
        )
    if kind in POD_SPEC:
        for part in ("containers", "initContainers"):
            path = (*POD_SPEC[kind], part)
            entries = entries_at(node, *path)
            if len(entries) > MAX_CONTAINERS:
                raise EditRefused(f"expected at most {MAX_CONTAINERS} {part}, found more")
            for index, entry in enumerate(entries):
                _container(target, file, document, (*prefix, *path, index), entry, problem)
    if kind == "HelmRelease" and (isinstance(found := look(node, "spec", "values")[0], Mapping)):
        target.values.append(Values(file, document, (*prefix, "spec", "values"), found, kind, problem))


def _container(
    target: Rendered, file: str, document: int, path: tuple[str | int, ...], entry: Node, problem: str
) -> None:
    name = text_at(entry, "name")
    image, why = look(entry, "image")
    known = next((one for one in target.containers if one.name == name), None)
    if known is None:
        known = Container(name, "", "", [], init="initContainers" in path)
        target.containers.append(known)
    if image is not None or why:
        set_image(known, spot_of(file, document, (*path, "image"), image, target.kind, problem or why))


def set_image(container: Container, spot: Spot) -> None:
    """Let a scalar with a whole image reference win over what was set before."""
    parsed = image_reference.parse(spot.value)
    problem = spot.problem or placeholder(spot.value)
    if parsed is None:
        problem = problem or "not an image reference by the OCI grammar"
    else:
        container.image, container.version = parsed.name, parsed.version
        if not parsed.version:
            problem = problem or "the image has no tag: there is nothing to change"
    container.spots.append(replace(spot, problem=problem))


def spot_of(
    file: str, document: int, path: tuple[str | int, ...], node: Node | None, kind: str, problem: str = ""
) -> Spot:
    """Return the spot of a scalar: where it stands, or where it was filled in from."""
    value = node.value if isinstance(node, Scalar) else ""
    if isinstance(node, Scalar) and node.origin is not None:
        if node.origin:
            return Spot(*node.origin, value, f"{kind}, filled in", problem)
        problem = problem or "filled in from a template; edit what fills it in"
    return Spot(file, document, path, value, kind, problem)


def number(
    file: str, document: int, path: tuple[str | int, ...], node: Node | None, kind: str, problem: str = ""
) -> Spot:
    """Return the spot of an integer, with the problem when it is none."""
    value = node.value if isinstance(node, Scalar) else ""
    if not problem and not isinstance(node, Scalar):
        problem = "expected an integer, found something else"
    elif not problem and isinstance(node, Scalar):
        problem = placeholder(value)
        if not problem and (scalar_tag(node) != "int" or not _INTEGER.fullmatch(value)):
            problem = f"expected a plain integer, found {node.style}{value[:40]}{node.style}"
        elif not problem and int(value) > MAX_REPLICAS:
            problem = f"expected at most {MAX_REPLICAS}, found {value[:40]}"
    return spot_of(file, document, path, node, kind, problem)


def placeholder(value: str) -> str:
    """Return why a value that something else fills in cannot be edited, "" when it is a value."""
    if "{{" in value or "${" in value or "$(" in value:
        return "a placeholder stands there; edit what fills it in"
    return ""
