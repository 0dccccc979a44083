"""Which values a field had: the winning place read back through the history of its file.

Only commits that touched the file are read. A commit in which the file or the value cannot be
read ends nothing and says nothing: the value before and after it count. What is older than the
limit, or than a shallow clone, is not known and not invented.
"""

from __future__ import annotations

from dataclasses import replace

from aiops.domain import Commit, PastValue, Place, Target
from aiops.errors import EditRefused
from aiops.gitops import inside
from aiops.gitops.inside import INSIDE
from aiops.gitops.nodes import Mapping, Node, Scalar, Sequence, compose, look, text_at
from aiops.gitops.splice import value_of
from aiops.gitops.text import decode
from aiops.ports import Repository

MAX_TOUCHED = 20  # a first commit touches everything; nobody reads the list
MAX_COMMITS = 40  # of one file; a rollback never goes further back than a few values


def values(repository: Repository, sha: str, target: Target, limit: int = MAX_COMMITS) -> Target:
    """Return the target with the history of its winner at `sha`, newest first.

    Each value is the field's: of `image: shop/web:1.2` it is `1.2`. `since_s` is the time of the
    commit that set it; `touched` are other files of that commit, 20 at most. A refused target has
    no history.
    """
    if target.winner is None:
        return target
    found, complete = _of_place(repository, sha, target.winner, target.beside, limit)
    below = target.places[-2] if len(target.places) > 1 else None
    if found and not complete and below is not None:
        # Before the winner was written, the place below it won.
        since = found[-1].since_s
        older = [
            replace(one, until_s=min(since, one.until_s or since))
            for one in _of_place(repository, sha, below, None, limit)[0]
            if one.since_s < since
        ]
        if older and older[0].value == found[-1].value:
            found[-1] = replace(older.pop(0), until_s=found[-1].until_s)
        found += older
    return replace(target, history=tuple(found))


def _of_place(
    repository: Repository, sha: str, place: Place, beside: Place | None, limit: int
) -> tuple[list[PastValue], bool]:
    """Return the values of one place, and whether it was there in every commit of its file."""
    commits = repository.commits(sha, place.file, limit)
    seen: list[tuple[Commit, str]] = []
    anchors: list[tuple[str | int, ...] | None] = [None, None]
    for commit in commits:
        value, anchors[0] = _value(repository, commit, place, anchors[0])
        value = value and value_of(place.path, value)
        if value and beside is not None:
            tag, anchors[1] = _value(repository, commit, beside, anchors[1])
            value = f"{tag}@{value}" if tag else value
        if value:
            seen.append((commit, value))
    return list(_runs(seen, place.file)), len(seen) == len(commits)


def _runs(seen: list[tuple[Commit, str]], file: str) -> tuple[PastValue, ...]:
    """Join neighbouring commits with the same value; the oldest of them set it."""
    history: list[PastValue] = []
    until: int | None = None
    for index, (commit, value) in enumerate(seen):
        older = seen[index + 1][1] if index + 1 < len(seen) else None
        if value == older:
            continue
        touched = tuple(path for path in commit.paths if path != file)[:MAX_TOUCHED]
        history.append(PastValue(value, commit.sha, commit.time_s, until, touched))
        until = commit.time_s
    return tuple(history)


def _value(
    repository: Repository, commit: Commit, place: Place, names: tuple[str | int, ...] | None
) -> tuple[str, tuple[str | int, ...] | None]:
    """Return the scalar the place had in a commit ("" when it had none).

    List entries are found by the name they have today, because entries move: a container, an
    image or a replica count that was first in the list then may be second now.
    """
    try:
        documents = compose(decode(repository.files(commit.sha).read(place.file)).text, pure=False)
    except EditRefused:
        return "", names
    if names is None:
        root = documents[place.document] if place.document < len(documents) else None
        names = _named(root, place.path)
    for root in documents:
        if _identity(root) == names[0]:
            node: Node | None = root
            for part in names[1:]:
                node = _step(node, part)
            return (node.value, names) if isinstance(node, Scalar) else ("", names)
    return "", names


def _identity(root: Node | None) -> str:
    return f"{text_at(root, 'kind')}/{text_at(root, 'metadata', 'name')}"


def _named(root: Node | None, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return the identity of the document, then the path with named list entries as `=name`."""
    named: list[str | int] = [_identity(root)]
    node = root
    for part in path:
        below = _step(node, part)
        name = text_at(below, "name") if isinstance(part, int) else ""
        named.append(f"={name}" if name else part)
        node = below
    return tuple(named)


def _step(node: Node | None, part: str | int) -> Node | None:
    if part == INSIDE:
        try:
            return inside.document(node.value, pure=False) if isinstance(node, Scalar) else None
        except EditRefused:
            return None
    if isinstance(part, str) and part.startswith("=") and isinstance(node, Sequence):
        return next((entry for entry in node.entries if text_at(entry, "name") == part[1:]), None)
    if isinstance(part, int) or isinstance(node, Mapping):
        return look(node, part)[0]
    return None
