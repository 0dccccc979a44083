"""The first screen of a pull request: what is wrong, what this changes, how sure that is.

Comes in: one item of a plan. Goes out: Markdown paragraphs. A reviewer reads these and nothing else
when the case is clear, so every one of them is short and the worst signal comes first.
"""

from __future__ import annotations

import math

from aiops.domain import Breach, Edit, Evidence, Plan, PlanItem, Rollback, Scale, Workload
from aiops.propose import inert, words
from aiops.propose.marker import GIVE_BACK

_MAX_CALLERS = 4
_MAX_FOR = 4
_MAX_TOGETHER = 3  # answers to one question
_MAX_AGAINST = 6
_MAX_EDITS = 8
_MAX_SIGNALS = 6
_MAX_MISSING = 8
_HARDLY = 0.01  # of the requests


def wrong(item: PlanItem, plan: Plan) -> list[str]:
    """Return what is wrong, since when and for whom."""
    incident = item.incident
    where = _who(item.workload)
    if item.decision.variant == GIVE_BACK:
        return [f"Nothing is wrong with {where}: the capacity that aiops proposed seems no longer needed."]
    if incident.onset_s is None or not incident.signals:
        return [f"Nothing was measured as wrong with {where}: a person asked for this change."]
    worst = worst_of(item)
    age = words.duration(plan.data_time_s - incident.onset_s)
    lines = [
        (
            f"- **What**: {where}: {inert.label(worst.signal)} reached"
            f" **{words.quantity(worst.observed, worst.unit)}** where"
            f" about {words.quantity(worst.expected, worst.unit)} is expected"
        ),
        f"- **Since**: {words.utc(incident.onset_s)}, {age} before the newest data",
        f"- **For whom**: {_impact(item)}",
    ]
    return ["\n".join(lines), _signals(item, incident.onset_s)]


def worst_of(item: PlanItem) -> Breach:
    """Return the signal to speak of, of an incident that has one: the one that the chart shows."""
    drawn = item.chart.signal if item.chart is not None else None
    signals = item.incident.signals
    return next((one for one in signals if one.signal == drawn), signals[0])


def _who(workload: Workload) -> str:
    extra = [inert.label(workload.kind)] if workload.kind else []
    extra += [f"cluster {inert.label(workload.cluster)}"] if workload.cluster else []
    where = inert.place(f"{workload.namespace}/{workload.name}")
    return f"{where} ({', '.join(extra)})" if extra else where


def _signals(item: PlanItem, onset_s: int) -> str:
    rows = ["| signal | worst | expected | at | score (1 = edge of expected) |", "|---|---|---|---|---|"]
    rows += [
        f"| {inert.label(breach.signal)} | **{words.quantity(breach.observed, breach.unit)}**"
        f" | {words.quantity(breach.expected, breach.unit)} | {words.clock(breach.at_s, onset_s)}"
        f" | {words.quantity(breach.score, '')} |"
        for breach in item.incident.signals[:_MAX_SIGNALS]
    ]
    return "\n".join(rows)


def _impact(item: PlanItem) -> str:
    impact = item.diagnosis.impact
    felt = []
    if impact.share_failing is not None:
        felt.append(f"{words.share(impact.share_failing)} of its requests fail")
    if impact.share_slow is not None:
        felt.append(f"{words.share(impact.share_slow)} {'' if felt else 'of its requests '}are slow")
    text = " and ".join(felt) or "the share of failing requests was not measured"
    known = [share for share in (impact.share_failing, impact.share_slow) if share is not None]
    if len(known) == 2 and max(known) < _HARDLY:
        text = f"hardly anybody so far: {text}"
    if impact.callers:
        own = f"{item.workload.cluster}/"
        shown = (caller.removeprefix(own) for caller in impact.callers[:_MAX_CALLERS])
        callers = ", ".join(inert.place(caller) for caller in shown)
        more = len(impact.callers) - _MAX_CALLERS
        text += f"; called by {callers}" + (f" and {more} more" if more > 0 else "")
    if impact.growing is not None:
        text += "; it is growing" if impact.growing else "; it is not growing"
    return text


def changes(item: PlanItem, decision: Scale | Rollback) -> list[str]:
    """Return one line for each value that changes, old -> new."""
    field = words.FIELDS[decision.field]
    lines = [_change(field, edit) if edit.role == "value" else _pin(edit) for edit in item.edits[:_MAX_EDITS]]
    only = "Nothing else in the repository changes." if len(lines) == 1 else "Nothing else changes."
    if item.decision.variant == GIVE_BACK:  # said below, where it is weighed
        return ["\n".join(lines), only]
    enough = " **This step alone may not be enough.**" if _falls_short(item, decision) else ""
    return ["\n".join(lines), f"{only} Why this value: {inert.prose(decision.reason)}.{enough}"]


def _falls_short(item: PlanItem, decision: Scale | Rollback) -> bool:
    """Tell whether more load was measured than so many pods served well."""
    if not isinstance(decision, Scale) or decision.per_pod is None:
        return False
    arriving = [one.value for one in item.diagnosis.evidence if one.unit == "req/s" and one.value is not None]
    return bool(arriving) and arriving[0] > decision.per_pod * decision.new


def _change(field: str, edit: Edit) -> str:
    document = f", document {edit.document + 1}" if edit.document else ""
    return (
        f"- {field}: {inert.place(edit.old)} -> **{inert.place(edit.new)}**"
        f" in {inert.place(edit.file)}, at {inert.place(edit.path_text)}{document}"
    )


def _pin(edit: Edit) -> str:
    """Return the line about what keeps an automation from setting the old value again, and how to lift it."""
    at = f"in {inert.place(edit.file)}, at {inert.place(edit.path_text)}"
    if edit.change == "remove":
        return (
            f"- so that it stays: the image automation's marker is removed {at}."
            " To lift it, put that comment, which the diff shows, back behind the value"
        )
    tags = (
        f"{inert.place(edit.old)} -> **{inert.place(edit.new)}**"
        if edit.old
        else f"**{inert.place(edit.new)}**"
    )
    return f"- so that it stays: ignored tags {tags} {at}. To lift it, take the tag out of them again"


def sure(item: PlanItem) -> list[str]:
    """Return how sure the rules are: the cause, what speaks for it first, all that speaks against it."""
    diagnosis = item.diagnosis
    if item.decision.variant == GIVE_BACK:
        why = inert.prose(item.decision.reason)
        return [
            f"It fits by what was measured: {why}.",
            "Tomorrow may be unlike last week. That is no proof.",
        ]
    if not diagnosis.evidence and not diagnosis.against:
        return ["No measurement stands behind this change; the person who asked for it knows why."]
    cause = words.CAUSES[diagnosis.cause]
    read = (
        f"The rules read this as **{cause}**: {_counted(len(diagnosis.evidence), 'observation')} for it,"
        f" {len(diagnosis.against)} against it. They see metrics and git history and nothing else;"
        " this is a proposal, and it can be wrong."
    )
    onset_s = item.incident.onset_s or 0
    lines = [_said("For it", one, onset_s) for one in _telling(item)]
    lines += [_said("**Against it**", (one,), onset_s) for one in diagnosis.against[:_MAX_AGAINST]]
    more = len(diagnosis.against) - _MAX_AGAINST
    if more > 0:
        lines.append(f"- and {more} more against it, in the evidence below")
    if not diagnosis.against:
        lines.append("- Nothing that was measured speaks against it. That is no proof.")
    if diagnosis.missing:
        names = ", ".join(inert.label(name) for name in diagnosis.missing[:_MAX_MISSING])
        rest = len(diagnosis.missing) - _MAX_MISSING
        more_text = f" and {rest} more" if rest > 0 else ""
        lines.append(f"- Not measured, so it could not speak either way: {names}{more_text}")
    return [read, "\n".join(lines)]


def _telling(item: PlanItem) -> list[tuple[Evidence, ...]]:
    """Return the first observations, the answers to one question together.

    What left its band stands in the table above. Of the comparisons of two versions the one is told in
    which the new version is worse than the old one by most; one in which it is not tells nothing.
    """
    table = tuple(f"{one.signal} left " for one in item.incident.signals)
    asked: dict[str, list[Evidence]] = {}
    for one in item.diagnosis.evidence:
        if not one.claim.startswith(table):
            asked.setdefault(one.query or one.claim, []).append(one)
    split = [tuple(found) for found in asked.values() if " of new version " in found[0].claim]
    rest = [tuple(found[:_MAX_TOGETHER]) for found in asked.values() if tuple(found) not in split]
    worst = max(split, key=_contrast, default=())
    shown = [worst] if worst and _contrast(worst) > 1 else []
    return rest[: _MAX_FOR - len(shown)] + shown


def _contrast(pair: tuple[Evidence, ...]) -> float:
    """Return how many times worse the new version is than the old one; 0 when that was not measured."""
    if len(pair) != 2 or pair[0].value is None or pair[1].value is None:
        return 0.0
    low_is_bad = pair[0].claim.startswith("share that succeeds")
    worse, better = (pair[1].value, pair[0].value) if low_is_bad else (pair[0].value, pair[1].value)
    return worse / better if better > 0 else (math.inf if worse > 0 else 0.0)


def _said(side: str, together: tuple[Evidence, ...], onset_s: int) -> str:
    shown = "; ".join(_claimed(one) for one in together)
    return f"- {side}: {shown} ({words.clock(max(one.at_s for one in together), onset_s)})"


def _claimed(one: Evidence) -> str:
    value = words.quantity(one.value, one.unit)
    told = one.value is None or f" {value} " in f" {one.claim} "
    return inert.prose(one.claim) if told else f"{inert.prose(one.claim)}: **{value}**"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
