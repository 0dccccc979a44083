"""Which commit stands behind a change that is no tag: settings, a pod template, a route.

Comes in: the repository, where the workload's image lives, when the change was first seen. Goes
out: the commit to look at, or None. Nothing is read of its content: the files it touched and the
minute it was made are enough to name it, and a person decides.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import replace

from aiops.domain import Change, Commit, Diagnosis, Hold, Target
from aiops.gitops import where
from aiops.gitops.clusters import Cluster
from aiops.ports import Repository

# From commit to pods: a GitOps controller polls for minutes, a person may wait for a sync window.
BEFORE_S = 3600
AFTER_S = 60  # two clocks
MAX_COMMITS = 20  # of one folder
MAX_FILES = 10  # of those that are called like the workload


def named(
    held: Hold, found: Diagnosis, repository: Repository, sha: str, clusters: Sequence[Cluster]
) -> Hold:
    """Return a hold that also names the commit to revert, when the repository has one at that time."""
    if found.change is None or found.change.kind == "certificate":  # time did it, and no commit
        return held
    target = where.resolve(repository.files(sha), found.workload, "image.tag", clusters)
    one = commit(repository, sha, target, found.change)
    if one is None:
        return replace(held, reason=f"{held.reason}; no commit near that time touched its files")
    return replace(held, reason=f"{held.reason}; revert commit {one.sha[:12]} ({one.subject[:80]})")


def commit(repository: Repository, sha: str, target: Target, change: Change) -> Commit | None:
    """Return the newest commit before a change that touched the workload's own files.

    One that names the workload, in its subject or in a path, comes before one that shares a file.
    """
    near = {
        one.sha: one
        for path in _paths(repository, sha, target)
        for one in repository.commits(sha, path, MAX_COMMITS)
        if -AFTER_S <= change.at_s - one.time_s <= BEFORE_S
    }
    name = target.workload.name
    return max(
        near.values(),
        key=lambda one: (_names(name, (one.subject, *one.paths)), one.time_s, one.sha),
        default=None,
    )


def _paths(repository: Repository, sha: str, target: Target) -> list[str]:
    """Return the folders that set the workload's fields, and the files that are called like it."""
    folders = {posixpath.dirname(place.file) or place.file for place in target.places}
    name = target.workload.name
    called = [path for path in sorted(repository.files(sha).tree()) if _names(name, (path,))]
    return [*sorted(folders), *called[:MAX_FILES]]


def _names(name: str, texts: Iterable[str]) -> bool:
    """Tell whether a text names a workload as a word: `cart` is not in `cartoon`."""
    words = (text.replace("/", " ").replace(".", " ").replace(":", " ").split() for text in texts)
    return any(word == name or word.startswith(f"{name}-") for found in words for word in found)
