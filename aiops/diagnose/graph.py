"""Follows an incident along the call graph: down to a callee that explains it, up to who sends more.

A victim is never acted on (field guide S6), and a rise of requests that nobody sent from outside
is a retry storm, a cache miss storm or a client in a loop: more replicas would feed it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiops.diagnose.facts import Facts, Key
from aiops.domain import Asks, CallEdge, Change, Evidence, LostCalls, Workload

DAY_S = 86400

# Envoy: no route configured, no cluster found.
NO_ROUTE = {"NR", "NC"}


@dataclass(frozen=True, slots=True)
class Blame:
    """Another workload that explains this incident; `share` of the symptom that it carries, 0..1.

    `no_route`: calls to it find no route or no cluster: the mesh, not the workload.
    """

    workload: Workload
    share: float
    evidence: tuple[Evidence, ...]
    no_route: bool = False


def failing_callee(facts: Facts) -> Blame | None:
    """Return the callee that explains most of what rose here, None when all together explain too little.

    Errors first: failing calls also make a caller slow, slow calls rarely make it fail.
    """
    for explain in (_errors, _latency):
        found = [blame for edge in facts.context.callees if (blame := explain(facts, edge)) is not None]
        if explain is _errors:
            found += [
                blame for one in facts.context.outcomes.lost if (blame := _lost(facts, one)) is not None
            ]
        if sum(blame.share for blame in found) >= facts.limits.explained_min:
            return max(found, key=lambda blame: (blame.share, blame.workload))
    return None


def asked_for_more(facts: Facts, change: Change) -> Asks | None:
    """Return the failing callee that a release asks for far more than any load of the day before it.

    Where the callee served about as much on that day, or served this load well for a while, load is
    not what broke it.
    """
    blame = failing_callee(facts)
    if blame is None or blame.no_route:
        return None
    found = next((one for one in facts.context.asks if one.callee.key == blame.workload.key), None)
    if found is None or found.released_s != change.at_s or facts.onset_s > found.until_s:
        return None
    series, times = facts.fleet.series(found.callee.key, "request_rate"), facts.fleet.history.times
    if series is None:
        return None
    day = series[(times >= change.at_s - DAY_S) & (times < change.at_s)]
    day = day[np.isfinite(day)]
    if not day.size or found.rate < facts.limits.worse_min * float(day.max()):
        return None
    return found


def _may_be_first(facts: Facts, key: Key) -> bool:
    """Tell whether a callee's incident began no later than ours; without an incident nothing denies it."""
    incident = facts.fleet.incidents.get(key)
    if incident is None or incident.onset_s is None:
        return True
    return incident.onset_s <= facts.onset_s + facts.limits.onset_slack_s


def _errors(facts: Facts, edge: CallEdge) -> Blame | None:
    """Return what share of our own failures the calls to one callee that fail explain.

    Without failures of our own they explain latency whole: retries and timeouts take time.
    """
    if not facts.harmed() or edge.error_ratio is None or not _may_be_first(facts, edge.destination.key):
        return None
    if edge.error_ratio < facts.floor("error_ratio"):
        return None
    share, rise = 1.0, edge.error_ratio - (edge.error_ratio_before or 0.0)
    claim = f"calls to {edge.destination} fail ({edge.error_ratio_before or 0.0:.3g} before the onset)"
    if "error_ratio" in facts.harmed():
        now, before = facts.now("error_ratio"), facts.before("error_ratio")
        rate = facts.now("request_rate")
        if now is None or rate is None or now <= (before or 0.0):
            return None
        moved = edge.rate - _sent_as_before(facts, edge)
        added = edge.rate * rise + moved * (edge.error_ratio_before or 0.0)
        if moved * edge.error_ratio > added / 2:
            claim += f", and more of them go there ({edge.rate_before or 0.0:.3g} req/s before)"
        share = added / max(rate * (now - (before or 0.0)), 1e-9)
    elif rise <= 0:
        return None
    if share <= 0:
        return None
    said = facts.evidence(claim, "call_error_ratio", edge.error_ratio, "ratio", about=edge.destination)
    return Blame(edge.destination, min(share, 1.0), (said,))


def _sent_as_before(facts: Facts, edge: CallEdge) -> float:
    """Return the calls per second that an edge would carry by the requests that came; at most its own.

    What is beyond was switched to a callee: one that always failed explains failures only then.
    """
    now, before = facts.now("request_rate"), facts.before("request_rate")
    if edge.rate_before is None or now is None or not before:
        return edge.rate
    return min(edge.rate, edge.rate_before * now / before)


def _lost(facts: Facts, one: LostCalls) -> Blame | None:
    """Return what share of our own failures the calls to a service explain that reach no pod at all."""
    rise = one.rate - one.before
    if not facts.harmed() or rise <= 0 or not _may_be_first(facts, one.service.key):
        return None
    now, before, rate = facts.now("error_ratio"), facts.before("error_ratio"), facts.now("request_rate")
    if "error_ratio" not in facts.harmed() or now is None or rate is None or now <= (before or 0.0):
        return None
    why = "no route leads there" if NO_ROUTE & set(one.flags.split(",")) else "no pod is ready"
    claim = f"calls to {one.service} reach nobody ({one.flags}: {why}), {one.before:.3g} before the onset"
    said = facts.evidence(claim, "lost_calls", one.rate, "req/s", about=one.service)
    share = rise / max(rate * (now - (before or 0.0)), 1e-9)
    return Blame(one.service, min(share, 1.0), (said,), no_route=why.startswith("no route"))


def _latency(facts: Facts, edge: CallEdge) -> Blame | None:
    """Return what share of our added latency one callee adds, whether or not a scorer noticed it."""
    key = edge.destination.key
    if "latency_p95" not in facts.harmed() or not _may_be_first(facts, key):
        return None
    own = _rise(facts, facts.key)
    theirs = _rise(facts, key)
    if own is None or theirs is None or own <= 0:
        return None
    calls = edge.rate / max(facts.now("request_rate") or 0.0, 1e-9)
    # A request that makes several calls waits for each; fewer than 1 in 20 do not show in a p95.
    if calls < 0.05 or theirs < facts.signal("latency_p95").min_deviation:
        return None
    share = theirs * max(calls, 1.0) / own
    said = facts.evidence(
        f"p95 latency of {edge.destination} rose by {theirs:.0f} ms, ours by {own:.0f} ms",
        "latency_p95",
        facts.fleet.now(key, "latency_p95"),
        "ms",
        about=edge.destination,
    )
    return Blame(edge.destination, min(share, 1.0), (said,))


def _rise(facts: Facts, key: Key) -> float | None:
    now = facts.fleet.now(key, "latency_p95")
    before = facts.fleet.before(key, "latency_p95", facts.onset_s)
    return None if now is None or before is None else now - before


@dataclass(frozen=True, slots=True)
class Load:
    """Where more requests come from.

    `rise`: requests now over before the onset. `honest`: what that ratio would be if every caller
    only passed on what it gets more itself; None when no caller is known. `source`: the caller
    that added most, or who sends it what it passes on although nobody sends more to that one.
    """

    rise: float | None
    honest: float | None
    source: Workload | None


def load(facts: Facts) -> Load:
    """Return how the load of a workload moved and how much of it came through its callers."""
    now, before = facts.now("request_rate"), facts.before("request_rate")
    rise = now / before if now is not None and before is not None and before > 0 else None
    known = [(edge, edge.rate_before) for edge in facts.context.callers if edge.rate_before]
    added = {edge.source: edge.rate - was for edge, was in known if edge.rate > was}
    source = max(added, key=lambda caller: (added[caller], caller), default=None)
    total = sum(was for _, was in known)
    if total <= 0:
        return Load(rise, None, source)
    # Retries on top of honest load do not make it dishonest: compare what callers get, not send.
    passed = {facts.key: 0.0}
    owed = sum(_owed(facts, edge, was, passed) for edge, was in known)
    return Load(rise, owed / total, None if source is None else _origin(facts, source, passed))


def _origin(facts: Facts, source: Workload, passed: dict[Key, float]) -> Workload:
    """Follow more load up to the first caller that makes it: it sends more than it gets more."""
    seen = {facts.key}
    while source.key not in seen:
        seen.add(source.key)
        # What each of its callers sends beyond what honest load would make it send.
        beyond = {
            edge.source: edge.rate - _owed(facts, edge, was, passed)
            for edge, was in _reaching(facts, source.key)
        }
        most = max(beyond, key=lambda caller: (beyond[caller], caller), default=None)
        before = facts.fleet.before(source.key, "request_rate", facts.onset_s)
        if most is None or before is None or beyond[most] < (facts.limits.load_rise_min - 1) * before:
            return source
        source = most
    return source


def _reaching(facts: Facts, caller: Key) -> list[tuple[CallEdge, float]]:
    """Return the calls that reach a caller, each with its rate before the onset, req/s."""
    edges = [edge for edge in facts.context.upstream if edge.destination.key == caller]
    return [(edge, edge.rate_before) for edge in edges if edge.rate_before]


def _owed(facts: Facts, edge: CallEdge, was: float, passed: dict[Key, float]) -> float:
    """Return the calls per second that an edge would carry if its caller passed on only what is honest."""
    return min(edge.rate, was * (1 + _inbound_rise(facts, edge.source.key, passed)))


def _inbound_rise(facts: Facts, caller: Key, passed: dict[Key, float]) -> float:
    """Return by what share a caller's own honest load grew; infinity for one that nobody in the mesh calls.

    A gateway or a job is where load enters: what it sends more is load from outside. What reaches a
    caller from another one counts as far as that one got more itself, up to the entry of the mesh: a
    loop two calls away would look honest to everybody behind the callee that it floods. `passed`
    keeps what was found, and nothing more for who is being asked: calls in a circle bring no load.
    """
    if caller in passed:
        return passed[caller]
    now = facts.fleet.now(caller, "request_rate")
    before = facts.fleet.before(caller, "request_rate", facts.onset_s)
    if now is None or before is None or before <= 0:
        return float("inf")
    passed[caller] = 0.0
    rise, known = max(now / before - 1.0, 0.0), _reaching(facts, caller)
    if known:
        # Of calls only: a request rate counts each retry as well, and would look like load from elsewhere.
        owed = sum(_owed(facts, edge, was, passed) for edge, was in known)
        rise = min(max(owed / sum(was for _, was in known) - 1.0, 0.0), rise)
    passed[caller] = rise
    return rise


def fading_caller(facts: Facts) -> Workload | None:
    """Return the caller with an incident that sends fewer requests than before, the largest loss first."""
    lost = {
        edge.source: edge.rate_before - edge.rate
        for edge in facts.context.callers
        if edge.rate_before is not None
        and edge.rate < edge.rate_before / facts.limits.load_rise_min
        and facts.fleet.is_firing(edge.source.key)
        and _may_be_first(facts, edge.source.key)
    }
    return max(lost, key=lambda caller: (lost[caller], caller), default=None)
