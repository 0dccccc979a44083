"""The limits of the whole fleet, in one file, reviewed alone. Everything here fails closed.

`fleet` looks at all incidents before anything is decided: a storm, or lost inputs, stops every
proposal. `admit` looks at the pull requests that exist: freshness, one per workload, veto,
cool-down, rate. What cannot be read counts against proposing: a pull request without a marker
fills a slot, a close by nobody in particular is a person's. Numbers: `limits.py`; source: design
page "Numbers that decide", faults 5.3, F20, F57, T20-T24.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

import numpy as np

from aiops.decide import standing
from aiops.domain import (
    Answer,
    Cause,
    Diagnosis,
    Guardrail,
    Incident,
    Plan,
    PlanItem,
    PullRequest,
    State,
    TrackingIssue,
    Workload,
)
from aiops.limits import Limits
from aiops.propose import marker

DAY_S = 86400
PAUSE = "aiops/pause"
PAUSE_FILE = ".aiops/pause"
# Steps at the end of a grid that count as "now"; the worst of them counts.
NOW_STEPS = 5


def fleet(
    incidents: Sequence[Incident],
    diagnoses: Sequence[Diagnosis],
    answers: Mapping[str, Answer],
    limits: Limits,
) -> tuple[Guardrail, ...]:
    """Return the checks of the fleet: storm and lost scrape targets. Any that tripped stops all proposals.

    What is familiar is no part of a storm.
    `answers` holds `targets_up` and `targets_known` per cluster; with nothing open both may be absent.
    """
    scored = [i for i in incidents if i.score is not None]
    red = [i for i in incidents if i.state is State.FIRING and i.familiar is None]
    named = {d.workload.key for d in diagnoses if d.root is not None or d.place}
    adrift = [i for i in red if i.workload.key not in named]
    enough = max(limits.storm_min, limits.storm_share * len(scored))
    all_red = len(scored) >= limits.all_red_min and len({i.workload.key for i in red}) >= len(scored)
    storm = Guardrail(
        "G-STORM",
        tripped=bool(red) and (len(adrift) >= enough or all_red),
        value=f"{len(adrift)} of {len(scored)} workloads unexplained, {len(red)} firing",
        limit=f"{enough:g} unexplained, or all of {limits.all_red_min} or more firing",
    )
    return (storm, _data(answers, limits, anything_open=bool(red)))


def _data(answers: Mapping[str, Answer], limits: Limits, *, anything_open: bool) -> Guardrail:
    """Compare the scrape targets that answer with those known, in the worst cluster at the worst step."""
    limit = f"{limits.targets_lost_max:.0%} of the scrape targets of one cluster lost"
    known, up = answers.get("targets_known"), answers.get("targets_up")
    if known is None or not known.labels or up is None:
        # `up` is written by every Prometheus. A federated or remote store may have dropped it;
        # the samples themselves were complete, or nothing would be open here.
        text = "not known: no `up` series" if anything_open else "not asked: nothing is open"
        return Guardrail("G-DATA", tripped=False, value=text, limit=limit)
    lost = {labels.get("cluster", ""): 1.0 for labels in known.labels}
    total = dict(_levels(known))
    for cluster, level in _levels(up):
        if total.get(cluster, 0) > 0:
            lost[cluster] = 1 - level / total[cluster]
    cluster = max(lost, key=lambda name: (lost[name], name))
    return Guardrail(
        "G-DATA",
        tripped=lost[cluster] > limits.targets_lost_max,
        value=f"{max(lost[cluster], 0.0):.0%} lost in cluster {cluster or '(unnamed)'}",
        limit=limit,
    )


def _levels(answer: Answer) -> list[tuple[str, float]]:
    """Return (cluster, lowest value of the newest steps); a cluster without samples is left out."""
    found: list[tuple[str, float]] = []
    for labels, values in zip(answer.labels, answer.values, strict=True):  # [N, T] -> [T]
        newest = values[-NOW_STEPS:]
        newest = newest[np.isfinite(newest)]
        if newest.size:
            found.append((labels.get("cluster", ""), float(newest.min())))
    return found


def admit(
    items: Sequence[PlanItem],
    plan: Plan,
    keys: Mapping[Workload, str],
    pulls: Sequence[PullRequest],
    now_s: int,
    limits: Limits,
) -> tuple[tuple[PlanItem, ...], tuple[Guardrail, ...], dict[Workload, str]]:
    """Return (items that may be sent now, the checks, why each other item is held), ranked.

    `items`: scale and rollback decisions of one plan; `keys`: `aiops/<action>/<12 hex>` per item;
    `pulls`: all that the forge proved to be ours, in any state. An item whose pull request is open
    is admitted without counting as new: it is updated or left, never repeated.
    """
    seen = standing.Seen(
        tuple(standing.as_of(pull, now_s) for pull in pulls if pull.created_at_s <= now_s), now_s
    )
    held: dict[Workload, str] = {}
    stopped = [guardrail.id for guardrail in plan.guardrails if guardrail.tripped]
    age_s = now_s - plan.data_time_s
    admitted: list[PlanItem] = []
    new = 0
    busy: set[str] = set()
    for item in sorted(items, key=rank):
        own = marker.workload_hash(item.workload)
        reason = (
            f"{stopped[0]}: tripped for the whole fleet"
            if stopped
            else _stale(item, now_s, plan.data_time_s, limits)
        )
        reason = reason or (f"G-ONE: two proposals for {item.workload} in one plan" if own in busy else "")
        branch = keys.get(item.workload, "")
        reason = reason or standing.refused(item, branch, seen, limits)
        exists = any(p.state == "open" and standing.key(p) == branch for p in seen.pulls)
        if not reason and not exists:
            reason = _no_slot(item, seen, new, limits)
            new += not reason
        if reason:
            held[item.workload] = reason
        else:
            admitted.append(item)
            busy.add(own)
    return tuple(admitted), _checks(seen, new, age_s, held, limits), held


def paused(
    paths: Container[str], pulls: Sequence[PullRequest], issues: Sequence[TrackingIssue] = ()
) -> Guardrail:
    """Return whether a person switched aiops off: by a file in the base branch, or by a label.

    The label counts on an open pull request or issue of ours; only who may triage can set one.
    """
    by = [
        f"label on pull request {pull.number}"
        for pull in pulls
        if pull.state == "open" and PAUSE in pull.labels
    ]
    by += [f"label on issue {one.number}" for one in issues if one.state == "open" and PAUSE in one.labels]
    by = [f"file {PAUSE_FILE}", *by] if PAUSE_FILE in paths else by
    return Guardrail("G-PAUSE", bool(by), by[0] if by else "not paused", f"{PAUSE_FILE}, label {PAUSE}")


def rank(item: PlanItem) -> tuple[bool, float, float, Workload]:
    """Return the order in which items compete for slots: bad releases, then harm, then certainty."""
    share = item.diagnosis.impact.share_failing or 0.0
    certainty = len(item.diagnosis.evidence) - 2.0 * len(item.diagnosis.against)
    return (not _is_urgent(item), -round(share, 3), -certainty, item.workload)


def _is_urgent(item: PlanItem) -> bool:
    return item.diagnosis.cause is Cause.BAD_RELEASE


def _stale(item: PlanItem, now_s: int, data_time_s: int, limits: Limits) -> str:
    age_s = now_s - data_time_s
    newest_s = item.incident.newest_sample_s
    if abs(age_s) > limits.fresh_s:
        # A plan from the future is a wrong clock somewhere: neither can be trusted.
        return f"G-FRESH: the plan's data is {age_s // 60} min old, at most {limits.fresh_s // 60} count"
    if newest_s is not None and now_s - newest_s > limits.fresh_s:
        return f"G-FRESH: the newest sample of {item.workload} is older than {limits.fresh_s // 60} min"
    return ""


def _no_slot(item: PlanItem, seen: standing.Seen, new: int, limits: Limits) -> str:
    """Return which rate limit leaves no slot for one more new pull request.

    The reserved slots are of the open and the daily limit only: the limit per run starts anew with
    every run, and bad releases stand first in it.
    """
    kept = 0 if _is_urgent(item) else limits.reserved
    if new >= limits.new_per_run:
        return f"G-RATE: {limits.new_per_run} new pull requests in this run"
    if seen.open + new >= limits.open_max - kept:
        return f"G-RATE: {seen.open + new} pull requests are open, at most {limits.open_max - kept}"
    if seen.today + new >= limits.per_day - kept:
        return f"G-RATE: {seen.today + new} new pull requests in 24 h, at most {limits.per_day - kept}"
    return ""


def _checks(
    seen: standing.Seen, new: int, age_s: int, held: Mapping[Workload, str], limits: Limits
) -> tuple[Guardrail, ...]:
    """Return every check with what it counted; tripped = it held something back."""
    tripped = {reason.split(":", 1)[0] for reason in held.values()}
    hours = f"{limits.cool_down_s / 3600:g} h"
    rows = (
        ("G-FRESH", f"{age_s} s", f"{limits.fresh_s} s"),
        ("G-ONE", f"{seen.open} open", "1 per workload"),
        (
            "G-VETO",
            f"{sum(standing.declined(pull) for pull in seen.pulls)} declined",
            "silent for the same trigger",
        ),
        ("G-COOL", f"{sum(pull.state != 'open' for pull in seen.pulls)} ended", hours),
        ("G-TRIED", f"{sum(pull.state == 'merged' for pull in seen.pulls)} merged", "once per incident"),
        (
            "G-DOUBT",
            f"{sum(standing.FALSE_POSITIVE in p.labels for p in seen.pulls)} doubted",
            f"{limits.doubted_s} s",
        ),
        (
            "G-RATE",
            f"{new} new, {seen.open + new} open, {seen.today + new} in 24 h",
            f"{limits.new_per_run} new, {limits.open_max} open, {limits.per_day} in 24 h",
        ),
    )
    return tuple(Guardrail(name, name in tripped, value, limit) for name, value, limit in rows)
