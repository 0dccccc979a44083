"""Pull requests on GitHub, opened so that a crash between any two calls leaves nothing double.

Comes in: a proposal. Goes out: the one pull request that carries it. Order: look for it, then blob,
tree and commit (garbage if we die), branch (adopted next time), pull request with its marker inside
the body (found next time), look again, label. A write whose outcome is unknown is looked up before
it is repeated. Only what our own account opened from this very repository counts as ours.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiops.domain import IssueText, Proposal, PullRequest, PullState, TrackingIssue
from aiops.edges import github_client
from aiops.edges.github_branch import Branches
from aiops.edges.github_comments import Comments
from aiops.edges.github_errors import Rejected, speaking
from aiops.edges.github_issues import Issues
from aiops.errors import AiopsError, ForgeBusy, ForgeRefused
from aiops.propose import lifecycle, marker

if TYPE_CHECKING:
    from github.PullRequest import PullRequest as GithubPull
    from github.Repository import Repository

LABEL = "aiops"
CLOSED_DAYS = 30  # closed pull requests older than this decide nothing any more
_NUMBERS = 50  # branches of one change; somebody declined it this often

_log = logging.getLogger(__name__)


class GitHubForge:
    """The forge port on one GitHub repository."""

    def __init__(self, repo: Repository) -> None:
        """Take what `github_client.repository` returned."""
        self._repo = repo
        self._secrets = (github_client.connection(repo).token,)
        self._branches = Branches(repo)
        self._comments = Comments(repo, self._branches, self._me)
        self._issues = Issues(repo, self._branches, self._me)
        self._login: str | None = None

    def pulls(self) -> tuple[PullRequest, ...]:
        """Return ours: every open one, and those closed in the last 30 days; newest first.

        Pages to the end: a count that is not complete raises, so limits fail closed.
        """
        oldest_s = time.time() - CLOSED_DAYS * 86_400
        found: dict[int, PullRequest] = {}
        with speaking("listing pull requests", self._secrets):
            for pull in self._repo.get_pulls(state="open", sort="created", direction="desc"):
                found[pull.number] = self._seen(pull)
            for pull in self._repo.get_pulls(state="closed", sort="updated", direction="desc"):
                if _seconds(pull.updated_at) < oldest_s:
                    break
                found[pull.number] = self._seen(pull)
            ours = [found[number] for number in found if self._is_ours(found[number])]
        return tuple(sorted(ours, key=lambda pull: -pull.number))

    def open(self, proposal: Proposal, now_s: int) -> PullRequest:
        """Open one pull request with one commit, or return the open one that is there already.

        `now_s` is not used: GitHub dates its own commits. Raises ForgeRefused or ForgeBusy.
        """
        del now_s
        self._check_base(proposal)
        for number in range(1, _NUMBERS + 1):
            wanted = lifecycle.numbered(proposal, number)
            there = self._by_head(wanted.branch)
            same = lifecycle.match(wanted, [pull for pull in there if self._is_ours(pull)])
            if same is not None:
                return same
            # Closed, merged or somebody else's: this number is used up.
            if not there and self._branches.carry(wanted):
                return self._pull(wanted)
        raise ForgeRefused(f"{_NUMBERS} branches of this change exist", where=proposal.branch)

    def update(self, pull: PullRequest, proposal: Proposal, now_s: int) -> PullRequest:
        """Bring value and text up to date; return `pull` itself when a person pushed to the branch."""
        del now_s
        self._check_base(proposal)
        tip = self._branches.tip(pull.branch)
        if tip is None or not self._branches.advance(pull.branch, tip, proposal):
            return pull
        with speaking(f"updating pull request {pull.number}", self._secrets):
            return self._edited(pull.number, title=proposal.title, body=proposal.body)

    def settle(self, pull: PullRequest, body: str, comment: str, *, close: bool, now_s: int) -> PullRequest:
        """Write down how it ended; return `pull` itself when a person pushed to it.

        The comment first, once; then body and state in one call, so that a run killed in between
        leaves an open pull request with a comment, and the next run ends it. What another run ended
        meanwhile is left as that run left it. Equal comments of runs at once are taken back before the
        body says that all is done: whoever dies before that is followed by a run that looks again.
        """
        del now_s
        with speaking(f"reading pull request {pull.number}", self._secrets):
            there = self._seen(self._repo.get_pull(pull.number))
        if (there.state, there.body) != (pull.state, pull.body):
            return there
        if close and not self._branches.is_ours(pull.branch):
            return pull
        if comment:
            try:
                self._comments.say(pull.number, comment)
            except ForgeRefused as error:  # the body says how it ended all the same
                _log.warning("pull request %d has no comment: %s", pull.number, error)
        state = {"state": "closed"} if close else {}
        return self._branches.write(
            f"ending pull request {pull.number}", lambda: self._edited(pull.number, body=body, **state)
        )

    def issues(self) -> tuple[TrackingIssue, ...]:
        """Return our tracking issues, in any state."""
        return self._issues.all()

    def track(self, text: IssueText, now_s: int) -> TrackingIssue:
        """Open one tracking issue, or write to the one that the text names. `now_s` is not used."""
        del now_s
        return self._issues.write(text)

    # --- reading --------------------------------------------------------------------------------

    def _by_head(self, branch: str) -> list[PullRequest]:
        """Return all pull requests from this branch of this repository, whoever opened them."""
        owner = self._repo.full_name.split("/")[0]
        with speaking(f"looking for {branch}", self._secrets):
            pulls = [self._seen(pull) for pull in self._repo.get_pulls(state="all", head=f"{owner}:{branch}")]
        # Servers that ignore the filter exist; a branch of a fork has another repository.
        return [pull for pull in pulls if pull.branch == branch]

    def _check_base(self, proposal: Proposal) -> None:
        """Refuse when the base is gone, archived, or has other content where we edit."""
        if self._repo.archived:
            raise ForgeRefused("the repository is archived", where=self._repo.full_name)
        tip = self._branches.tip(proposal.base)
        if tip is None:
            todo = "check repository.base, and that the token may read contents"
            raise ForgeRefused("the base branch is not there", where=proposal.base, todo=todo)
        if tip == proposal.base_sha:
            return
        for path, blob in sorted({(edit.file, edit.blob) for edit in proposal.edits}):
            with speaking(f"reading {path}", self._secrets):
                now = self._repo.get_contents(path, ref=tip)
            if isinstance(now, list) or now.sha != blob:
                raise ForgeBusy("the base changed while we were proposing", where=path, todo="run again")

    def _is_ours(self, pull: PullRequest) -> bool:
        """Tell whether our account opened it from a branch of ours in this repository.

        `_seen` empties the branch of a pull request from a fork.
        """
        return lifecycle.key(pull.branch) is not None and pull.author.lower() == self._me().lower()

    def _me(self) -> str:
        """Return the login that the token acts as; an installation token is told it by GraphQL only."""
        if self._login is None:
            try:
                with speaking("asking who we are", self._secrets):
                    _, user = self._repo.requester.requestJsonAndCheck("GET", "/user")
            except ForgeRefused:
                with speaking("asking who we are", self._secrets):
                    _, answer = self._repo.requester.graphql_query("query { viewer { login } }", {})
                    user = answer["data"]["viewer"]
            with speaking("asking who we are", self._secrets):
                self._login = str(user["login"])
        return self._login

    def _seen(self, pull: GithubPull) -> PullRequest:
        """Return GitHub's object as ours. Raises what `speaking` turns into OutcomeUnknown."""
        if type(pull.number) is not int:
            raise TypeError("a pull request without a number")
        head = pull.head.repo
        own = head is not None and head.full_name.lower() == self._repo.full_name.lower()
        state: PullState = "merged" if pull.merged_at else ("open" if pull.state == "open" else "closed")
        return PullRequest(
            number=pull.number,
            url=pull.html_url,
            branch=pull.head.ref if own else "",
            state=state,
            title=pull.title,
            body=pull.body or "",
            author=pull.user.login if pull.user else "",
            labels=tuple(sorted(label.name for label in pull.labels)),
            created_at_s=_seconds(pull.created_at),
            closed_at_s=_seconds(pull.closed_at) if pull.closed_at else None,
            merged_at_s=_seconds(pull.merged_at) if pull.merged_at else None,
            closed_by=None,  # lists do not tell
        )

    # --- writing --------------------------------------------------------------------------------

    def _pull(self, wanted: Proposal) -> PullRequest:
        try:
            made = self._branches.write(
                "opening the pull request",
                lambda: self._seen(
                    self._repo.create_pull(
                        base=wanted.base, head=wanted.branch, title=wanted.title, body=wanted.body
                    )
                ),
                lambda: self._adopted(wanted),
            )
        except Rejected as error:
            if "already exists" not in error.message:
                raise
            found = self._adopted(wanted)
            if found is None:
                raise ForgeBusy("the pull request exists and cannot be seen", where=wanted.branch) from None
            made = found
        kept = self._only(wanted, made)
        self._label(kept)
        if kept == made:
            self._ask(kept, wanted.reviewers)
        return kept

    def _adopted(self, wanted: Proposal) -> PullRequest | None:
        return lifecycle.match(wanted, [pull for pull in self._by_head(wanted.branch) if self._is_ours(pull)])

    def _edited(self, number: int, **changed: str) -> PullRequest:
        """Change a pull request; return it as it is then. Called inside `speaking`."""
        from github.PullRequest import PullRequest as GithubPull

        data = self._sent("PATCH", f"pulls/{number}", changed)
        return self._seen(GithubPull(self._repo.requester, {}, data))

    def _sent(self, verb: str, path: str, given: Mapping[str, Any] | None) -> Any:
        """Send one write to an address of this repository that we made; return the answer.

        Most methods of PyGithub want an object and use the addresses in it: one more call each.
        """
        _, answer = self._repo.requester.requestJsonAndCheck(verb, f"{self._repo.url}/{path}", input=given)
        return answer

    def _only(self, wanted: Proposal, made: PullRequest) -> PullRequest:
        """Return the oldest open one of ours; close `made` when it is a younger duplicate of it."""
        oldest = self._adopted(wanted)
        if oldest is None or oldest.number >= made.number:
            return made
        mark = marker.parse(made.body)
        body = marker.rewritten(made.body, replace(mark, outcome="duplicate")) if mark else made.body
        with speaking(f"closing our duplicate {made.number}", self._secrets):
            self._edited(made.number, state="closed", body=body)
        return oldest

    def _label(self, pull: PullRequest) -> None:
        """Add our label. It decides nothing, so a failure is only a warning."""
        if LABEL in pull.labels:
            return
        try:
            with speaking(f"labelling pull request {pull.number}", self._secrets):
                self._sent("POST", f"issues/{pull.number}/labels", {"labels": [LABEL]})
        except AiopsError as error:
            _log.warning("pull request %d has no label: %s", pull.number, error)

    def _ask(self, pull: PullRequest, reviewers: tuple[str, ...]) -> None:
        """Ask the owners of the files for a review. It decides nothing, so a failure is only a warning."""
        if not reviewers:
            return
        people = [name for name in reviewers if "/" not in name]
        teams = [name.partition("/")[2] for name in reviewers if "/" in name]
        try:
            with speaking(f"asking for a review of pull request {pull.number}", self._secrets):
                asked = {"reviewers": people, "team_reviewers": teams}
                self._sent("POST", f"pulls/{pull.number}/requested_reviewers", asked)
        except AiopsError as error:
            _log.warning("nobody was asked to review pull request %d: %s", pull.number, error)


def _seconds(at: datetime | None) -> int:
    if at is None:
        raise TypeError("a time is missing")
    return int(at.timestamp())
