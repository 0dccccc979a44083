"""Reports as `aiops run --format json` writes them, of any size and with any text in them."""

from __future__ import annotations

import json
import math
from typing import Any

from propose import hostile

from aiops.page import document

AT = "2026-03-18T22:28:00Z"
ONSET = "2026-03-18T22:04:00Z"
QUERY = 'sum by (namespace) (rate(istio_requests_total{response_code=~"5.."}[5m])) / on () group_left () ' * 8


def series(signal: str = "error_ratio", unit: str = "ratio", points: int = 96) -> dict[str, Any]:
    """Return a signal that leaves its band for the last 12 points, with a gap before."""
    calm = [0.001 + 0.0004 * math.sin(place / 4) for place in range(points)]
    observed: list[float | None] = [*calm[: points - 12], *(0.33 + place / 200 for place in range(12))]
    observed[points // 3] = None
    return {
        "signal": signal,
        "unit": unit,
        "from": "2026-03-18T19:18:00Z",
        "step_s": 120,
        "observed": observed,
        "expected": calm,
        "lower": [value - 0.004 for value in calm],
        "upper": [value + 0.004 for value in calm],
    }


def evidence(text: str = "error_ratio now", query: str = QUERY) -> dict[str, Any]:
    return {"claim": text, "query": query, "value": 0.33, "unit": "ratio", "at": AT}


def workload(name: str, text: str = "shop", *, number: int = 1) -> dict[str, Any]:
    """Return one workload in an incident; `text` stands wherever a name or a sentence of others may."""
    named = {"cluster": "prod-eu", "namespace": text, "kind": "Deployment", "name": name}
    return {
        "workload": named,
        "exit_code": 0,
        "reason": f"{text} is blamed; 1.14.3 ran healthy before it (in place 10.5 days)",
        "verdict": "anomalous",
        "score": 33.0 - number / 100,
        "scorer": "lstm",
        "fallback_reason": None,
        "data": {"coverage": 1.0, "newest_sample_at": AT},
        "incident": {
            "state": "firing",
            "onset": ONSET,
            "familiar": None,
            "signals": [
                {"signal": text, "observed": 0.33, "expected": 0.001, "unit": "ratio", "score": 33.0}
            ],
            "series": [series(text), series("latency_p95", "ms"), series("request_rate", "req/s")],
        },
        "diagnosis": {
            "cause": "bad-release",
            "evidence": [evidence(f"{text} {place}", f"{QUERY}{text}") for place in range(9)],
            "against": [evidence(text)],
            "impact": {"share_failing": 0.33, "share_slow": None, "callers": [text, text], "growing": True},
            "root": None,
            "place": text,
            "ruled_out": [f"overload: {text} is not above what was forecast"] * 4,
            "missing": [text],
            "rules": [
                {"rule": f"R{place}", "holds": place == 3, "answer": f"{text}: an image changed before it"}
                for place in range(15)
            ],
        },
        "decision": {
            "action": "rollback",
            "variant": "",
            "rule": "R1",
            "reason": f"1.15.0 is blamed ({text})",
            "field": "image.tag",
            "from": text,
            "to": "1.14.3",
            "edits": [{"file": text, "document": 0, "path": text, "old": text, "new": "1.14.3"}],
        },
        "pull_request": {
            "number": number,
            "url": f"https://github.com/acme/gitops/pull/{number}",
            "branch": text,
            "state": "opened",
        },
        "drift": {
            "watched": True,
            "days": 28,
            "signals": [
                {"signal": text, "unit": "ms", "per_day": 0.01, "from": 80.0, "to": 104.0, "since": AT}
            ],
        },
    }


def healthy(name: str) -> dict[str, Any]:
    calm = {"incident": None, "diagnosis": None, "decision": None, "pull_request": None, "drift": None}
    seen = {"verdict": "healthy", "score": 0.2, "reason": "within what is expected"}
    return {**workload(name), **calm, **seen}


def reviewed(named: dict[str, str], **counts: int) -> dict[str, Any]:
    names = ("proposed", "merged", "edited", "confirmed", "declined", "closed", "helped", "no_help")
    return {"workload": named, **dict.fromkeys(names, 0), **counts, "precision": None}


def report(*workloads: dict[str, Any], text: str = "shop", exit_code: int = 0) -> dict[str, Any]:
    named = {"cluster": text, "namespace": text, "kind": text, "name": text or "x"}
    return {
        "schema": "aiops.report/1",
        "at": AT,
        "exit_code": exit_code,
        "window": {"from": "2026-03-18T10:29:00Z", "to": AT, "step_s": 60},
        "errors": [{"code": "forge-busy", "where": text, "message": text, "todo": text}],
        "workloads": list(workloads),
        "unresolved": [{"workload": named, "what": "replicas", "reason": text, "todo": text}],
        "outlook": [
            {
                "cluster": text,
                "namespace": text,
                "subject": text,
                "what": "volume",
                "value": 80.0,
                "bound": 100.0,
                "unit": text,
                "at": AT,
                "query": text,
            }
        ],
        "guardrails": [{"id": "G-STORM", "state": "tripped", "value": text, "limit": text}],
        "followed": [
            {
                "number": 12,
                "url": text,
                "branch": text,
                "state": "closed",
                "outcome": "over",
                "comment": text,
            }
        ],
        "reviews": [reviewed(named, proposed=6, merged=3, declined=1, closed=2, helped=2, no_help=1)],
        "tracking_issue": {"number": 4, "url": text, "state": "opened"},
    }


# JSON of a metrics store is UTF-8, which has no halves of a pair; a report with one is refused.
HOSTILE = tuple(text for text in hostile.CORPUS if text.strip() and text != "\ud800")


def read(found: dict[str, Any]) -> document.Report:
    return document.load(json.dumps(found).encode(), "report.json")
