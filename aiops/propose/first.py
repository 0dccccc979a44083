"""The first screen of a pull request: what is wrong, what this changes, how sure that is.

Comes in: one item of a plan. Goes out: Markdown paragraphs. A reviewer reads these and nothing else
when the case is clear, so every one of them is short and the worst signal comes first.
"""

from __future__ import annotations

from aiops.domain import Edit, Evidence, Incident, Plan, PlanItem, Rollback, Scale, Workload
from aiops.propose import inert, words
from aiops.propose.marker import GIVE_BACK

_MAX_CALLERS = 4
_MAX_FOR = 3
_MAX_AGAINST = 6
_MAX_EDITS = 8
_MAX_SIGNALS = 6
_MAX_MISSING = 8


def wrong(item: PlanItem, plan: Plan) -> list[str]:
    """Return what is wrong, since when and for whom."""
    incident = item.incident
    where = _who(item.workload)
    if item.decision.variant == GIVE_BACK:
        return [f"Nothing is wrong with {where}: the capacity that aiops proposed is no longer needed."]
    if incident.onset_s is None or not incident.signals:
        return [f"Nothing was measured as wrong with {where}: a person asked for this change."]
    worst = incident.signals[0]
    age = words.duration(plan.data_time_s - incident.onset_s)
    lines = [
        (
            f"- **What**: {where}: {inert.label(worst.signal)} is"
            f" **{words.quantity(worst.observed, worst.unit)}** where"
            f" {words.quantity(worst.expected, worst.unit)} is expected"
        ),
        f"- **Since**: {words.utc(incident.onset_s)}, {age} before the newest data",
        f"- **For whom**: {_impact(item)}",
    ]
    return ["\n".join(lines), _signals(incident)]


def _who(workload: Workload) -> str:
    extra = [inert.label(workload.kind)] if workload.kind else []
    extra += [f"cluster {inert.label(workload.cluster)}"] if workload.cluster else []
    where = inert.place(f"{workload.namespace}/{workload.name}")
    return f"{where} ({', '.join(extra)})" if extra else where


def _signals(incident: Incident) -> str:
    rows = ["| signal | observed | expected | at | score (1 = edge of expected) |", "|---|---|---|---|---|"]
    rows += [
        f"| {inert.label(breach.signal)} | **{words.quantity(breach.observed, breach.unit)}**"
        f" | {words.quantity(breach.expected, breach.unit)} | {words.utc(breach.at_s)}"
        f" | {words.quantity(breach.score, '')} |"
        for breach in incident.signals[:_MAX_SIGNALS]
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
    if impact.callers:
        callers = ", ".join(inert.place(caller) for caller in impact.callers[:_MAX_CALLERS])
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
    return ["\n".join(lines), only]


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
    lines = [_said("For it", one) for one in _telling(diagnosis.evidence)]
    lines += [_said("**Against it**", one) for one in diagnosis.against[:_MAX_AGAINST]]
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


def _telling(evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Return the first observations: what changed, then the pair that shows it, version against version."""
    split = [one for one in evidence if " version " in one.claim][:2]
    rest = [one for one in evidence if one not in split]
    return tuple(rest[: _MAX_FOR - len(split)]) + tuple(split)


def _said(side: str, one: Evidence) -> str:
    value = "" if one.value is None else f"{words.quantity(one.value, one.unit)}, "
    return f"- {side}: {inert.prose(one.claim)} ({value}{words.utc(one.at_s)})"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
