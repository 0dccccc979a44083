"""The report of one run, as the JSON document that machines read (`aiops.report/1`).

Comes in: a `Result`. Goes out: plain dictionaries, in the order of `report.schema.json`.
NaN never leaves here: what is unknown is null. No wall time and no machine path.
"""

from __future__ import annotations

from typing import Any

from aiops.domain import Guardrail, Hold, Incident, Outlook, Plan, PlanItem, SignalHistory
from aiops.errors import AiopsError, worst
from aiops.job import Followed, Result, Sent, Tracked
from aiops.propose.reviews import Review
from aiops.report import seen
from aiops.report.values import named, number, utc

__all__ = ["document", "exit_code", "failure", "from_plan", "named", "number", "reason", "utc"]

# These stop more than one workload and want somebody to look (exit 40). A cool-down, a veto or an
# open pull request hold one workload back as they should: that is a normal end.
FOR_A_PERSON = ("G-STORM", "G-DATA", "G-RATE", "G-TRIED")


def exit_code(result: Result, *, detailed: bool = False) -> int:
    """Return what the process ends with: the worst thing that happened, 10 only if asked for."""
    codes = [error.exit_code for error in result.errors]
    codes += [40 for guardrail in result.guardrails if guardrail.tripped and guardrail.id in FOR_A_PERSON]
    codes += [_item_code(item) for item in result.plan.items]
    if detailed:
        codes += [10 for sent in result.sent.values() if sent.state in {"opened", "updated"}]
    return worst(codes)


def document(result: Result, code: int) -> dict[str, Any]:
    """Return the whole report. `code` is the exit code of the process."""
    items = {item.workload: item for item in result.plan.items}
    drift = {watch.workload: watch for watch in result.drift}
    return {
        "schema": "aiops.report/1",
        "at": utc(result.plan.data_time_s),
        "exit_code": code,
        "window": {
            "from": utc(result.window.start_s),
            "to": utc(result.window.end_s),
            "step_s": result.window.step_s,
        },
        "errors": [_error(error) for error in result.errors],
        "workloads": [
            _workload(
                incident,
                items.get(incident.workload),
                result.sent.get(incident.workload),
                result.histories.get(incident.workload, ()),
            )
            | {"drift": seen.drift(drift.get(incident.workload))}
            for incident in result.incidents
        ],
        "unresolved": [
            {
                "workload": named(workload),
                "what": what,
                "reason": reason,
                "todo": "aiops where " + str(workload),
            }
            for workload, what, reason in result.unresolved
        ],
        "outlook": [_coming(one) for one in result.outlook],
        "followed": [_followed(one) for one in result.followed],
        "reviews": [_reviewed(one) for one in result.reviews],
        "tracking_issue": _tracked(result.tracked),
        "guardrails": [_guardrail(one) for one in result.guardrails],
    }


def failure(error: AiopsError, at_s: int | None = None) -> dict[str, Any]:
    """Return the report of a run that ended before anything could be judged."""
    return {
        "schema": "aiops.report/1",
        "at": utc(at_s),
        "exit_code": error.exit_code,
        "window": None,
        "errors": [_error(error)],
        "workloads": [],
        "unresolved": [],
        "guardrails": [],
    }


def from_plan(plan: Plan) -> tuple[Incident, ...]:
    """Return the incidents a plan carries: all that the proposing half knows of the fleet."""
    return tuple(item.incident for item in plan.items)


def _coming(one: Outlook) -> dict[str, Any]:
    return {
        "cluster": one.cluster,
        "namespace": one.namespace,
        "subject": one.subject,
        "what": one.what,
        "value": number(one.value),
        "bound": number(one.bound),
        "unit": one.unit,
        "at": utc(one.breach_s),
        "query": one.query,
    }


def _followed(one: Followed) -> dict[str, Any]:
    return {
        "number": one.pull.number or None,
        "url": one.pull.url or None,
        "branch": one.pull.branch,
        "state": one.pull.state,
        "outcome": one.outcome,
        "comment": one.comment,
    }


def _tracked(one: Tracked | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {"number": one.issue.number or None, "url": one.issue.url or None, "state": one.state}


def _reviewed(one: Review) -> dict[str, Any]:
    return {
        "workload": named(one.workload),
        "proposed": one.proposed,
        "merged": one.merged,
        "confirmed": one.confirmed,
        "declined": one.declined,
        "closed": one.closed,
        "helped": one.helped,
        "no_help": one.no_help,
        "edited": one.edited,
        "precision": number(one.precision),
    }


def _guardrail(one: Guardrail) -> dict[str, Any]:
    return {
        "id": one.id,
        "state": "tripped" if one.tripped else "passed",
        "value": one.value,
        "limit": one.limit,
    }


def _error(error: AiopsError) -> dict[str, Any]:
    return {"code": error.code, "where": error.where, "message": error.message, "todo": error.todo}


def _item_code(item: PlanItem) -> int:
    return 21 if isinstance(item.decision, Hold) and item.decision.variant == "edit-refused" else 0


def _workload(
    incident: Incident, item: PlanItem | None, sent: Sent | None, histories: tuple[SignalHistory, ...]
) -> dict[str, Any]:
    return {
        "workload": named(incident.workload),
        "exit_code": _item_code(item) if item else 0,
        "reason": reason(item, sent),
        "verdict": incident.verdict.value,
        "score": number(incident.score),
        "scorer": incident.scorer,
        "fallback_reason": incident.fallback_reason,
        "data": {"coverage": number(incident.coverage), "newest_sample_at": utc(incident.newest_sample_s)},
        "incident": seen.incident(incident, histories) if incident.onset_s is not None else None,
        "diagnosis": seen.diagnosis(item) if item and incident.onset_s is not None else None,
        "decision": _decision(item) if item else None,
        "pull_request": _pull(sent) if sent else None,
    }


def reason(item: PlanItem | None, sent: Sent | None) -> str:
    """Say in one line why this workload got what it got."""
    if sent and sent.state == "held":
        return sent.note
    if item:
        return item.decision.reason
    return "within what is expected"


def _decision(item: PlanItem) -> dict[str, Any]:
    decision = item.decision
    change = (
        (None, None, None) if isinstance(decision, Hold) else (decision.field, decision.old, decision.new)
    )
    return {
        "action": decision.action,
        "variant": decision.variant,
        "rule": decision.rule,
        "reason": decision.reason,
        "field": change[0],
        "from": change[1],
        "to": change[2],
        "edits": [
            {
                "file": edit.file,
                "document": edit.document,
                "path": edit.path_text,
                "old": edit.old,
                "new": edit.new,
            }
            for edit in item.edits
        ],
    }


def _pull(sent: Sent) -> dict[str, Any] | None:
    if sent.pull is None:
        return None
    return {
        "number": sent.pull.number or None,
        "url": sent.pull.url or None,
        "branch": sent.pull.branch,
        "state": sent.state,
    }
