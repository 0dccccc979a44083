"""One bounded HTTP request at a time to one origin; the session that prometheus-api-client is given.

Comes in: what to ask. Goes out: the whole body, or one of our errors. It never follows a redirect
to another origin (the token would go with it), never reads the proxy or netrc settings of the
machine unless asked to, and always ends at its deadline.

Traps of prometheus-api-client 0.7 that this avoids, in the order they hurt:
- it parses `data.result` only and drops `warnings`: a partial answer looks complete. Our reply
  therefore hands the body through unparsed (`Body.json`);
- it mounts an adapter of its own on the session, whose retries ignore any deadline: `mount` here
  does nothing;
- its default timeout is none at all, and a requests timeout is per packet: a body that drips one
  byte a second never ends. Here the reading happens in a thread that is given up at the deadline,
  which also ends a name look-up that hangs.
"""

from __future__ import annotations

import ipaddress
import queue
import socket
import threading
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import SplitResult, urlencode, urljoin, urlsplit

from aiops.edges.prometheus_refusals import Unreachable, reason, refusal
from aiops.errors import DataUnusable

MAX_BYTES = 64 * 2**20  # of one body, after decompression
MAX_REFUSAL_BYTES = 65_536  # enough of an error page to say what it is
MAX_URL = 6_000  # proxies refuse request lines over 8 kB; longer queries travel as a form
CONNECT_S = 10.0
ATTEMPTS = 3
BACKOFF_S = 0.5  # doubles with each attempt
BUSY = (429, 502, 503, 504)
_REDIRECTS = (301, 302, 303, 307, 308)
_MAX_REDIRECTS = 3
_PIECE = 65_536
LATE = "no complete answer before the deadline"
LATE_TODO = "raise `prometheus: {timeout: ...}`, or ask a faster server"


class TooLarge(Exception):
    """The body passed `MAX_BYTES`."""


@dataclass(frozen=True, slots=True)
class Body:
    """A successful reply, in the shape that prometheus-api-client unpacks."""

    raw: bytes
    status_code: int = 200

    def json(self) -> dict[str, dict[str, bytes]]:
        """Return the body unparsed where the client looks for the result."""
        return {"data": {"result": self.raw}}


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: Mapping[str, str]
    raw: bytes


class Transport:
    """What prometheus-api-client takes for its `requests.Session`; there is one behind it.

    `origin`: scheme, host and port as people write them, without userinfo. `end_s`: the
    monotonic time at which the read under way has to be over; its owner sets it. `secrets`: what
    no message may show, even if a server sends it back.
    """

    def __init__(self, session: Any, origin: str, secrets: tuple[str, ...]) -> None:
        self.session = session
        self.origin = origin
        self.secrets = secrets
        self.end_s = 0.0
        self.skew_s: float | None = None
        # prometheus-api-client copies these two from its session into every request.
        self.verify = session.verify
        self.cert = session.cert

    def mount(self, prefix: str, adapter: object) -> None:
        """Ignore the client's own adapter: its retries know no deadline."""

    def close(self) -> None:
        """Close the kept connections."""
        self.session.close()

    def request(self, method: str, url: str, params: Mapping[str, Any] | None = None, **_: Any) -> Body:
        """Return the body of a 200. Raises DataUnusable, ConfigError (a rejected query), TooLarge.

        Busy servers and broken connections are tried again, as long as the deadline allows.
        """
        asked = dict(params or {})
        for attempt in range(ATTEMPTS):
            wait_s = BACKOFF_S * 2**attempt
            try:
                reply = self._follow(method, url, asked)
            except Unreachable as broken:
                if attempt + 1 == ATTEMPTS or not broken.again or not self._may_wait(wait_s):
                    raise DataUnusable(broken.why, where=self.origin, todo=broken.todo) from broken
            else:
                if reply.status == 200:
                    return Body(reply.raw)
                wait_s = max(wait_s, _retry_after_s(reply.headers))
                if reply.status not in BUSY or attempt + 1 == ATTEMPTS or not self._may_wait(wait_s):
                    content, text = reply.headers.get("Content-Type", ""), str(asked.get("query", ""))
                    raise refusal(reply.status, content, reply.raw, text, self.origin, self.secrets)
            time.sleep(wait_s)
        raise AssertionError("unreachable")  # the last attempt returns or raises

    def _may_wait(self, wait_s: float) -> bool:
        return time.monotonic() + wait_s < self.end_s

    def _follow(self, method: str, url: str, params: Mapping[str, Any]) -> _Reply:
        """Send one request; follow redirects within the origin only."""
        for _ in range(_MAX_REDIRECTS + 1):
            reply = self._within_deadline(method, url, params)
            target = reply.headers.get("Location", "")
            if reply.status not in _REDIRECTS or not target:
                return reply
            try:
                url = urljoin(url, target)
                stays = _origin(url) == _origin(self.origin)
            except ValueError:  # brackets that do not close, a port that is no number
                stays = False
            if not stays:
                raise DataUnusable(
                    f"redirects to another origin, {_shown_origin(target)}; not followed",
                    where=self.origin,
                    todo="if that is your Prometheus, write its address into `prometheus: {url: ...}`",
                )
            params = {} if urlsplit(url).query else params
        raise DataUnusable("redirects in a circle", where=self.origin, todo="check the proxy before it")

    def _within_deadline(self, method: str, url: str, params: Mapping[str, Any]) -> _Reply:
        """Run one exchange in a thread of its own and give it up at the deadline."""
        left_s = self.end_s - time.monotonic()
        late = Unreachable(LATE, LATE_TODO)
        if left_s <= 0:
            raise late
        box: queue.SimpleQueue[_Reply | BaseException] = queue.SimpleQueue()

        def work() -> None:
            try:
                box.put(self._exchange(method, url, params, self.end_s))
            except BaseException as error:  # noqa: BLE001 - carried to the caller's thread
                box.put(error)

        threading.Thread(target=work, name="prometheus", daemon=True).start()
        try:
            found = box.get(timeout=left_s)
        except queue.Empty:
            raise late from None
        if isinstance(found, BaseException):
            raise found
        return found

    def _exchange(self, method: str, url: str, params: Mapping[str, Any], end_s: float) -> _Reply:
        import requests
        import urllib3

        form = None
        if method == "GET" and len(url) + len(urlencode(params)) > MAX_URL:
            method, form, params = "POST", params, {}
        left_s = max(end_s - time.monotonic(), 0.001)
        try:
            if not self.session.trust_env:  # behind a proxy, names need not resolve here
                _refuse_link_local(urlsplit(url))
            with self.session.request(
                method,
                url,
                params=params,
                data=form,
                stream=True,
                allow_redirects=False,
                timeout=(min(CONNECT_S, left_s), left_s),
            ) as response:
                self._note_clock(response.headers.get("Date"))
                encoding = response.headers.get("Content-Encoding", "")
                if response.status_code == 200:
                    body = _read(response.raw, _Unpacker(encoding), MAX_BYTES, end_s)
                else:
                    body = _start(response.raw, _Unpacker(encoding), end_s)
                return _Reply(response.status_code, response.headers, body)
        except (
            requests.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
            ValueError,
            zlib.error,
        ) as error:
            raise reason(error) from error

    def _note_clock(self, date: str | None) -> None:
        try:
            served = parsedate_to_datetime(date or "").timestamp()
        except (ValueError, TypeError, OverflowError):
            return
        self.skew_s = served - time.time()


def _refuse_link_local(url: SplitResult) -> None:
    """Refuse a name that resolves to the machine's own network segment, where clouds serve credentials."""
    for *_, address in socket.getaddrinfo(url.hostname, url.port, type=socket.SOCK_STREAM):
        if ipaddress.ip_address(str(address[0]).partition("%")[0]).is_link_local:
            raise Unreachable("the host is a link-local address, refused", "check `prometheus: {url: ...}`")


def _read(raw: Any, unpack: _Unpacker, limit: int, end_s: float) -> bytes:
    """Read a body in pieces until it ends, passes `limit` (TooLarge) or the deadline (Unreachable)."""
    # urllib3 1.26 has no `read1` and waits for a whole piece; the thread is given up all the same.
    read = raw.read1 if hasattr(raw, "read1") else raw.read
    pieces, total = [], 0
    while piece := read(_PIECE, decode_content=False):
        pieces.append(unpack.plain(piece, limit - total + 1))
        total += len(pieces[-1])
        if total > limit:
            raise TooLarge
        if time.monotonic() > end_s:
            raise Unreachable(LATE, LATE_TODO)
    if not unpack.is_whole:
        raise Unreachable("the answer was cut off", "run again", again=True)
    return b"".join(pieces)


def _start(raw: Any, unpack: _Unpacker, end_s: float) -> bytes:
    """Return the body of a refusal, or nothing when it is long: it only says why."""
    try:
        return _read(raw, unpack, MAX_REFUSAL_BYTES, end_s)
    except TooLarge:
        return b""


class _Unpacker:
    """Decompress piece by piece: urllib3 inflates a whole piece before anybody can count it."""

    def __init__(self, encoding: str) -> None:
        word = encoding.strip().lower()
        if word not in ("", "identity", "gzip", "deflate"):
            raise Unreachable(f"expected gzip, found Content-Encoding {encoding[:40]!a}", "check the proxy")
        self._zlib = zlib.decompressobj(47) if word in ("gzip", "deflate") else None  # 47: gzip or zlib

    def plain(self, piece: bytes, room: int) -> bytes:
        """Return at most `room` decompressed bytes; the caller stops when they fill the room."""
        return self._zlib.decompress(piece, room) if self._zlib else piece

    @property
    def is_whole(self) -> bool:
        return self._zlib is None or self._zlib.eof


def _retry_after_s(headers: Mapping[str, str]) -> float:
    """Return the seconds a busy server asks for: a number, or a date by its own clock; else 0."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until = parsedate_to_datetime(text).timestamp()
        return max(0.0, until - parsedate_to_datetime(headers.get("Date", "")).timestamp())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _origin(url: str) -> tuple[str, str, int | None]:
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return (parts.scheme, (parts.hostname or "").lower(), port)


def _shown_origin(url: str) -> str:
    """Return scheme, host and port without what stands before an "@"; hostile, so as ASCII."""
    scheme, _, rest = url.partition("//")
    host = rest.partition("/")[0].partition("?")[0].rpartition("@")[2]
    return ascii(f"{scheme}//{host}")[1:-1][:200]
