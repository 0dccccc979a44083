"""A server that misbehaves in every way the wire allows; what a real one does is in test_prometheus_real."""

from __future__ import annotations

import contextlib
import gc
import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest

from aiops.domain import Grid, Query
from aiops.edges import prometheus, prometheus_transport
from aiops.edges.prometheus import PrometheusMetrics, PrometheusSettings
from aiops.errors import AiopsError, ConfigError, DataUnusable

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


@pytest.fixture
def serve() -> Iterator[Callable[[Respond], Any]]:
    """Return `serve(respond)`, which starts one more server: `.url`, `.seen`."""
    servers = []

    def start(respond: Respond) -> Any:
        server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        server.handle_error = lambda *_: None  # a client that gives up is the point
        server.respond, server.seen = respond, []
        server.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        servers.append(server)
        return server

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus_transport, "BACKOFF_S", 0.01)


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


def test_a_read_asks_for_the_steps_of_the_grid_and_returns_them(serve: Any) -> None:
    server = serve(good)
    with metrics(
        server.url + "/prefix/", headers={"Authorization": f"Bearer {TOKEN}", "X-Scope": "a"}
    ) as found:
        answer = found.read(QUERY, GRID)
        found.read(QUERY, GRID)
    assert answer.labels == (WEB,)
    np.testing.assert_array_equal([[1, np.nan, np.nan, np.nan, 2]], answer.values)
    request = server.seen[0]
    assert request.path.startswith("/prefix/api/v1/query_range?")
    asked = request.asked
    assert (asked["query"], asked["start"], asked["end"]) == (QUERY.expr, str(GRID.start_s), str(GRID.end_s))
    assert (asked["step"], asked["stats"]) == ("60", "all")
    assert asked["timeout"] in {"8s", "9s", "10s"}
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert request.headers["X-Scope"] == "a"
    assert request.headers["Accept-Encoding"] == "identity"
    assert server.seen[0].client == server.seen[1].client  # one kept connection


def test_user_and_password_of_the_address_are_used_and_never_shown(serve: Any) -> None:
    server = serve(lambda request: request.reply(401, b"no"))
    error = refusal(server.url.replace("://", f"://me:{TOKEN}@"))
    assert server.seen[0].headers["Authorization"].startswith("Basic ")
    assert "refuses our credentials" in error.message
    assert error.where == server.url


def test_a_long_query_travels_as_a_form(serve: Any) -> None:
    server = serve(good)
    long = Query("requests", "sum(" + "x" * 7_000 + ")", "", QUERY.labels)
    with metrics(server.url) as found:
        found.read(long, GRID)
    assert (server.seen[0].command, len(server.seen[0].path)) == ("POST", len("/api/v1/query_range"))
    assert server.seen[0].asked["query"] == long.expr


REFUSALS = [
    (400, {"errorType": "bad_data", "error": "parse error: boom"}, ConfigError, "boom: sum by"),
    (422, {"errorType": "execution", "error": "too many samples"}, DataUnusable, "too many samples"),
    (
        503,
        {"errorType": "timeout", "error": "query timed out"},
        DataUnusable,
        "busy or starting: query timed",
    ),
    (500, {"errorType": "internal", "error": "disk"}, DataUnusable, "status 500: disk"),
    (401, {}, DataUnusable, "HTTP 401, the server refuses our credentials"),
    (403, {}, DataUnusable, "HTTP 403, the server refuses our credentials"),
    (404, {}, DataUnusable, "expected a Prometheus, found HTTP 404"),
    (204, {}, DataUnusable, "expected a Prometheus, found HTTP 204"),
]


@pytest.mark.parametrize(("status", "told", "kind", "why"), REFUSALS, ids=[str(row[0]) for row in REFUSALS])
def test_a_status_is_one_line_and_the_right_kind(
    serve: Any, status: int, told: dict[str, str], kind: type[AiopsError], why: str
) -> None:
    body = b"" if status == 204 else json.dumps({"status": "error", **told}).encode()
    error = refusal(serve(fixed(status, body)).url)
    assert type(error) is kind
    assert why in error.message


def test_a_token_that_the_server_sends_back_is_not_shown(serve: Any) -> None:
    told = json.dumps({"status": "error", "errorType": "execution", "error": f"saw {TOKEN}"}).encode()
    error = refusal(serve(fixed(422, told)).url, headers={"Authorization": f"Bearer {TOKEN}"})
    assert "saw ***" in error.message


@pytest.mark.parametrize("status", [200, 400, 502])
def test_a_web_page_is_not_a_prometheus(serve: Any, status: int) -> None:
    page = fixed(status, b"<!DOCTYPE html><title>Sign in</title>", Content_Type="text/html")
    error = refusal(serve(page).url)
    assert type(error) is DataUnusable
    assert ("HTML page" in error.message) == (status != 502)


def test_a_body_cut_off_anywhere_is_refused(serve: Any) -> None:
    whole = matrix((GRID.start_s, "1"))
    sent = iter(range(len(whole)))

    def cut(request: Handler) -> None:
        request.reply(200, whole[: next(sent)], Content_Length=str(len(whole)), Connection="close")
        request.close_connection = True

    server = serve(cut)
    with pytest.MonkeyPatch.context() as patch, metrics(server.url) as found:
        patch.setattr(prometheus_transport, "ATTEMPTS", 1)
        for _ in range(len(whole)):
            with pytest.raises(DataUnusable, match="cut off"):
                found.read(QUERY, GRID)
    assert len(server.seen) == len(whole)


def test_a_body_cut_off_without_a_length_is_refused(serve: Any) -> None:
    whole = matrix((GRID.start_s, "1"))

    def cut(request: Handler) -> None:
        request.send_response_only(200)
        request.end_headers()
        request.wfile.write(whole[:-1])
        request.close_connection = True

    assert "cut off or of another shape" in refusal(serve(cut).url).message


def drip(request: Handler) -> None:
    request.send_response_only(200)
    request.send_header("Content-Length", "1000000")
    request.end_headers()
    for _ in range(200):
        request.wfile.write(b" ")
        time.sleep(0.05)


def drip_headers(request: Handler) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(200):
        request.wfile.write(b"x")
        time.sleep(0.05)


@pytest.mark.parametrize("slow", [drip, drip_headers, lambda _: time.sleep(10)])
def test_a_slow_server_is_given_up_at_the_deadline(serve: Any, slow: Respond) -> None:
    server = serve(slow)
    started = time.monotonic()
    error = refusal(server.url, timeout_s=0.6)
    assert time.monotonic() - started < 4
    assert "before the deadline" in error.message or "in time" in error.message
    time.sleep(0.3)  # the thread that was given up ends by itself, before the server does


def test_all_reads_of_a_run_share_its_deadline(serve: Any) -> None:
    server = serve(good)
    with metrics(server.url, deadline_s=1.5) as found:
        found.read(QUERY, GRID)
        time.sleep(1.5)
        with pytest.raises(DataUnusable, match="before the deadline"):
            found.read(QUERY, GRID)


def test_a_name_look_up_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: time.sleep(1) or [])
    error = refusal("http://prometheus.example:9090", timeout_s=0.3)
    assert "before the deadline" in error.message
    time.sleep(0.8)  # let the thread end inside the test that started it


def test_no_token_follows_a_redirect_to_another_origin(serve: Any) -> None:
    other = serve(good)
    server = serve(lambda request: request.reply(307, b"", Location=f"{other.url}{request.path}"))
    error = refusal(server.url, headers={"Authorization": f"Bearer {TOKEN}"})
    assert f"another origin, {other.url}" in error.message
    assert other.seen == []


@pytest.mark.parametrize(
    "target", ["https://{host}/", "//evil.example/x", "http://{host}:x/", "http://a@evil.example/"]
)
def test_every_spelling_of_another_origin_is_seen(serve: Any, target: str) -> None:
    server = serve(lambda _: None)
    location = target.replace("{host}", urlsplit(server.url).netloc)
    server.respond = fixed(302, b"", Location=location)
    assert "another origin" in refusal(server.url).message


def test_a_redirect_within_the_origin_is_followed(serve: Any) -> None:
    def move(request: Handler) -> None:
        if request.path.startswith("/moved"):
            good(request)
        else:
            request.reply(308, b"", Location=f"/moved{request.path}")

    server = serve(move)
    with metrics(server.url, headers={"Authorization": TOKEN}) as found:
        assert found.read(QUERY, GRID).labels == (WEB,)
    assert server.seen[1].asked["query"] == QUERY.expr


def test_a_redirect_in_a_circle_ends(serve: Any) -> None:
    server = serve(lambda request: request.reply(302, b"", Location=request.path))
    assert "circle" in refusal(server.url).message
    assert len(server.seen) == 4


def test_a_busy_server_is_asked_again_and_answers(serve: Any) -> None:
    server = serve(in_turn(fixed(429, b"", Retry_After="0"), fixed(503, b""), good))
    with metrics(server.url) as found:
        assert found.read(QUERY, GRID).labels == (WEB,)
    assert len(server.seen) == 3


def test_a_busy_server_is_asked_three_times_at_most(serve: Any) -> None:
    server = serve(fixed(503, b""))
    assert "busy" in refusal(server.url).message
    assert len(server.seen) == 3


@pytest.mark.parametrize("after", ["1", formatdate(1, usegmt=True)])
def test_retry_after_is_waited_for(serve: Any, after: str) -> None:
    busy = fixed(429, b"", Retry_After=after, Date=formatdate(0, usegmt=True))
    server = serve(in_turn(busy, good))
    started = time.monotonic()
    with metrics(server.url) as found:
        found.read(QUERY, GRID)
    assert time.monotonic() - started >= 0.9


@pytest.mark.parametrize("after", ["99999", "9" * 400, formatdate(time.time() + 86_400, usegmt=True)])
def test_a_retry_after_beyond_the_deadline_is_not_slept_through(serve: Any, after: str) -> None:
    server = serve(fixed(429, b"", Retry_After=after))
    started = time.monotonic()
    assert "busy" in refusal(server.url).message
    assert time.monotonic() - started < 5
    assert len(server.seen) == 1


def test_a_connection_that_breaks_once_is_tried_again(serve: Any) -> None:
    def broken(request: Handler) -> None:
        request.connection.shutdown(socket.SHUT_RDWR)
        request.close_connection = True

    server = serve(in_turn(broken, good))
    with metrics(server.url) as found:
        assert found.read(QUERY, GRID).labels == (WEB,)


RAW = [
    b"",
    b"\r\n\r\n",
    b"HTTP/1.1",
    b"SSH-2.0-OpenSSH_9.2\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 100 + b"\r\n{}",
    b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n{}",
    b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n{}",
    b"HTTP/1.1 999 \xff\r\n\r\n\xff",
    b"HTTP/1.1 302 Found\r\nLocation: \xff\xfe\r\n\r\n",
    b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\n\r\n",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    b"HTTP/1.1 101 Switching\r\n\r\n",
]


# requests forgets to close a socket when it cannot make sense of a header; the collector does.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
@pytest.mark.parametrize("raw", RAW, ids=range(len(RAW)))
def test_any_bytes_on_the_wire_end_in_one_line(serve: Any, raw: bytes) -> None:
    def send(request: Handler) -> None:
        request.wfile.write(raw)
        request.close_connection = True

    assert type(refusal(serve(send).url)) is DataUnusable
    gc.collect()


def test_a_name_that_leads_to_the_clouds_credentials_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", ("169.254.169.254", 80))])
    assert "link-local" in refusal("http://prometheus.example").message


def test_nobody_listening_is_said_with_the_host_and_without_the_password() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    error = refusal(f"http://me:{TOKEN}@127.0.0.1:{port}")
    assert str(error).startswith(f"http://127.0.0.1:{port}: connection refused")


def test_a_host_that_does_not_exist_is_said() -> None:
    assert "host name is not known" in refusal("http://prometheus.invalid").message


def test_plain_http_on_a_tls_port_and_the_other_way_round(serve: Any) -> None:
    error = refusal(serve(good).url.replace("http:", "https:"))
    assert "TLS failed" in error.message
    assert "verification stays on" in error.todo


def test_a_missing_certificate_file_is_the_files_fault(serve: Any, tmp_path: Path) -> None:
    url = serve(good).url.replace("http:", "https:")
    assert "tls" in refusal(url, ca=tmp_path / "none.pem").todo


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_bodies_are_read(serve: Any, encoding: str) -> None:
    plain = matrix((GRID.start_s, "1"))
    packed = gzip.compress(plain) if encoding == "gzip" else zlib.compress(plain)
    with metrics(serve(fixed(200, packed, Content_Encoding=encoding)).url) as found:
        assert found.read(QUERY, GRID).values[0, 0] == 1


@pytest.mark.parametrize("packed", [gzip.compress(matrix())[:-9], b"not gzip at all"])
def test_damaged_compression_is_refused(serve: Any, packed: bytes) -> None:
    assert type(refusal(serve(fixed(200, packed, Content_Encoding="gzip")).url)) is DataUnusable


def test_an_unknown_compression_is_refused(serve: Any) -> None:
    assert (
        "found Content-Encoding 'br'" in refusal(serve(fixed(200, b"x", Content_Encoding="br")).url).message
    )


def test_a_compression_bomb_is_stopped_at_the_cap(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus_transport, "MAX_BYTES", 2**20)
    bomb = gzip.compress(b" " * (200 * 2**20), 1)
    assert len(bomb) < 2**20
    server = serve(fixed(200, bomb, Content_Encoding="gzip"))
    assert "larger than 64 MB" in refusal(server.url).message


def test_a_body_over_the_cap_is_asked_for_in_smaller_chunks(
    serve: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prometheus_transport, "MAX_BYTES", 4_000)
    grid = Grid(0, 599 * 60, 60)

    def every_step(request: Handler) -> None:
        asked = request.asked
        steps = range(int(asked["start"]), int(asked["end"]) + 1, int(asked["step"]))
        request.reply(200, matrix(*((step, str(step)) for step in steps)))

    server = serve(every_step)
    with metrics(server.url) as found:
        answer = found.read(QUERY, grid)
        first = len(server.seen)
        found.read(QUERY, grid)
    np.testing.assert_array_equal([grid.times.astype(float)], answer.values)
    assert len(server.seen) - first < first  # what was learned about the size is kept


def test_more_steps_than_a_server_allows_are_asked_for_in_chunks(serve: Any) -> None:
    server = serve(lambda request: request.reply(200, matrix()))
    with metrics(server.url) as found:
        found.read(QUERY, Grid(0, 25_000, 1))
    spans = [(int(request.asked["start"]), int(request.asked["end"])) for request in server.seen]
    assert spans == [(0, 10_999), (11_000, 21_999), (22_000, 25_000)]


def test_an_endless_error_page_is_not_read(serve: Any) -> None:
    error = refusal(serve(fixed(500, b"x" * 10_000_000)).url)
    assert "status 500" in error.message
    assert len(str(error)) < 400


def test_warnings_make_an_answer_partial(serve: Any) -> None:
    said = [f"remote read {TOKEN} failed", "PromQL info: not a counter"]
    with metrics(
        serve(fixed(200, matrix(warnings=said))).url, headers={"Authorization": f"Bearer {TOKEN}"}
    ) as found:
        assert found.read(QUERY, GRID).warnings == ("remote read *** failed",)


def test_touched_samples_are_counted_when_the_server_tells(serve: Any) -> None:
    stats = {"samples": {"totalQueryableSamples": 7}}
    data = {"status": "success", "data": {"resultType": "matrix", "result": [], "stats": stats}}
    with metrics(serve(fixed(200, json.dumps(data).encode())).url) as found:
        assert found.read(QUERY, GRID).samples == 7
        found.read(QUERY, GRID)
        assert found.samples == 14


@pytest.mark.parametrize("ahead_s", [-3_600, -301 - 5, 3_600])
def test_clocks_that_are_far_apart_refuse_every_read(serve: Any, ahead_s: int) -> None:
    server = serve(lambda r: r.reply(200, matrix(), Date=formatdate(time.time() + ahead_s, usegmt=True)))
    assert "expected clocks within 300 s" in refusal(server.url).message


def test_a_small_skew_is_measured_for_a_warning(serve: Any) -> None:
    def ahead(request: Handler) -> None:
        one = b'{"status":"success","data":{"resultType":"scalar","result":[0,"1"]}}'
        request.reply(200, one, Date=formatdate(time.time() + 90, usegmt=True))

    with metrics(serve(ahead).url) as found:
        assert abs(found.skew_s() - 90) <= 2
        assert found.skew_s() > prometheus.WARN_SKEW_S
        assert abs(found.now_s() - time.time()) <= 2


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026", "\x01"])
def test_a_date_that_is_none_does_not_matter(serve: Any, date: str) -> None:
    with metrics(serve(fixed(200, matrix(), Date=date)).url) as found:
        assert found.read(QUERY, GRID).labels == ()


def test_a_probe_tells_what_answers_instead_of_a_prometheus(serve: Any) -> None:
    page = serve(fixed(200, b"<html>hello</html>"))
    with metrics(page.url) as found, pytest.raises(DataUnusable, match="it is not a Prometheus"):
        found.check()
    assert [urlsplit(request.path).path for request in page.seen] == ["/-/ready", "/api/v1/query"]
    with (
        metrics(serve(fixed(404, b"no")).url) as found,
        pytest.raises(DataUnusable, match="expected a Prometheus"),
    ):
        found.check()
    with metrics(serve(fixed(503, b"starting")).url) as found, pytest.raises(DataUnusable, match="starting"):
        found.check()


def test_a_server_that_only_speaks_the_api_passes_the_probe(serve: Any) -> None:
    def thanos(request: Handler) -> None:
        if request.path == "/-/ready":
            request.reply(404, b"not here")
        else:
            request.reply(200, b'{"status":"success","data":{"resultType":"scalar","result":[0,"1"]}}')

    with metrics(serve(thanos).url) as found:
        found.check()


def test_the_proxy_settings_and_netrc_of_the_machine_are_not_used(
    serve: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proxy, server = serve(good), serve(good)
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login me password {TOKEN}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url)
    with metrics(server.url) as found:
        found.read(QUERY, GRID)
    assert (len(server.seen), proxy.seen) == (1, [])
    assert "Authorization" not in server.seen[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "",
        "prometheus:9090",
        "127.0.0.1:9090",
        "ftp://host",
        "http://",
        "http://:9090",
        "http://host:0",
        "http://host:99999",
        "http://host:port",
        "http://ho st",
        "http://[::1",
        "http://host/?query=1",
        "http://host/#x",
        "http://host\n",
        "http://169.254.169.254/latest",
        "http://[fe80::1%25eth0]/",
        "http://metadata.google.internal",
        f"http://me:{TOKEN}@host:x",
    ],
)
def test_a_malformed_address_is_refused_before_anything_is_sent(url: str) -> None:
    with pytest.raises(ConfigError) as refused:
        PrometheusMetrics(PrometheusSettings(url=url))
    assert refused.value.where == "prometheus.url"
    assert TOKEN not in str(refused.value)


def test_settings_do_not_show_their_secrets() -> None:
    shown = repr(PrometheusSettings(url="http://host", headers={"Authorization": TOKEN}, basic=("me", TOKEN)))
    assert TOKEN not in shown
