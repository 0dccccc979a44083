"""What a server may say that it should not; what a real one says is in test_prometheus_real."""

from __future__ import annotations

import contextlib
import gzip
import json
import time
import zlib
from collections.abc import Callable, Iterator
from email.utils import formatdate
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import pytest
import wire
from wire import GRID, QUERY, TOKEN, WEB, Handler, fixed, good, matrix, metrics, refusal

from aiops.domain import Grid, Query
from aiops.edges import prometheus, prometheus_transport
from aiops.edges.prometheus_refusals import TooMuch
from aiops.errors import AiopsError, ConfigError, DataUnusable


@pytest.fixture
def serve() -> Iterator[Callable[[wire.Respond], Any]]:
    """Return `serve(respond) -> server`; see wire.serving."""
    with contextlib.ExitStack() as stack:
        yield lambda respond: stack.enter_context(wire.serving(respond))


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus_transport, "BACKOFF_S", 0.01)


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
    (422, {"errorType": "execution", "error": "too many samples"}, TooMuch, "too many samples"),
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


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_compressed_bodies_are_read(serve: Any, encoding: str) -> None:
    plain = matrix((GRID.start_s, "1"))
    packed = gzip.compress(plain) if encoding == "gzip" else zlib.compress(plain)
    with metrics(serve(fixed(200, packed, Content_Encoding=encoding)).url) as found:
        assert found.read(QUERY, GRID).values[0, 0] == 1


@pytest.mark.parametrize("packed", [gzip.compress(matrix(), mtime=0)[:-9], b"not gzip at all"])
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


@pytest.mark.parametrize(
    "said",
    [
        "query processing would load too many samples into memory in query execution",
        "the query exceeded the maximum number of chunks (limit: 2000000 chunks)",
        "cannot select more than -search.maxSamplesPerQuery=1000000000 samples",
    ],
)
def test_a_server_that_finds_a_query_too_large_is_asked_for_less_at_once(serve: Any, said: str) -> None:
    grid = Grid(0, 599 * 60, 60)

    def limited(request: Handler) -> None:
        asked = request.asked
        steps = range(int(asked["start"]), int(asked["end"]) + 1, int(asked["step"]))
        if len(steps) > 200:
            told = {"status": "error", "errorType": "execution", "error": said}
            request.reply(422, json.dumps(told).encode())
        else:
            request.reply(200, matrix(*((step, str(step)) for step in steps)))

    with metrics(serve(limited).url) as found:
        answer = found.read(QUERY, grid)
    np.testing.assert_array_equal([grid.times.astype(float)], answer.values)


def test_a_query_that_can_never_be_evaluated_is_asked_once(serve: Any) -> None:
    said = 'many-to-many matching not allowed: {resource="limits.cpu"} on both sides'
    told = json.dumps({"status": "error", "errorType": "execution", "error": said}).encode()
    server = serve(fixed(422, told))
    with metrics(server.url) as found, pytest.raises(DataUnusable, match="many-to-many"):
        found.read(QUERY, Grid(0, 599 * 60, 60))
    assert len(server.seen) == 1


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
