"""The rule about memory that grows while load does not.

More replicas only buy time, a restart as well. Going back helps when the growth began with the
release: it is compared with how memory moved before that release (field guide R13).
"""

from __future__ import annotations

import numpy as np

from aiops.diagnose.changes import SIDECARS
from aiops.diagnose.facts import Facts, describe
from aiops.diagnose.inquiry import Finding, Inquiry
from aiops.domain import Cause, Change, Evidence

HOUR_S = 3600
# Half an hour of samples on both sides, or a slope is noise.
_LEAST_S = 1800


def leak(inquiry: Inquiry) -> Finding | None:
    """R13: memory rose while load did not; names the release since which it does."""
    facts = inquiry.facts
    if not facts.rose("memory_utilization"):
        inquiry.no("R13", "memory did not leave its band")
        return None
    said = [facts.seen("memory_utilization"), _killed(facts)]
    for change in reversed(_releases(facts)):
        slopes = _slopes(facts, change)
        if slopes is None:
            continue
        before, after = slopes
        grown = after * (facts.now_s - change.at_s) / HOUR_S
        enough = grown >= facts.signal("memory_utilization").min_deviation
        if enough and before < after * facts.limits.leak_slope_max:
            said += _grew(facts, change, before, after)
            answer = f"memory rises while load does not, since {describe(change)}"
            return _found(facts, answer, change, said)
        inquiry.clear("R13", f"{describe(change)}: memory rose before it as well")
    answer = "memory rises while load does not, and no release stands at its beginning"
    return _found(facts, answer, None, said)


def _found(facts: Facts, answer: str, change: Change | None, said: list[Evidence | None]) -> Finding:
    return Finding(
        Cause.LEAK, facts.workload, answer, change, tuple(item for item in said if item is not None)
    )


def _releases(facts: Facts) -> list[Change]:
    """Return the application images that still run and came before the onset, oldest first."""
    running = set(facts.context.images)
    return [
        change
        for change in facts.context.changes
        if change.kind == "image"
        and change.subject not in SIDECARS
        and change.at_s <= facts.onset_s
        and (change.subject, change.new) in running
    ]


def _slopes(facts: Facts, change: Change) -> tuple[float, float] | None:
    """Return the growth per hour in the 3 h before a release and since; None = too few samples."""
    series, times = facts.fleet.series(facts.key, "memory_utilization"), facts.fleet.history.times
    if series is None:
        return None
    found = []
    for start_s, end_s in ((change.at_s - 3 * HOUR_S, change.at_s), (change.at_s, facts.now_s + 1)):
        span = (times >= start_s) & (times < end_s) & np.isfinite(series)
        if int(span.sum()) * facts.fleet.history.step_s < _LEAST_S:
            return None
        hours = (times[span] - start_s) / HOUR_S
        found.append(float(np.polyfit(hours, series[span].astype(np.float64), 1)[0]))
    return found[0], found[1]


def _grew(facts: Facts, change: Change, before: float, after: float) -> list[Evidence | None]:
    return [
        facts.evidence(f"memory per hour {when} the {describe(change)}", "memory_utilization", slope, unit)
        for when, slope in (("before", before), ("since", after))
        for unit in ("ratio of limit",)
    ]


def _killed(facts: Facts) -> Evidence | None:
    killed = facts.context.around.oom_killed
    if not killed:
        return None
    return facts.evidence("pods killed for memory in the last 15 min", "oom_killed", killed, "pods")
