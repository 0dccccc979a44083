from __future__ import annotations

import re
from dataclasses import replace

import pytest

from aiops.mesh import openmetrics
from aiops.mesh.faults import Defect, Deploy, Outage
from aiops.mesh.graph import default_mesh
from aiops.mesh.plant import simulate

START_S = 1_773_853_200
LINE = re.compile(
    r'([a-z_:]+)\{((?:[a-z_]+="(?:[^"\\\n]|\\[\\"n])*",?)+)\} (-?\d+(?:\.\d+)?(?:e[+-]\d+)?) (\d+)$'
)
EVENTS = (
    Deploy("checkout", START_S + 600, "1.15.0", Defect("crash-loop")),
    Outage("cart", START_S + 600, START_S + 1200, 0.5),
    Outage("payment", START_S + 600, START_S + 1200, 1.0),
)


@pytest.fixture(scope="module")
def lines() -> list[str]:
    trace = simulate(default_mesh(), START_S, START_S + 1800, EVENTS, seed=1)
    return b"".join(openmetrics.text(trace)).decode().splitlines()


def test_every_line_is_openmetrics(lines: list[str]) -> None:
    assert lines[-1] == "# EOF"
    for line in lines[:-1]:
        assert line.startswith(("# TYPE ", "# HELP ")) or LINE.match(line), line


def test_families_stand_together_and_counters_end_in_total(lines: list[str]) -> None:
    kinds: dict[str, str] = {}
    family = ""
    for line in lines[:-1]:
        if line.startswith("# TYPE "):
            family, kind = line.split()[2:]
            assert family not in kinds
            kinds[family] = kind
        elif not line.startswith("#"):
            metric = line.partition("{")[0]
            suffixes = {"counter": ("_total",), "gauge": ("",), "histogram": ("_bucket", "_count", "_sum")}
            assert metric in {family + suffix for suffix in suffixes[kinds[family]]}


def test_samples_of_a_series_are_in_order_of_time(lines: list[str]) -> None:
    newest: dict[str, int] = {}
    for line in lines:
        if not line.startswith("#"):
            series, _, rest = line.partition("} ")
            time = int(rest.split()[1])
            assert newest.get(series, 0) < time
            newest[series] = time


def test_buckets_rise_and_end_with_the_count(lines: list[str]) -> None:
    buckets: dict[tuple[str, str], list[tuple[float, float]]] = {}
    counts: dict[tuple[str, str], float] = {}
    for line in lines:
        match = LINE.match(line)
        if match and match[1].startswith("istio_request_duration"):
            labels = dict(re.findall(r'([a-z_]+)="([^"]*)"', match[2]))
            le = labels.pop("le", "")
            key = (str(sorted(labels.items())), match[4])
            if match[1].endswith("_bucket"):
                buckets.setdefault(key, []).append((float(le), float(match[3])))
            elif match[1].endswith("_count"):
                counts[key] = float(match[3])
    assert buckets.keys() == counts.keys()
    for key, found in buckets.items():
        values = [value for _, value in sorted(found)]
        assert values == sorted(values)
        assert values[-1] == counts[key]


def test_a_label_value_cannot_leave_its_quotes() -> None:
    hostile = 'a"} 1 2\nup{x="\\'
    mesh = replace(default_mesh(), cluster=hostile)
    chunks = list(openmetrics.text(simulate(mesh, START_S, START_S + 120, seed=1)))
    for line in b"".join(chunks).decode().splitlines():
        assert line.startswith("#") or LINE.match(line), line


def test_what_was_before_the_start_is_left_out() -> None:
    trace = simulate(default_mesh(), START_S, START_S + 1800, EVENTS, seed=1)
    times = [
        int(line.rsplit(" ", 1)[1])
        for line in b"".join(openmetrics.text(trace, START_S + 900)).decode().splitlines()
        if not line.startswith("#")
    ]
    assert min(times) == START_S + 900
    assert max(times) == START_S + 1800


def test_a_dead_service_is_known_only_to_its_callers(lines: list[str]) -> None:
    refused = [line for line in lines if 'response_flags="UF,URX"' in line]
    assert refused
    assert all('reporter="source"' in line for line in refused)
    assert any('destination_workload="cart"' in line for line in refused)


def test_a_failed_grpc_call_is_http_200(lines: list[str]) -> None:
    codes = {
        (re.findall('response_code="(.*?)"', line)[0], re.findall('grpc_response_status="(.*?)"', line)[0])
        for line in lines
        if 'request_protocol="grpc"' in line
    }
    assert {("200", "0"), ("200", "13")} == codes
