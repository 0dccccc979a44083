"""Recorded `ALERTS` beside what would have been proposed: who knew first, the alert or the proposal.

Only alerts whose labels name a workload are compared: one that names a pod or a namespace alone could
be about any of many proposals, so these are counted and left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from aiops.domain import Answer, FloatArray, Grid, TimesArray, Workload
from aiops.evaluate.ledger import Proposed
from aiops.evaluate.people import Reply, is_same
from aiops.job import Job
from aiops.ports import Metrics
from aiops.reading import Reader

QUERY = "alerts_firing"
PAUSE_S = 300  # `resolve_timeout` of Alertmanager: what fires again sooner is the same notification
BEFORE_S = 86_400  # an alert of the day before the span may still fire in it


@dataclass(frozen=True, slots=True)
class Alert:
    """One alert, from its first firing step to its last; `end_s` None when it still fires.

    `proposal`: which proposal was about that time and workload, one that people followed before one
    that they did not; None = none. `ahead_s`: how much earlier it was open, below zero = later.
    """

    workload: Workload
    name: str
    severity: str
    start_s: int
    end_s: int | None
    proposal: int | None = None
    ahead_s: int | None = None
    right: bool = False


@dataclass(frozen=True, slots=True)
class Heard:
    """The alerts that began in a span, oldest first.

    `unplaced`: how many more name no workload. `unheard`: proposals during which no alert fired.
    """

    alerts: tuple[Alert, ...]
    unplaced: int
    unheard: tuple[int, ...]


def heard(
    job: Job, metrics: Metrics, proposals: Sequence[Proposed], replies: Sequence[Reply], span: tuple[int, int]
) -> Heard:
    """Return the alerts of the span (first, last second) beside its proposals.

    Raises DataUnusable or ConfigError when they cannot be read, or were never recorded.
    """
    query = next(query for query in job.context if query.name == QUERY)
    start_s, end_s = (time_s // job.step_s * job.step_s for time_s in span)
    grid = Grid(start_s - BEFORE_S // job.step_s * job.step_s, end_s, job.step_s)
    found = sorted(firings(Reader(metrics).read(query, grid)), key=lambda one: (one.start_s, one.workload))
    right = [reply.answer == "same" for reply in replies]
    known = [_beside(one, proposals, right) for one in found if one.workload.name]
    unheard = (place for place, each in enumerate(proposals) if not any(_meets(one, each) for one in known))
    return Heard(
        alerts=tuple(one for one in known if one.start_s >= start_s),
        unplaced=sum(not one.workload.name and one.start_s >= start_s for one in found),
        unheard=tuple(unheard),
    )


def firings(answer: Answer) -> list[Alert]:
    """Return every alert of an answer, one for each time it began to fire."""
    found = []
    for labels, values in zip(answer.labels, answer.values, strict=True):
        workload = Workload(
            labels.get("cluster", ""), labels.get("namespace", ""), "", labels.get("workload", "")
        )
        name, severity = labels.get("alertname", ""), labels.get("severity", "")
        for start_s, end_s in _spells(values, answer.times):
            found.append(Alert(workload, name, severity, start_s, end_s))
    return found


def _spells(values: FloatArray, times: TimesArray) -> list[tuple[int, int | None]]:
    """Return first and last firing time of each stretch; [T] both. The last None where it goes on."""
    firing = times[np.isfinite(values)]
    if not len(firing):
        return []
    breaks = np.flatnonzero(np.diff(firing) > PAUSE_S)
    starts = firing[np.concatenate(([0], breaks + 1))]
    ends = firing[np.concatenate((breaks, [len(firing) - 1]))]
    return [
        (int(first), None if times[-1] - last <= PAUSE_S else int(last))
        for first, last in zip(starts, ends, strict=True)
    ]


def _beside(alert: Alert, proposals: Sequence[Proposed], right: Sequence[bool]) -> Alert:
    met = [place for place, each in enumerate(proposals) if _meets(alert, each)]
    if not met:
        return alert
    best = min(met, key=lambda place: (not right[place], proposals[place].opened_s))
    return replace(
        alert,
        proposal=best,
        ahead_s=alert.start_s - proposals[best].opened_s,
        right=right[best],
    )


def _meets(alert: Alert, each: Proposed) -> bool:
    """Tell whether an alert fired at any time between the onset behind a proposal and its end."""
    if not is_same(each.workload, alert.workload):
        return False
    begun = alert.end_s is None or each.onset_s <= alert.end_s
    return begun and (each.ended_s is None or alert.start_s <= each.ended_s)
