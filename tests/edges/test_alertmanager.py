"""The silences of an Alertmanager, read over HTTP from a server that answers as the API does."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import wire
from wire import TOKEN, fixed

from aiops.edges import prometheus_transport
from aiops.edges.alertmanager import AlertmanagerSilences
from aiops.edges.prometheus import PrometheusSettings
from aiops.errors import ConfigError, DataUnusable

NOW_S = 1_773_846_000  # 2026-03-18 15:00 UTC
WEB = {"namespace": "shop", "deployment": "web", "workload": "web"}
ALERT = {**WEB, "alertname": "TooManyErrors", "severity": "critical"}


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prometheus_transport, "BACKOFF_S", 0.01)


def matcher(text: str) -> dict[str, Any]:
    """Return a matcher as the API spells it: `a=b`, `a!=b`, `a=~b`, `a!~b`."""
    sign = next(one for one in ("=~", "!~", "!=", "=") if one in text)
    name, value = text.split(sign, 1)
    return {"name": name, "value": value, "isRegex": "~" in sign, "isEqual": sign[0] == "="}


def silence(*matchers: str, starts: str = "2026-03-18T14:00:00.000Z", ends: str = "2026-03-18T18:00:00.000Z"):
    return {
        "id": "0b1f3c52-a1d4-4f6e-9d60-2a6f1f6f9e11",
        "status": {"state": "active"},
        "updatedAt": starts,
        "startsAt": starts,
        "endsAt": ends,
        "comment": "moving the shop\nto other nodes",
        "createdBy": "ada",
        "matchers": [matcher(one) for one in matchers],
    }


@contextlib.contextmanager
def asking(body: bytes, status: int = 200) -> Iterator[tuple[AlertmanagerSilences, Any]]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    with wire.serving(fixed(status, body)) as server:
        found = AlertmanagerSilences(PrometheusSettings(url=server.url, headers=headers, timeout_s=5))
        with contextlib.closing(found):
            yield found, server


def muted(*silences: dict[str, Any], alert: dict[str, str] = ALERT, at_s: int = NOW_S) -> bool:
    with asking(json.dumps(silences).encode()) as (found, _):
        return found.muting([alert], at_s)[0] is not None


@pytest.mark.parametrize(
    ("matchers", "expected"),
    [
        (["namespace=shop"], True),
        (["namespace=shop", "deployment=web"], True),
        (["namespace=shop", "deployment=cart"], False),
        (["deployment=~we.*"], True),
        (["deployment=~we"], False),  # it covers the whole value
        (["deployment=~cart|web"], True),
        (["alertname=TooManyErrors"], True),
        (["namespace=shop", "deployment!=web"], False),
        (["namespace=shop", "deployment!~cart|auth"], True),
        (["namespace=shop", "team=payments"], False),  # a label that is not there is empty
        (["namespace=shop", "team!=payments"], True),
        (["namespace=~(s+h*o*p*)+"], True),
    ],
)
def test_matchers_hold_as_alertmanager_reads_them(matchers: list[str], *, expected: bool) -> None:
    assert muted(silence(*matchers)) is expected


@pytest.mark.parametrize(
    ("starts", "ends", "expected"),
    [
        ("2026-03-18T14:00:00Z", "2026-03-18T15:00:00Z", False),  # over at that second
        ("2026-03-18T15:00:00.000Z", "2026-03-18T16:00:00Z", True),
        ("2026-03-18T15:30:00Z", "2026-03-18T16:00:00Z", False),
        ("2026-03-18T14:00:00.123456789+01:00", "2026-03-18T17:00:00+01:00", True),
    ],
)
def test_only_what_is_active_at_the_judged_time_counts(starts: str, ends: str, *, expected: bool) -> None:
    assert muted(silence("namespace=shop", starts=starts, ends=ends)) is expected


def test_a_silence_is_named_in_one_line_with_its_end() -> None:
    with asking(json.dumps([silence("namespace=shop")]).encode()) as (found, server):
        assert found.muting([{"namespace": "other"}, WEB], NOW_S) == (
            None,
            "0b1f3c52 of ada until 2026-03-18 18:00 UTC: moving the shop to other nodes",
        )
        assert [(one.command, one.path) for one in server.seen] == [("GET", "/api/v2/silences")]
        assert server.seen[0].headers["Authorization"] == f"Bearer {TOKEN}"


def test_it_is_asked_once_for_all_incidents() -> None:
    with asking(b"[]") as (found, server):
        assert [found.muting([WEB], NOW_S), found.muting([ALERT], NOW_S)] == [(None,), (None,)]
        assert len(server.seen) == 1


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>a proxy's page</html>"),
        (200, b'{"status": "success", "data": []}'),
        (200, b'[{"id": 1}]'),
        (200, json.dumps([silence("namespace=~(")]).encode()),
        (200, json.dumps([silence("a=b", starts="2020-01-01T00:00:00")]).encode()),
        (200, json.dumps([silence("a=b", ends="9999-12-31T23:59:59-12:00")]).encode()),
        (401, b"no"),
        (404, b"404 page not found"),
        (500, b"oops"),
    ],
)
def test_what_is_no_list_of_silences_is_refused_in_one_line(status: int, body: bytes) -> None:
    with asking(body, status) as (found, _), pytest.raises(DataUnusable) as refused:
        found.muting([WEB], NOW_S)
    assert "\n" not in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_a_malformed_address_names_the_setting() -> None:
    with pytest.raises(ConfigError) as refused:
        AlertmanagerSilences(PrometheusSettings(url="alertmanager:9093"))
    assert refused.value.where == "alertmanager.url"
