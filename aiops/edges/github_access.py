"""What a token may do in one repository, and whether its base branch is protected. Reads only.

GitHub tells the rights of the account (`permissions`) and, for classic tokens, the scopes; the
rights of a fine-grained token it does not tell. So `may_push` False is certain, True is not.
Of an App the account's rights say nothing (all false); its installation tells exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops.edges import github_client
from aiops.edges.github_errors import speaking
from aiops.errors import ForgeRefused

if TYPE_CHECKING:
    from github.Repository import Repository

    from aiops.edges.github_app import Installation

# More than `repo` (or `public_repo`) is never used here.
NEEDED_SCOPES = frozenset({"repo", "public_repo"})


@dataclass(frozen=True, slots=True)
class Access:
    """`may_push`: None when the server does not tell. `excess`: scopes that aiops has no use for.

    `protected`: None when it could not be read. `app`: the id of the App we act as, "" for a token.
    `may_track`: whether tracking issues can be opened; False is certain (the repository has none, or the
    App may not), None is not told.
    """

    full_name: str
    archived: bool
    may_push: bool | None
    excess: tuple[str, ...]
    protected: bool | None
    app: str = ""
    may_track: bool | None = None


def of(repo: Repository, base: str, app: Installation | None = None) -> Access:
    """Ask for rights, scopes, pull requests and the branch. Raises ForgeRefused or ForgeBusy."""
    secrets = (github_client.connection(repo).token,)
    with speaking("asking what the token may do", secrets):
        headers, data = repo.requester.requestJsonAndCheck("GET", f"/repos/{repo.full_name}")
        rights = data.get("permissions") or {}
        push = rights.get("push")
        scopes = {one.strip() for one in str(headers.get("x-oauth-scopes") or "").split(",")} - {""}
        archived = bool(data.get("archived"))
        may_track = False if data.get("has_issues") is False else None
    with speaking("listing pull requests", secrets):
        repo.requester.requestJsonAndCheck("GET", f"/repos/{repo.full_name}/pulls?per_page=1")
    protected = _protected(repo, base, secrets)
    if app is not None:
        may_track = may_track if may_track is False else app.may_track
        return Access(repo.full_name, archived, app.may_push, app.excess, protected, app.app_id, may_track)
    return Access(
        repo.full_name,
        archived,
        push if isinstance(push, bool) else None,
        tuple(sorted(scopes - NEEDED_SCOPES)),
        protected,
        may_track=may_track,
    )


def _protected(repo: Repository, base: str, secrets: tuple[str, ...]) -> bool | None:
    """Return whether a rule guards the branch; branch protection and rulesets both set the flag."""
    try:
        with speaking("reading the base branch", secrets):
            _, data = repo.requester.requestJsonAndCheck("GET", f"/repos/{repo.full_name}/branches/{base}")
            found = data.get("protected")
    except ForgeRefused:
        return None
    return found if isinstance(found, bool) else None
