"""A small GitHub that can fail in the ways GitHub does; `github_server` answers for it over real HTTP.

It knows the calls of our forge, keeps a journal, and refuses what GitHub refuses (a second open
pull request from one branch, an existing ref, a move that is no fast-forward). `fault` decides per
request whether it fails before or after it took effect.
"""

from __future__ import annotations

import base64
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from edges import double_reads
from edges.bare import Bare
from edges.double_issues import IssueList

REPO = "/repos/acme/gitops"
NOW = "2026-11-23T12:00:00Z"


@dataclass
class Fault:
    """What goes wrong with one request. `applied`: it takes effect first.

    `kind`: "status", "reset" (the connection closes without an answer), "truncate", "html", "drip".
    """

    kind: str
    status: int = 502
    headers: dict[str, str] = field(default_factory=dict)
    body: Any = None
    applied: bool = False


class Double:
    """The state of one repository, its journal, and where it answers."""

    def __init__(self, prefix: str = "", folder: Path | None = None) -> None:
        """Have a bare repository at `folder` behind it; without one only its names are computed."""
        self.prefix = prefix
        self.bare = Bare(folder)
        if folder is not None:
            self.bare.create()
        self.base_url = ""
        self.login = "bot"
        self.now = NOW
        self.unique = True
        self.lag = 0  # lists that do not show a new pull request yet
        self.rate: dict[str, str] = {}  # headers of every answer
        self.fault: Callable[[str, str], Fault | None] = lambda _verb, _path: None
        self.journal: list[tuple[str, str, dict[str, str]]] = []
        self.blobs: dict[str, bytes] = {}
        self.trees: dict[str, dict[str, tuple[str, str]]] = {}
        self.commits: dict[str, dict[str, Any]] = {}
        self.refs: dict[str, str] = {}
        self.pulls: list[dict[str, Any]] = []
        self.labels: list[tuple[int, str]] = []
        self.reviews: list[tuple[int, list[str], list[str]]] = []  # number, people, teams
        self.comments: dict[int, dict[str, Any]] = {}
        self.issues = IssueList()
        self.made = 0
        self.unseen: dict[int, int] = {}
        self.wrong: list[str] = []  # of requests and answers, by GitHub's description
        self.lock = threading.RLock()

    def seed(self, files: dict[str, bytes]) -> str:
        """Put files on main; return its commit."""
        tree = {}
        for path, content in files.items():
            blob = self.bare.blob(content)
            self.blobs[blob] = content
            tree[path] = ("100644", blob)
        self.refs["heads/main"] = self.commit(self.tree(tree), [], "first")
        self.bare.point(self.refs)
        return self.refs["heads/main"]

    def tree(self, entries: dict[str, tuple[str, str]]) -> str:
        sha = self.bare.tree(entries)
        self.trees[sha] = entries
        return sha

    def commit(self, tree: str, parents: list[str], message: str) -> str:
        # A second for each, as time passes: two equal commits are two.
        at_s = len(self.commits)
        sha = self.bare.commit(tree, parents, message, at_s)
        self.commits[sha] = {"tree": tree, "parents": parents, "message": message, "at_s": at_s}
        return sha

    def content(self, branch: str, path: str) -> bytes:
        return self.blobs[self.trees[self.commits[self.refs[f"heads/{branch}"]]["tree"]][path][1]]

    def calls(self, verb: str, pattern: str) -> int:
        return sum(1 for one, path, _ in self.journal if one == verb and re.search(pattern, path))

    # --- answers --------------------------------------------------------------------------------

    def answer(self, verb: str, path: str, query: dict[str, list[str]], sent: Any) -> tuple[int, Any]:  # noqa: C901, PLR0911, PLR0912
        """Return (status, JSON) of one request, having done what it asks."""
        part = path.removeprefix(self.prefix)
        if part == "/user":
            return 200, {"login": self.login, "id": 1}
        if part == REPO:
            return 200, {
                "id": 7, "name": "gitops", "full_name": "acme/gitops", "archived": False, "has_issues": True,
                "default_branch": "main", "url": f"{self.base_url}{REPO}", "owner": {"login": "acme"},
            }  # fmt: skip
        part = part.removeprefix(REPO)
        if found := re.fullmatch(r"/git/refs?/(heads/.+)", part):
            return self._ref(verb, found[1], sent)
        if part == "/git/refs" and verb == "POST":
            name = sent["ref"].removeprefix("refs/")
            if name in self.refs:
                return 422, {"message": "Reference already exists"}
            self.refs[name] = sent["sha"]
            self.bare.point(self.refs)
            return 201, self._shown_ref(name)
        if part == "/git/blobs":
            content = base64.b64decode(sent["content"])
            sha = self.bare.blob(content)
            self.blobs[sha] = content
            return 201, {"sha": sha}
        if part == "/git/trees":
            entries = dict(self.trees[sent["base_tree"]])
            entries.update({one["path"]: (one["mode"], one["sha"]) for one in sent["tree"]})
            return 201, {"sha": self.tree(entries)}
        if part == "/git/commits":
            return 201, self._shown_commit(self.commit(sent["tree"], sent["parents"], sent["message"]))
        if found := re.fullmatch(r"/git/commits/(\w+)", part):
            return (
                (200, self._shown_commit(found[1]))
                if found[1] in self.commits
                else (404, {"message": "Not Found"})
            )
        if part == "/pulls":
            return self._open(sent) if verb == "POST" else self._list(query)
        if found := re.fullmatch(r"/pulls/(\d+)(/requested_reviewers)?", part):
            return self._pull(verb, int(found[1]), sent, asked=bool(found[2]))
        if part == "/issues":
            if verb == "GET":
                return 200, self.issues.listed(query)
            return 201, self.issues.add(sent, self.login, self.now, f"{self.base_url}{REPO}")
        if (found := re.fullmatch(r"/issues/(\d+)", part)) and verb == "PATCH":
            return self.issues.changed(int(found[1]), sent, self.now)
        if found := re.fullmatch(r"/issues/(?:comments/(\d+)|(\d+)(/comments)?)", part):
            return self._issue(verb, int(found[1] or 0), int(found[2] or 0), sent, listed=bool(found[3]))
        if found := re.fullmatch(r"/issues/(\d+)/labels", part):
            self.labels += [(int(found[1]), name) for name in sent["labels"]]
            return 200, [{"name": name} for name in sent["labels"]]
        read = double_reads.answer(self, f"{self.base_url}{REPO}", part, query) if verb == "GET" else None
        return read or (501, {"message": "not served by the double"})

    def _pull(self, verb: str, number: int, sent: Any, *, asked: bool) -> tuple[int, Any]:
        if not 0 < number <= len(self.pulls):
            return 404, {"message": "Not Found"}
        pull = self.pulls[number - 1]
        if asked:
            self.reviews.append((number, sent["reviewers"], sent["team_reviewers"]))
            return 201, pull
        pull.update(sent or {})
        if verb == "PATCH" and pull["state"] == "closed":
            pull["closed_at"] = pull["closed_at"] or self.now
        return 200, pull

    def _issue(self, verb: str, comment: int, number: int, sent: Any, *, listed: bool) -> tuple[int, Any]:
        """Answer about comments; an issue has nothing else that we read."""
        url = f"{self.base_url}{REPO}/issues"
        if comment:
            return (204, None) if self.comments.pop(comment, None) else (404, {"message": "Not Found"})
        if not listed:
            return 200, {"number": number, "url": f"{url}/{number}"}
        if verb == "GET":
            return 200, [_shown(one) for one in self.comments.values() if one["issue"] == number]
        self.made += 1
        self.comments[self.made] = {
            "id": self.made, "issue": number, "body": sent["body"], "user": {"login": self.login},
            "url": f"{url}/comments/{self.made}", "issue_url": f"{url}/{number}",
        }  # fmt: skip
        return 201, _shown(self.comments[self.made])

    def _ref(self, verb: str, name: str, sent: Any) -> tuple[int, Any]:
        if name not in self.refs:
            return 404, {"message": "Not Found"}
        if verb == "PATCH":
            if self.refs[name] not in self.commits[sent["sha"]]["parents"]:
                return 422, {"message": "Update is not a fast forward"}
            self.refs[name] = sent["sha"]
            self.bare.point(self.refs)
        return 200, self._shown_ref(name)

    def _shown_ref(self, name: str) -> dict[str, Any]:
        url, sha = f"{self.base_url}{REPO}/git", self.refs[name]
        return {
            "ref": f"refs/{name}", "url": f"{url}/refs/{name}",
            "object": {"type": "commit", "sha": sha, "url": f"{url}/commits/{sha}"},
        }  # fmt: skip

    def _shown_commit(self, sha: str) -> dict[str, Any]:
        made = self.commits[sha]
        url = f"{self.base_url}{REPO}/git"
        return {
            "sha": sha, "message": made["message"], "url": f"{url}/commits/{sha}",
            "tree": {"sha": made["tree"], "url": f"{url}/trees/{made['tree']}"},
            "parents": [{"sha": one, "url": f"{url}/commits/{one}"} for one in made["parents"]],
        }  # fmt: skip

    def _open(self, sent: Any) -> tuple[int, Any]:
        same = [one for one in self.pulls if one["state"] == "open" and self._is_from(one, sent["head"])]
        if same and self.unique:
            text = "A pull request already exists for acme:" + sent["head"]
            return 422, _invalid(code="custom", message=text)
        if f"heads/{sent['head']}" not in self.refs:
            return 422, _invalid(code="invalid", field="head")
        made = self.add_pull(sent["head"], self.login, sent["title"], sent["body"])
        self.unseen[made["number"]] = self.lag
        return 201, made

    def add_pull(
        self,
        head: str,
        login: str,
        title: str = "t",
        body: str = "b",
        repo: str | None = "acme/gitops",
        **more: Any,
    ) -> dict[str, Any]:
        number = len(self.pulls) + 1
        url = f"{self.base_url}{REPO}"
        pull = {
            "number": number, "state": "open", "title": title, "body": body, "html_url": f"http://x/{number}",
            "url": f"{url}/pulls/{number}", "issue_url": f"{url}/issues/{number}", "user": {"login": login},
            "head": {"ref": head, "repo": repo and {"full_name": repo}}, "base": {"ref": "main"},
            "labels": [], "created_at": self.now, "updated_at": self.now, "closed_at": None,
            "merged_at": None, **more,
        }  # fmt: skip
        self.pulls.append(pull)
        return pull

    @staticmethod
    def _is_from(pull: dict[str, Any], branch: str) -> bool:
        return pull["head"]["ref"] == branch and pull["head"]["repo"] == {"full_name": "acme/gitops"}

    def _list(self, query: dict[str, list[str]]) -> tuple[int, Any]:
        state, head = query.get("state", ["open"])[0], query.get("head", [""])[0].partition(":")[2]
        found = [one for one in self.pulls if state in {"all", one["state"]}]
        if head:
            found = [one for one in found if self._is_from(one, head)]
        shown = []
        for one in found[::-1]:
            if self.unseen.get(one["number"], 0) > 0:
                self.unseen[one["number"]] -= 1
            else:
                shown.append(one)
        return 200, shown


def _shown(comment: dict[str, Any]) -> dict[str, Any]:
    """Leave out the number of its issue, which GitHub tells by an address only."""
    return {name: value for name, value in comment.items() if name != "issue"}


def _invalid(**error: str) -> dict[str, Any]:
    return {"message": "Validation Failed", "errors": [{"resource": "PullRequest", **error}]}
