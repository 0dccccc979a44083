"""The rules about load: a peak that history knows, a rise from outside, a rise made inside.

Only load that enters the mesh and finds a workload short of capacity is an overload.
"""

from __future__ import annotations

import numpy as np

from aiops.diagnose import graph
from aiops.diagnose.facts import Facts
from aiops.diagnose.inquiry import Finding, Inquiry
from aiops.domain import Cause, Evidence

DAY_S = 86400
# How far a daily peak may move from one day to the next and still be the same peak.
PEAK_SHIFT_S = 1800
AS_USUAL = "load is not above what was forecast or is usual"


def known_peak(inquiry: Inquiry) -> Finding | None:
    """S-KNOWN: everything that rose was as high at this time a day or a week ago, after a calm hour."""
    facts = inquiry.facts
    broke = [b.signal for b in facts.incident.signals if facts.rose(b.signal)]
    rose = list(dict.fromkeys((*broke, *facts.harmed())))
    if not rose or facts.now_s - facts.onset_s >= DAY_S - PEAK_SHIFT_S:
        inquiry.no("S-KNOWN", "nothing rose that could be a daily peak")
        return None
    known = False
    for ago_s, when in ((DAY_S, "yesterday"), (7 * DAY_S, "a week ago")):
        peaks = [_peak(facts, signal, ago_s) for signal in rose]
        known = known or any(share is not None for share in peaks)
        if all(share is not None and share >= facts.limits.known_peak for share in peaks):
            low = min(share for share in peaks if share is not None)
            said = tuple(
                facts.evidence(
                    f"rise of {signal} at this time {when}, over today's",
                    signal,
                    share,
                    "ratio",
                    facts.now_s - ago_s,
                )
                for signal, share in zip(rose, peaks, strict=True)
            )
            answer = f"a known peak: {when} at this time {', '.join(rose)} rose {low:.0%} as much"
            return Finding(Cause.SCHEDULED, facts.workload, answer, None, said)
    if known:
        inquiry.no("S-KNOWN", "it was calmer at this time of day before", cause="a known peak")
    else:
        inquiry.no("S-KNOWN", "how it was at this time of day before is not known")
    return None


def _peak(facts: Facts, signal: str, ago_s: int) -> float | None:
    """Return how much of today's rise the same time in the past had; None when it is not known.

    Of the rise and not of the level: a signal that never moves much is always near its own past.
    """
    series, times = facts.fleet.series(facts.key, signal), facts.fleet.history.times
    now, before = facts.now(signal), facts.before(signal)
    if series is None or now is None or before is None or now <= before:
        return None
    around = (times >= facts.onset_s - ago_s - PEAK_SHIFT_S) & (times <= facts.now_s - ago_s + PEAK_SHIFT_S)
    then = series[around]
    then = then[np.isfinite(then)]
    # Half an hour of samples at least: a few points prove no peak.
    if then.size * facts.fleet.history.step_s < PEAK_SHIFT_S:
        return None
    # The upper tenth, not the highest step: one bad minute yesterday is no peak that history knows.
    return (float(np.quantile(then, 0.9)) - before) / (now - before)


def more_load(inquiry: Inquiry) -> Finding | None:
    """S3, S-RETRY, S-SPARE: more requests than expected; who sends them, and is anything short."""
    facts = inquiry.facts
    if not is_above_forecast(facts):
        inquiry.no("S3", AS_USUAL, cause="overload" if facts.now("request_rate") is not None else "")
        return None
    load = graph.load(facts)
    rose = _risen(facts)
    dishonest = load.honest is not None and load.honest < facts.limits.load_rise_min
    if dishonest or serves_less(facts):
        return _own_making(facts, load, rose)
    signs = saturation(facts)
    if not signs:
        root = load.source if load.source and facts.fleet.is_firing(load.source.key) else facts.workload
        answer = "clients send more, and neither CPU nor throttling shows that anything is short"
        return Finding(Cause.CLIENT, root, answer, None, (rose,), rule="S-SPARE")
    seen = facts.seen("request_rate")
    said = (rose, *((seen,) if seen else ()), *signs)
    answer = "load above forecast, and saturated with it"
    return Finding(Cause.OVERLOAD, facts.workload, answer, None, said, _not_ready(facts))


def _own_making(facts: Facts, load: graph.Load, rose: Evidence) -> Finding:
    """Tell of a rise that nobody sent from outside: retries, a cache miss storm, a client in a loop."""
    edges = (*facts.context.callers, *facts.context.upstream)
    edge = next((edge for edge in edges if edge.source == load.source), None)
    before = "" if edge is None or edge.rate_before is None else f" ({edge.rate_before:.3g} before the onset)"
    rate = None if edge is None else edge.rate
    sent = facts.evidence(f"requests per second from {load.source}{before}", "call_rate", rate, "req/s")
    if "error_ratio" in facts.harmed():
        # It fails and is asked again: the rise is an effect, and the cause is not known yet.
        most = f", {load.source} most" if load.source else ""
        answer = f"fewer requests succeed than before: callers send again what fails{most}"
        return Finding(Cause.UNKNOWN, None, answer, None, (rose, sent), rule="S-RETRY")
    answer = f"{load.source} sends more without getting more itself"
    return Finding(Cause.CLIENT, load.source, answer, None, (rose, sent), rule="S-RETRY")


def is_above_forecast(facts: Facts) -> bool:
    """Tell whether load left its band upwards, or is above what is usual before and at this hour.

    A forecaster that sees the newest minutes follows a flash crowd, and a scorer may open the
    incident on the latency alone: then the hour before and the same hour yesterday are the forecast.
    """
    rise = facts.limits.load_rise_min
    breach = facts.breach("request_rate")
    if breach is not None and breach.observed >= breach.expected * rise:
        return True
    now, usual = facts.now("request_rate"), _usual(facts)
    return now is not None and usual is not None and now >= rise * usual


def _usual(facts: Facts) -> float | None:
    """Return the higher of the load before the onset and a day ago; None when before is not known."""
    before = facts.before("request_rate")
    day_ago_s = facts.now_s - DAY_S
    past = facts.fleet.between(facts.key, "request_rate", day_ago_s - PEAK_SHIFT_S, day_ago_s + PEAK_SHIFT_S)
    return before if before is None or past is None else max(before, past)


def saturation(facts: Facts) -> tuple[Evidence, ...]:
    """Return the signs that a workload is short of capacity: CPU at its request, throttling, shedding."""
    limits, throttled = facts.limits, facts.context.capacity.throttled
    cpu, errors = facts.now("cpu_utilization"), facts.now("error_ratio")
    said: list[Evidence] = []
    if cpu is not None and cpu >= limits.saturated_cpu:
        said.append(facts.evidence("CPU used over requested", "cpu_utilization", cpu, "ratio of request"))
    if throttled is not None and throttled >= limits.saturated_throttled:
        said.append(facts.evidence("share of CPU periods throttled", "cpu_throttled", throttled, "ratio"))
    ends = facts.context.outcomes
    least = max(limits.shed_min, limits.worse_min * (ends.turned_away_before or 0.0))
    if ends.turned_away is not None and ends.turned_away >= least:
        claim = "requests that it turns away itself for lack of room"
        said.append(facts.evidence(claim, "turned_away_ratio", ends.turned_away, "ratio"))
    if said and errors is not None and errors >= limits.shed_min:
        # Errors alone prove no shortage: a broken release fails just as well under more load.
        said.append(
            facts.evidence("requests that fail while it is saturated", "error_ratio", errors, "ratio")
        )
    return tuple(said)


def is_overloaded(facts: Facts) -> bool:
    """Tell whether load is above its forecast, and the workload serves what it can of it."""
    return is_above_forecast(facts) and bool(saturation(facts)) and not serves_less(facts)


def serves_less(facts: Facts) -> bool:
    """Tell whether fewer requests succeed per second than before the onset.

    Load alone does not do that: a full pod still serves what it served. Where less succeeds, pods
    got slower or break, and the rise is what callers and the gateway send again.
    """
    now, errors = facts.now("request_rate"), facts.now("error_ratio")
    before, errors_before = facts.before("request_rate"), facts.before("error_ratio")
    if now is None or before is None or errors is None:
        return False
    return now * (1 - errors) < before * (1 - (errors_before or 0.0))


def above_forecast_evidence(facts: Facts) -> tuple[Evidence, ...]:
    """Return the rise of load with what was expected of it, empty when load is as usual."""
    if not is_above_forecast(facts):
        return ()
    return (_risen(facts),)


def _risen(facts: Facts) -> Evidence:
    """Return the load now, with what is usual before the onset and at this hour."""
    usual = _usual(facts)
    told = (
        "what is usual is not known"
        if usual is None
        else f"at most {usual:.3g} was usual before and at this hour"
    )
    claim = f"requests per second now, where {told}"
    return facts.evidence(claim, "request_rate", facts.now("request_rate"), facts.signal("request_rate").unit)


def _not_ready(facts: Facts) -> tuple[Evidence, ...]:
    """Return missing pods as what speaks against more load being the cause."""
    capacity = facts.context.capacity
    if capacity.replicas_desired is None or capacity.replicas_available is None:
        return ()
    lost = capacity.replicas_desired - capacity.replicas_available
    if lost <= 0:
        return ()
    return (
        facts.evidence("pods that are asked for and not ready", "replicas_available", float(lost), "pods"),
    )
