"""The rules, the autoscaler, the canary checks and the dashboard that come with the metrics."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import real
import yaml

from aiops import measures

PIPELINES = real.CHECKOUT / "pipelines"
RULES = PIPELINES / "prometheus-rules.yaml"
WHO = 'cluster="eu", namespace="shop", kind="Deployment", workload="cart"'


def documents(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((PIPELINES / name).read_text(encoding="utf-8")))


def flagger() -> str:
    query = str(documents("flagger-metric-template.yaml")[0]["spec"]["query"])
    return query.replace("{{ namespace }}", "shop").replace("{{ target }}", "cart").strip()


def argo() -> dict[str, Any]:
    return documents("argo-analysis-template.yaml")[0]["spec"]["metrics"][0]


def argo_query() -> str:
    query = str(argo()["provider"]["prometheus"]["query"])
    return query.replace("{{args.namespace}}", "shop").replace("{{args.workload}}", "cart").strip()


def adapter() -> str:
    config = yaml.safe_load(documents("hpa-predicted-load.yaml")[1]["data"]["config.yaml"])
    query = str(config["externalRules"][0]["metricsQuery"])
    return query.replace("<<.LabelMatchers>>", 'namespace="shop", workload="cart"')


def dashboard() -> list[str]:
    found = json.loads((PIPELINES / "grafana-dashboard.json").read_text(encoding="utf-8"))
    return [target["expr"] for panel in found["panels"] for target in panel["targets"]]


def promtool(*arguments: object) -> str:
    done = subprocess.run(
        [real.promtool(), *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.real
def test_promtool_accepts_every_rule_and_every_query_that_is_shipped(tmp_path):
    queries = [flagger(), argo_query(), adapter(), *dashboard()]
    rules = [{"record": f"query:{place}", "expr": query} for place, query in enumerate(queries)]
    file = tmp_path / "queries.yaml"
    file.write_text(json.dumps({"groups": [{"name": "shipped", "rules": rules}]}), encoding="utf-8")
    promtool("check", "rules", "--lint-fatal", RULES, file)


def test_what_is_shipped_asks_for_nothing_that_is_not_written():
    names = {
        rule["record"]
        for group in documents(RULES.name)[0]["groups"]
        for rule in group["rules"]
        if "record" in rule
    }
    text = " ".join([flagger(), argo_query(), adapter(), *dashboard(), RULES.read_text(encoding="utf-8")])

    asked = set(re.findall(r"\baiops[_:][a-z_]+", text)) - {"aiops_"}
    assert asked - names - set(measures._HELP) == set()


def series(metric: str, labels: str, value: float) -> dict[str, str]:
    # As a Pushgateway keeps it: the same value in every scrape, for ever.
    return {"series": f"{metric}{{{labels}}}", "values": f"{value:g}+0x60"}


def at(minute: int, query: str, samples: list[dict[str, Any]]) -> dict[str, Any]:
    return {"eval_time": f"{minute}m", "expr": query, "exp_samples": samples}


def killed() -> dict[str, Any]:
    """Return a test of a job that ran once, at minute 0, judged minute -2, and never again."""
    written = [
        series("aiops_workload_score", WHO, 33.0),
        series("aiops_workload_score_target_time_seconds", WHO, -120),
        series("aiops_predicted_load", WHO, 42.0),
        series("aiops_predicted_load_target_time_seconds", WHO, 1_080),
        series("aiops_incident", f'{WHO}, cause="bad-release", action="rollback"', 1),
        series("aiops_pull_request_info", f'{WHO}, url="https://example.com/7"', 1),
        series("aiops_run_time_seconds", 'half="whole"', 0),
        series("aiops_run_exit_code", 'half="whole"', 0),
    ]
    who = WHO.replace(", ", ",")
    stopped = {"severity": "page"}
    texts = {
        "summary": "aiops has not run for two intervals",
        "description": "Nothing is watched. Look at the scheduled job and at its log.",
    }
    alive = [
        at(17, "aiops:workload_score", [{"labels": f"aiops:workload_score{{{who}}}", "value": 33}]),
        at(17, "aiops:predicted_load", [{"labels": f"aiops:predicted_load{{{who}}}", "value": 42}]),
        at(17, adapter(), [{"labels": "{}", "value": 42}]),
        at(17, flagger(), [{"labels": "{}", "value": 33}]),
        at(17, argo_query(), [{"labels": "{}", "value": 33}]),
        at(17, "count(aiops:pull_request)", [{"labels": "{}", "value": 1}]),
    ]
    dead = [
        at(21, '{__name__=~"aiops:.*"}', []),
        at(21, adapter(), []),  # the autoscaler goes on by CPU
        at(21, flagger(), [{"labels": "{}", "value": 0}]),  # passes
        at(21, argo_query(), []),  # inconclusive
    ]
    return {
        "interval": "1m",
        "input_series": written,
        "promql_expr_test": [*alive, *dead],
        "alert_rule_test": [
            {"eval_time": "20m", "alertname": "AiopsRunsStopped", "exp_alerts": []},
            {
                "eval_time": "27m",
                "alertname": "AiopsRunsStopped",
                "exp_alerts": [{"exp_labels": stopped, "exp_annotations": texts}],
            },
            {
                "eval_time": "10m",
                "alertname": "AiopsIncident",
                "exp_alerts": [
                    {
                        "exp_labels": {
                            "severity": "ticket",
                            "cluster": "eu",
                            "namespace": "shop",
                            "kind": "Deployment",
                            "workload": "cart",
                            "cause": "bad-release",
                            "action": "rollback",
                            "url": "https://example.com/7",
                        },
                        "exp_annotations": {
                            "summary": "shop/cart: bad-release, rollback",
                            "pull_request": "https://example.com/7",
                        },
                    }
                ],
            },
            {"eval_time": "21m", "alertname": "AiopsIncident", "exp_alerts": []},
        ],
    }


def never_ran() -> dict[str, Any]:
    absent = {"half": "", "severity": "page"}
    del absent["half"]
    return {
        "interval": "1m",
        "input_series": [{"series": "up", "values": "1+0x60"}],
        "alert_rule_test": [
            {
                "eval_time": "10m",
                "alertname": "AiopsRunsStopped",
                "exp_alerts": [
                    {
                        "exp_labels": absent,
                        "exp_annotations": {
                            "summary": "aiops has not run for two intervals",
                            "description": "Nothing is watched. Look at the scheduled job and at its log.",
                        },
                    }
                ],
            }
        ],
    }


def failing() -> dict[str, Any]:
    def alert(minute: int, code: int | None) -> dict[str, Any]:
        labels = {"severity": "ticket", "half": "whole"}
        texts = {
            "summary": f"the last runs of aiops (whole) ended with exit code {code}",
            "description": "docs/operations.md says what each exit code asks for.",
        }
        expected = [] if code is None else [{"exp_labels": labels, "exp_annotations": texts}]
        return {"eval_time": f"{minute}m", "alertname": "AiopsRunsFail", "exp_alerts": expected}

    values = "10+0x29 20+0x30"
    return {
        "interval": "1m",
        "input_series": [{"series": 'aiops_run_exit_code{half="whole"}', "values": values}],
        "alert_rule_test": [alert(29, None), alert(40, None), alert(58, 20)],
    }


@pytest.mark.real
def test_two_intervals_after_aiops_was_killed_nothing_is_left_to_act_on(tmp_path):
    file = tmp_path / "test.yaml"
    tests = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [killed(), never_ran(), failing()],
    }
    file.write_text(json.dumps(tests), encoding="utf-8")
    promtool("test", "rules", file)


@pytest.mark.real
def test_without_the_rules_the_last_value_would_stay_for_ever(tmp_path):
    file = tmp_path / "test.yaml"
    stale = {**killed(), "promql_expr_test": [at(50, "aiops_predicted_load", [])], "alert_rule_test": []}
    file.write_text(json.dumps({"rule_files": [], "tests": [stale]}), encoding="utf-8")
    done = subprocess.run(
        [real.promtool(), "test", "rules", file], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "aiops_predicted_load" in done.stdout + done.stderr
    assert "got:" in done.stdout + done.stderr


def test_the_autoscaler_is_one_of_kubernetes_and_never_scales_on_a_prediction_alone():
    scaler = documents("hpa-predicted-load.yaml")[0]
    kubernetes_validate.validate(scaler, "1.31", strict=True)
    assert [metric["type"] for metric in scaler["spec"]["metrics"]] == ["Resource", "External"]


def test_a_canary_passes_and_a_rollout_waits_when_there_is_no_score():
    assert flagger().endswith("or vector(0)")
    conditions = (argo()["successCondition"], argo()["failureCondition"])
    assert all(condition.startswith("len(result) > 0 && ") for condition in conditions)
    assert argo()["inconclusiveLimit"] == 1


def test_every_panel_of_the_dashboard_has_a_title_and_a_place_of_its_own():
    found = json.loads(Path(PIPELINES / "grafana-dashboard.json").read_text(encoding="utf-8"))
    places = {(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in found["panels"]}
    assert len(places) == len(found["panels"]) == len({panel["title"] for panel in found["panels"]})
