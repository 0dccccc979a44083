"""What the GitHub double answers to whoever reads the repository itself: branches, trees, blobs, history."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

Answer = tuple[int, Any]
Query = Mapping[str, list[str]]


class Objects(Protocol):
    """The git objects of a double."""

    blobs: dict[str, bytes]
    trees: dict[str, dict[str, tuple[str, str]]]
    commits: dict[str, dict[str, Any]]
    refs: dict[str, str]

    def tree(self, entries: dict[str, tuple[str, str]]) -> str: ...


def answer(double: Objects, url: str, part: str, query: Query) -> Answer | None:
    """Return (status, JSON) of one request; None when it reads nothing of this. `url`: of the repository."""
    for pattern, read in _READS:
        if found := re.fullmatch(pattern, part):
            return read(double, url, found[1], query) or (404, {"message": "Not Found"})
    return None


def _branch(double: Objects, url: str, name: str, _: Query) -> Answer | None:
    sha = double.refs.get(f"heads/{name}")
    if sha is None:
        return None
    return 200, {"name": name, "commit": _commit(double, url, sha), "protected": False}


def _blob(double: Objects, url: str, sha: str, _: Query) -> Answer | None:
    if sha not in double.blobs:
        return None
    return 200, {"sha": sha, "url": f"{url}/git/blobs/{sha}", **_content(double, sha)}


def _file(double: Objects, _: str, path: str, query: Query) -> Answer | None:
    commit = double.commits.get(query["ref"][0])
    entry = double.trees[commit["tree"]].get(path) if commit else None
    return entry and (200, {"type": "file", "path": path, "sha": entry[1], **_content(double, entry[1])})


def _history(double: Objects, url: str, _: str, query: Query) -> Answer | None:
    sha = query["sha"][0]
    if sha not in double.commits:
        return None
    return 200, [_commit(double, url, one) for one in _past(double, sha, query.get("path", [None])[0])]


def _one_commit(double: Objects, url: str, sha: str, _: Query) -> Answer | None:
    if sha not in double.commits:
        return None
    files = [{"filename": path, "status": "modified"} for path in sorted(_changed(double, sha))]
    return 200, {**_commit(double, url, sha), "files": files}


def _content(double: Objects, sha: str) -> dict[str, Any]:
    content = double.blobs[sha]
    text = base64.encodebytes(content).decode()  # in lines, as GitHub has it
    return {"size": len(content), "encoding": "base64", "content": text}


def _tree(double: Objects, url: str, name: str, _: Query) -> Answer | None:
    """Answer for a tree or for the tree of a commit, all folders included."""
    sha = double.commits[name]["tree"] if name in double.commits else name
    if sha not in double.trees:
        return None
    entries = double.trees[sha]
    shown = [
        {"path": path, "mode": mode, "type": "blob", "sha": blob, "size": len(double.blobs[blob])}
        for path, (mode, blob) in entries.items()
    ]
    folders = {path[: place.start()] for path in entries for place in re.finditer("/", path)}
    for folder in folders:
        inside = {
            path.removeprefix(f"{folder}/"): entry
            for path, entry in entries.items()
            if path.startswith(f"{folder}/")
        }
        shown.append({"path": folder, "mode": "040000", "type": "tree", "sha": double.tree(inside)})
    shown.sort(key=lambda one: str(one["path"]))
    return 200, {"sha": sha, "url": f"{url}/git/trees/{sha}", "tree": shown, "truncated": False}


def _past(double: Objects, sha: str, path: str | None) -> Iterator[str]:
    """Return the commits of the first parents, newest first; with `path` those that changed it."""
    while True:
        if path is None or path in _changed(double, sha):
            yield sha
        if not double.commits[sha]["parents"]:
            return
        sha = double.commits[sha]["parents"][0]


def _changed(double: Objects, sha: str) -> set[str]:
    made = double.commits[sha]
    after = double.trees[made["tree"]]
    before = double.trees[double.commits[made["parents"][0]]["tree"]] if made["parents"] else {}
    return {path for path in {*before, *after} if before.get(path) != after.get(path)}


def _commit(double: Objects, url: str, sha: str) -> dict[str, Any]:
    made = double.commits[sha]
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(made["at_s"]))
    who = {"name": "bot", "email": "bot@example.com", "date": at}
    return {
        "sha": sha, "url": f"{url}/commits/{sha}", "author": None, "committer": None,
        "commit": {
            "message": made["message"], "author": who, "committer": who,
            "tree": {"sha": made["tree"], "url": f"{url}/git/trees/{made['tree']}"},
        },
        "parents": [{"sha": one, "url": f"{url}/commits/{one}"} for one in made["parents"]],
    }  # fmt: skip


_READS = (
    (r"/branches/(.+)", _branch),
    (r"/git/trees/(\w+)", _tree),
    (r"/git/blobs/(\w+)", _blob),
    (r"/contents/(.+)", _file),
    (r"/commits()", _history),
    (r"/commits/(\w+)", _one_commit),
)
