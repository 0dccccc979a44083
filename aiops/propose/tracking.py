"""The one issue that says aiops holds everything back: opened, renewed, closed when that is over.

Comes in: a plan and our issues as the forge shows them. Goes out: what is to be written now, mostly
nothing. Pure, and recomputed in each run: what was seen before stands in the first line of the issue.
Several jobs may look at one repository, so an issue belongs to a `key`, and only its own job ends it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, cast

from aiops.domain import IssueText, Plan, TrackingIssue
from aiops.limits import Limits
from aiops.propose import storm

LABEL = "aiops/storm"
FLEET = ("G-STORM", "G-DATA")  # what holds back every workload, and what only a person ends
_PAUSE = "G-PAUSE"
_MARKER = re.compile(
    r"(?a)<!-- aiops:1 storm=(?P<key>[0-9a-f]{12}) since=(?P<since_s>\d{1,12}) seen=(?P<seen_s>\d{1,12})"
    r" judged=(?P<judged>\d{1,7}) ended=(?P<ended>no|over|duplicate) -->"
)
Ended = Literal["no", "over", "duplicate"]


@dataclass(frozen=True, slots=True)
class Mark:
    """The first line of the issue. `key`: the job that it belongs to.

    `since_s`, `seen_s`: when it was seen first and last. `judged`: the most workloads with a score. `ended`:
    what we made of it; an issue that is closed with "no" was closed by a person.
    """

    key: str
    since_s: int
    seen_s: int
    judged: int
    ended: Ended = "no"

    def __str__(self) -> str:
        """Return the comment as it stands in the body."""
        return (
            f"<!-- aiops:1 storm={self.key} since={self.since_s} seen={self.seen_s}"
            f" judged={self.judged} ended={self.ended} -->"
        )


def parse(body: str) -> Mark | None:
    """Return what the first line says; None when a person took it away."""
    found = _MARKER.fullmatch(body.split("\n", 1)[0].strip())
    if found is None:
        return None
    return Mark(
        found["key"],
        int(found["since_s"]),
        int(found["seen_s"]),
        int(found["judged"]),
        cast("Ended", found["ended"]),
    )


def same(body: str, issues: Sequence[TrackingIssue]) -> TrackingIssue | None:
    """Return the oldest open issue of the job that this body is of, None when there is none."""
    wanted = parse(body)
    return open_one(wanted.key, issues) if wanted else None


def open_one(key: str, issues: Sequence[TrackingIssue]) -> TrackingIssue | None:
    """Return the oldest open issue of a job, None when there is none."""
    return next((issue for issue, _ in _of(key, issues) if issue.state == "open"), None)


def duplicate(issue: TrackingIssue) -> IssueText:
    """Return what ends an issue of which an older one says the same."""
    mark = parse(issue.body)
    head = str(replace(mark, ended="duplicate")) if mark is not None else ""
    return IssueText(issue.number, issue.title, f"{head}\n{storm.DUPLICATE}\n", "closed")


def texts(
    plan: Plan, issues: Sequence[TrackingIssue], key: str, now_s: int, limits: Limits
) -> tuple[IssueText, ...]:
    """Return what is to be written now.

    Nothing without the checks of the fleet (a person asked for one edit), while aiops is paused, and
    when the data is old: what is not known is neither a storm nor its end. Nothing either when an issue
    is younger than `now_s`, or tells of newer data: a run that looks back knows less than who wrote it.
    """
    fleet = [one for one in plan.guardrails if one.id in FLEET]
    paused = any(one.tripped for one in plan.guardrails if one.id == _PAUSE)
    mine = _of(key, issues)
    looks_back = any(issue.created_at_s > now_s or mark.seen_s > plan.data_time_s for issue, mark in mine)
    if not fleet or paused or looks_back or abs(now_s - plan.data_time_s) > limits.fresh_s:
        return ()
    opened = [one for one in mine if one[0].state == "open"]
    found = [duplicate(issue) for issue, mark in opened[1:] if mark.ended != "duplicate"]
    if any(one.tripped for one in fleet):
        text = _renewed(plan, *opened[0]) if opened else _begun(plan, mine, key, limits)
    else:
        text = _ended(plan, *opened[0], limits) if opened else None
    return (*([text] if text is not None else []), *found)


def _of(key: str, issues: Sequence[TrackingIssue]) -> list[tuple[TrackingIssue, Mark]]:
    """Return our issues of one job, the oldest first; what ended as a duplicate says nothing."""
    marked = [(one, parse(one.body)) for one in sorted(issues, key=lambda one: one.number)]
    return [(one, mark) for one, mark in marked if mark and mark.key == key and not _is_spent(one, mark)]


def _is_spent(issue: TrackingIssue, mark: Mark) -> bool:
    return mark.ended == "duplicate" and issue.state == "closed"


def _renewed(plan: Plan, issue: TrackingIssue, mark: Mark) -> IssueText | None:
    """Return the same issue with what is seen now; who has newer data wrote it already."""
    if plan.data_time_s <= mark.seen_s:
        return None
    return _text(plan, replace(mark, ended="no"), issue, "")


def _begun(
    plan: Plan, mine: Sequence[tuple[TrackingIssue, Mark]], key: str, limits: Limits
) -> IssueText | None:
    """Return a new issue, or the last one opened again; None after a person closed it lately.

    Two storms less than a day apart are one, as two bursts of an incident are.
    """
    if mine:
        issue, mark = mine[-1]
        lately_s = plan.data_time_s - max(mark.seen_s, issue.closed_at_s or 0 if mark.ended == "no" else 0)
        if lately_s < limits.one_incident_s:
            if mark.ended == "no":
                return None
            return _text(plan, Mark(key, plan.data_time_s, 0, 0), issue, "open")
    return _text(plan, Mark(key, plan.data_time_s, 0, 0), None, "open")


def _ended(plan: Plan, issue: TrackingIssue, mark: Mark, limits: Limits) -> IssueText | None:
    """Return the end of an issue; None while it may go on, or a person opened it again."""
    calm_s = plan.data_time_s - mark.seen_s
    # Who is not judged any more is not well: a fleet that lost its samples is no end of a storm. After a
    # day without one it has become smaller.
    enough = judged(plan) >= (1 - limits.targets_lost_max) * mark.judged or calm_s >= limits.one_incident_s
    if mark.ended != "no" or calm_s < limits.over_s or not enough:
        return None
    body = storm.over(plan, mark.since_s, mark.seen_s)
    return IssueText(issue.number, issue.title, f"{replace(mark, ended='over')}\n{body}\n", "closed")


def _text(plan: Plan, mark: Mark, issue: TrackingIssue | None, state: Literal["", "open"]) -> IssueText:
    # The most that were judged: a fleet that goes dark piece by piece would end the storm otherwise.
    known = replace(mark, seen_s=plan.data_time_s, judged=max(mark.judged, judged(plan)))
    body = storm.body(plan, [one for one in plan.guardrails if one.id in FLEET], known.since_s)
    title = storm.title(plan.guardrails)
    if issue is not None and issue.title not in storm.TITLES:  # a person's
        title = issue.title
    return IssueText(issue.number if issue else None, title, f"{known}\n{body}\n", state)


def judged(plan: Plan) -> int:
    """Return how many workloads have a score: those without an incident, and those with one."""
    return len(plan.quiet) + sum(item.incident.score is not None for item in plan.items)
