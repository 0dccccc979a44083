"""Capacity that a raise of ours added is proposed back when neither yesterday nor tomorrow needs it.

Comes in: merged raises and the peaks of healthy workloads. Goes out: what to lower, and why. This is
the only way down there is: only to undo our own raise, only to the value it had, and only while the
field still holds what we proposed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from aiops.domain import FloatArray, Panel, Plan, PullRequest, Quiet, Scale, Workload
from aiops.limits import Limits
from aiops.propose import marker

DAY_S, WEEK_S = 86_400, 604_800
RATE = "request_rate"
COVERED = 0.9  # share of the samples of a day that make its peak known


@dataclass(frozen=True, slots=True)
class Raise:
    """A merged raise that is no longer needed. `back`: the decision that undoes it."""

    pull: PullRequest
    quiet: Quiet
    back: Scale


def peaks(recent: Panel, reference: Panel) -> Mapping[Workload, float]:
    """Return req/s per workload: the highest of the last day, and of the coming day a week ago.

    `recent`: by the step; `reference`: weeks, by the hour. A workload of which either was not whole
    is left out: a peak nobody saw may have been the highest.
    """
    end_s = int(recent.times[-1])
    now = _highest(recent, end_s - DAY_S, end_s)
    coming = _highest(reference, end_s - WEEK_S, end_s - WEEK_S + DAY_S)
    return {one: max(now[one], coming[one]) for one in now if one in coming}


def highest_since(panel: Panel, workload: Workload, since_s: int) -> float | None:
    """Return req/s, the highest after a time; None where not nine tenths of the samples are there."""
    column = next((n for n, signal in enumerate(panel.signals) if signal.name == RATE), None)
    if column is None or workload not in panel.workloads:
        return None
    values = panel.values[panel.workloads.index(workload), column, panel.times > since_s]  # [t]
    seen = values[np.isfinite(values)]
    return float(seen.max()) if seen.size and seen.size >= COVERED * values.size else None


def _highest(panel: Panel, after_s: int, until_s: int) -> dict[Workload, float]:
    column = next((n for n, signal in enumerate(panel.signals) if signal.name == RATE), None)
    inside = (panel.times > after_s) & (panel.times <= until_s)
    if column is None or inside.sum() * panel.step_s < COVERED * DAY_S:
        return {}
    values: FloatArray = panel.values[:, column, inside]  # [W, t]
    seen = np.isfinite(values)
    top = np.where(seen, values, -np.inf).max(axis=1)
    known = seen.mean(axis=1) >= COVERED
    return {one: float(top[row]) for row, one in enumerate(panel.workloads) if known[row]}


def wanted(pulls: Sequence[PullRequest], plan: Plan, limits: Limits) -> tuple[Raise, ...]:
    """Return the raises to take back, the newest one per workload and field, as `pulls` are ordered."""
    quiet = {marker.workload_hash(one.workload): one for one in plan.quiet}
    found: dict[tuple[str, str], Raise | None] = {}
    for pull in pulls:
        mark = marker.parse(pull.body)
        if mark is None or mark.action != "scale" or pull.state != "merged":
            continue
        found.setdefault(
            (mark.workload, mark.field), _fits(pull, mark, quiet.get(mark.workload), plan, limits)
        )
    return tuple(one for one in found.values() if one is not None)


def _fits(
    pull: PullRequest, mark: marker.Marker, quiet: Quiet | None, plan: Plan, limits: Limits
) -> Raise | None:
    """Return how to take a raise back; None while the incident, the load or the time speak against it."""
    peak = quiet.peak if quiet is not None else None
    if quiet is None or peak is None or quiet.ended or mark.by_hand or mark.per_pod is None:
        return None
    if pull.merged_at_s is None or plan.data_time_s - pull.merged_at_s < limits.raise_lasts_s:
        return None
    if not (mark.old.isdecimal() and mark.new.isdecimal()) or not 0 < int(mark.old) < int(mark.new):
        return None
    most = mark.per_pod * int(mark.old)
    if peak > most:
        return None
    hours = limits.raise_lasts_s // 3600
    reason = (
        f"the peak of the last {hours} h, and of the next {hours} h a week ago, is {peak:.3g} req/s;"
        f" {int(mark.old)} pods served {most:.3g} req/s well before pull request {pull.number} raised it"
    )
    field = cast("Literal['replicas', 'hpa.min', 'hpa.max']", mark.field)
    back = Scale(field, int(mark.new), int(mark.old), "S9", reason, variant=marker.GIVE_BACK)
    return Raise(pull, quiet, back)
