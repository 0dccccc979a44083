"""Reads a real Prometheus, or what speaks its API (Thanos, Mimir, VictoriaMetrics).

Comes in: a named query and a grid. Goes out: an `Answer`, whole or an error; never half a reply.
prometheus-api-client builds the requests; our own bounded session carries them
(`prometheus_transport`), our own parser reads what comes back (`ingest.replies`).
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from aiops.domain import Answer, Grid, Query
from aiops.edges.prometheus_refusals import TooMuch
from aiops.edges.prometheus_transport import TooLarge, Transport
from aiops.edges.redaction import redact
from aiops.errors import ConfigError, DataUnusable
from aiops.ingest.grids import chunks
from aiops.ingest.replies import MAX_POINTS, Reply, lay, parse

MAX_SKEW_S = 300  # more: "the newest complete step" means something else here than there
WARN_SKEW_S = 60
_FEWEST_POINTS = 60  # a chunk this short that is still too large has too many series


@dataclass(frozen=True, slots=True)
class PrometheusSettings:
    """Where a Prometheus is and how to introduce oneself. Secrets are values, never shown.

    `timeout_s`: one read, all its chunks and attempts; `deadline_s`: all reads of one run, counted
    from the start. `trust_env`: use the machine's proxy settings and netrc.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    basic: tuple[str, str] | None = field(default=None, repr=False)
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    timeout_s: float = 60.0
    deadline_s: float = 600.0
    trust_env: bool = False


class PrometheusMetrics:
    """One server, read over kept connections. `samples`: what its queries touched so far, as it tells."""

    def __init__(self, settings: PrometheusSettings) -> None:
        """Check the address; nothing is sent yet. Raises ConfigError for a malformed URL."""
        from prometheus_api_client import PrometheusConnect

        self._url, self._transport = transport(settings)
        self._timeout_s = settings.timeout_s
        self._end_s = time.monotonic() + settings.deadline_s
        self._points: dict[str, int] = {}
        # Builds the requests; what it returns is what our transport hands through: the body as bytes.
        self._client = PrometheusConnect(url=self._url, session=self._transport)
        self.samples = 0

    def read(self, query: Query, grid: Grid) -> Answer:
        """Answer one named query on a grid, in chunks the server accepts, stitched without seams.

        Raises DataUnusable (unreachable, not a Prometheus, too large, clocks apart) or ConfigError
        (the server rejects the query).
        """
        self._start()
        replies = []
        waiting = list(reversed(chunks(grid, self._points.get(query.name, MAX_POINTS))))
        while waiting:
            span = waiting.pop()
            try:
                replies.append(self._chunk(query, span))
            except (TooLarge, TooMuch) as error:
                points = len(span.times)
                if points <= _FEWEST_POINTS:
                    raise self._too_large(query, points, error) from None
                self._points[query.name] = points // 2
                waiting += reversed(chunks(span, points // 2))
            self._check_clock()
        answer = lay(query, grid, replies, self._url)
        self.samples += answer.samples or 0
        return answer

    def now_s(self) -> int:
        """Return the wall clock; `read` has checked that the server's agrees."""
        return int(time.time())

    def skew_s(self) -> float:
        """Return by how many seconds the server's clock is ahead of ours (its `Date`, to 1 s).

        Over `WARN_SKEW_S` is worth a warning, over `MAX_SKEW_S` every read refuses.
        """
        if self._transport.skew_s is None:
            self.check()
        return self._transport.skew_s or 0.0

    def check(self) -> None:
        """Ask whether this is a Prometheus that is up. Raises DataUnusable saying which it is not.

        `/-/ready` first, because a starting Prometheus says so there; then `query=1`, because only
        Prometheus has the former and every server that speaks its API has the latter. Not `GET /`:
        a Prometheus without its web page answers 404 there.
        """
        self._start()
        try:
            self._transport.request("GET", f"{self._url}/-/ready")
        except TooLarge:
            pass
        except DataUnusable as error:
            if "expected a Prometheus" not in error.message:
                raise
        try:
            body = self._client.custom_query("1", params={"timeout": "10s"})
        except TooLarge:
            body = b""
        if b'"success"' not in body[:1000]:
            raise DataUnusable(
                "something answers here, but it is not a Prometheus",
                where=self._url,
                todo="check `prometheus: {url: ...}`, path prefix included",
            )
        self._check_clock()

    def close(self) -> None:
        """Close the kept connections."""
        self._transport.close()

    def _start(self) -> None:
        self._transport.end_s = min(time.monotonic() + self._timeout_s, self._end_s)

    def _chunk(self, query: Query, span: Grid) -> Reply:
        left_s = max(1, int(self._transport.end_s - time.monotonic()))
        body = self._client.custom_query_range(
            query.expr,
            start_time=datetime.fromtimestamp(span.start_s, UTC),
            end_time=datetime.fromtimestamp(span.end_s, UTC),
            step=str(span.step_s),
            # The server gives up when we do; `stats` makes it tell how many samples it touched.
            params={"stats": "all", "timeout": f"{left_s}s"},
        )
        reply = parse(body, self._url)
        secrets = self._transport.secrets
        return replace(reply, warnings=tuple(redact(text, secrets) for text in reply.warnings))

    def _too_large(self, query: Query, points: int, error: Exception) -> DataUnusable:
        """Return the end of a read that even its shortest part was too large for."""
        if isinstance(error, DataUnusable):
            return error
        return DataUnusable(
            f"the answer to query {query.name} is larger than 64 MB even for {points} steps",
            where=self._url,
            todo="aggregate more in the query, or shard by cluster or namespace",
        )

    def _check_clock(self) -> None:
        skew_s = self._transport.skew_s or 0.0
        if abs(skew_s) > MAX_SKEW_S:
            raise DataUnusable(
                f"expected clocks within {MAX_SKEW_S} s, the server's is {skew_s:+.0f} s off ours",
                where=self._url,
                todo="set the clock of this machine or of the server",
            )


def transport(settings: PrometheusSettings) -> tuple[str, Transport]:
    """Return the address without userinfo, and what carries requests there. Raises ConfigError.

    Alertmanager's edge goes the same way: one set of rules for addresses, secrets and deadlines.
    """
    parts = _checked(settings.url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else str(parts.hostname)
    origin = f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else "")
    basic = settings.basic
    if basic is None and parts.username:
        basic = (unquote(parts.username), unquote(parts.password or ""))
    url = origin + parts.path.rstrip("/")
    return url, Transport(_session(settings, basic, parts), url, _secrets(settings, basic))


def _checked(url: str) -> SplitResult:
    """Return the parts of an address. Raises ConfigError, which never shows what could be a password."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _malformed("a port between 1 and 65535, and brackets only around IPv6") from error
    if parts.scheme not in ("http", "https"):
        raise _malformed("http:// or https:// at the start")
    host = parts.hostname or ""
    if not host or port == 0 or any(char.isspace() or not char.isprintable() for char in url):
        raise _malformed("a host name, without spaces")
    if parts.query or parts.fragment:
        raise _malformed("no `?` or `#`")
    if _is_metadata(host):
        # Whoever may edit the configuration must not make a CI runner fetch its cloud credentials.
        raise ConfigError(
            "this address belongs to the machine's cloud, not to a Prometheus", where="prometheus.url"
        )
    return parts


def _malformed(expected: str) -> ConfigError:
    return ConfigError(
        f"malformed address, expected {expected}",
        where="prometheus.url",
        todo="for example http://127.0.0.1:9090",
    )


def _is_metadata(host: str) -> bool:
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_link_local
    except ValueError:
        return host.lower().rstrip(".") == "metadata.google.internal"


def _session(settings: PrometheusSettings, basic: tuple[str, str] | None, parts: SplitResult) -> Any:
    import requests

    session = requests.Session()
    session.trust_env = settings.trust_env
    session.verify = str(settings.ca) if settings.ca else True
    if settings.cert:
        session.cert = (str(settings.cert), str(settings.key)) if settings.key else str(settings.cert)
    # On loopback a server spends longer compressing 30 MB than sending it.
    session.headers["Accept-Encoding"] = "identity" if _is_loopback(parts.hostname or "") else "gzip"
    session.headers["User-Agent"] = "aiops"
    session.headers.update(settings.headers)
    session.auth = basic
    return session


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _secrets(settings: PrometheusSettings, basic: tuple[str, str] | None) -> tuple[str, ...]:
    """Return what no message may show: header values (with and without their scheme) and the password."""
    values = list(settings.headers.values())
    values += [value.rpartition(" ")[2] for value in values]
    return tuple(value for value in (*values, basic[1] if basic else "") if len(value) >= 4)
