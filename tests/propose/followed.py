"""Pull requests of one rollback in every state, and what a later run says of its workload."""

from __future__ import annotations

from dataclasses import replace

from propose import sample

from aiops.domain import Hold, Plan, PlanItem, PullRequest, Quiet
from aiops.limits import LIMITS
from aiops.propose import follow, marker

NOW_S, HOUR, MIN = sample.NOW_S, 3600, 60
JUDGE = "abcdefabcdef"
ITEM = sample.rollback_item()
SCALE = sample.scale_item()
OLD, NEW = marker.value("1.14.3"), marker.value("1.14.2")


def pull(item: PlanItem = ITEM, *, number: int = 1, judge: str = JUDGE, **changes: object) -> PullRequest:
    made = sample.composed(item, judge=judge)
    opened = PullRequest(
        number,
        "u",
        made.branch,
        "open",
        made.title,
        made.body,
        "aiops",
        (),
        NOW_S - 9 * HOUR,
        None,
        None,
        None,
    )
    return replace(opened, **changes)


def merged(minutes_ago: int, item: PlanItem = ITEM, **changes: object) -> PullRequest:
    at_s = NOW_S - minutes_ago * MIN
    return pull(item, state="merged", merged_at_s=at_s, closed_at_s=at_s, **changes)


def closed(minutes_ago: int, item: PlanItem = ITEM, **changes: object) -> PullRequest:
    return pull(item, state="closed", closed_at_s=NOW_S - minutes_ago * MIN, closed_by=None, **changes)


def quiet(minutes: int, item: PlanItem = ITEM, *, ended: bool = True) -> Plan:
    """Return what a run says that saw the workload without an incident for so long."""
    calm = Quiet(item.workload, NOW_S - minutes * MIN, ended)
    return replace(sample.plan(), items=(), judge=JUDGE, quiet=(calm,))


def burning(
    item: PlanItem = ITEM, *, onset_min: int = 200, rule: str = "G-TRIED", **incident: object
) -> Plan:
    """Return what a run says that sees the incident and holds back."""
    seen = replace(item.incident, **{"onset_s": NOW_S - onset_min * MIN, **incident})
    held = replace(item, decision=Hold(rule, ""), edits=(), incident=seen)
    return replace(sample.plan(), items=(held,), judge=JUDGE)


def steps(one: PullRequest, plan: Plan, value: str | None = OLD, since_s: int | None = None) -> list[str]:
    values = {one.number: follow.Now(value, since_s)} if value is not None else {}
    found = follow.steps([one], plan, values, NOW_S, LIMITS)
    return [f"{'close ' if step.close else ''}{step.outcome}" for step in found]


DIFFERENT = "0" * 12
