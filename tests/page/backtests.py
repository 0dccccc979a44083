"""Backtests as `aiops backtest --format json` writes them, of any size and with any text in them."""

from __future__ import annotations

import json
from typing import Any

from aiops.page import replayed

RULINGS = ("right", "wrong", "unknown")


def proposal(day: int, *, text: str = "shop", action: str = "rollback", place: int = 0) -> dict[str, Any]:
    """Return one proposal of a day of March; `text` stands wherever a name of others may."""
    at = f"2026-03-{day:02}T10"
    return {
        "workload": {"cluster": "prod-eu", "namespace": text, "kind": "Deployment", "name": "cart"},
        "action": action,
        "field": "image.tag" if action == "rollback" else "replicas",
        "old": text,
        "new": "1.14.3",
        "cause": "bad-release",
        "rule": "R1",
        "reason": text,
        "onset": f"{at}:02:00Z",
        "opened": f"{at}:20:00Z",
        "ended": None if place % 4 == 3 else f"{at}:50:00Z",
        "outcome": "changed",
        "calm": None,
        "people": {"answer": "same", "value": text, "at": f"{at}:45:00Z"},
        "verdict": {"ruling": RULINGS[place % 3], "why": f"people set {text}"},
        "plan": None,
        "strength": 12.0,
    }


def document(*proposals: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return a backtest of March."""
    observed = [(1.0, 23), (2.0, 20), (5.0, 11), (10.0, 4), (20.0, 1), (50.0, 0)]
    return {
        "schema": "aiops.backtest/1",
        "from": "2026-03-01T00:00:00Z",
        "to": "2026-04-01T00:00:00Z",
        "every_s": 600,
        "runs": 4_465,
        "looked": 90,
        "unusable": 3,
        "plans": None,
        "proposals": list(proposals),
        "thresholds": [
            {"threshold": 1.0, "proposals": len(proposals), "a_week": len(proposals) / 4.43},
            {"threshold": 15.0, "proposals": 0, "a_week": 0.0},
        ],
        "budget": {"a_week": 0.5, "threshold": 15.0},
        "calibration": {
            "workload_days": 3_100,
            "predicted": {"score": 1.0, "share": 0.001429},
            "observed": [{"score": score, "days": days} for score, days in observed],
        },
        "rollbacks_by_people": [{**_act, "ahead_s": ahead} for ahead in (None, 1_500) for _act in [_ACT]],
        "alerts": None,
        **changes,
    }


_ACT = {
    "workload": {"cluster": "", "namespace": "shop", "kind": "", "name": "cart"},
    "old": "1.15.0",
    "new": "1.14.3",
    "at": "2026-03-04T10:45:00Z",
}


def read(given: dict[str, Any]) -> replayed.Backtest:
    return replayed.load(json.dumps(given).encode(), "backtest.json")


def month() -> dict[str, Any]:
    """Return a month with every verdict, both actions, and a day that has more than fit."""
    days = [2, 4, 9, 9, 17, 23, *[30] * 9]
    actions = ("rollback", "scale")
    found = (proposal(day, action=actions[place % 2], place=place) for place, day in enumerate(days))
    return document(*found)
