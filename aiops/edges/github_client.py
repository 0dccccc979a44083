"""PyGithub on a connection of our own: one origin, one deadline, no retries, a token that stays.

Comes in: token, API address, repository name. Goes out: PyGithub's `Repository`; every failure is a
ForgeRefused or a ForgeBusy with one clear line. Measured reasons: PyGithub's default retry sends a
failed POST eleven times and sleeps 60 h on `Retry-After: 99999`; its guard against foreign hosts is
an `assert`. So PyGithub never holds the token: the connection adds it, to its own origin only.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from aiops.edges.github_errors import OutcomeUnknown, speaking
from aiops.errors import ConfigError, ForgeBusy, ForgeRefused

if TYPE_CHECKING:
    from github import Github
    from github.Repository import Repository

TIMEOUT_S = 20.0  # GitHub itself cuts a request off after 10 s
DEADLINE_S = 300.0
MAX_BYTES = 64_000_000  # a tree of 100,000 entries is about 25 MB
_MAX_HOPS = 3
_ATTRIBUTE = "_aiops_connection"


def repository(token: str, api_url: str, name: str, *, deadline_s: float = DEADLINE_S) -> Repository:
    """Return the repository `owner/name` behind `api_url`; all its calls share `deadline_s`.

    Raises ConfigError (address, `python -O`), ForgeRefused or ForgeBusy.
    """
    asked = client(token, api_url, deadline_s=deadline_s)
    with speaking(f"reading repository {name}", (token,)):
        found = asked.get_repo(name)
        if not isinstance(found.raw_data.get("id"), int):
            raise ForgeRefused("the address answers, but not like GitHub's API", where=_origin(api_url))
        return found


def client(token: str, api_url: str, *, deadline_s: float) -> Github:
    """Return PyGithub itself, on a connection of ours. Raises ConfigError."""
    if sys.flags.optimize or not __debug__:
        raise ConfigError(
            "GitHub is not used under `python -O`",
            where="python",
            todo="run without -O and without PYTHONOPTIMIZE: PyGithub guards foreign hosts by assert",
        )
    parts = urlsplit(api_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username or parts.query:
        raise ConfigError(
            "expected an address like https://api.github.com or https://HOST/api/v3",
            where="GITHUB_API_URL",
        )
    import github

    made = github.Github(
        base_url=api_url.rstrip("/"),
        retry=None,
        timeout=int(TIMEOUT_S),
        seconds_between_requests=None,
        seconds_between_writes=None,
        per_page=100,
        user_agent="aiops",
    )
    _pin(made.requester, Connection(token, api_url, time.monotonic() + deadline_s))
    return made


def connection(repo: Repository) -> Connection:
    """Return the connection behind a repository that `repository` returned."""
    found = getattr(repo.requester, _ATTRIBUTE)
    if not isinstance(found, Connection):
        raise TypeError("the repository was not made by github_client.repository")
    return found


def _pin(requester: Any, ours: Connection) -> None:
    """Make every request of this requester go through `ours`, other origins included.

    PyGithub's public way (`injectConnectionClasses`) is global to the process. Should a later
    PyGithub rename these attributes, its requests would go out without a token, and we say so here.
    """
    names = [
        f"_Requester__{name}" for name in ("connectionClass", "httpConnectionClass", "httpsConnectionClass")
    ]
    if not all(hasattr(requester, name) for name in names):
        raise ConfigError("this PyGithub is not supported", where="PyGithub", todo="install PyGithub 2.10")

    def same(host: str, port: int | None = None, **_: Any) -> Connection:
        ours.refuse_other(host, port)
        return ours

    for name in names:
        setattr(requester, name, same)
    setattr(requester, _ATTRIBUTE, ours)


class Connection:
    """What PyGithub calls a connection: sends one request, returns one answer, to one origin."""

    def __init__(self, token: str, api_url: str, end_s: float) -> None:
        """Prepare a session; nothing is sent after time.monotonic() has reached `end_s`."""
        import requests
        from requests.adapters import HTTPAdapter

        self.token = token
        self.origin = _origin(api_url)
        self.host = urlsplit(api_url).hostname
        self.end_s = end_s
        self.session = requests.Session()
        self.session.trust_env = False  # no proxy, .netrc or CA of the environment meets the token
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, HTTPAdapter(max_retries=0))

    def remaining_s(self) -> float:
        """Return the seconds left; raises ForgeBusy when there are none."""
        left = self.end_s - time.monotonic()
        if left <= 0:
            raise ForgeBusy("the deadline of this run is over", where=self.origin, todo="run again")
        return left

    def refuse_other(self, host: str, port: int | None) -> None:
        """Raise ForgeRefused when PyGithub was led to another origin (a hostile `Link` or `url`)."""
        parts = urlsplit(self.origin)
        if host != parts.hostname or (port is not None and port != parts.port):
            raise ForgeRefused(
                "the forge pointed to another address; the token was not sent there", where=self.origin
            )

    def request(
        self,
        verb: str,
        url: str,
        body: Any,
        headers: Mapping[str, str],
        stream: bool = False,  # noqa: FBT001, FBT002
    ) -> None:
        """Remember one request; PyGithub asks for the answer next. `url`: a path of this origin."""
        del stream  # bodies are read whole, under a cap
        if not url.startswith("/") or url.startswith("//"):
            raise ForgeRefused("the forge pointed to another address", where=self.origin)
        self._wanted = (verb, self.origin + url, body, dict(headers))

    def getresponse(self) -> Reply:
        """Send it. Follows redirects of this origin with the same verb; refuses any other."""
        verb, url, body, headers = self._wanted
        for _ in range(_MAX_HOPS):
            reply = self._send(verb, url, body, headers)
            if reply.status not in {301, 302, 307, 308} or "location" not in reply.headers:
                return reply
            url = self._next(url, reply.headers["location"])
        raise ForgeRefused("too many redirects", where=self.origin, todo="check GITHUB_API_URL")

    def close(self) -> None:
        """Keep the session: PyGithub closes a connection it means to replace by the same one."""

    def _send(self, verb: str, url: str, body: Any, headers: dict[str, str]) -> Reply:
        """Run one exchange in a thread of its own and give it up at the deadline.

        A timeout of requests is per packet: a server that drips a byte a second would never end.
        """
        left_s = self.remaining_s()
        box: queue.SimpleQueue[Reply | BaseException] = queue.SimpleQueue()

        def work() -> None:
            try:
                box.put(self._exchange(verb, url, body, headers, min(TIMEOUT_S, left_s)))
            except BaseException as error:  # noqa: BLE001 - carried to the caller's thread
                box.put(error)

        threading.Thread(target=work, name="github", daemon=True).start()
        try:
            found = box.get(timeout=left_s)
        except queue.Empty:
            raise OutcomeUnknown(
                "no answer before the deadline", where=self.origin, todo="run again"
            ) from None
        if isinstance(found, BaseException):
            raise found
        return found

    def _exchange(self, verb: str, url: str, body: Any, headers: dict[str, str], timeout_s: float) -> Reply:
        headers = {**headers, "Authorization": f"Bearer {self.token}"}
        with self.session.request(
            verb, url, data=body, headers=headers, timeout=timeout_s, allow_redirects=False, stream=True
        ) as answer:
            pieces, size = [], 0
            for piece in answer.iter_content(65_536):
                size += len(piece)
                if size > MAX_BYTES:
                    raise ForgeRefused(f"an answer is larger than {MAX_BYTES} bytes", where=self.origin)
                pieces.append(piece)
            text = b"".join(pieces).decode("utf-8", "replace")
            return Reply(answer.status_code, {k.lower(): v for k, v in answer.headers.items()}, text)

    def _next(self, url: str, location: str) -> str:
        import requests

        found = requests.compat.urljoin(url, location)
        if _origin(found) != self.origin:
            raise ForgeRefused(
                "the forge redirects to another address; the token was not sent there",
                where=self.origin,
                todo="check GITHUB_API_URL and the repository's name",
            )
        return found


class Reply:
    """An answer in the shape that PyGithub reads."""

    def __init__(self, status: int, headers: dict[str, str], text: str) -> None:
        """Hold an answer; the names of `headers` are in lower case."""
        self.status = status
        self.headers = headers
        self.text = text

    def getheaders(self) -> list[tuple[str, str]]:
        """Return the headers as pairs."""
        return list(self.headers.items())

    def read(self) -> str:
        """Return the body."""
        return self.text


def _origin(url: str) -> str:
    parts = urlsplit(url)
    try:
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        port = None
    return f"{parts.scheme}://{parts.hostname}:{port}"
