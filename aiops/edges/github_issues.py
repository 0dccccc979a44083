"""The tracking issues of one GitHub repository: found by their label, opened once.

Comes in: a text. Goes out: the one open issue that carries it. GitHub lets two runs at once open two;
numbers only rise, so whoever finds an older one after its own write closes its own. GitHub drops the
label without a word where a token may not set one: then it is asked for, and the issue closed when that
is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiops.domain import IssueText, TrackingIssue
from aiops.edges import github_client
from aiops.edges.github_branch import Branches
from aiops.edges.github_errors import Forbidden, NotThere, speaking
from aiops.errors import AiopsError, ForgeRefused
from aiops.propose import tracking

if TYPE_CHECKING:
    from github.Repository import Repository

# The last fifty written to are enough: the newest of each job is among them.
_ASKED = {"state": "all", "labels": tracking.LABEL, "sort": "updated", "direction": "desc", "per_page": 50}


class Issues:
    """The tracking issues of one repository that `github_client.repository` returned."""

    def __init__(self, repo: Repository, branches: Branches, me: Callable[[], str]) -> None:
        """Share the connection of `repo`; `me`: the login that the token acts as."""
        self._repo = repo
        self._branches = branches
        self._me = me
        self._secrets = (github_client.connection(repo).token,)

    def all(self) -> tuple[TrackingIssue, ...]:
        """Return those with our label that our account opened, in any state, newest first."""
        doing = "listing tracking issues"
        with _needing(), speaking(doing, self._secrets):
            url = f"{self._repo.url}/issues"
            _, answer = self._repo.requester.requestJsonAndCheck("GET", url, parameters=_ASKED)
            if not isinstance(answer, list):
                raise TypeError("expected a list of issues")
            found = [_seen(one) for one in answer if self._is_ours(one)]
        return tuple(sorted(found, key=lambda one: -one.number))

    def write(self, text: IssueText) -> TrackingIssue:
        """Open it, or write to the one it names. Raises ForgeRefused or ForgeBusy."""
        number = text.number
        if number is None:
            return self._opened(text)
        given = {"title": text.title, "body": text.body, **({"state": text.state} if text.state else {})}
        with _needing():
            return self._branches.write(f"writing issue {number}", lambda: self._sent(number, given))

    def _opened(self, text: IssueText) -> TrackingIssue:
        doing = "opening the tracking issue"
        given = {"title": text.title, "body": text.body, "labels": [tracking.LABEL]}
        with _needing():
            made = self._branches.write(doing, lambda: self._sent(None, given), lambda: self._one(text))
        if tracking.LABEL not in made.labels:
            made = self._labelled(made)
        found = self._one(text)
        # A list that is behind shows it to the next run, which closes the younger of two.
        if found is None or found.number == made.number:
            return made
        self.write(tracking.duplicate(made))
        return found

    def _labelled(self, made: TrackingIssue) -> TrackingIssue:
        """Return the issue with its label; without one no later run would find it: then it is closed."""
        try:
            with speaking(f"labelling issue {made.number}", self._secrets):
                url = f"{self._repo.url}/issues/{made.number}/labels"
                self._repo.requester.requestJsonAndCheck("POST", url, input={"labels": [tracking.LABEL]})
        except AiopsError:
            self.write(tracking.duplicate(made))
            raise
        return replace(made, labels=(tracking.LABEL,))

    def _one(self, text: IssueText) -> TrackingIssue | None:
        return tracking.same(text.body, self.all())

    def _is_ours(self, one: Mapping[str, Any]) -> bool:
        """Tell whether our account opened it. A pull request is an issue to GitHub, and none of these."""
        author = str((one["user"] or {}).get("login", ""))
        return not one.get("pull_request") and author.lower() == self._me().lower()

    def _sent(self, number: int | None, given: Mapping[str, Any]) -> TrackingIssue:
        verb, end = ("POST", "issues") if number is None else ("PATCH", f"issues/{number}")
        _, answer = self._repo.requester.requestJsonAndCheck(verb, f"{self._repo.url}/{end}", input=given)
        return _seen(answer)


@contextmanager
def _needing() -> Iterator[None]:
    """Name the permission that only issues need, where GitHub refuses one."""
    try:
        yield
    except (NotThere, Forbidden) as error:
        todo = "give the token issues write as well, or take `issues: true` out of aiops.yaml"
        raise ForgeRefused(error.message, where=error.where, todo=todo) from None


def _seen(one: Mapping[str, Any]) -> TrackingIssue:
    """Return GitHub's object as ours. Raises what `speaking` turns into OutcomeUnknown."""
    if type(one["number"]) is not int:
        raise TypeError("an issue without a number")
    closed = one.get("closed_at")
    return TrackingIssue(
        number=one["number"],
        url=str(one["html_url"]),
        state="open" if one["state"] == "open" else "closed",
        title=str(one["title"]),
        body=str(one.get("body") or ""),
        labels=tuple(sorted(str(label["name"]) for label in one["labels"])),
        created_at_s=_seconds(one["created_at"]),
        closed_at_s=_seconds(closed) if closed else None,
    )


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())
