"""What may happen on the way to a Prometheus: slow, busy, broken, elsewhere, not there."""

from __future__ import annotations

import contextlib
import gc
import socket
import time
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import wire
from wire import GRID, QUERY, TOKEN, WEB, Handler, fixed, good, in_turn, metrics, refusal

from aiops.edges import prometheus_transport
from aiops.edges.prometheus import PrometheusMetrics, PrometheusSettings
from aiops.errors import ConfigError, DataUnusable


@pytest.fixture
def serve() -> Iterator[Callable[[wire.Respond], Any]]:
    """Return `serve(respond) -> server`; see wire.serving."""
    with contextlib.ExitStack() as stack:
        yield lambda respond: stack.enter_context(wire.serving(respond))


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus_transport, "BACKOFF_S", 0.01)


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
def test_a_slow_server_is_given_up_at_the_deadline(serve: Any, slow: wire.Respond) -> None:
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


# Names of their own: with the date in it, two workers that collect in two seconds run no test at all.
@pytest.mark.parametrize(
    "after",
    ["99999", "9" * 400, formatdate(time.time() + 86_400, usegmt=True)],
    ids=["seconds", "many digits", "tomorrow"],
)
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
