"""The page: the fleet at a glance, worst first, then one section for each incident.

Comes in: a `Report`. Goes out: one HTML document that asks for nothing. It never grows past
`MAX_BYTES` of sections: in a storm the worst incidents are told in full, the others in the table.
"""

from __future__ import annotations

from collections import Counter

from aiops.page import drawing, incident, outcomes, shell
from aiops.page.document import Judged, Report
from aiops.page.queries import Queries
from aiops.page.tree import MAX_NAME, Child, Element, el, html, shown
from aiops.page.words import count, measured, moment, rated, worst_first

MAX_BYTES = 180_000  # of incidents; with the table of 100 workloads the page stays below 300 kB
MAX_ROWS = 400
_TONES = {"anomalous": "bad", "error": "bad", "no-data": "warn", "learning": "info", "healthy": "good"}
_MEANINGS = {
    2: "the settings are wrong",
    20: "nothing could be judged",
    21: "a decided change could not be edited",
    30: "the forge said no",
    31: "the forge was busy",
    40: "a guardrail tripped: somebody has to look",
}


def render(report: Report, prometheus: str = "") -> str:
    """Return the document. `prometheus`: its address for people, for links; "" = none."""
    judged = worst_first(report.workloads)
    told = [one for one in judged if one.incident is not None]
    queries = Queries(prometheus, report.at)
    anchors = {id(one): f"i{place}" for place, one in enumerate(told, 1)}
    sections, spent = [], 0
    for one in told:
        made = incident.section(one, anchors[id(one)], report.at, queries)
        spent += len(html(made).encode("utf-8", "replace"))
        if spent > MAX_BYTES:
            break
        sections.append(made)
    full = {id(one): anchors[id(one)] for one in told[: len(sections)]}
    return shell.page(
        f"aiops, {moment(report.at)}",
        *_head(report, told),
        *_problems(report),
        el("h2", "Fleet"),
        _fleet(judged, full),
        *([el("h2", "Incidents"), _key(), *sections] if sections else []),
        _left_out(len(told) - len(sections)),
        *outcomes.sections(report),
        *_unresolved(report),
        *_ahead(report),
        *_drift(judged),
        *_guardrails(report),
        *queries.listed(),
        _foot(report),
    )


def headline(report: Report, told: list[Judged]) -> str:
    """Return the run in one sentence."""
    if not report.workloads:
        return "Nothing could be judged"
    firing = sum(1 for one in told if one.incident is not None and one.incident.state == "firing")
    proposed = sum(1 for one in told if one.decision is not None and one.decision.action != "hold")
    if not told:
        return "Nothing out of the ordinary"
    held = firing - proposed
    parts = [count(firing, "incident") if firing else f"{count(len(told), 'incident')} pending"]
    if proposed:
        parts.append(f"{count(proposed, 'change')} proposed")
    if firing and held > 0:
        parts.append(f"{held} held")
    return ", ".join(parts)


def _head(report: Report, told: list[Judged]) -> list[Child]:
    counts = Counter(one.verdict for one in report.workloads)
    tiles = [
        el(
            "div",
            el("b", f"{counts[verdict]:,}"),
            el("span", shown(verdict, MAX_NAME)),
            class_="tile bad" if _TONES.get(verdict) == "bad" else "tile",
        )
        for verdict in (*_TONES, *sorted(set(counts) - set(_TONES)))
        if counts[verdict]
    ]
    window = report.window
    span = "" if window is None else f", judged from {moment(window.start)} at steps of {window.step_s} s"
    return [
        el("p", "aiops report", class_="dim small"),
        el("h1", headline(report, told)),
        el("p", f"{count(len(report.workloads), 'workload')} as of {moment(report.at)}{span}", class_="dim"),
        el("div", *tiles, class_="tiles") if tiles else None,
    ]


def _problems(report: Report) -> list[Child]:
    notes: list[Child] = [
        el(
            "div",
            el("b", shown(error.where + ": " if error.where else "", MAX_NAME) + " " + shown(error.message)),
            el("div", f"What to do: {shown(error.todo)}") if error.todo else None,
            class_="note",
        )
        for error in report.errors[:20]
    ]
    meaning = _MEANINGS.get(report.exit_code)
    if meaning and not notes:
        notes.append(el("div", f"Exit code {report.exit_code}: {meaning}.", class_="note warn"))
    return notes


def _fleet(judged: list[Judged], anchors: dict[int, str]) -> Element:
    head = el(
        "tr",
        el("th", "Workload"),
        el("th", "Verdict"),
        el("th", "Score", class_="num"),
        el("th", "Decision"),
        el("th", "Why"),
    )
    rows = [_row(one, anchors.get(id(one))) for one in judged[:MAX_ROWS]]
    if len(judged) > MAX_ROWS:
        rows.append(
            el("tr", el("td", f"and {len(judged) - MAX_ROWS:,} more, none of them worse", colspan="5"))
        )
    return el("table", el("thead", head), el("tbody", *rows), class_="fleet")


def _row(one: Judged, anchor: str | None) -> Element:
    name = shown(str(one.workload), MAX_NAME)
    why = el("td", shown(one.reason, 240), class_="why")
    pull = incident.pull_link(one.pull_request) if one.pull_request and one.pull_request.url else None
    if pull is not None:
        why.append(el("div", pull))
    return el(
        "tr",
        el("td", el("a", name, href=f"#{anchor}") if anchor else name, class_="name"),
        el(
            "td",
            el("span", shown(one.verdict, MAX_NAME), class_=f"badge {_TONES.get(one.verdict, '')}".strip()),
        ),
        el("td", rated(one.score), class_="num"),
        el("td", incident.action_badge(one.decision, None)),
        why,
    )


def _key() -> Element:
    return drawing.key(
        ("observed", "observed"),
        ("expected", "expected"),
        ("band", "within what is expected (score up to 1)"),
        after="; times are UTC",
    )


def _left_out(number: int) -> Element | None:
    if number <= 0:
        return None
    return el(
        "p", f"{count(number, 'more incident')} in the table above only; the JSON report has them in full."
    )


def _unresolved(report: Report) -> list[Child]:
    if not report.unresolved:
        return []
    items = [
        el(
            "li",
            el("b", f"{shown(str(one.workload), MAX_NAME)} {shown(one.what, MAX_NAME)}"),
            f": {shown(one.reason)} ",
            el("code", shown(one.todo, MAX_NAME)),
        )
        for one in report.unresolved[:100]
    ]
    return [el("h2", "No place to edit"), el("ul", *items)]


def _ahead(report: Report) -> list[Child]:
    items = [
        el(
            "li",
            el(
                "b",
                shown("/".join(part for part in (one.cluster, one.namespace, one.subject) if part), MAX_NAME),
            ),
            f": {shown(one.what, MAX_NAME)} reaches {shown(measured(one.bound, one.unit))} "
            f"at {moment(one.at)} if it goes on, now {shown(measured(one.value, one.unit))}",
        )
        for one in report.outlook[:100]
    ]
    return [el("h2", "Running into a bound"), el("ul", *items)] if items else []


def _drift(judged: list[Judged]) -> list[Child]:
    items = []
    for one in judged:
        for drift in one.drift.signals if one.drift else ():
            pace = "" if drift.per_day is None else f" {drift.per_day:+.1%} a day"
            levels = f"{measured(drift.old, drift.unit)} → {measured(drift.new, drift.unit)}"
            told = f": {shown(drift.signal, MAX_NAME)}{pace} since {moment(drift.since)}, {shown(levels)}"
            items.append(el("li", el("b", shown(str(one.workload), MAX_NAME)), told))
    return [el("h2", "Slow drift"), el("ul", *items[:100])] if items else []


def _guardrails(report: Report) -> list[Child]:
    items = [
        el(
            "li",
            el(
                "span",
                shown(one.state, MAX_NAME),
                class_="badge bad" if one.state == "tripped" else "badge good",
            ),
            f" {shown(one.id, MAX_NAME)}: {shown(str(one.value))} (limit {shown(str(one.limit))})",
        )
        for one in sorted(report.guardrails, key=lambda one: one.state != "tripped")[:40]
    ]
    return [el("h2", "Guardrails"), el("ul", *items)] if items else []


def _foot(report: Report) -> Element:
    return el(
        "footer",
        el(
            "p",
            "aiops only proposes: a person merges. Score 1 is the edge of what is expected. "
            f"Exit code {report.exit_code}. This page fetches nothing and runs no script.",
        ),
        class_="dim small",
    )
