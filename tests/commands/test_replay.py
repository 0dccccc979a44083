from __future__ import annotations

import json
from dataclasses import replace

import pytest

from aiops import connect
from aiops.commands.replay import difference
from aiops.config import Config


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ({"a": [1, {"b": None}], "sha256": "x"}, {"a": [1, {"b": None}], "sha256": "y"}, ""),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, "plan.a[1].b: 2 in the bundle, 3 now"),
        ({"a": 1, "b": 1}, {"b": 2}, "plan.a: 1 in the bundle, null now"),
        ({"a": 1, "items": []}, {"a": 2, "items": 3}, "plan.items: 0 entries in the bundle, 3 now"),
        ({"a": 1}, {"a": 1.0}, "plan.a: 1 in the bundle, 1.0 now"),
        ({"a": 1}, {"a": True}, "plan.a: 1 in the bundle, true now"),
        ([1], [1, 2], "plan: 1 entries in the bundle, 2 entries now"),
        (None, {}, "plan: null in the bundle, 0 entries now"),
        ("\x1b[31m", "a", 'plan: "\\u001b[31m" in the bundle, "a" now'),
        ({"\x1b": 1}, {}, "plan.\\x1b: 1 in the bundle, null now"),
    ],
)
def test_the_first_difference_is_named_in_ascii(before, now, expected):
    assert difference(before, now) == expected


def test_the_settings_that_decide_come_back_as_the_same_job_and_no_other_is_kept():
    config = Config.model_validate(
        {
            "prometheus": {
                "url": "https://me:s3cr3t@prom.example.com",
                "external_url": "https://prom.example.com",
                "auth": {"bearer": "s3cr3t"},
                "headers": {"X-Scope-OrgID": "s3cr3t"},
                "tls": {"key": "s3cr3t.pem"},
            },
            "alertmanager": {"url": "https://s3cr3t.example.com"},
            "repository": {"github": "s3cr3t/gitops", "path": "s3cr3t", "base": "deploy/prod"},
            "signals": ["kubernetes"],
            "queries": {"lag": {"expr": 'x{a="é"}', "unit": "s", "direction": "up", "min_deviation": 0.1}},
            "clusters": [{"name": "eu", "match": {"region": "é"}, "paths": ["a", "b"]}],
            "cache": "s3cr3t",
            "step": "5m",
            "calendar": {
                "timezone": "Europe/Berlin",
                "holidays": ["2026-12-25"],
                "excluded": [["2026-01-01", "2026-01-02T10:00"]],
            },
        }
    )
    kept = json.dumps(connect.deciding(config))
    assert connect.decided_by(json.loads(kept)) == replace(connect.proposing_job(config), external_urls={})
    assert "s3cr3t" not in kept
