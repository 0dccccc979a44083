"""What aiops says on a pull request of GitHub, once.

Comes in: a number and a text. Goes out: one comment of ours with that text. GitHub has no way to write
only if nothing is there, so: look, write, wait until whoever looked before us has written too, look
again, and delete all but the first. Runs at once agree on the first, because numbers only rise.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from aiops.edges import github_client
from aiops.edges.github_branch import Branches
from aiops.edges.github_errors import speaking
from aiops.errors import ForgeRefused
from aiops.propose import marker

PAUSE_S = 2.0  # longer than the way from a look to the write after it; an end is written seldom

if TYPE_CHECKING:
    from github.Repository import Repository


class Comments:
    """The comments of one repository that `github_client.repository` returned."""

    def __init__(self, repo: Repository, branches: Branches, me: Callable[[], str]) -> None:
        """Share the connection of `repo`; `me`: the login that the token acts as."""
        self._repo = repo
        self._branches = branches
        self._me = me
        self._connection = github_client.connection(repo)
        self._secrets = (self._connection.token,)

    def say(self, number: int, text: str) -> None:
        """Add a comment unless we said the same there before; take back what runs at once said twice."""
        doing = f"commenting on pull request {number}"
        said = self._said(number, text)
        if not said:
            self._branches.write(
                doing, lambda: self._add(number, text), lambda: next(iter(self._said(number, text)), None)
            )
            time.sleep(min(PAUSE_S, self._connection.remaining_s()))
            said = self._said(number, text)
        for younger in said[1:]:
            with contextlib.suppress(ForgeRefused), speaking(doing, self._secrets):
                url = f"{self._repo.url}/issues/comments/{younger}"
                self._repo.requester.requestJsonAndCheck("DELETE", url)

    def _add(self, number: int, text: str) -> int:
        url = f"{self._repo.url}/issues/{number}/comments"
        _, answer = self._repo.requester.requestJsonAndCheck("POST", url, input={"body": text})
        return int(answer["id"])

    def _said(self, number: int, text: str) -> list[int]:
        """Return our comments that say the same by their numbers, the oldest first."""
        from github.IssueComment import IssueComment
        from github.PaginatedList import PaginatedList

        url = f"{self._repo.url}/issues/{number}/comments"
        with speaking(f"reading the comments of {number}", self._secrets):
            return sorted(
                one.id
                for one in PaginatedList(IssueComment, self._repo.requester, url, None)
                if one.user.login.lower() == self._me().lower() and marker.same_comment(one.body or "", text)
            )
