"""Decides about one incident: gates, then ownership, then cause and action, then caps.

`fields` says which targets the repository must be asked for; `decide` ends in a `Scale`, a
`Rollback` or a `Hold` that names its rule. Any gate that fails is a hold, so their order only
picks the reason that is told: the most telling first.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiops.decide import gates, rollback
from aiops.decide.minimum import raised
from aiops.decide.scale import scale
from aiops.diagnose.changes import SIDECARS
from aiops.diagnose.context import AUTOSCALER
from aiops.diagnose.facts import describe
from aiops.domain import (
    Asked,
    Autoscaler,
    Capacity,
    Cause,
    Change,
    Context,
    Decision,
    Diagnosis,
    FieldName,
    Hold,
    Incident,
    Panel,
    State,
    Target,
    Verdict,
)
from aiops.limits import LIMITS, Limits

# Pods of these kinds are interchangeable, so one more helps and an older one fits (guide S8).
SCALABLE = ("Deployment", "Rollout")
RETURNABLE = ("Deployment", "Rollout", "DaemonSet")
# What an overload is judged from: without any of these a release, a retry storm or a victim looks
# just like load, or somebody else sets the replicas.
SCALE_NEEDS = ("image", "call_rate", "call_error_ratio", "replicas_desired", AUTOSCALER)


def fields(diagnosis: Diagnosis, context: Context) -> tuple[FieldName, ...]:
    """Return the fields whose targets `decide` needs; empty when it holds without looking."""
    if rollback.went_back(context):
        return ("image.tag",)
    found = _field(diagnosis, context)
    return () if isinstance(found, Hold) else (found,)


def decide(
    incident: Incident,
    diagnosis: Diagnosis,
    context: Context,
    targets: Mapping[FieldName, Target],
    limits: Limits,
    panel: Panel,
) -> Decision:
    """Return what to propose for one incident, or which rule holds it back.

    `targets`: what the repository says of `fields(diagnosis, context)`; `panel` ends at the judged step.
    """
    given = gates.Given(incident, context, blaming_rule(diagnosis), limits, panel)
    if rollback.went_back(context) and incident.state is State.FIRING:
        quiet = gates.silenced(given)
        return quiet or rollback.catch_up(targets.get("image.tag"), context)
    field = _field(diagnosis, context)
    if isinstance(field, Hold):
        # A named cause tells more than "not yet"; an unknown one tells less.
        not_yet = gates.state(given) if diagnosis.cause is Cause.UNKNOWN else None
        return gates.data(given) or not_yet or field
    return gates.first(given) or _act(field, incident, diagnosis, context, targets.get(field), limits, panel)


def asked(
    incident: Incident, diagnosis: Diagnosis, context: Context, limits: Limits, panel: Panel
) -> tuple[Asked, ...]:
    """Return the gates of one incident with their answers, for the trace."""
    return gates.asked(gates.Given(incident, context, blaming_rule(diagnosis), limits, panel))


def unjudged(incident: Incident) -> Hold | None:
    """Return why a workload without an incident was not judged at all; None when it was."""
    if incident.verdict in (Verdict.NO_DATA, Verdict.ERROR):
        return Hold("G1", "no usable samples: neither healthy nor anomalous")
    if incident.verdict is Verdict.LEARNING:
        return Hold("G2", f"{incident.history_s / 3600:.0f} h of sustained traffic, too little to judge by")
    return None


def _act(
    field: FieldName,
    incident: Incident,
    diagnosis: Diagnosis,
    context: Context,
    target: Target | None,
    limits: Limits,
    panel: Panel,
) -> Decision:
    if target is None or target.refusal is not None or target.winner is None:
        why = (target and target.refusal) or f"no place sets {field}"
        return Hold("EDIT", why, variant="edit-refused")
    if field in ("image.tag", "image.digest"):
        return rollback.roll_back(diagnosis, target, limits, panel, blaming_rule(diagnosis))
    onset_s = int(panel.times[-1]) if incident.onset_s is None else incident.onset_s
    if field == "hpa.min":
        return raised(target, context, limits, panel, onset_s)
    return scale(target, context, limits, panel, onset_s)


def blaming_rule(diagnosis: Diagnosis) -> str:
    """Return the id of the rule that named the cause; R0 when the trace names none."""
    held = [asked.rule for asked in diagnosis.trace if asked.holds]
    return held[-1] if held else "R0"


def _field(diagnosis: Diagnosis, context: Context) -> FieldName | Hold:
    """Return the field that the cause asks to change, or why nothing is changed."""
    if diagnosis.cause is Cause.BAD_RELEASE:
        return _release_field(diagnosis, context)
    if diagnosis.cause is Cause.OVERLOAD:
        return _load_field(context, blaming_rule(diagnosis))
    if diagnosis.cause is Cause.LEAK and diagnosis.change is not None:
        return _release_field(diagnosis, context)
    rule = blaming_rule(diagnosis)
    answer = next((asked.answer for asked in reversed(diagnosis.trace) if asked.holds), "")
    root = diagnosis.root
    elsewhere = root is not None and root.key != diagnosis.workload.key and str(root) not in answer
    return Hold(rule, f"{answer}; look at {root}" if elsewhere else answer)


def _release_field(diagnosis: Diagnosis, context: Context) -> FieldName | Hold:
    if context.workload.kind not in RETURNABLE:
        return Hold("S8", f"a {context.workload.kind or 'workload of unknown kind'} is not rolled back")
    if diagnosis.change is None or diagnosis.change.new is None:
        return Hold("R9", "which image runs is not known")
    pinned = "@" in diagnosis.change.new
    pair = coupled(diagnosis.change, context)
    if pair and blaming_rule(diagnosis) != "R1b":
        names = ", ".join(f"{one.workload} ({describe(one)})" for one in pair)
        return Hold("R-PAIR", f"released together with {names}: they may need each other")
    proved = blaming_rule(diagnosis) == "R1b" or any("new version" in e.claim for e in diagnosis.evidence)
    blind = [name for name in ("call_rate", "call_error_ratio") if name in context.missing]
    if blind and not proved:
        return Hold("S-BLIND", f"{', '.join(blind)} missing: a failing callee cannot be ruled out")
    return "image.digest" if pinned else "image.tag"


def coupled(change: Change, context: Context) -> tuple[Change, ...]:
    """Return the releases of callers and callees so close to a release that they may be one set."""
    return tuple(
        one
        for one in context.neighbours
        if one.subject not in SIDECARS and abs(one.at_s - change.at_s) <= LIMITS.coupled_s
    )


def _load_field(context: Context, rule: str) -> FieldName | Hold:
    """Return what to raise. An autoscaler's replicas are never edited (guide S1)."""
    blind = [name for name in SCALE_NEEDS if name in context.missing]
    if blind:
        return Hold("S-BLIND", f"{', '.join(blind)} missing: another cause cannot be ruled out")
    if context.workload.kind not in SCALABLE:
        return Hold("S8", f"a {context.workload.kind or 'workload of unknown kind'} is not scaled")
    if context.capacity.unschedulable is None or context.capacity.unschedulable > 0:
        return Hold("S4", "pods wait for room on a node: more of them cannot start")
    full = [name for name, used in context.around.quotas if used >= LIMITS.quota_full]
    if full:
        return Hold("S4", f"the quota {', '.join(full)} is used up: more pods cannot start")
    if context.around.vpa:
        return Hold("S6b", "a VerticalPodAutoscaler moves its requests: two autoscalers would fight")
    return "replicas" if context.autoscaler is None else _bound(context.autoscaler, context.capacity, rule)


def _bound(auto: Autoscaler, capacity: Capacity, rule: str) -> FieldName | Hold:
    if auto.active is False:
        return Hold("G10", f"{auto.name} cannot read its metric: that is to be mended first")
    if rule == "S2":
        return "hpa.min"
    desired, available = capacity.replicas_desired, capacity.replicas_available
    if desired is not None and available is not None and available < desired:
        limit = "S1b" if auto.current >= auto.max_replicas else "S1"
        return Hold(limit, f"{desired - available} of {desired} pods of {auto.name} are not ready: not yet")
    if auto.current < auto.max_replicas:
        return Hold(
            "S1",
            f"{auto.name} has {auto.current} of {auto.max_replicas}: it does not see this load,"
            " so its metric is the wrong one",
        )
    if auto.max_replicas <= auto.min_replicas or auto.limited is not True:
        return Hold("S1b", f"{auto.name} is not known to be limited by its maximum of {auto.max_replicas}")
    return "hpa.max"
