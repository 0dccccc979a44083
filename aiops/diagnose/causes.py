"""The rules that name a cause, in the order they are asked.

Each rule returns a `Finding` or None and leaves an `Asked` in the trace either way. A rule names
a state change (a version, a load, a known peak) or another workload; it never names a symptom.
"""

from __future__ import annotations

from aiops.diagnose import (
    callers,
    experiments,
    graph,
    late,
    leaks,
    load,
    places,
    releases,
    settings,
    versions,
)
from aiops.diagnose.facts import Facts, describe
from aiops.diagnose.inquiry import Finding, Inquiry, Rule
from aiops.domain import Asked, Cause, Change, Evidence


def ask(facts: Facts) -> tuple[Finding, Inquiry]:
    """Ask the rules in order; the first that holds names the cause, `unknown` when none does."""
    inquiry = Inquiry(facts)
    for rule, question in RULES:
        finding = question(inquiry)
        if finding is not None:
            inquiry.trace.append(Asked(finding.rule or rule, holds=True, answer=finding.answer))
            return finding, inquiry
    cleared = f"; cleared: {'; '.join(inquiry.cleared)}" if inquiry.cleared else ""
    finding = Finding(Cause.UNKNOWN, None, f"no rule explains what was seen{cleared}", None, _hints(facts))
    inquiry.trace.append(Asked("R0", holds=True, answer=finding.answer))
    return finding, inquiry


def _hints(facts: Facts) -> tuple[Evidence, ...]:
    """Return what a person should look at first when no rule explains an incident."""
    edits = [settings.told(facts, change) for change in facts.recent_changes("nearby")]
    return (*_hang(facts), *edits)


def cannot_start(inquiry: Inquiry) -> Finding | None:
    """R1b: pods of a new image cannot start; the strongest evidence, traffic may still be fine."""
    facts = inquiry.facts
    waits = facts.rose("pods_waiting") or facts.rose("restarts")
    if not waits:
        inquiry.no("R1b", "no container waits or restarts")
        return None
    change = releases.suspect(facts)
    if change is None:
        return _settings_stop_it(inquiry)
    reasons = ", ".join(f"{reason} x {pods}" for reason, pods in facts.context.rollout.waiting)
    if (
        not reasons
        and not facts.rose("pods_waiting")
        and facts.fleet.between(facts.key, "restarts", change.at_s - facts.limits.baseline_s, change.at_s)
    ):
        inquiry.no("R1b", "containers restarted before the release as well")
        return None
    said = [facts.seen("pods_waiting"), facts.seen("restarts")]
    pods = float(sum(pods for _, pods in facts.context.rollout.waiting))
    if reasons:
        said.append(facts.evidence(f"containers wait: {reasons}", "waiting_reason", pods, "pods"))
    return Finding(
        Cause.BAD_RELEASE,
        facts.workload,
        f"new pods cannot start since {describe(change)}" + (f" ({reasons})" if reasons else ""),
        change,
        (_released(facts, change), *(item for item in said if item is not None)),
    )


def _settings_stop_it(inquiry: Inquiry) -> Finding | None:
    """Return the settings since which containers cannot start; there is no tag to put back."""
    facts = inquiry.facts
    change = settings.newest(facts, "config")
    if change is None:
        inquiry.no("R1b", "containers cannot start, but no new image explains it")
        return None
    said = [settings.told(facts, change), facts.seen("pods_waiting"), facts.seen("restarts")]
    return Finding(
        Cause.CONFIG,
        facts.workload,
        f"containers cannot start since {describe(change)}; the image is the same",
        change,
        tuple(item for item in said if item is not None),
        rule="R6",
    )


def dependency(inquiry: Inquiry) -> Finding | None:
    """S6: a callee fails or is slow, no later than we are, and that is enough to explain us."""
    facts = inquiry.facts
    blame = graph.failing_callee(facts)
    if blame is None:
        known = bool(facts.context.callees) or "call_rate" not in facts.context.missing
        if known:
            inquiry.no("S6", "no callee explains it", cause="a failing dependency")
        else:
            inquiry.no("S6", "who is called is not known")
        return None
    change = releases.suspect(facts)
    asks = None if change is None else graph.asked_for_more(facts, change)
    if change is not None and asks is not None:
        inquiry.no(
            "S6",
            f"{blame.workload} fails under what {describe(change)} asks of it",
            cause="a failing dependency",
        )
        return None
    # Also when the new version alone seems worse: if that is what breaks the callee's answers, a
    # hold costs a look; a rollback of a victim costs trust.
    if change is not None:
        inquiry.cleared.append(
            f"{describe(change)}: {blame.workload} explains {blame.share:.0%} of the symptom"
        )
    if blame.no_route:
        answer = f"no route leads to {blame.workload}, which explains {blame.share:.0%} of what rose here"
        return Finding(Cause.CONFIG, blame.workload, answer, None, blame.evidence, rule="R14")
    answer = f"a victim: {blame.workload} explains {blame.share:.0%} of what rose here"
    switch = next((one for one in facts.context.switched if one.workload.key == blame.workload.key), None)
    if switch is None:
        return Finding(Cause.DEPENDENCY, blame.workload, answer, None, blame.evidence)
    said = settings.told(facts, switch)
    return Finding(
        Cause.DEPENDENCY, blame.workload, f"{answer}; {describe(switch)}", None, (*blame.evidence, said)
    )


def bad_release(inquiry: Inquiry) -> Finding | None:
    """R1: a new image at most an hour before, healthy before it, errors or latency after it."""
    facts = inquiry.facts
    change = releases.suspect(facts)
    if change is None:
        known = "image" not in facts.context.missing
        if known:
            inquiry.no("R1", "no image of it changed in the hour before", cause="a bad release")
        else:
            inquiry.no("R1", "what ran is not known")
        return None
    harmed = [signal for signal in facts.harmed() if signal in {"error_ratio", "latency_p95"}]
    cpu = releases.cpu_per_request_ratio(facts, change)
    heavier = cpu is not None and cpu >= facts.limits.cpu_per_request_rise and facts.rose("cpu_utilization")
    asks = graph.asked_for_more(facts, change)
    split = versions.version_split(facts, change)
    # Both are what it does to serve one request, whoever else is bad meanwhile.
    costs_more = heavier or asks is not None
    if not harmed and not costs_more and not split.refuses:
        inquiry.clear("R1", f"{describe(change)}: no errors and no latency after it")
        return None
    if harmed and not any(releases.healthy_before(facts, change, signal) for signal in harmed):
        inquiry.clear("R1c", f"{describe(change)}: as bad before it, or before is not known")
        return None
    said = [_released(facts, change), *releases.contrast(facts, change, harmed), *split.evidence]
    if asks is not None:
        claim = f"calls to {asks.callee} answered well per own request ({asks.before:.3g} before the release)"
        said.append(facts.evidence(claim, "call_success_ratio", asks.now, "calls"))
    if heavier:
        said.append(
            facts.evidence("CPU per request now, over before the release", "cpu_utilization", cpu, "ratio")
        )
    said += _hang(facts)
    return _blamed(inquiry, change, split, harmed, tuple(said), heavier=costs_more)


def _blamed(
    inquiry: Inquiry,
    change: Change,
    split: versions.Split,
    harmed: list[str],
    said: tuple[Evidence, ...],
    *,
    heavier: bool,
) -> Finding | None:
    """Return the release as the cause, unless another change of the same time may be as well."""
    facts = inquiry.facts
    if split.worse is False and not heavier:
        inquiry.clear("R2", f"{describe(change)}: the old version is as bad at the same time")
        return None
    if split.alike and not heavier and releases.both_serve(facts, change):
        inquiry.clear("R1c", f"{describe(change)}: both versions serve, and they do not differ")
        return None
    other = releases.rival(facts, change, harmed, split=split.worse is True)
    if other is not None and not other[1]:
        inquiry.clear("R1", f"{describe(change)}: ran well until {describe(other[0])}")
        return None
    if other is not None:
        answer = f"{describe(change)} and {describe(other[0])} came together; nothing tells them apart"
        return Finding(Cause.UNKNOWN, None, answer, change, said, rule="R-TIE")
    if split.worse is None and not heavier and load.is_overloaded(facts):
        return _tie(facts, change, said)
    against = load.above_forecast_evidence(facts)
    if not against and facts.now("request_rate") is not None:
        inquiry.ruled_out.append(f"overload: {load.AS_USUAL}")
    answer = f"{describe(change)}, {releases.lead(facts.onset_s - change.at_s)}, healthy before"
    if split.refuses and not harmed:
        answer += "; fewer requests succeed on the new version"
    rule = "R1d" if split.refuses and not harmed else ""
    return Finding(Cause.BAD_RELEASE, facts.workload, answer, change, said, against, rule=rule)


def _hang(facts: Facts) -> list[Evidence]:
    """Return that clients leave before an answer comes, when they do so more than before."""
    now, before = facts.context.outcomes.disconnects, facts.context.outcomes.disconnects_before
    if now is None or now < facts.floor("error_ratio") or now < facts.limits.worse_min * (before or 0.0):
        return []
    return [
        facts.evidence(
            "requests whose client left before an answer: they hang", "disconnect_ratio", now, "ratio"
        )
    ]


def _tie(facts: Facts, change: Change, said: tuple[Evidence, ...]) -> Finding:
    """Name both: more load and a new version at one time, and nothing measured that tells them apart."""
    answer = f"{describe(change)} and a rise of load came together; nothing tells them apart"
    return Finding(
        Cause.UNKNOWN, None, answer, change, said, load.above_forecast_evidence(facts), rule="R-TIE"
    )


def less_traffic(inquiry: Inquiry) -> Finding | None:
    """R15: fewer requests and no harm of its own: whoever calls it has the incident."""
    facts = inquiry.facts
    breach = facts.breach("request_rate")
    if breach is None or breach.observed >= breach.expected or facts.harmed():
        inquiry.no("R15", "traffic did not fall, or there is harm of its own")
        return None
    caller = graph.fading_caller(facts)
    if caller is None:
        inquiry.no("R15", "traffic fell, and no caller with an incident explains it")
        return None
    seen = facts.seen("request_rate")
    return Finding(
        Cause.CLIENT, caller, f"{caller} sends less and has an incident itself", None, (seen,) if seen else ()
    )


# The order is the order of certainty: what is done on purpose, what cannot start, what history
# knows, what a callee or a place explains, what a change explains, then load. A rule further down
# is asked only when none above holds, so a recent release is never mistaken for load.
RULES: tuple[tuple[str, Rule], ...] = (
    ("G-CHAOS", experiments.chaos),
    ("G5", experiments.injected),
    ("R1b", cannot_start),
    ("S2", late.late_autoscaler),
    ("S-KNOWN", load.known_peak),
    ("S6", dependency),
    ("G-PLACE", places.one_place),
    ("R1", bad_release),
    ("R6", settings.changed_settings),
    ("R-EXPOSE", settings.moved_traffic),
    ("R-CERT", settings.ended_certificate),
    ("S-CALLER", callers.one_caller),
    ("S3", load.more_load),
    ("R13", leaks.leak),
    ("R15", less_traffic),
)


def _released(facts: Facts, change: Change) -> Evidence:
    lead_s = facts.onset_s - change.at_s
    what = f"the image of container {change.subject} changed from {change.old} to {change.new}"
    claim = f"{releases.lead(lead_s)} {what}"
    return facts.evidence(claim, "image", lead_s / 60, "min", change.at_s)
