"""Names the cause of every open incident, and who feels it.

`diagnose` asks the rules of `causes` per incident, then looks at the fleet: a victim's root is
followed along the call graph to the workload whose state changed, and unexplained incidents that
began together are one shared cause.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from aiops.diagnose import causes, releases, suspects
from aiops.diagnose.facts import Facts, Fleet, Key
from aiops.domain import (
    Asked,
    Cause,
    Context,
    Diagnosis,
    Evidence,
    Impact,
    Incident,
    Panel,
    Query,
    Scores,
    State,
    Workload,
)
from aiops.limits import LIMITS, Limits

# Causes that name somebody else: their root is a step on the way, not the end.
_ELSEWHERE = (Cause.DEPENDENCY, Cause.CLIENT)


def blank(workload: Workload) -> Diagnosis:
    """Return the diagnosis of a workload that no rule was asked about."""
    return Diagnosis(workload, Cause.UNKNOWN, None, None, (), (), (), Impact(None, None, (), None), ())


def diagnose(
    incidents: Iterable[Incident],
    contexts: Mapping[Workload, Context],
    history: Panel,
    scores: Scores,
    queries: Mapping[str, Query],
    limits: Limits = LIMITS,
) -> tuple[Diagnosis, ...]:
    """Return one diagnosis per pending or firing incident that has a context, sorted by workload.

    `history` and `scores` end at the judged step; `queries` maps the names of signal and context
    queries to their text.
    """
    fleet = _fleet(incidents, contexts, history, scores, queries, limits)
    found = {
        key: _one(Facts(fleet.incidents[key], fleet.contexts[key], fleet)) for key in sorted(fleet.contexts)
    }
    named = {key: replace(d, root=_root(key, found)) for key, d in found.items()}
    told = _places_to_look(_shared(named, fleet), fleet)
    return tuple(sorted(told.values(), key=lambda d: d.workload))


def _fleet(
    incidents: Iterable[Incident],
    contexts: Mapping[Workload, Context],
    history: Panel,
    scores: Scores,
    queries: Mapping[str, Query],
    limits: Limits,
) -> Fleet:
    open_ = {i.workload.key: i for i in incidents if i.state is not State.INACTIVE}
    return Fleet(
        incidents=open_,
        contexts={w.key: context for w, context in contexts.items() if w.key in open_},
        history=history,
        scores=scores,
        queries=queries,
        limits=limits,
        rows={workload.key: row for row, workload in enumerate(history.workloads)},
        columns={signal.name: column for column, signal in enumerate(history.signals)},
    )


def _one(facts: Facts) -> Diagnosis:
    finding, inquiry = causes.ask(facts)
    cleared = releases.cleared(facts, finding.change)
    seen = tuple(item for b in facts.incident.signals[:3] if (item := facts.seen(b.signal)) is not None)
    extra = tuple(item for item in seen if item not in finding.evidence)
    return Diagnosis(
        workload=facts.workload,
        cause=finding.cause,
        root=finding.root,
        change=finding.change,
        evidence=(*finding.evidence, *extra, *_alerts(facts)),
        against=finding.against,
        ruled_out=tuple(dict.fromkeys((*inquiry.cleared, *cleared, *inquiry.ruled_out))),
        impact=_impact(facts),
        trace=tuple(inquiry.trace),
        place=finding.place,
        missing=facts.context.missing,
    )


def _alerts(facts: Facts) -> tuple[Evidence, ...]:
    """Return the alerts that fire and name this workload: somebody else saw it as well."""
    return tuple(
        facts.evidence(f"alert {name} fires", "alerts_firing", 1.0, "alert")
        for name in facts.context.around.alerts
    )


def _root(key: Key, found: Mapping[Key, Diagnosis]) -> Workload | None:
    """Follow who is blamed until somebody is blamed for a change of their own.

    Two workloads that blame each other are both shown as blaming the other: a circle proves
    nobody guilty, and a dependency is never acted on.
    """
    seen = {key}
    root = found[key].root
    while root is not None and root.key in found and root.key not in seen:
        step = found[root.key]
        if step.cause not in _ELSEWHERE or step.root is None:
            break
        seen.add(root.key)
        root = step.root
    return root


def _shared(found: dict[Key, Diagnosis], fleet: Fleet) -> dict[Key, Diagnosis]:
    """Turn unexplained incidents that began together, without calling each other, into a shared cause."""
    unknown = sorted(
        (incident.onset_s, key)
        for key, diagnosis in found.items()
        if diagnosis.cause is Cause.UNKNOWN
        and diagnosis.change is None
        and (incident := fleet.incidents[key]).onset_s is not None
        # Strange numbers alone begin together by chance every day; what users notice does not.
        and Facts(incident, fleet.contexts[key], fleet).harmed()
    )
    out = dict(found)
    for onset_s, key in unknown:
        together = [
            other
            for at_s, other in unknown
            if at_s is not None and onset_s is not None and abs(at_s - onset_s) <= fleet.limits.onset_slack_s
        ]
        if len(together) < fleet.limits.shared_min:
            continue
        minutes = fleet.limits.onset_slack_s // 60
        answer = f"{len(together)} workloads began within {minutes} min and no rule explains one"
        out[key] = replace(
            found[key], cause=Cause.SHARED, trace=(*found[key].trace, Asked("G9", holds=True, answer=answer))
        )
    return out


def _places_to_look(found: dict[Key, Diagnosis], fleet: Fleet) -> dict[Key, Diagnosis]:
    """Add whose state moved to firing incidents that no rule explains; in a storm nobody reads it."""
    unknown = [
        key
        for key, one in found.items()
        if one.cause is Cause.UNKNOWN and fleet.incidents[key].state is State.FIRING
    ]
    if len(unknown) >= fleet.limits.storm_min:
        return found
    looked = {key: suspects.named(Facts(fleet.incidents[key], fleet.contexts[key], fleet)) for key in unknown}
    return found | {
        key: replace(found[key], evidence=found[key].evidence + more) for key, more in looked.items() if more
    }


def _impact(facts: Facts) -> Impact:
    """Return who feels it. A p95 above the floor says how slow, not how many: that is counted apart."""
    return Impact(
        share_failing=facts.now("error_ratio"),
        share_slow=facts.context.outcomes.slow,
        callers=tuple(
            str(edge.source) for edge in sorted(facts.context.callers, key=lambda e: (-e.rate, e.source))
        ),
        growing=_growing(facts),
    )


def _growing(facts: Facts) -> bool | None:
    """Tell whether the worst harmful signal is a tenth above where it stood ten minutes ago."""
    harmed = facts.harmed()
    if not harmed:
        return None
    now = facts.now(harmed[0])
    earlier = facts.fleet.between(facts.key, harmed[0], facts.now_s - 900, facts.now_s - 600)
    if now is None or earlier is None:
        return None
    return now > 1.1 * earlier
