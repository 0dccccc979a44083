"""The second screen of a pull request: the numbers, queries, picture and rules behind it.

Comes in: diagnosis, decision, past values and guardrails of one plan item. Goes out: Markdown
sections, each a list of paragraphs, empty when there is nothing to show.
"""

from __future__ import annotations

from aiops.domain import Chart, Diagnosis, Evidence, PastValue, Plan, PlanItem, Rollback, Scale
from aiops.propose import chart as charts
from aiops.propose import inert, words

_MAX_EVIDENCE = 9
_MAX_TRACE = 12
_MAX_QUERIES = 6
_MAX_PAST = 10
_MAX_TOUCHED = 6
_MAX_LINES = 8
_MAX_GUARDRAILS = 10
_MAX_VALUE = 80


def evidence(diagnosis: Diagnosis) -> list[str]:
    """Return the evidence table and its queries; what speaks against stands in the same table."""
    rows = [("for", one) for one in diagnosis.evidence[:_MAX_EVIDENCE]]
    rows += [("against", one) for one in diagnosis.against[:_MAX_EVIDENCE]]
    if not rows:
        return []
    queries = list(dict.fromkeys(one.query for _, one in rows if one.query))[:_MAX_QUERIES]
    table = ["| speaks | claim | value | at | query |", "|---|---|---|---|---|"]
    table += [_evidence_row(side, one, queries) for side, one in rows]
    parts = ["## Evidence", "\n".join(table)]
    if queries:
        # Two spaces of indent: no line starts with text that a chat-ops bot could read.
        blocks = [f"Q{n}:\n\n```promql\n  {inert.query(one)}\n```" for n, one in enumerate(queries, 1)]
        parts += ["The queries, to be asked at the time of each row:", *blocks]
    return parts


def _evidence_row(side: str, one: Evidence, queries: list[str]) -> str:
    asked = f"Q{queries.index(one.query) + 1}" if one.query in queries else "-"
    # An event has a time and no value; a number that should be there is "not measured".
    value = "-" if one.value is None and not one.unit else words.quantity(one.value, one.unit)
    return f"| {side} | {inert.prose(one.claim)} | {value} | {words.utc(one.at_s)} | {asked} |"


def picture(chart: Chart | None) -> list[str]:
    """Return the chart and the words that name its lines."""
    text = charts.mermaid(chart) if chart is not None else ""
    if not text or chart is None:
        return []
    legend = (
        f"{inert.label(chart.signal)} in {inert.prose(charts.unit(chart))}. {charts.LEGEND}"
        f" The bar marks the onset, {words.utc(chart.onset_s)}."
    )
    return ["## Observed against expected", legend, f"```mermaid\n{text}\n```"]


def reason(item: PlanItem, decision: Scale | Rollback) -> list[str]:
    """Return which rule decided and the rules that were asked on the way."""
    parts = [
        "## Why this action",
        f"Rule {inert.label(decision.rule)}: {inert.prose(decision.reason)}.",
    ]
    trace = item.diagnosis.trace
    if trace:
        rows = ["| rule asked | holds | answer |", "|---|---|---|"]
        rows += [
            f"| {inert.label(asked.rule)} | {'yes' if asked.holds else 'no'} | {inert.prose(asked.answer)} |"
            for asked in trace[:_MAX_TRACE]
        ]
        parts.append("\n".join(rows))
    return parts


def past(item: PlanItem) -> list[str]:
    """Return the values that the field had before, newest first."""
    if not item.past:
        return []
    head = "| value | from | until | how it ran | commit | other files in that commit |"
    rows = [head, "|---|---|---|---|---|---|"]
    rows += [_past_row(one) for one in item.past[:_MAX_PAST]]
    return ["## Values this field had", "\n".join(rows), *_touched(item.past[0])]


def _touched(newest: PastValue) -> list[str]:
    """Name what else the commit changed that set the current value: a rollback leaves it as it is."""
    if not newest.touched:
        return []
    files = ", ".join(inert.place(path) for path in newest.touched[:_MAX_TOUCHED])
    more = len(newest.touched) - _MAX_TOUCHED
    rest = f" and {more} more" if more > 0 else ""
    return [f"The commit that set the newest of them also changed {files}{rest}; that stays as it is."]


def _past_row(one: PastValue) -> str:
    until = "now" if one.until_s is None else words.utc(one.until_s)
    return (
        f"| {inert.place(one.value)} | {words.utc(one.since_s)} | {until}"
        f" | {inert.prose(one.ran) if one.ran else 'not known'}"
        f" | {inert.label(one.commit[:12])} | {len(one.touched)} |"
    )


def ruled_out(diagnosis: Diagnosis) -> list[str]:
    """Return the other causes, with the reason why each was dropped."""
    if not diagnosis.ruled_out:
        return []
    lines = [f"- Ruled out: {inert.prose(text)}" for text in diagnosis.ruled_out[:_MAX_LINES]]
    return ["## What was ruled out", "\n".join(lines)]


def guardrails(plan: Plan) -> list[str]:
    """Return the fleet-wide limits that were checked before this was proposed."""
    if not plan.guardrails:
        return []
    rows = ["| guardrail | state | value | limit |", "|---|---|---|---|"]
    rows += [
        f"| {inert.label(one.id)} | {'tripped' if one.tripped else 'passed'}"
        f" | {inert.prose(one.value[:_MAX_VALUE])} | {inert.prose(one.limit[:_MAX_VALUE])} |"
        for one in plan.guardrails[:_MAX_GUARDRAILS]
    ]
    return ["## Guardrails checked", "\n".join(rows)]
