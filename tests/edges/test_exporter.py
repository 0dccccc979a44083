"""Metrics reach a textfile folder and a real Pushgateway; a real Prometheus scrapes them."""

from __future__ import annotations

import http.server
import json
import threading
import time
import urllib.parse
import urllib.request

import pytest
import real
from one_run import AT_S, result

from aiops import measures
from aiops.edges import exporter
from aiops.errors import ConfigError, DataUnusable

PIPELINES = real.CHECKOUT / "pipelines"


def told(half="whole", at_s=AT_S):
    import dataclasses

    found = result()
    return measures.of(
        dataclasses.replace(found, plan=dataclasses.replace(found.plan, data_time_s=at_s)), 0, half, at_s, 1.0
    )


def test_a_textfile_is_replaced_whole_and_others_may_read_it(tmp_path):
    exporter.export(str(tmp_path), "whole", told(), {})
    file = tmp_path / "aiops-whole.prom"
    assert 'aiops_workload_score{cluster="eu",kind="Deployment",namespace="shop",workload="cart"} 33.0' in (
        file.read_text(encoding="utf-8")
    )
    assert file.stat().st_mode & 0o777 == 0o644
    exporter.export(str(tmp_path), "whole", measures.failed(DataUnusable("silent"), "whole", 1.0, 1.0), {})
    assert "aiops_workload_score" not in file.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["aiops-whole.prom"]


@pytest.mark.real
def test_promtool_has_nothing_to_say_about_the_metrics(tmp_path):
    import subprocess

    exporter.export(str(tmp_path), "whole", told(), {})
    text = (tmp_path / "aiops-whole.prom").read_bytes()
    checked = subprocess.run(
        [real.promtool(), "check", "metrics"], input=text, capture_output=True, check=False
    )
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")


def test_a_folder_that_is_not_there_and_a_gateway_that_is_down_are_os_errors(tmp_path):
    with pytest.raises(OSError, match="No such file"):
        exporter.export(str(tmp_path / "none"), "whole", told(), {})
    with pytest.raises(OSError, match="refused"):
        exporter.export(f"http://127.0.0.1:{real.free_port()}", "whole", told(), {})


@pytest.mark.parametrize("address", ["http://127.0.0.1:abc", "http://a b"])
def test_an_address_that_is_none_is_an_os_error(address):
    with pytest.raises(OSError, match=r"nonnumeric port|control characters"):
        exporter.export(address, "whole", told(), {})


def test_a_token_that_ends_a_line_is_in_no_error():
    with pytest.raises(OSError, match="Invalid header") as caught:
        exporter.export("http://127.0.0.1:1", "whole", told(), {"AIOPS_PUSHGATEWAY_TOKEN": "supercanary\n"})
    assert "canary" not in str(caught.value)


def test_a_password_in_the_address_is_refused():
    with pytest.raises(ConfigError, match="AIOPS_PUSHGATEWAY_USER") as caught:
        exporter.is_gateway("https://me:secret@gateway.example.com")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, None),
        ({"AIOPS_PUSHGATEWAY_TOKEN": "canary"}, "Bearer canary"),
        ({"AIOPS_PUSHGATEWAY_USER": "me", "AIOPS_PUSHGATEWAY_PASSWORD": "canary"}, "Basic bWU6Y2FuYXJ5"),
    ],
)
def test_credentials_come_from_the_environment_and_are_in_no_error(environment, expected):
    seen = []

    class Gateway(http.server.BaseHTTPRequestHandler):
        def do_PUT(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            seen.append(self.headers.get("Authorization"))
            self.send_error(403, f"no {self.headers.get('Authorization')}")

        def log_message(self, *_):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Gateway) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            with pytest.raises(OSError, match="403") as caught:
                exporter.export(f"http://127.0.0.1:{server.server_port}", "whole", told(), environment)
        finally:
            server.shutdown()
            thread.join()
    assert seen == [expected]
    assert "canary" not in str(caught.value)
    assert "bWU6Y2FuYXJ5" not in str(caught.value)


def ask(url: str, query: str):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(f"{url}/api/v1/query?query={urllib.parse.quote(query)}", timeout=10) as reply:
        return json.load(reply)["data"]["result"]


@pytest.mark.real
def test_a_real_prometheus_scrapes_the_gateway_and_its_rules_drop_what_is_old(tmp_path, start_prometheus):
    with real.running_pushgateway() as gateway:
        exporter.export(gateway, "whole", told(at_s=int(time.time()) - 120), {})
        config = f"""
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ['{PIPELINES / "prometheus-rules.yaml"}']
scrape_configs:
  - {{job_name: pushgateway, honor_labels: true, static_configs: [{{targets: ['{gateway.split("//")[1]}']}}]}}
"""
        url = start_prometheus(tmp_path / "data", config)
        fresh = waited(lambda: ask(url, "aiops:workload_score"), 2)
        assert {one["metric"]["workload"]: one["value"][1] for one in fresh} == {"cart": "33", "web": "0.2"}
        assert {one["metric"]["namespace"] for one in fresh} == {"shop"}
        alerts = waited(lambda: ask(url, 'ALERTS{alertname="AiopsIncident"}'), 1)
        assert alerts[0]["metric"]["url"] == "https://github.com/acme/gitops/pull/7"

        exporter.export(gateway, "whole", told(at_s=int(time.time()) - 1_260), {})
        assert waited(lambda: ask(url, "aiops_workload_score offset 1s"), 2)
        assert (
            waited(lambda: ask(url, '{__name__=~"aiops:(workload_score|predicted_load|incident)"}'), 0) == []
        )


def waited(answer, count: int):
    """Return the answer once it has `count` series: a scrape and an evaluation take a second each."""
    end = time.monotonic() + 30
    while len(found := answer()) != count and time.monotonic() < end:
        time.sleep(0.2)
    assert len(found) == count
    return found
