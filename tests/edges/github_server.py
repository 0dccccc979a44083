"""Serves a `Double` over real HTTP, and holds both sides to GitHub's official description."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from edges import github_api
from edges.github_double import Double, Fault

_SOMEWHERE = "https://api.github.com"  # instead of the port, which is another in each test


@contextlib.contextmanager
def running(double: Double, *, described: bool = True) -> Iterator[Double]:
    """Serve the double on loopback; in the end say what of it all GitHub's description forbids.

    `described`: check that, and complete its answers. A campaign goes without: that costs more than its
    calls, and shows that nobody reads what is only filled in.
    """
    members = {"double": double, "described": described}
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), members))
    server.daemon_threads = True
    double.base_url = f"http://127.0.0.1:{server.server_port}{double.prefix}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield double
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    if double.wrong:
        raise AssertionError("\n".join(["against GitHub's description:", *double.wrong]))


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print what breaks, but not that a client gave up: killed runs do."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # one packet an answer: two cost 40 ms each on loopback
    double: Double
    described: bool

    def log_message(self, *_: object) -> None:
        return

    def parse_request(self) -> bool:
        """Read the request line and the headers; the library's parser of mail is half of a request."""
        self.command, self.path, self.request_version = self.raw_requestline.decode("latin-1").split()
        self.headers = {}  # type: ignore[assignment]
        while (line := self.rfile.readline().decode("latin-1").strip()) != "":
            name, _, value = line.partition(":")
            self.headers[name] = value.strip()
        self.close_connection = self.headers.get("Connection") == "close"
        return True

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        sent = json.loads(self.rfile.read(length)) if length else None
        parts = urlsplit(self.path)
        path, query = unquote(parts.path), parse_qs(parts.query)
        double = self.double
        with double.lock:
            double.journal.append((self.command, path, dict(self.headers)))
            if self.described:
                self._blame(github_api.asked(self.command, path.removeprefix(double.prefix), query, sent))
            fault = double.fault(self.command, path)
            status, text = 200, "null"
            if fault is None or fault.applied:
                try:
                    status, body = double.answer(self.command, path, query, sent)
                except Exception as error:  # else it looks like a reset on purpose
                    self._blame([f"{self.command} {path}: the double broke: {error!r}"])
                    raise
                text = self._completed(path, status, json.dumps(body))
        self._send(fault, status, text)

    do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815

    def _completed(self, path: str, status: int, text: str) -> str:
        """Return the answer as GitHub would send it. A fault that is made of it comes later."""
        if not self.described:
            return text
        own = self.double.base_url
        path, text = path.removeprefix(self.double.prefix), text.replace(own, _SOMEWHERE)
        text, wrong = github_api.answered(self.command, path, status, text)
        self._blame(wrong)
        return text.replace(_SOMEWHERE, own)

    def _blame(self, lines: Iterable[str]) -> None:
        self.double.wrong += [line for line in lines if line not in self.double.wrong]

    def _send(self, fault: Fault | None, status: int, text: str) -> None:
        headers = {"Content-Type": "application/json", **self.double.rate}
        content = text.encode() if status != 204 else b""
        if fault is not None:
            self.close_connection = True
            if fault.kind == "reset":
                return
            if fault.kind == "status":
                status, content = fault.status, json.dumps(fault.body or {"message": "no"}).encode()
            if fault.kind == "html":
                content = b"<html>Please log in to the network</html>"
            headers |= {"Connection": "close", **fault.headers}
        cut = 40 if fault is not None and fault.kind == "truncate" else 0
        if status != 204:  # which has neither
            headers["Content-Length"] = str(len(content) + cut)
        head = [f"HTTP/1.1 {status} {self.responses[status][0]}", *(f"{k}: {v}" for k, v in headers.items())]
        self.wfile.write("\r\n".join([*head, "", ""]).encode())
        if fault is not None and fault.kind == "drip":
            with contextlib.suppress(OSError):
                for byte in content:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    threading.Event().wait(0.05)
            return
        self.wfile.write(content)
