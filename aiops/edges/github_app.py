"""Acts as a GitHub App: its private key becomes a token of an hour, for one repository.

Comes in: App id, private key, API address, repository name. Goes out: the installation's token and
what it was granted. The token asks for the one repository and for what aiops needs, however much
more the App may do. PyGithub signs; its `get_installation_auth` is not used, because it asks on a
connection of its own: other origins, retries and no deadline.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aiops.edges import github_client
from aiops.edges.github_errors import NotThere, speaking
from aiops.errors import ConfigError, ForgeRefused

NEEDED = ("contents", "pull_requests")
ISSUES = "issues"  # only with `issues: true`
_IMPLIED = "metadata"  # every App may read it
_ID = re.compile(r"[A-Za-z0-9.]{1,40}")  # a number, or a client id


@dataclass(frozen=True, slots=True)
class Installation:
    """What one App may do in one repository. `granted`: permission -> "read" or "write".

    `needed`: the permissions that aiops has a use for.
    """

    app_id: str
    token: str
    granted: Mapping[str, str]
    needed: tuple[str, ...] = NEEDED

    @property
    def may_push(self) -> bool:
        """Tell whether a branch and a pull request can be made."""
        return all(self.granted.get(name) == "write" for name in NEEDED)

    @property
    def excess(self) -> tuple[str, ...]:
        """Return the permissions of the App that aiops has no use for."""
        return tuple(sorted(set(self.granted) - {*self.needed, _IMPLIED}))

    @property
    def may_track(self) -> bool:
        """Tell whether a tracking issue can be opened."""
        return self.granted.get(ISSUES) == "write"


def installation(
    app_id: str, key: str, api_url: str, name: str, *, deadline_s: float, issues: bool = False
) -> Installation:
    """Return a new token for the repository `owner/name`. Raises ConfigError, ForgeRefused or ForgeBusy.

    `issues`: whether it has to be good for tracking issues, too.
    """
    needed = (*NEEDED, ISSUES) if issues else NEEDED
    signed = _signed(app_id, key)
    requester = github_client.client(signed, api_url, deadline_s=deadline_s).requester
    secrets = (signed, key)
    try:
        with speaking(f"asking where App {app_id} is installed", secrets):
            _, found = requester.requestJsonAndCheck("GET", f"/repos/{name}/installation")
            number, granted = _whole(found["id"]), {str(k): str(v) for k, v in found["permissions"].items()}
    except NotThere:
        raise ForgeRefused(
            f"App {app_id} is not installed on {name}", where="GITHUB_APP_ID", todo="install it there"
        ) from None
    wanted = {one: granted[one] for one in needed if one in granted}
    if not set(wanted) & set(NEEDED):
        raise ForgeRefused(
            f"App {app_id} has neither contents nor pull_requests on {name}",
            where="GITHUB_APP_ID",
            todo="give the App contents and pull_requests write, and accept that on the installation",
        )
    with speaking(f"asking for a token of App {app_id}", secrets):
        body = {"repositories": [name.partition("/")[2]], "permissions": wanted}
        url = f"/app/installations/{number}/access_tokens"
        _, made = requester.requestJsonAndCheck("POST", url, input=body)
        token = made["token"]
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
            raise TypeError("no token")
    return Installation(app_id, token, granted, needed)


def _signed(app_id: str, key: str) -> str:
    """Return a few minutes of being the App. No error quotes the key: its libraries' do."""
    import github

    if not _ID.fullmatch(app_id):
        raise ConfigError("expected the number or the client id of a GitHub App", where="GITHUB_APP_ID")
    try:
        return github.Auth.AppAuth(app_id, key).token
    except Exception:  # noqa: BLE001 - whatever the key's reader raises
        raise ConfigError(
            "not an unencrypted RSA private key in PEM form",
            where="GITHUB_APP_PRIVATE_KEY",
            todo="use the .pem file that the App's page on GitHub offers",
        ) from None


def _whole(value: Any) -> int:
    if type(value) is not int:
        raise TypeError("an installation without a number")
    return value
