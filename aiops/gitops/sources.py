"""The sources of an Argo CD Application, with the override files that Argo CD merges over them.

Overrides (`.argocd-source.yaml`, then `.argocd-source-<app>.yaml`, in the source's folder) are
merged as JSON merge patches: a list in an override replaces the list below.
Source: argo-cd docs/user-guide/parameters.md, "Store Overrides In Git", and multiple_sources.md.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass

from aiops.errors import EditRefused
from aiops.gitops.nodes import Node, entries_at, look, text_at
from aiops.gitops.rendered import Rendered
from aiops.gitops.snapshot import Snapshot

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """One node of a source and where it stands. `problem`: why nothing of it is known."""

    file: str
    document: int
    path: Path
    node: Node | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """One source: the Application's own node, then its overrides, which win.

    `folder`: what it deploys, "" is the root of the repository.
    """

    application: Rendered
    parts: tuple[Part, ...]
    folder: str

    @property
    def node(self) -> Node | None:
        """The source as the Application writes it."""
        return self.parts[0].node

    def text(self, *path: str) -> str:
        """Return a text of the source, "" when it is not written."""
        return text_at(self.at(*path).node)

    def at(self, *path: str) -> Part:
        """Return the node at a path from the highest part that has it."""
        for part in reversed(self.parts):
            if part.problem:
                return part
            found, why = look(part.node, *path)
            if found is not None or why:
                return Part(part.file, part.document, (*part.path, *path), found, why)
        first = self.parts[0]
        return Part(first.file, first.document, (*first.path, *path), None)


def of(snapshot: Snapshot, application: Rendered) -> list[Source]:
    """Return the sources of an Application; `sources` replaces `source`."""
    root = application.root
    many = entries_at(application.node, "spec", "sources")
    found = [((*root, "spec", "sources", index), one) for index, one in enumerate(many)]
    if not many:
        one, _ = look(application.node, "spec", "source")
        hydrated, _ = look(application.node, "spec", "sourceHydrator", "drySource")
        if hydrated is not None:
            found = [((*root, "spec", "sourceHydrator", "drySource"), hydrated)]
        elif one is not None:
            found = [((*root, "spec", "source"), one)]
    return [
        Source(
            application,
            (
                Part(application.file, application.document, path, node),
                *_overrides(snapshot, application, node),
            ),
            snapshot.real(folder(text_at(node, "path"))),
        )
        for path, node in found
    ]


def _overrides(snapshot: Snapshot, application: Rendered, node: Node) -> Iterable[Part]:
    inside = snapshot.real(folder(text_at(node, "path")))
    if not text_at(node, "path"):
        return
    names = (f"-{application.namespace}_{application.name}", f"-{application.name}", "")
    for name in reversed(names):
        path = posixpath.join(inside, f".argocd-source{name}.yaml")
        if not snapshot.exists(path):
            continue
        try:
            documents = snapshot.nodes(path)
        except EditRefused as error:
            yield Part(path, 0, (), None, f"{path} overrides git and is {error.message}")
        else:
            yield Part(path, 0, (), documents[0] if documents else None)


def folder(path: str) -> str:
    """Return a folder as this package names it: no leading or trailing slash, "" is the root."""
    clean = posixpath.normpath(path.lstrip("/") or ".")
    return "" if clean == "." else clean


def address(url: str) -> str:
    """Return a repository address without scheme, user, port and `.git`, to compare two of them."""
    bare = re.sub(r"^[a-z+]+://", "", url.strip().lower()).rpartition("@")[2]
    bare = re.sub(r"^([^/:]+):\d+/", r"\1/", bare).replace(":", "/")
    return bare.removesuffix("/").removesuffix(".git")


def foreign(snapshot: Snapshot, objects: Iterable[Rendered]) -> frozenset[str]:
    """Return the addresses that are another repository: most folders named there are not in this one."""
    missing: dict[str, int] = {}
    flux: dict[str, str] = {}
    for one in objects:
        if one.kind == "GitRepository":
            flux[one.name] = address(text_at(one.node, "spec", "url"))
        elif one.kind == "Application":
            for source in of(snapshot, one):
                path = text_at(source.node, "path")
                url = address(text_at(source.node, "repoURL"))
                if path and url and "{{" not in path:
                    known = source.folder in snapshot.folders or snapshot.exists(source.folder)
                    missing[url] = missing.get(url, 0) + (-1 if known else 1)
    others = {url for url, count in missing.items() if count > 0}
    own = flux.get("flux-system")
    return frozenset(others | {url for url in flux.values() if own and url != own})


def above(path: str) -> list[str]:
    """Return the folders a path stands in, the nearest first; "" is the root."""
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts), -1, -1)]
