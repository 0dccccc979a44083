"""The gates between a cause and a change: data, state, harm, traffic, rollout. All fail closed.

Each returns the `Hold` that stops the change, or None. `asked` tells all of them in one trace,
also those that a hold further up made pointless.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiops.decide import health
from aiops.domain import Asked, Context, Hold, Incident, Panel, State, Verdict
from aiops.limits import Limits


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """What the gates look at. `rule`: the rule that names the cause."""

    incident: Incident
    context: Context
    rule: str
    limits: Limits
    panel: Panel


def data(given: Given) -> Hold | None:
    """G1: samples that are missing prove nothing."""
    incident, limits = given.incident, given.limits
    if incident.verdict in (Verdict.NO_DATA, Verdict.ERROR):
        return Hold("G1", f"verdict {incident.verdict}: no data is neither healthy nor anomalous")
    if incident.coverage < limits.coverage_min:
        return Hold("G1", f"samples at {incident.coverage:.0%} of the judged steps")
    return None


def state(given: Given) -> Hold | None:
    """G-SUSTAIN, G7, G2, G-FAMILIAR: too early, over, too young, or no news."""
    incident = given.incident
    if incident.state is State.PENDING:
        return Hold("G-SUSTAIN", "not sustained yet")
    if incident.state is State.INACTIVE:
        return Hold("G7", "no open incident")
    if incident.verdict is Verdict.LEARNING and given.rule != "R1b":
        return Hold("G2", f"{incident.history_s / 3600:.1f} h of history, too little to judge by")
    # What comes every day is what S2 is about, and it asked for more than one day.
    daily = given.rule == "S2" and incident.familiar is not None and incident.familiar.kind == "frequent"
    if incident.familiar is not None and not daily:
        return Hold("G-FAMILIAR", incident.familiar.reason, variant=incident.familiar.kind)
    return None


def silenced(given: Given) -> Hold | None:
    """G-SILENCE: a person knows of it and asked for quiet; where Alertmanager is named, it must answer."""
    if "silences" in given.context.missing:
        why = "Alertmanager does not answer: whether somebody silenced it is not known"
        return Hold("G-SILENCE", why)
    names = given.context.around.silences
    return Hold("G-SILENCE", f"silenced in Alertmanager: {'; '.join(names[:3])}") if names else None


def harm(given: Given) -> Hold | None:
    """G-HARM: users must notice. Pods that cannot start pass (R1b), and so does a proof by counts."""
    killed = given.rule == "R13" and (given.context.around.oom_killed or 0) > 0
    # R1d proved its harm by counting the requests that succeed on each version.
    if given.rule in ("R1b", "R1d") or killed:
        return None
    if not health.harms(given.panel, given.incident.workload, given.limits):
        return Hold("G-HARM", "no signal is at the level that users notice")
    return None


def traffic(given: Given) -> Hold | None:
    """G1: where hardly anybody calls, failures are counted one by one or nothing is claimed."""
    if given.rule == "R1b":
        return None
    served = health.requests_per_min(given.panel, given.incident.workload, given.limits)
    if (served is None or served < given.limits.traffic_min_per_min) and not _proved(given):
        return Hold("G1", f"{served or 0:.3g} requests a minute prove nothing")
    return None


def rollout(given: Given) -> Hold | None:
    """G3: while pods change, wait; not for what cannot start, which is stuck by definition."""
    going_on = given.context.rollout.in_progress and not given.context.rollout.stuck
    if going_on and given.rule != "R1b":
        return Hold("G3", "a rollout goes on; judged again when it settled")
    return None


# (id, what was asked and passed, the gate) in the order of the story that is told.
GATES: tuple[tuple[str, str, Callable[[Given], Hold | None]], ...] = (
    ("G1", "its samples are there", data),
    ("G-SUSTAIN", "it is sustained, learned and news", state),
    ("G-SILENCE", "nobody is known to have silenced it", silenced),
    ("G-HARM", "users notice it, or its pods cannot start", harm),
    ("G1", "enough requests to prove it", traffic),
    ("G3", "no rollout is in the way", rollout),
)


def first(given: Given) -> Hold | None:
    """Return what the first gate that holds says, None when all let it pass."""
    return next((held for _, _, gate in GATES if (held := gate(given)) is not None), None)


def asked(given: Given) -> tuple[Asked, ...]:
    """Return every gate with its answer; `holds` = it stops a change."""
    answers = [(name, passed, gate(given)) for name, passed, gate in GATES]
    return tuple(
        Asked(name, holds=False, answer=passed)
        if held is None
        else Asked(held.rule, holds=True, answer=held.reason)
        for name, passed, held in answers
    )


def _proved(given: Given) -> bool:
    """Tell whether the failures since the onset, counted one by one, are more than chance."""
    floor = next((s.floor for s in given.panel.signals if s.name == "error_ratio"), None)
    if floor is None or given.incident.onset_s is None:
        return False
    found = health.counted(given.panel, given.incident.workload, given.incident.onset_s, floor)
    return found.requests >= given.limits.counted_min and found.chance <= given.limits.chance_max
