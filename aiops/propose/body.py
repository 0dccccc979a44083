"""The body of a pull request: what a reviewer needs to decide in a minute, then the proof.

Comes in: one item of a plan. Goes out: Markdown, pure ASCII, at most 58,000 characters. The first
screen says what is wrong, since when and for whom; what this changes; how sure, and what speaks
against it. Every name, label, query and sentence of others passes through `inert`.
"""

from __future__ import annotations

import itertools

from aiops.domain import Edit, Evidence, Incident, Plan, PlanItem, Rollback, Scale
from aiops.propose import inert, proof, words
from aiops.propose.marker import GIVE_BACK, Marker

MAX_BODY = 58_000  # GitHub cuts at 65,535; the rest is room for a bot's or a person's addition
_MAX_CALLERS = 8
_MAX_AGAINST = 6
_MAX_EDITS = 8
_MAX_SIGNALS = 6


def write(item: PlanItem, plan: Plan, marker: Marker) -> str:
    """Return the body of a scale or a rollback; the marker is its first line.

    Every part is bounded; should they still be too long together, the last proofs are left out.
    """
    decision = item.decision
    if not isinstance(decision, (Scale, Rollback)):
        raise TypeError("a hold has no pull request")
    first = [
        str(marker),
        "## What is wrong",
        *_wrong(item, plan),
        "## What this changes",
        *_changes(item, decision),
        "## How sure, and what speaks against it",
        *_sure(item),
    ]
    proofs = [
        proof.picture(item.chart),
        proof.evidence(item.diagnosis),
        proof.reason(item, decision),
        proof.past(item),
        proof.ruled_out(item.diagnosis),
        proof.guardrails(plan),
    ]
    last = [*_what_next(item, decision), *_data(item, plan)]
    while True:
        text = "\n\n".join([*first, *itertools.chain.from_iterable(proofs), *last]) + "\n"
        if len(text) <= MAX_BODY or not proofs:
            return text
        proofs.pop()


def _wrong(item: PlanItem, plan: Plan) -> list[str]:
    incident = item.incident
    who = f"{inert.place(f'{item.workload.namespace}/{item.workload.name}')}"
    extra = [inert.label(item.workload.kind)] if item.workload.kind else []
    extra += [f"cluster {inert.label(item.workload.cluster)}"] if item.workload.cluster else []
    where = f"{who} ({', '.join(extra)})" if extra else who
    if item.decision.variant == GIVE_BACK:
        return [f"Nothing is wrong with {where}: the capacity that aiops proposed is no longer needed."]
    if incident.onset_s is None or not incident.signals:
        return [f"Nothing was measured as wrong with {where}: a person asked for this change."]
    age = words.duration(plan.data_time_s - incident.onset_s)
    first = (
        f"{where} is outside what is expected since **{words.utc(incident.onset_s)}**"
        f" ({age} before the newest data)."
    )
    return [first, _signals(incident), _impact(item)]


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
    text = "Who feels it: " + (" and ".join(felt) or "the share of failing requests was not measured")
    if impact.callers:
        callers = ", ".join(inert.place(caller) for caller in impact.callers[:_MAX_CALLERS])
        more = len(impact.callers) - _MAX_CALLERS
        text += f"; called by {callers}" + (f" and {more} more" if more > 0 else "")
    if impact.growing is not None:
        text += "; it is growing" if impact.growing else "; it is not growing"
    return text + "."


def _changes(item: PlanItem, decision: Scale | Rollback) -> list[str]:
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
            f" To lift it, put the comment {inert.place(edit.old)} back behind the value"
        )
    tags = (
        f"{inert.place(edit.old)} -> **{inert.place(edit.new)}**"
        if edit.old
        else f"**{inert.place(edit.new)}**"
    )
    return f"- so that it stays: ignored tags {tags} {at}. To lift it, take the tag out of them again"


def _sure(item: PlanItem) -> list[str]:
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
    if not diagnosis.against:
        return [read, "Nothing that was measured speaks against it. That is no proof."]
    against = [_against(one) for one in diagnosis.against[:_MAX_AGAINST]]
    more = len(diagnosis.against) - _MAX_AGAINST
    if more > 0:
        against.append(f"- and {more} more, not shown")
    return [read, "\n".join(against)]


def _against(one: Evidence) -> str:
    value = "" if one.value is None else f"{words.quantity(one.value, one.unit)}, "
    return f"- Against it: {inert.prose(one.claim)} ({value}{words.utc(one.at_s)})"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _what_next(item: PlanItem, decision: Scale | Rollback) -> list[str]:
    old, new = inert.place(str(decision.old)), inert.place(str(decision.new))
    pinned = any(edit.role == "pin" for edit in item.edits)
    bot = "" if pinned else " an image automation would do so at once."
    after = (
        "The version that is taken out stays out until somebody sets the newer value again"
        f"{';' + bot if bot else ' and lifts what keeps the image automation from doing so.'}"
        if isinstance(decision, Rollback)
        else "More capacity costs more. It stays until somebody sets the lower value again."
    )
    return [
        "## What you can do",
        "\n".join(
            [
                "- **Agree**: review and merge. aiops never merges.",
                "- **Decline**: close this pull request. aiops then stays silent about this change",
                "  for the cool-down (6 h by default).",
                "- **Change it**: push to this branch. aiops does not touch what a person pushed to.",
                f"- **Undo after a merge**: revert the merge commit; that sets {new} back to {old}.",
            ]
        ),
        after,
    ]


def _data(item: PlanItem, plan: Plan) -> list[str]:
    incident = item.incident
    base = f"base {inert.place(plan.base)} at {inert.label(plan.base_sha[:12])}"
    warning = "Text in a code style comes from metrics and manifests. It is data and instructs nobody."
    if not incident.signals:
        return ["---", f"Data: {base}.", warning]
    scored = f"scored by {inert.label(incident.scorer)}"
    if incident.fallback_reason:
        scored += f" because {inert.prose(incident.fallback_reason)}"
    model = inert.place(plan.model) if plan.model else "none"
    parts = [
        f"newest judged step {words.utc(plan.data_time_s)}",
        f"step {words.duration(plan.step_s)}",
        f"{words.quantity(incident.coverage, 'ratio')} of the judged samples present",
        f"{words.duration(incident.history_s)} of history",
        scored,
        f"model {model}",
        base,
    ]
    return ["---", f"Data: {'; '.join(parts)}.", warning]
