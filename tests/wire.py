"""A server on loopback that answers a Prometheus client as a test says, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from aiops.domain import Grid, Query
from aiops.edges.prometheus import PrometheusMetrics, PrometheusSettings
from aiops.errors import AiopsError

QUERY = Query("requests", 'sum by (cluster, namespace, workload) (x{a="b"})', "", ("namespace", "workload"))
GRID = Grid(1_700_000_000, 1_700_000_240, 60)
TOKEN = "canary-5f2c91-token"
WEB = {"namespace": "shop", "workload": "web"}

Respond = Callable[["Handler"], None]


@dataclass(frozen=True)
class Seen:
    """One request; `asked` are its parameters, wherever they travelled."""

    command: str
    path: str
    headers: dict[str, str]
    asked: dict[str, str]
    client: tuple[str, int]


class Handler(BaseHTTPRequestHandler):
    """Notes every request and answers as the test says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        asked = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query or form).items()}
        self.asked = asked
        seen = Seen(self.command, self.path, dict(self.headers), asked, self.client_address)
        self.server.seen.append(seen)  # type: ignore[attr-defined]
        with contextlib.suppress(ConnectionError):
            self.server.respond(self)  # type: ignore[attr-defined]

    do_POST = do_GET  # noqa: N815 - the standard library's spelling

    def log_message(self, *_: object) -> None:
        """Stay silent."""

    def reply(self, status: int, body: bytes, **headers: str) -> None:
        """Send one whole answer."""
        self.send_response_only(status)
        ours = {"Date": formatdate(usegmt=True), "Content_Length": str(len(body))}
        for name, value in {**ours, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)


@contextlib.contextmanager
def serving(respond: Respond) -> Iterator[Any]:
    """Serve on loopback: `.url`, and `.seen`, the requests so far; `.respond` may be replaced."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.handle_error = lambda *_: None  # a client that gives up is the point
    server.respond, server.seen = respond, []
    server.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def metrics(url: str, **more: Any) -> Iterator[PrometheusMetrics]:
    found = PrometheusMetrics(PrometheusSettings(url=url, **{"timeout_s": 10.0, **more}))
    try:
        yield found
    finally:
        found.close()


def refusal(url: str, **more: Any) -> AiopsError:
    with metrics(url, **more) as found, pytest.raises(AiopsError) as refused:
        found.read(QUERY, GRID)
    assert TOKEN not in str(refused.value)
    assert "\n" not in str(refused.value)
    return refused.value


def matrix(*values: tuple[int, str], labels: dict[str, str] = WEB, **more: Any) -> bytes:
    result = [{"metric": labels, "values": [list(value) for value in values]}] if values else []
    return json.dumps(
        {"status": "success", "data": {"resultType": "matrix", "result": result}, **more}
    ).encode()


def good(request: Handler) -> None:
    request.reply(200, matrix((GRID.start_s, "1"), (GRID.end_s, "2")))


def in_turn(*replies: Respond) -> Respond:
    left = iter(replies)

    def respond(request: Handler) -> None:
        next(left)(request)

    return respond


def fixed(status: int, body: bytes, **headers: str) -> Respond:
    return lambda request: request.reply(status, body, **headers)
