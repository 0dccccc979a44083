"""What was seen of one workload, as the JSON report spells it: incident, drift, diagnosis."""

from __future__ import annotations

from typing import Any

from aiops.domain import DriftWatch, Evidence, Incident, PlanItem, SignalHistory
from aiops.report.values import named, number, utc


def incident(seen: Incident, histories: tuple[SignalHistory, ...]) -> dict[str, Any]:
    """Return what is out of the ordinary, since when, with the series for a picture."""
    return {
        "state": seen.state.value,
        "onset": utc(seen.onset_s),
        "familiar": None
        if seen.familiar is None
        else {"kind": seen.familiar.kind, "reason": seen.familiar.reason},
        "signals": [
            {
                "signal": breach.signal,
                "observed": number(breach.observed),
                "expected": number(breach.expected),
                "unit": breach.unit,
                "score": number(breach.score),
            }
            for breach in seen.signals
        ],
        "series": [
            {
                "signal": one.signal,
                "unit": one.unit,
                "from": utc(one.start_s),
                "step_s": one.step_s,
                "observed": [number(value) for value in one.observed],
                "expected": [number(value) for value in one.expected],
                "lower": [number(value) for value in one.lower],
                "upper": [number(value) for value in one.upper],
            }
            for one in histories
        ],
    }


def drift(watch: DriftWatch | None) -> dict[str, Any] | None:
    """Return what drifts; null when only a plan was read, which has no reference."""
    if watch is None:
        return None
    return {
        "watched": watch.watched,
        "days": watch.days,
        "signals": [
            {
                "signal": one.signal,
                "unit": one.unit,
                "per_day": number(one.per_day),
                "from": number(one.old),
                "to": number(one.new),
                "since": utc(one.since_s),
            }
            for one in watch.drifts
        ],
    }


def diagnosis(item: PlanItem) -> dict[str, Any]:
    """Return the cause with what speaks for and against it, and every rule that was asked."""
    found, impact = item.diagnosis, item.diagnosis.impact
    return {
        "cause": found.cause.value,
        "evidence": [_evidence(one) for one in found.evidence],
        "against": [_evidence(one) for one in found.against],
        "impact": {
            "share_failing": number(impact.share_failing),
            "share_slow": number(impact.share_slow),
            "callers": list(impact.callers),
            "growing": impact.growing,
        },
        "root": None if found.root is None else named(found.root),
        "place": found.place or None,
        "ruled_out": list(found.ruled_out),
        "missing": list(found.missing),
        "rules": [
            {"rule": asked.rule, "holds": asked.holds, "answer": asked.answer}
            for asked in (*found.trace, *item.gates)
        ],
    }


def _evidence(one: Evidence) -> dict[str, Any]:
    return {
        "claim": one.claim,
        "query": one.query,
        "value": number(one.value),
        "unit": one.unit,
        "at": utc(one.at_s),
    }
