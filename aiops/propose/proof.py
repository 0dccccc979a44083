"""The second screen of a pull request: the numbers, queries, picture and rules behind it.

Comes in: diagnosis, decision, past values and guardrails of one plan item. Goes out: Markdown
sections, each a list of paragraphs, empty when there is nothing to show.
"""

from __future__ import annotations

from collections.abc import Mapping

from aiops.domain import Chart, Diagnosis, Evidence, PastValue, Plan, PlanItem, Rollback, Scale
from aiops.propose import chart as charts
from aiops.propose import inert, links, words

_MAX_EVIDENCE = 9
_MAX_TRACE = 12
_MAX_QUERIES = 6
_MAX_PAST = 10
_MAX_TOUCHED = 6
_MAX_LINES = 8
_MAX_GUARDRAILS = 10
_MAX_GATES = 12
_MAX_ANSWER = 200
_MAX_VALUE = 80
_MAX_CALLERS = 8
_BEFORE_S = 3_600  # of healthy time in the graph that a link opens
# The only HTML of the template: 2,000 characters of PromQL stand between a reader and the end.
OPEN_QUERIES = "<details><summary>The queries, to be asked at the time of each row</summary>"
CLOSE_QUERIES = "</details>"


def evidence(
    item: PlanItem, plan: Plan, external_url: str = "", templates: Mapping[str, str] | None = None
) -> list[str]:
    """Return the evidence table and its queries; what speaks against stands in the same table.

    With the address of a Prometheus each query is a link to its graph around the onset; `templates`:
    of the addresses of logs, traces and the like, by name.
    """
    diagnosis = item.diagnosis
    rows = [("for", one) for one in diagnosis.evidence[:_MAX_EVIDENCE]]
    rows += [("against", one) for one in diagnosis.against[:_MAX_EVIDENCE]]
    if not rows:
        return []
    queries = list(dict.fromkeys(one.query for _, one in rows if one.query))[:_MAX_QUERIES]
    onset_s = item.incident.onset_s
    start_s = (plan.data_time_s if onset_s is None else min(onset_s, plan.data_time_s)) - _BEFORE_S
    found = [links.graph(external_url, one, start_s, plan.data_time_s) for one in queries]
    asked = [f"[Q{n}]({link})" if link else f"Q{n}" for n, link in enumerate(found, 1)]
    table = ["| speaks | claim | value | at | query |", "|---|---|---|---|---|"]
    told_s = plan.data_time_s if onset_s is None else onset_s
    table += [_evidence_row(side, one, queries, asked, told_s) for side, one in rows]
    parts = ["## Evidence", "\n".join(table)]
    if any(found):
        parts.append("A query opens in Prometheus, from an hour before the onset to the newest data.")
    more = links.elsewhere(templates or {}, item.workload, start_s, plan.data_time_s)
    if more:
        named = ", ".join(f"[{name}]({url})" for name, url in more)
        parts.append(f"The same workload and time elsewhere: {named}.")
    if queries:
        # Two spaces of indent: no line starts with text that a chat-ops bot could read.
        blocks = [f"Q{n}:\n\n```promql\n  {inert.query(one)}\n```" for n, one in enumerate(queries, 1)]
        parts += [OPEN_QUERIES, *blocks, CLOSE_QUERIES]
    return parts


def _evidence_row(side: str, one: Evidence, queries: list[str], asked: list[str], told_s: int) -> str:
    query = asked[queries.index(one.query)] if one.query in queries else "-"
    # An event has a time and no value; a number that should be there is "not measured".
    value = "-" if one.value is None and not one.unit else words.quantity(one.value, one.unit)
    return f"| {side} | {inert.prose(one.claim)} | {value} | {words.clock(one.at_s, told_s)} | {query} |"


def picture(chart: Chart | None, mark: str = "onset") -> list[str]:
    """Return the chart and the words that name its lines. `mark`: what its bar marks."""
    text = charts.mermaid(chart, mark) if chart is not None else ""
    if not text or chart is None:
        return []
    bar = f"The bar marks the {mark}" if charts.has_mark(chart) else f"It begins after the {mark}"
    legend = (
        f"{inert.label(chart.signal)} in {inert.prose(charts.unit(chart))}. {charts.LEGEND}"
        f" {bar}, {words.utc(chart.onset_s)}."
    )
    return ["## Observed against expected", legend, f"```mermaid\n{text}\n```"]


def reason(item: PlanItem, decision: Scale | Rollback) -> list[str]:
    """Return which rule decided and the rules that were asked on the way; its reason stands above."""
    parts = ["## Why this action", f"Rule {inert.label(decision.rule)} decided, for the reason given above."]
    trace = item.diagnosis.trace
    if trace:
        rows = ["| rule asked | holds | answer |", "|---|---|---|"]
        rows += [
            f"| {inert.label(asked.rule)} | {'yes' if asked.holds else 'no'} | {inert.prose(asked.answer)} |"
            for asked in trace[:_MAX_TRACE]
        ]
        parts.append("\n".join(rows))
    return parts


def path(item: PlanItem) -> list[str]:
    """Return where it starts and whom it reaches: the root cause, then the callers."""
    diagnosis = item.diagnosis
    if diagnosis.root is None:
        return []
    lines = [f"- It starts at {inert.place(str(diagnosis.root))}{_place(diagnosis)}"]
    change = diagnosis.change
    if change is not None:
        old, new = inert.place(change.old or "unknown"), inert.place(change.new or "unknown")
        lines.append(
            f"- What changed there: {inert.label(change.kind)} of {inert.place(change.subject)},"
            f" {old} -> {new}, seen at {words.utc(change.at_s)}"
        )
    if diagnosis.root != diagnosis.workload:
        lines.append(f"- From there it reaches {inert.place(str(diagnosis.workload))}")
    callers = diagnosis.impact.callers
    if callers:
        named = ", ".join(inert.place(caller) for caller in callers[:_MAX_CALLERS])
        more = len(callers) - _MAX_CALLERS
        lines.append(f"- Who calls it: {named}" + (f" and {more} more" if more > 0 else ""))
    return ["## Where it starts, and whom it reaches", "\n".join(lines)]


def _place(diagnosis: Diagnosis) -> str:
    return f", on {inert.place(diagnosis.place)}" if diagnosis.place else ""


def past(item: PlanItem) -> list[str]:
    """Return the values that the field had before, newest first."""
    if not item.past:
        return []
    head = "| value | from | until | how it ran | commit | other files in that commit |"
    rows = [head, "|---|---|---|---|---|---|"]
    rows += [_past_row(one, item) for one in item.past[:_MAX_PAST]]
    return ["## Values this field had", "\n".join(rows), *_touched(item.past[0])]


def _touched(newest: PastValue) -> list[str]:
    """Name what else the commit changed that set the current value: a rollback leaves it as it is."""
    if not newest.touched:
        return []
    files = ", ".join(inert.place(path) for path in newest.touched[:_MAX_TOUCHED])
    more = len(newest.touched) - _MAX_TOUCHED
    rest = f" and {more} more" if more > 0 else ""
    return [f"The commit that set the newest of them also changed {files}{rest}; that stays as it is."]


def _past_row(one: PastValue, item: PlanItem) -> str:
    until = "now" if one.until_s is None else words.utc(one.until_s)
    return (
        f"| {inert.place(one.value)} | {words.utc(one.since_s)} | {until} | {_ran(one, item)}"
        f" | {inert.label(one.commit[:12])} | {len(one.touched)} |"
    )


def _ran(one: PastValue, item: PlanItem) -> str:
    """Say how it ran. The hours it is told from end before this incident, so that is said beside it."""
    onset_s = item.incident.onset_s
    if one.until_s is None and onset_s is not None and onset_s >= one.since_s:
        return f"this incident began after {words.duration(onset_s - one.since_s)}"
    return inert.prose(one.ran) if one.ran else "not known"


def ruled_out(diagnosis: Diagnosis) -> list[str]:
    """Return the other causes, with the reason why each was dropped."""
    if not diagnosis.ruled_out:
        return []
    lines = [f"- Ruled out: {inert.prose(text)}" for text in diagnosis.ruled_out[:_MAX_LINES]]
    return ["## What was ruled out", "\n".join(lines)]


def guardrails(item: PlanItem, plan: Plan) -> list[str]:
    """Return the limits of the fleet and the gates of this workload that were checked before this."""
    if not plan.guardrails and not item.gates:
        return []
    rows = ["| guardrail | state | value | limit |", "|---|---|---|---|"]
    rows += [
        f"| {inert.label(one.id)} | {'tripped' if one.tripped else 'passed'}"
        f" | {inert.prose(one.value[:_MAX_VALUE])} | {inert.prose(one.limit[:_MAX_VALUE])} |"
        for one in plan.guardrails[:_MAX_GUARDRAILS]
    ]
    rows += [
        f"| {inert.label(one.rule)} | {'holds back' if one.holds else 'passed'}"
        f" | {inert.prose(one.answer[:_MAX_ANSWER])} | - |"
        for one in item.gates[:_MAX_GATES]
    ]
    return ["## Guardrails checked", "\n".join(rows)]
