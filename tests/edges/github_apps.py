"""The GitHub double on which an App is installed."""

from __future__ import annotations

from typing import Any

from edges.github_double import REPO, Double

TOKEN = "ghs_canary0123456789abcdefghijklmnop"
WRITE = {"contents": "write", "pull_requests": "write", "metadata": "read"}


class Apps(Double):
    """A GitHub on which the App 4711 is installed, and that tells an installation no rights of an account."""

    def __init__(self, granted: dict[str, str]) -> None:
        super().__init__()
        self.granted = granted
        self.asked: list[tuple[str, Any]] = []

    def answer(self, verb: str, path: str, query: dict[str, list[str]], sent: Any) -> tuple[int, Any]:
        if path == f"{REPO}/installation":
            return 200, {"id": 5, "app_slug": "aiops-bot", "permissions": self.granted}
        if path == "/app/installations/5/access_tokens":
            self.asked.append((verb, sent))
            return 201, {"token": TOKEN, "expires_at": "2026-11-23T13:00:00Z"}
        status, found = super().answer(verb, path, query, sent)
        if path == f"{REPO}/branches/main" and status == 200:
            return status, {**found, "protected": True}
        if path == REPO:
            return status, {**found, "permissions": {"admin": False, "push": False, "pull": False}}
        return status, found
