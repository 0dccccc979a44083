"""The rule about an autoscaler that comes too late to a peak that comes every day.

More pods at the start of tomorrow's peak are the one action that is for later. So everything is
asked for twice: the load and the harm today, both of them yesterday, and yesterday harm that ended
while more was served than during it. That is what proves that only pods were missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiops.diagnose import graph, load
from aiops.diagnose.facts import Facts, Key
from aiops.diagnose.inquiry import Finding, Inquiry
from aiops.domain import Autoscaler, Cause, Change, Context, Panel
from aiops.limits import Limits

# Of yesterday, from shortly before the minute at which it began today: how long a peak is followed.
FOLLOWED_S = 3 * 3600
AFTERWARDS_S = 1800  # what is served once it is well again
QUANTILE = 0.9  # of the steps of a peak: what pods must be there for


@dataclass(frozen=True, slots=True)
class Yesterday:
    """The peak of a day ago: when it stopped hurting, what succeeded while it hurt, and afterwards.

    Rates in req/s; `peak` is P90 of the steps that were served well.
    """

    well_s: int
    during: float
    peak: float


def yesterday(panel: Panel, key: Key, onset_s: int, limits: Limits) -> Yesterday | None:
    """Return how the same hours ran a day ago; None when nothing hurt then, or it is not known."""
    rows = {one.key: row for row, one in enumerate(panel.workloads)}
    columns = {one.name: column for column, one in enumerate(panel.signals)}
    begin_s = onset_s - load.DAY_S - load.PEAK_SHIFT_S
    if key not in rows or not {"request_rate", "error_ratio"} <= columns.keys() or begin_s < panel.times[0]:
        return None
    span = (panel.times >= begin_s) & (panel.times < begin_s + FOLLOWED_S)
    values, times = panel.values[rows[key]][:, span].astype(np.float64), panel.times[span]  # [S, t], [t]
    rate, errors = values[columns["request_rate"]], values[columns["error_ratio"]]
    floors = np.array([np.inf if one.floor is None else one.floor for one in panel.signals])
    bad = (values >= floors[:, None]).any(axis=0) & np.isfinite(rate)
    if int(bad.sum()) < limits.harm_of:
        return None
    last = int(np.flatnonzero(bad)[-1])
    after = rate[last + 1 : last + 1 + AFTERWARDS_S // panel.step_s]
    after = after[np.isfinite(after)]
    if after.size < limits.harm_of:
        return None
    during = float(np.median((rate * (1 - np.nan_to_num(errors)))[bad]))
    return Yesterday(int(times[last]) + panel.step_s, during, float(np.quantile(after, QUANTILE)))


def late_autoscaler(inquiry: Inquiry) -> Finding | None:
    """S2: the same peak hurt yesterday until more pods were there, and pods come late again today."""
    facts = inquiry.facts
    auto = facts.context.autoscaler
    if auto is None:
        inquiry.no("S2", "no autoscaler of it is known")
        return None
    then = yesterday(facts.fleet.history, facts.key, facts.onset_s, facts.limits)
    why_not = _why_not(facts, auto, then)
    if why_not or then is None:
        inquiry.no("S2", why_not)
        return None
    rate = facts.signal("request_rate").unit
    said = (
        facts.evidence(
            "served yesterday once more pods were there (P90)", "request_rate", then.peak, rate, then.well_s
        ),
        facts.evidence(
            "that succeeded yesterday while it hurt", "request_rate", then.during, rate, then.well_s
        ),
        facts.evidence(
            f"pods asked for now; {auto.name} may ask for {auto.min_replicas} to {auto.max_replicas}",
            "hpa_current",
            float(auto.current),
            "pods",
        ),
        *load.saturation(facts),
    )
    answer = (
        f"this peak comes every day and {auto.name} follows it too late: yesterday as well it hurt, "
        "until more pods were there"
    )
    return Finding(Cause.OVERLOAD, facts.workload, answer, None, said)


def asked_for_more(context: Context, onset_s: int) -> Change | None:
    """Return the first time that the autoscaler asked for more pods around an onset."""
    moves = [c for c in context.changes if c.kind == "replicas" and c.at_s >= onset_s - load.PEAK_SHIFT_S]
    rises = [c for c in moves if float(c.new or 0) > float(c.old or 0)]
    return min(rises, key=lambda c: c.at_s, default=None)


def _why_not(facts: Facts, auto: Autoscaler, then: Yesterday | None) -> str:
    """Return the first thing that speaks against it, "" when nothing does."""
    now, before, least = facts.now("request_rate"), facts.before("request_rate"), facts.limits.load_rise_min
    if then is None:
        return "it did not hurt at this time yesterday, or that is not known"
    if not facts.harmed() or now is None or not before:
        return "nothing hurts now, or the load is not known"
    entered = graph.load(facts).honest
    against = (
        (then.peak < least * before or now < least * before, "load did not rise both yesterday and today"),
        (now < facts.limits.known_peak * then.peak, "load is not as high as yesterday"),
        (
            then.peak < least * then.during,
            "yesterday it ended with the load: more pods may not help",
        ),
        (auto.min_replicas >= auto.max_replicas, f"{auto.name} has no room between its bounds"),
        (asked_for_more(facts.context, facts.onset_s) is None, f"{auto.name} did not ask for more pods"),
        (not load.saturation(facts) or load.serves_less(facts), "nothing shows that pods are short"),
        (bool(facts.recent_changes("image", "config", "exposure")), "it was changed in the hour before"),
        (entered is None or entered < least, "load does not come from outside, or from where is not known"),
        (graph.failing_callee(facts) is not None, "a callee explains it"),
    )
    return next((why for holds, why in against if holds), "")
