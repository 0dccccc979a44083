"""The issues of the GitHub double: listed by label, opened, changed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

FIRST = 1_001  # GitHub counts pull requests and issues together; here the two never meet


@dataclass
class IssueList:
    """`labels_kept`: GitHub drops labels without a word for a token that may not push."""

    issues: list[dict[str, Any]] = field(default_factory=list)
    labels_kept: bool = True
    lag: int = 0  # lists that do not show a new one yet
    unseen: dict[int, int] = field(default_factory=dict)

    def add(self, sent: Any, login: str, now: str, repo_url: str, **more: Any) -> dict[str, Any]:
        number = FIRST + len(self.issues)
        names = sent.get("labels", []) if self.labels_kept else []
        issue = {
            "number": number, "state": "open", "title": sent["title"], "body": sent.get("body"),
            "html_url": f"http://x/issues/{number}", "url": f"{repo_url}/issues/{number}",
            "user": {"login": login}, "labels": [{"name": name} for name in names],
            "created_at": now, "updated_at": now, "closed_at": None, **more,
        }  # fmt: skip
        self.issues.append(issue)
        self.unseen[number] = self.lag
        return issue

    def listed(self, query: dict[str, list[str]]) -> list[dict[str, Any]]:
        state, wanted = query.get("state", ["open"])[0], query.get("labels", [""])[0]
        shown = []
        for one in self.issues[::-1]:
            if self.unseen.get(one["number"], 0) > 0:
                self.unseen[one["number"]] -= 1
            elif state in {"all", one["state"]} and (
                not wanted or wanted in {label["name"] for label in one["labels"]}
            ):
                shown.append(one)
        return shown[: int(query.get("per_page", ["30"])[0])]

    def changed(self, number: int, sent: Any, now: str) -> tuple[int, Any]:
        if not FIRST <= number < FIRST + len(self.issues):
            return 404, {"message": "Not Found"}
        issue = self.issues[number - FIRST]
        issue.update(sent, updated_at=now)
        if sent.get("state"):
            issue["closed_at"] = now if sent["state"] == "closed" else None
        return 200, issue
