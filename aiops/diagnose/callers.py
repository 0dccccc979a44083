"""The rule about one caller: what fails for it alone is about its requests, not about who answers them."""

from __future__ import annotations

from aiops.diagnose import releases
from aiops.diagnose.facts import Facts
from aiops.diagnose.inquiry import Finding, Inquiry
from aiops.domain import CallEdge, Cause


def one_caller(inquiry: Inquiry) -> Finding | None:
    """S-CALLER: errors of one caller explain the rise, and the same pods serve every other one well.

    Not when it was released itself in the hour before: an endpoint that only one caller uses may be
    what the release broke. Nor of a gateway, behind which all users stand.
    """
    facts = inquiry.facts
    if "error_ratio" not in facts.harmed():
        inquiry.no("S-CALLER", "its requests do not fail")
        return None
    known = [edge for edge in facts.context.callers if edge.error_ratio is not None and edge.rate > 0]
    worst = max(known, key=lambda edge: (_rise(edge), edge.source), default=None)
    others = [edge for edge in known if edge is not worst]
    if worst is None or not others:
        inquiry.no("S-CALLER", "fewer than two callers are known")
        return None
    if worst.source.key not in facts.fleet.rows or releases.suspect(facts) is not None:
        inquiry.no("S-CALLER", f"{worst.source} is where users enter, or it was released itself")
        return None
    if not _alone(facts, worst, others):
        inquiry.no("S-CALLER", "it fails for more than one caller", cause="one caller")
        return None
    served = sum(edge.rate for edge in others)
    failing = sum(edge.rate * (edge.error_ratio or 0.0) for edge in others) / served
    said = (
        facts.evidence(f"calls of {worst.source} that fail", "call_error_ratio", worst.error_ratio, "ratio"),
        facts.evidence("calls of all others that fail", "call_error_ratio", failing, "ratio"),
        facts.evidence("requests per second of all others", "call_rate", served, "req/s"),
    )
    answer = f"it fails for {worst.source} and serves {len(others)} others well: look at what that one sends"
    return Finding(Cause.CLIENT, worst.source, answer, None, said)


def _alone(facts: Facts, worst: CallEdge, others: list[CallEdge]) -> bool:
    """Tell whether one caller's errors explain the rise, and enough requests of the others are well."""
    limits, floor = facts.limits, facts.floor("error_ratio")
    rate, now, before = facts.now("request_rate"), facts.now("error_ratio"), facts.before("error_ratio")
    if rate is None or now is None or before is None:
        return False
    usual = facts.signal("error_ratio").min_deviation
    well = all(
        edge.error_ratio is not None
        and edge.error_ratio < floor
        and edge.error_ratio < (edge.error_ratio_before or 0.0) + usual
        for edge in others
    )
    requests = sum(edge.rate for edge in others) * max(facts.now_s - facts.onset_s, 0)
    explained = _rise(worst) >= limits.explained_min * rate * (now - before)
    failing = max(edge.error_ratio or 0.0 for edge in others)
    apart = (worst.error_ratio or 0.0) - failing >= floor
    return well and explained and apart and requests >= limits.split_requests_min


def _rise(edge: CallEdge) -> float:
    """Return how many calls per second fail beyond the share that failed before."""
    return edge.rate * max((edge.error_ratio or 0.0) - (edge.error_ratio_before or 0.0), 0.0)
