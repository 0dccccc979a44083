"""The manifests of one commit, parsed once: `Files` in, nodes and places out.

Structure and positions are read with libyaml; a position counts only when the bytes there are the
value. `splice` measures it again with the exact parser before anything is replaced.
"""

from __future__ import annotations

import posixpath
import re
from dataclasses import dataclass, replace

from aiops.domain import Place
from aiops.errors import EditRefused
from aiops.gitops import inside, symlinks
from aiops.gitops.nodes import Alias, Mapping, Node, Scalar, Sequence, look
from aiops.gitops.text import MAX_BYTES, MAX_EDIT_BYTES, Text, decode, read
from aiops.ports import Files

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_RELEVANT = re.compile(
    rb"""\bkind["']?\s*:\s*["']?(?:Deployment|StatefulSet|DaemonSet|Rollout|CronJob|Job|List|"""
    rb"""HorizontalPodAutoscaler|ScaledObject|Application|ApplicationSet|HelmRelease|Kustomization|SealedSecret|"""
    rb"""ImageUpdater|GitRepository|Canary|Stage|(?:Cluster)?PromotionTask)\b"""
    rb"""|\bvalues\.ya?ml["']?[ \t]*:[ \t]*[|>]"""
)
_POLICY = re.compile(r"""\{\s*"\$imagepolicy"\s*:\s*"([^"]+)"\s*\}""")
# Never ours to change, whatever points there: workflow files run with the repository's secrets.
_DENIED = (".git", ".github")
MAX_FOLDERS = 64  # in one path; people stop at ten


@dataclass(frozen=True, slots=True)
class Spot:
    """A scalar that sets a field, before its bytes are measured. `problem`: why it cannot be edited.

    `beside`: the path of the tag next to a digest, in the same document; they change together.
    """

    file: str
    document: int
    path: tuple[str | int, ...]
    value: str
    kind: str
    problem: str = ""
    beside: tuple[str | int, ...] | None = None

    @property
    def key(self) -> tuple[str, int, tuple[str | int, ...]]:
        """What makes two spots the same scalar."""
        return (self.file, self.document, self.path)


class Snapshot:
    """One commit, with every parsed file kept for the time of a run."""

    def __init__(self, files: Files) -> None:
        self._files = files
        self._tree = files.tree()
        self.checkout = files.checkout
        self._nodes: dict[str, tuple[Node | None, ...] | EditRefused] = {}
        self._relevant: dict[str, bool] = {}
        self._last: tuple[str, bytes] = ("", b"")  # a file is filtered, parsed and measured in a row
        self.paths = tuple(path for path in sorted(self._tree) if _is_ours(path))
        self._known = frozenset(self.paths)
        self.folders = frozenset(folder for path in self.paths for folder in _parents(path))
        self._links = frozenset(path for path in self.paths if self._tree[path].mode == symlinks.LINK)
        self.followed: set[str] = set()  # links that something leads through

    def changed(self, files: Files, paths: frozenset[str]) -> Snapshot:
        """Return the snapshot of the same commit with other content in `paths`."""
        made = Snapshot(files)
        made._keep(self, paths)
        return made

    def _keep(self, before: Snapshot, paths: frozenset[str]) -> None:
        self._nodes = {path: kept for path, kept in before._nodes.items() if path not in paths}
        self._relevant = {path: one for path, one in before._relevant.items() if path not in paths}

    def real(self, path: str) -> str:
        """Return the path behind the links on the way; the path itself when they lead nowhere in here."""
        if not self._links:
            return path
        try:
            found = symlinks.resolve(path, self._links, self._link_text)
        except EditRefused:
            return path
        if found != path and (found in self._known or found in self.folders):
            self.followed.add(path)
            return found
        return path

    def _link_text(self, path: str) -> str:
        if self._tree[path].size > symlinks.MAX_TEXT_BYTES:
            raise EditRefused("a symbolic link of more than 4096 bytes", where=path)
        return self._files.link(path)

    def exists(self, path: str) -> bool:
        """Tell whether the commit has a file, link or submodule at the path."""
        return path in self._known

    def kustomization(self, folder: str) -> str | None:
        """Return the kustomization file of a folder ("" is the root), None when it has none."""
        for name in KUSTOMIZATIONS:
            path = posixpath.join(folder, name)
            if path in self._known:
                return self.real(path)
        return None

    def content(self, path: str) -> bytes:
        """Return the bytes of a regular file of a usable size. Raises EditRefused otherwise."""
        entry = self._tree.get(path) if path in self._known else None
        if entry is None:
            raise EditRefused("no such file in this commit", where=path)
        if entry.mode == symlinks.LINK:
            symlinks.resolve(path, self._links, self._link_text)  # raises when it leads out or in a circle
            raise EditRefused("a symbolic link; edit the file it stands for", where=path)
        if entry.mode not in {"100644", "100755"}:
            what = "a submodule" if entry.mode == "160000" else "not a regular file"
            raise EditRefused(f"{what}; edit the file it stands for", where=path)
        if entry.size > MAX_BYTES:
            raise EditRefused(f"larger than {MAX_BYTES} bytes", where=path)
        if self._last[0] != path:
            self._last = (path, self._files.read(path))
        return self._last[1]

    def is_relevant(self, path: str) -> bool:
        """Tell by its text, without parsing, whether a file may hold what we look for."""
        if path not in self._relevant:
            try:
                self._relevant[path] = _RELEVANT.search(self.content(path)) is not None
            except EditRefused:
                self._relevant[path] = True  # parsing it keeps the reason
        return self._relevant[path]

    def nodes(self, path: str) -> tuple[Node | None, ...]:
        """Return the documents of a file, without usable positions. Raises EditRefused."""
        if path not in self._nodes:
            try:
                self._nodes[path] = read(self.content(path), pure=False)[1]
            except EditRefused as error:
                self._nodes[path] = EditRefused(error.message, where=path)
        kept = self._nodes[path]
        if isinstance(kept, EditRefused):
            raise kept
        return kept

    def refuse(self, path: str, error: EditRefused) -> None:
        """Keep why a file that parses is left alone all the same."""
        self._nodes[path] = EditRefused(error.message, where=path)

    def mentions(self, path: str, word: str) -> bool:
        """Tell whether the text of a file has a word; a file that cannot be read has none."""
        try:
            return word.encode() in self.content(path)
        except EditRefused:
            return False

    def image_policy(self, place: Place) -> str | None:
        """Return the Flux ImagePolicy whose marker stands beside a place, None without one.

        Source: fluxcd.io/flux/guides/image-update/#configure-image-update-for-custom-resources
        """
        content = self.content(place.file)
        if b"$imagepolicy" not in content:
            return None
        match = _POLICY.search(comment_after(decode(content), place))
        return f"ImagePolicy/{match[1]}" if match else None

    def refused(self) -> dict[str, str]:
        """Return why files that were looked at cannot be read, by path."""
        return {path: kept.message for path, kept in self._nodes.items() if isinstance(kept, EditRefused)}

    def place(self, spot: Spot) -> Place:
        """Measure a spot in bytes. Raises EditRefused when its scalar cannot be replaced alone."""
        if spot.problem:
            raise EditRefused(spot.problem, where=spot.file)
        content = self.content(spot.file)
        if len(content) > MAX_EDIT_BYTES:
            raise EditRefused(
                f"larger than {MAX_EDIT_BYTES} bytes: too large to be edited by value", where=spot.file
            )
        text = decode(content)
        found = locate(text, self.nodes(spot.file), spot)
        # libyaml takes tabs where the exact parser does not; such a file is asked for both.
        if b"\t" not in content and _reads(content[found.start : found.end], found.value):
            return found
        try:
            return locate(*read(content, pure=True), spot)
        except EditRefused as error:
            raise EditRefused(error.message, where=spot.file) from error


def _reads(written: bytes, value: str) -> bool:
    """Tell whether the bytes are the scalar as written: then the marks of libyaml are right."""
    raw = value.encode()
    return written == raw or (
        written[1:-1] == raw and written[:1] == written[-1:] and written[:1] in {b"'", b'"'}
    )


def locate(text: Text, documents: tuple[Node | None, ...], spot: Spot) -> Place:
    """Return the place of a spot in an exactly parsed file. Raises EditRefused with the reason."""
    root = documents[spot.document] if spot.document < len(documents) else None
    try:
        node = scalar_at(text.text, root, spot.path)
    except EditRefused as error:
        raise EditRefused(error.message, where=spot.file) from error
    start, end = text.byte(node.start), text.byte(node.end)
    return Place(spot.file, spot.document, spot.path, node.value, start, end, spot.kind)


def scalar_at(text: str, root: Node | None, path: tuple[str | int, ...]) -> Scalar:
    """Return the scalar at a path, with its characters in `text`. Raises EditRefused with the reason.

    A path may lead into the YAML that a string holds; then the scalar is the inner one.
    """
    outer, inner = inside.split(path)
    node, why = look(root, *outer)
    if not isinstance(node, Scalar):
        raise EditRefused(why or "no single value stands there")
    shared = _shared_anchor(root, outer)
    if node.anchor or node.tag:
        raise EditRefused("the value carries an anchor or a tag")
    if shared:
        raise EditRefused(f"the value is inside the anchor &{shared}, which is used elsewhere")
    if inner is not None:
        block = inside.embedded(text, node)
        found = scalar_at(block.text, inside.document(block.text, pure=True), inner)
        start = block.outer(found.start)
        return replace(found, start=start, end=start + found.end - found.start)
    if node.style in {"|", ">"} or "\n" in text[node.start : node.end]:
        raise EditRefused("the value spans several lines")
    return node


def comment_after(text: Text, place: Place) -> str:
    """Return the comment on the line of a place, without `#`; "" when there is none."""
    raw = text.text.encode()[place.end - text.skipped :]
    line = raw.split(b"\n", 1)[0].decode("utf-8", "replace")
    return line.partition("#")[2].strip()


def _shared_anchor(root: Node | None, path: tuple[str | int, ...]) -> str:
    """Return the name of an anchor above the value that some alias uses, "" when there is none."""
    anchors = set()
    node: Node | None = root
    for part in path:
        if isinstance(node, (Mapping, Sequence)) and node.anchor:
            anchors.add(node.anchor)
        node, _ = look(node, part)
    if not anchors:
        return ""
    todo: list[Node] = [root] if root else []
    while todo:
        found = todo.pop()
        if isinstance(found, Alias) and found.name in anchors:
            return found.name
        if isinstance(found, Mapping):
            todo.extend(part for pair in found.pairs for part in pair)
        elif isinstance(found, Sequence):
            todo.extend(found.entries)
    return ""


def _is_ours(path: str) -> bool:
    """Tell whether a path of a tree may be read and edited; git checks none of this in a crafted tree."""
    parts = path.lower().split("/")  # some file systems take .GIT for .git
    if parts[0] in _DENIED or len(parts) > MAX_FOLDERS or "\n" in path or "\0" in path:
        return False
    return not any(part in {"", ".", "..", ".git"} for part in parts)


def _parents(path: str) -> list[str]:
    parts = path.split("/")[:-1]
    return ["/".join(parts[:count]) for count in range(len(parts) + 1)]
