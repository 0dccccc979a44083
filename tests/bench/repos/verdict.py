"""Judge the commit that is proposed for one value: its bytes, its trees, and all that renders it.

Right: another YAML reader sees exactly the meant scalar differ, or one new key or list entry that
holds it; the bytes around are the same; in the folder that deploys the workload one rendered field
of one object differs; and no other folder that builds on a changed file renders anything else.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.edits.idioms import Span
from bench.edits.judge import Change, Judge
from bench.repos import render
from bench.repos.scan import Found, Scan

from aiops.domain import Edit, Target
from aiops.gitops import edits, splice
from aiops.gitops.clusters import Cluster
from aiops.ports import Files

TAG, DIGEST = "v0.0.1-aiops", "sha256:" + "0a" * 32


def judged(
    files: Files,
    folder: Path,
    found: Scan,
    one: Found,
    target: Target,
    clusters: Sequence[Cluster],
    judge: Judge,
) -> tuple[str, bool]:
    """Return (what is wrong with the edit, whether rendered output was compared). Raises EditRefused."""
    new = _another(target)
    made = edits.of(files, target, new, clusters)
    for path in dict.fromkeys(each.file for each in made if each.role == "value"):
        wrong = _in_file(files.read(path), [each for each in made if each.file == path], target, judge)
        if wrong:
            return f"{path}: {wrong}", False
    contents = {
        path: splice.replace(files.read(path), [each for each in made if each.file == path])
        for path in dict.fromkeys(each.file for each in made)
    }
    again = rendered(folder, found, contents, (one.tool, one.root))
    return compared(one, found, again, f"{made[0].file} {made[0].path_text}", new)


def compared(
    one: Found, found: Scan, again: dict[tuple[str, str], render.Objects | str], place: str, new: str
) -> tuple[str, bool]:
    """Return what is wrong with what the folders render after the edit, and whether the own one does."""
    for root, answer in again.items():
        if isinstance(answer, str):
            return f"{root[1]} does not render any more: {answer}", True
        if root != (one.tool, one.root) and (also := render.differences(found.rendered[root], answer)):
            return f"{root[1]} changes too: {also[0][0]} {also[0][1]}", True
    own = again.get((one.tool, one.root))
    if own is None or isinstance(own, str):
        return "", False
    different = render.differences(found.rendered[one.tool, one.root], own)
    return _one_field(one, different, place, new), True


def _another(target: Target) -> str:
    """Return a value that the field does not have."""
    assert target.winner is not None
    old = splice.value_of(target.winner.path, target.winner.value)
    if not target.field.startswith("image"):
        return str(int(old) + 1)
    if "@" in old or target.beside is not None:
        return f"{TAG}@{DIGEST}"
    return DIGEST if ":" in old else TAG


def _in_file(before: bytes, made: Sequence[Edit], target: Target, judge: Judge) -> str:
    """Return what another reader finds wrong with the edits of the value in one file."""
    values = [one for one in made if one.role == "value"]
    after = splice.replace(before, values)
    if values[0].change == "insert":
        return judge.addition(before, after, values[0].new)
    count = not target.field.startswith("image")
    changes = [Change(Span(one.start, one.end, ""), one.old, one.new, count) for one in values]
    return judge.verdicts(before, [(after, changes)])[0]


def rendered(
    folder: Path, found: Scan, contents: Mapping[str, bytes], own: tuple[str, str]
) -> dict[tuple[str, str], render.Objects | str]:
    """Return what every folder that builds on a changed file renders after the edit."""
    kept = {path: (folder / path).read_bytes() for path in contents}
    roots = [root for root in found.rendered if root == own or _reads(found, root, contents)]
    try:
        for path, content in contents.items():
            (folder / path).write_bytes(content)
        return {root: render.again(folder, *root) for root in roots}
    finally:
        for path, content in kept.items():
            (folder / path).write_bytes(content)


def _reads(found: Scan, root: tuple[str, str], paths: Mapping[str, bytes]) -> bool:
    folders = found.folders.get(root, {root[1]})
    return any(
        above in folders
        for path in paths
        for above in (posixpath.dirname(path), *_above(posixpath.dirname(path)))
    )


def _above(folder: str) -> list[str]:
    parts = folder.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))] + [""]


def _one_field(one: Found, different: list[tuple[str, str, object, object]], place: str, new: str) -> str:
    if not different:
        return f"nothing rendered differs after {place}"
    if len({(name, path) for name, path, _, _ in different}) > 1:
        first = "; ".join(f"{name} {path}: {old} -> {now}" for name, path, old, now in different[:3])
        return f"{len(different)} rendered fields differ: {first}"
    name, path, _, now = different[0]
    if new not in str(now):
        return f"{name} {path} became {now}, expected {new}"
    return "" if one.name in name or one.kind == "HelmRelease" else f"{name} changed, asked for {one.name}"
