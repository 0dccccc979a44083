"""What PyGithub, requests and GitHub itself say when something is wrong, as errors of ours.

Comes in: any exception inside a `with speaking(...)`. Goes out: ForgeRefused (running again does
not help) or ForgeBusy (it does), one line without secrets. A write whose outcome nobody knows is an
error of its own: its caller looks before it asks again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from aiops.edges.redaction import redact
from aiops.errors import AiopsError, ForgeBusy, ForgeRefused


class OutcomeUnknown(ForgeBusy):
    """The forge may or may not have done it: look before asking again."""


class NotThere(ForgeRefused):
    """404: not there, or not for this token."""


class Forbidden(ForgeRefused):
    """403 that is no rate limit: the token may not do this."""


class Rejected(ForgeRefused):
    """409, 422 and the like: the request was understood and not accepted."""


@contextmanager
def speaking(doing: str, secrets: tuple[str, ...]) -> Iterator[None]:
    """Turn whatever PyGithub or requests raises inside into one of our errors, without secrets."""
    import github
    import requests

    try:
        yield
    except AiopsError:
        raise
    except github.IncompletableObject:
        # 200 with a page that is not JSON (a captive portal): PyGithub returns an empty object.
        raise OutcomeUnknown("the answer is not GitHub's", where=doing, todo="run again") from None
    except github.GithubException as error:
        raise _refusal(error, doing, secrets) from None
    except (requests.RequestException, OSError) as error:
        # Timeout, reset, truncated: after a write nobody knows whether it happened.
        found = redact(f"{type(error).__name__}: {error}", secrets)
        raise OutcomeUnknown(f"no complete answer: {found}", where=doing, todo="run again") from None
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # PyGithub trusts what JSON holds: a page, a list or a string where it expects an object.
        found = redact(str(error), secrets)
        raise OutcomeUnknown(f"the answer is not GitHub's: {found}", where=doing, todo="run again") from None
    except (AssertionError, RecursionError, RuntimeError) as error:
        found = redact(str(error), secrets)
        raise ForgeRefused(f"the answer was refused: {found}", where=doing) from None


def _refusal(error: Any, doing: str, secrets: tuple[str, ...]) -> AiopsError:
    status = int(error.status)
    headers = {str(name).lower(): str(value) for name, value in (error.headers or {}).items()}
    said = redact(_message(error), secrets)
    if status == 401:
        todo = "renew GITHUB_TOKEN; of an App check the id, the key and this machine's clock"
        return ForgeRefused("the token was not accepted (401)", where=doing, todo=todo)
    if status == 429 or (status == 403 and _limited(headers, said)):
        return ForgeBusy(
            f"the forge limits our requests ({status}){_again(headers)}", where=doing, todo="run again"
        )
    if status == 403:
        todo = "the token needs contents and pull_requests write on this repository"
        return Forbidden(f"the forge says no (403): {said}", where=doing, todo=todo)
    if status == 404:
        return NotThere(
            "not found (404), which is also how GitHub hides a missing permission",
            where=doing,
            todo="check the name, and that the token has contents and pull_requests write",
        )
    if status >= 500:
        return OutcomeUnknown(f"the forge failed ({status})", where=doing, todo="run again")
    return Rejected(f"the forge says no ({status}): {said}", where=doing)


def _limited(headers: Mapping[str, str], said: str) -> bool:
    text = said.lower()
    return (
        "retry-after" in headers
        or headers.get("x-ratelimit-remaining") == "0"
        or "rate limit" in text
        or "abuse" in text
    )


def _again(headers: Mapping[str, str]) -> str:
    """Return when the forge wants to be asked again. We never wait for it: the next run does."""
    wait = headers.get("retry-after", "")
    return (
        f"; it asks for {int(wait)} s of quiet" if wait.isascii() and wait.isdigit() and len(wait) < 9 else ""
    )


def _message(error: Any) -> str:
    data = error.data if isinstance(error.data, dict) else {}
    details = data.get("errors")
    found = [_detail(one) for one in details] if isinstance(details, list) else []
    return " ".join([str(data.get("message", "no message")), *found])


def _detail(one: Any) -> str:
    """Return one reason: a text, or an object of which only `code` is always there."""
    if not isinstance(one, dict):
        return str(one)
    told = one.get("message") or " ".join(str(one[key]) for key in ("field", "code") if one.get(key))
    return str(told)
