"""One section for each incident: the decision, the picture, the evidence, and every rule asked."""

from __future__ import annotations

from collections.abc import Sequence

from aiops.page.document import Decision, Diagnosis, Evidence, Incident, Judged, Pull, Workload
from aiops.page.drawing import caption, drawing
from aiops.page.queries import Queries
from aiops.page.tree import MAX_NAME, Child, Element, el, link, shown
from aiops.page.words import ago, clock, count, measured, moment, rated, seconds

MAX_LISTED = 40  # lines of evidence, rules and the like; the JSON report has them all


def section(judged: Judged, anchor: str, now: str | None, queries: Queries) -> Element:
    """Return the section of one workload with an incident."""
    incident, diagnosis = judged.incident, judged.diagnosis
    assert incident is not None  # noqa: S101 - `page` asks for nothing else
    return el(
        "article",
        el("h3", shown(str(judged.workload), MAX_NAME)),
        _badges(judged, incident, now),
        _decided(judged),
        _charts(incident),
        *([_broken(incident)] if not incident.series else []),
        *(_explained(diagnosis, judged.workload, queries) if diagnosis else []),
        id=anchor,
    )


def action_badge(decision: Decision | None, pull: Pull | None) -> Element | None:
    """Return what was decided as a coloured word."""
    if decision is None:
        return None
    if decision.action == "hold":
        return el("span", "hold", class_="badge")
    state = f", {pull.state}" if pull else ""
    return el("span", shown(decision.action + state, MAX_NAME), class_="badge info")


def pull_link(pull: Pull | None) -> Element | None:
    """Return the way to the pull request, its branch where there is no address."""
    if pull is None:
        return None
    name = "pull request" if pull.number is None else f"pull request #{pull.number}"
    if pull.url is None:
        return el("span", f"{name}, branch ", _code(pull.branch))
    return link(name, pull.url)


def _badges(judged: Judged, incident: Incident, now: str | None) -> Element:
    lasted = ago(incident.onset, now)
    since = f"since {moment(incident.onset)}" + (f" ({lasted})" if lasted else "")
    familiar = incident.familiar
    return el(
        "div",
        el(
            "span",
            shown(incident.state, MAX_NAME),
            class_="badge bad" if incident.state == "firing" else "badge warn",
        ),
        action_badge(judged.decision, judged.pull_request),
        el("span", shown(judged.diagnosis.cause, MAX_NAME), class_="badge") if judged.diagnosis else None,
        el("span", shown(familiar.kind, MAX_NAME), class_="badge") if familiar else None,
        el("span", since, class_="dim small"),
        el("span", f"score {rated(judged.score)} by {shown(judged.scorer, MAX_NAME)}", class_="dim small"),
        class_="badges",
    )


def _decided(judged: Judged) -> Element:
    decision, pull = judged.decision, judged.pull_request
    if decision is None:
        return el("p", shown(judged.reason), class_="lead")
    told = el("div")
    what = "No change is proposed" if decision.action == "hold" else _change(decision)
    told.append(el("p", el("b", what), f": {shown(decision.reason)}", class_="lead"))
    if judged.reason != decision.reason:
        told.append(el("p", shown(judged.reason)))
    for edit in decision.edits[:MAX_LISTED]:
        told.append(
            el(
                "div",
                el("div", _code(edit.file), class_="small"),
                el(
                    "div",
                    _code(edit.path),
                    ": ",
                    el("del", _code(edit.old or "")),
                    " → ",
                    el("ins", _code(edit.new or "")),
                ),
                class_="edit",
            )
        )
    if pull is not None:
        told.append(el("p", pull_link(pull), f" ({shown(pull.state, MAX_NAME)})"))
    told.append(el("p", f"Decided by rule {shown(decision.rule, MAX_NAME)}.", class_="dim small"))
    return told


def _change(decision: Decision) -> str:
    named = {"scale": "Scale", "rollback": "Roll back"}.get(decision.action, shown(decision.action, MAX_NAME))
    old, new = shown(str(decision.old), MAX_NAME), shown(str(decision.new), MAX_NAME)
    return f"{named} {shown(decision.field or '', MAX_NAME)} {old} → {new}"


def _charts(incident: Incident) -> Element | None:
    onset_s = seconds(incident.onset)
    charts = el("div", class_="charts")
    for series in incident.series[:3]:
        svg = drawing(series, onset_s)
        if svg is not None:
            head = el("figcaption", el("b", shown(series.signal, MAX_NAME)), f" {shown(caption(series))}")
            charts.append(el("figure", head, svg))
    return charts if len(charts) else None


def _broken(incident: Incident) -> Element | None:
    """Return the signals as text, for a report that holds no series."""
    if not incident.signals:
        return None
    return el(
        "ul",
        *(
            el(
                "li",
                f"{shown(one.signal, MAX_NAME)}: {shown(measured(one.observed, one.unit))}, "
                f"expected {shown(measured(one.expected, one.unit))}",
            )
            for one in incident.signals[:MAX_LISTED]
        ),
    )


def _explained(diagnosis: Diagnosis, own: Workload, queries: Queries) -> list[Child]:
    parts = _impact(diagnosis, own)
    if diagnosis.evidence:
        parts += [el("h4", "Evidence"), _evidence(diagnosis.evidence, queries)]
    if diagnosis.against:
        parts += [el("h4", "Why this could be wrong"), _evidence(diagnosis.against, queries)]
    for title, lines in (("Ruled out", diagnosis.ruled_out), ("Not measured", diagnosis.missing)):
        if lines:
            parts += [el("h4", title), el("ul", *(el("li", shown(line)) for line in lines[:MAX_LISTED]))]
    if diagnosis.rules:
        parts.append(_rules(diagnosis))
    return parts


def _impact(diagnosis: Diagnosis, own: Workload) -> list[Child]:
    impact, lines = diagnosis.impact, []
    if impact is not None:
        if impact.share_failing is not None:
            lines.append(f"{measured(impact.share_failing, 'ratio')} of requests fail")
        if impact.share_slow is not None:
            lines.append(f"{measured(impact.share_slow, 'ratio')} are slow")
        if impact.growing:
            lines.append("growing")
        if impact.callers:
            lines.append(f"called by {', '.join(shown(one, MAX_NAME) for one in impact.callers[:8])}")
    if diagnosis.root is not None and diagnosis.root != own:
        lines.append(f"explained by {shown(str(diagnosis.root), MAX_NAME)}")
    if diagnosis.place:
        lines.append(shown(diagnosis.place))
    return [el("h4", "Impact"), el("p", "; ".join(lines))] if lines else []


def _evidence(listed: Sequence[Evidence], queries: Queries) -> Element:
    rows = [
        el(
            "tr",
            el("td", shown(one.claim)),
            el("td", "" if one.value is None else shown(measured(one.value, one.unit)), class_="num"),
            el("td", _time(one.at), class_="num dim"),
            el("td", queries.refer(one.query), class_="num"),
        )
        for one in listed[:MAX_LISTED]
    ]
    head = el(
        "tr",
        el("th", "Claim"),
        el("th", "Value", class_="num"),
        el("th", "At", class_="num"),
        el("th", "Query", class_="num"),
    )
    return el("table", el("thead", head), el("tbody", *rows), class_="told")


def _rules(diagnosis: Diagnosis) -> Element:
    rows = [
        el(
            "tr",
            el("td", el("code", shown(asked.rule, MAX_NAME))),
            el(
                "td",
                el("span", "holds", class_="badge info") if asked.holds else el("span", "no", class_="dim"),
            ),
            el("td", shown(asked.answer), class_="why"),
        )
        for asked in diagnosis.rules[: 2 * MAX_LISTED]
    ]
    head = el("tr", el("th", "Rule"), el("th", "Holds"), el("th", "Answer"))
    return el(
        "details",
        el("summary", f"Every rule that was asked, in order ({count(len(diagnosis.rules), 'rule')})"),
        el("table", el("thead", head), el("tbody", *rows), class_="rules"),
    )


def _time(text: str | None) -> str:
    at_s = seconds(text)
    return "" if at_s is None else clock(at_s)


def _code(text: str) -> Element:
    return el("code", shown(text, MAX_NAME))
