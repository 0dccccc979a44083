"""Who we are on GitHub: a token of the environment, or one that an App is given for an hour.

Tokens and keys come from the environment only, never from `aiops.yaml`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiops.errors import ConfigError

if TYPE_CHECKING:
    from aiops.edges import github_app

API = "https://api.github.com"


def repository(name: str, deadline_s: float, *, issues: bool = False) -> Any:
    """Return PyGithub's repository object, as whom the environment says."""
    return repository_as(credential(name, deadline_s, issues=issues)[0], name, deadline_s)


def repository_as(token: str, name: str, deadline_s: float) -> Any:
    """Return the same as whoever a token stands for."""
    from aiops.edges import github_client

    api_url = os.environ.get("GITHUB_API_URL", API)
    return github_client.repository(token, api_url, name, deadline_s=deadline_s)


def credential(
    name: str, deadline_s: float, *, issues: bool = False
) -> tuple[str, github_app.Installation | None]:
    """Return the token to use; with `GITHUB_APP_ID` a new one of that App, and what it was granted.

    `issues`: whether tracking issues are wanted, which a token of an App has to ask for.
    """
    token, app_id = (os.environ.get(one, "") for one in ("GITHUB_TOKEN", "GITHUB_APP_ID"))
    if token and app_id:
        raise ConfigError(
            "both GITHUB_TOKEN and GITHUB_APP_ID are set", where="forge: github", todo="unset one of them"
        )
    if app_id:
        from aiops.edges import github_app

        api_url = os.environ.get("GITHUB_API_URL", API)
        app = github_app.installation(app_id, _app_key(), api_url, name, deadline_s=deadline_s, issues=issues)
        return app.token, app
    if not token:
        raise ConfigError(
            "environment variable GITHUB_TOKEN is not set",
            where="forge: github",
            todo="export a token with contents and pull_requests write on this one repository,"
            " or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY_FILE",
        )
    return token, None


def _app_key() -> str:
    """Return the App's private key; in a variable CI systems often write a line end as two letters."""
    key, file = (os.environ.get(f"GITHUB_APP_PRIVATE_KEY{end}", "") for end in ("", "_FILE"))
    if bool(key) == bool(file):
        raise ConfigError(
            "expected one of GITHUB_APP_PRIVATE_KEY and GITHUB_APP_PRIVATE_KEY_FILE", where="GITHUB_APP_ID"
        )
    if key:
        return key.replace("\\n", "\n")
    try:
        return Path(file).read_text(encoding="ascii")
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"cannot read the key: {type(error).__name__}", where="GITHUB_APP_PRIVATE_KEY_FILE"
        ) from None
