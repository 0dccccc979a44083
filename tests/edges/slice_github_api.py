"""`python slice_github_api.py BIG > github_api.json`: cut what aiops uses out of GitHub's description.

BIG is `generated/api.github.com.json` of the npm package `@octokit/openapi` (MIT). Texts, examples and
headers are left out; each operation and each schema is a line, so that a renewal shows what changed.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

REPO = "/repos/{owner}/{repo}"
# GraphQL, by which an installation learns its name, is described elsewhere.
OPERATIONS = (
    ("get", "/user"),
    ("get", REPO),
    ("get", f"{REPO}/installation"),
    ("post", "/app/installations/{installation_id}/access_tokens"),
    ("get", f"{REPO}/branches/{{branch}}"),
    ("get", f"{REPO}/commits"),
    ("get", f"{REPO}/commits/{{ref}}"),
    ("get", f"{REPO}/contents/{{path}}"),
    ("post", f"{REPO}/git/blobs"),
    ("get", f"{REPO}/git/blobs/{{file_sha}}"),
    ("post", f"{REPO}/git/commits"),
    ("get", f"{REPO}/git/commits/{{commit_sha}}"),
    ("get", f"{REPO}/git/ref/{{ref}}"),
    ("post", f"{REPO}/git/refs"),
    ("patch", f"{REPO}/git/refs/{{ref}}"),
    ("post", f"{REPO}/git/trees"),
    ("get", f"{REPO}/git/trees/{{tree_sha}}"),
    ("get", f"{REPO}/issues"),
    ("post", f"{REPO}/issues"),
    ("patch", f"{REPO}/issues/{{issue_number}}"),
    ("delete", f"{REPO}/issues/comments/{{comment_id}}"),
    ("get", f"{REPO}/issues/{{issue_number}}/comments"),
    ("post", f"{REPO}/issues/{{issue_number}}/comments"),
    ("post", f"{REPO}/issues/{{issue_number}}/labels"),
    ("get", f"{REPO}/pulls"),
    ("post", f"{REPO}/pulls"),
    ("get", f"{REPO}/pulls/{{pull_number}}"),
    ("patch", f"{REPO}/pulls/{{pull_number}}"),
    ("post", f"{REPO}/pulls/{{pull_number}}/requested_reviewers"),
)
KEPT = ("parameters", "requestBody", "responses")
TEXTS = {"description", "example", "examples", "externalDocs", "headers", "links", "summary", "title"}


def cut(whole: dict[str, Any], source: str, licence: str) -> dict[str, Any]:
    """Return the operations, and whatever they refer to."""
    paths: dict[str, Any] = {}
    for verb, path in OPERATIONS:
        given = whole["paths"][path][verb]
        paths.setdefault(path, {})[verb] = {key: _bare(given[key]) for key in KEPT if key in given}
    parts: dict[str, dict[str, Any]] = {}
    asked = list(_references(paths))
    while asked:
        kind, name = asked.pop().split("/")[2:]
        if name not in parts.setdefault(kind, {}):
            parts[kind][name] = _bare(whole["components"][kind][name])
            asked += _references(parts[kind][name])
    about = {"source": source, "openapi": whole["openapi"], "licence": licence}
    return {"about": about, "paths": paths, "components": parts}


def written(part: dict[str, Any]) -> str:
    """Return the slice as JSON with a line for each operation and schema."""
    kinds = ",\n".join(f'"{kind}":{_rows(among)}' for kind, among in sorted(part["components"].items()))
    about = json.dumps(part["about"], indent=1)
    return f'{{"about":{about},\n"paths":{_rows(part["paths"])},\n"components":{{\n{kinds}}}}}\n'


def _rows(among: dict[str, Any]) -> str:
    rows = [
        f"{json.dumps(key)}:{json.dumps(among[key], separators=(',', ':'), sort_keys=True)}"
        for key in sorted(among)
    ]
    return "{\n" + ",\n".join(rows) + "}"


def _bare(node: Any, *, named: bool = False) -> Any:
    """Leave the texts out; `named`: the keys are names of fields, and `description` is one of them."""
    if isinstance(node, list):
        return [_bare(one) for one in node]
    if not isinstance(node, dict):
        return node
    return {
        key: _bare(value, named=key == "properties" and not named)
        for key, value in node.items()
        if named or not (key in TEXTS or key.startswith("x-"))
    }


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        node = list(node.values())
    if isinstance(node, list):
        for one in node:
            yield from _references(one)


def main() -> int:
    """Print the slice of the file that is named."""
    big = Path(sys.argv[1])
    package = json.loads((big.parents[1] / "package.json").read_text(encoding="utf-8"))
    licence = (big.parents[1] / "LICENSE").read_text(encoding="utf-8")
    source = f"npm {package['name']}@{package['version']} {big.parent.name}/{big.name}"
    sys.stdout.write(written(cut(json.loads(big.read_text(encoding="utf-8")), source, licence)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
