"""A new entry of `patches` in a kustomization: one strategic merge patch that sets one field.

For what no `images` or `replicas` entry reaches alone: an image that several workloads share, the
bounds of an autoscaler. The patch names its object as the base does and its container by name,
never by index: a base that reorders its containers keeps its meaning. Kinds that Kubernetes does not
know (Rollout) get no image patch, because kustomize replaces their list of containers.
Source: kubectl.docs.kubernetes.io/references/kustomize/kustomization/patches/
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiops.errors import EditRefused
from aiops.gitops.inside import INSIDE

KIND = "kustomization patches"
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """What a patch is for, in the words of the manifest in the base. `container`: "" for a count."""

    api_version: str
    kind: str
    namespace: str
    name: str
    container: str

    @property
    def entry(self) -> str:
        """The same as one word, the `entry` of an insertion."""
        return f"{self.api_version}:{self.kind}:{self.namespace}:{self.name}:{self.container}"


def of_entry(entry: str) -> Named:
    """Return what an entry names. Raises EditRefused."""
    parts = entry.split(":")
    if len(parts) != len(Named.__slots__) or not all((parts[0], parts[1], parts[3])):
        raise EditRefused("a new patch does not say what it is for")
    return Named(*parts)


def is_at(path: Path) -> bool:
    """Tell whether a path leads into the text of an entry of `patches`."""
    at = path.index(INSIDE) if INSIDE in path else 0
    return at > 2 and path[at - 3] == "patches" and isinstance(path[at - 2], int) and path[at - 1] == "patch"


def tree(entry: str, rest: Path, new: str | int) -> dict[str, Any]:
    """Return the patch that sets `new` at `rest`; an index there is the named container."""
    named = of_entry(entry)
    below: Any = new
    for part in reversed(rest):
        below = {part: below} if isinstance(part, str) else [{"name": named.container, **below}]
    namespace = {"namespace": named.namespace} if named.namespace else {}
    head = {"apiVersion": named.api_version, "kind": named.kind}
    return {**head, "metadata": {"name": named.name, **namespace}, **below}
