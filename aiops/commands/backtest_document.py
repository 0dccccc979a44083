"""`aiops.backtest/1`: a backtest as one JSON document."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from aiops.commands.backtest_told import Backtest
from aiops.detect import calibration
from aiops.evaluate import budget
from aiops.evaluate.alerts import Heard
from aiops.evaluate.backtest import Replay
from aiops.evaluate.budget import Kept
from aiops.evaluate.spans import LEVELS
from aiops.report import named, utc


def document(told: Backtest) -> dict[str, Any]:
    """Return `aiops.backtest/1`. `alerts` is null when they could not be read."""
    found = told.replay
    return {
        "schema": "aiops.backtest/1",
        "from": utc(found.start_s),
        "to": utc(found.end_s),
        "every_s": found.every_s,
        "runs": found.runs,
        "looked": found.looked,
        "unusable": found.unusable,
        "plans": None
        if told.refused is None
        else {"refused": [{"file": name, "why": why} for name, why in told.refused]},
        "proposals": [
            {
                "workload": named(one.workload),
                "action": one.action,
                "field": one.field,
                "old": one.old,
                "new": one.new,
                "cause": one.cause,
                "rule": one.rule,
                "reason": one.reason,
                "onset": utc(one.onset_s),
                "opened": utc(one.opened_s),
                "ended": utc(one.ended_s),
                "outcome": one.outcome,
                "calm": utc(one.calm_s),
                "people": {"answer": reply.answer, "value": reply.value, "at": utc(reply.at_s)},
                "verdict": {"ruling": verdict.ruling, "why": verdict.why},
                "plan": one.source or None,
                "strength": one.strength
                if one.strength is not None and math.isfinite(one.strength)
                else None,
            }
            for one, reply, verdict in zip(found.proposals, told.replies, told.verdicts, strict=True)
        ],
        "thresholds": [
            {"threshold": one.threshold, "proposals": len(one.places), "a_week": round(one.a_week, 3)}
            for one in told.curve
        ],
        "budget": None if told.a_week is None else _budget(told.curve, told.a_week),
        "calibration": _calibration(found) if found.reached else None,
        "rollbacks_by_people": [
            {
                "workload": named(act.workload),
                "old": act.old,
                "new": act.new,
                "at": utc(act.at_s),
                "ahead_s": act.ahead_s,
            }
            for act in told.acts
        ],
        "alerts": None if told.heard is None else _alerts_document(told.heard),
    }


def _budget(curve: Sequence[Kept], a_week: float) -> dict[str, Any]:
    found = budget.meeting(curve, a_week)
    return {"a_week": a_week, "threshold": found.threshold if found else None}


def _calibration(found: Replay) -> dict[str, Any]:
    """Return on how many days of a workload a score was held long enough to fire, and what was promised."""
    return {
        "workload_days": found.workload_days,
        "predicted": {"score": 1.0, "share": round(calibration.BUDGET_PER_DAY, 6)},
        "observed": [
            {"score": level, "days": days} for level, days in zip(LEVELS, found.reached, strict=True)
        ],
    }


def _alerts_document(heard: Heard) -> dict[str, Any]:
    return {
        "fired": [
            {
                "workload": named(one.workload),
                "alert": one.name,
                "severity": one.severity,
                "from": utc(one.start_s),
                "to": utc(one.end_s),
                "proposal": one.proposal,
                "ahead_s": one.ahead_s,
                "right": one.right,
            }
            for one in heard.alerts
        ],
        "without_workload": heard.unplaced,
        "proposals_without": list(heard.unheard),
    }
