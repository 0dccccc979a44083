"""The page of a backtest: what would have been proposed, when, whether it was right, and at which threshold.

Comes in: a `Backtest`. Goes out: one HTML document that asks for nothing.
"""

from __future__ import annotations

from collections import Counter
from statistics import median

from aiops.page import calendar, calibrated, shell
from aiops.page.replayed import Act, Backtest, Proposed
from aiops.page.tree import MAX_NAME, Child, Element, el, shown
from aiops.page.words import count, moment, plain, seconds

MAX_ROWS = 400
_WEEK_S = 7 * 86_400
_ANSWERS = {"same": "did the same", "other": "did otherwise", "none": "let it be", "early": "have a day"}
_RULINGS = ("right", "wrong", "unknown")


def render(found: Backtest) -> str:
    """Return the document."""
    days = calendar.drawing(found.proposals[:MAX_ROWS], found.start, found.to)
    return shell.page(
        f"aiops backtest, {moment(found.start)} to {moment(found.to)}",
        *_head(found),
        *([el("h2", "Calendar"), _key(), el("figure", days)] if days is not None else []),
        *_actions(found),
        *_proposals(found),
        *_thresholds(found),
        *_calibration(found),
        *_acts(found),
        _foot(),
    )


def headline(found: Backtest) -> str:
    """Return the backtest in one sentence."""
    number = len(found.proposals)
    if not number:
        calm = found.unusable < found.runs
        return "Nothing would have been proposed" if calm else "No run had usable data"
    ruled = Counter(one.verdict.ruling for one in found.proposals)
    parts = [f"{ruled[name]:,} {name}" for name in _RULINGS if ruled[name]]
    return f"{count(number, 'proposal')}: {', '.join(parts)}"


def span(found: Backtest) -> str:
    """Return from when to when, and how many runs had nothing to judge."""
    runs = count(found.runs, "run" if found.plans is None else "plan")
    unusable = f", {found.unusable:,} of them without usable data" if found.unusable else ""
    return f"{runs} from {moment(found.start)} to {moment(found.to)}{unusable}"


def _head(found: Backtest) -> list[Child]:
    ruled = Counter(one.verdict.ruling for one in found.proposals)
    weeks = _weeks(found)
    tiles = [(f"{len(found.proposals) / weeks:.1f}", "reviews a week", "")] if weeks else []
    tiles += [
        (f"{ruled[name]:,}", name, "bad" if name == "wrong" and ruled[name] else "") for name in _RULINGS
    ]
    judged = ruled["right"] + ruled["wrong"]
    tiles += [(f"{ruled['right'] / judged:.0%}", "precision", "")] if judged else []
    return [
        el("p", "aiops backtest", class_="dim small"),
        el("h1", headline(found)),
        el("p", span(found), class_="dim"),
        el(
            "div",
            *(
                el("div", el("b", value), el("span", name), class_=f"tile {tone}".strip())
                for value, name, tone in tiles
            ),
            class_="tiles",
        ),
    ]


def _weeks(found: Backtest) -> float:
    start_s, end_s = seconds(found.start), seconds(found.to)
    return max((end_s - start_s) / _WEEK_S, 0.0) if start_s is not None and end_s is not None else 0.0


def _key() -> Element:
    def mark(letter: str, tone: str) -> Element:
        square = el("rect", x="0.5", y="0.5", width="15", height="15", rx="3", class_=tone)
        text = el("text", letter, x="8", y="12", class_=f"mid {tone}")
        return el("svg", square, text, viewBox="0 0 16 16", class_="chart square", aria_hidden="true")

    return el(
        "p",
        *(mark("R", "good"), "right ", mark("R", "bad"), "wrong ", mark("R", "unsure"), "unknown. "),
        "R puts an image back, S asks for more capacity. Days are UTC.",
        class_="small dim squares",
    )


def _proposals(found: Backtest) -> list[Child]:
    if not found.proposals:
        return []
    names = ("Opened", "Workload", "Change", "After onset", "Ended", "People", "Verdict")
    rows = [_row(place, one) for place, one in enumerate(found.proposals[:MAX_ROWS], 1)]
    left = len(found.proposals) - MAX_ROWS
    if left > 0:
        rows.append(el("tr", el("td", f"and {left:,} more in the JSON document", colspan=str(len(names)))))
    head = el("thead", el("tr", *(el("th", name) for name in names)))
    return [el("h2", "Proposals"), el("table", head, el("tbody", *rows), class_="fleet told proposals")]


def _row(place: int, one: Proposed) -> Element:
    tone = calendar.TONES.get(one.verdict.ruling, "")
    people = _ANSWERS.get(one.people.answer, shown(one.people.answer, 40))
    if one.people.at is not None:
        people += f" ({shown(one.people.value, 60)}) after {_apart(one.opened, one.people.at)}"
    ended = (
        "still open"
        if one.ended is None
        else f"{shown(one.outcome, 40)} after {_apart(one.opened, one.ended)}"
    )
    return el(
        "tr",
        el("td", moment(one.opened)),
        el("td", shown(str(one.workload), MAX_NAME), class_="name"),
        el(
            "td",
            f"{shown(one.field, 40)} {shown(one.old, 80)} → {shown(one.new, 80)}",
            title=shown(one.reason),
        ),
        el("td", _apart(one.onset, one.opened), data_label="after onset"),
        el("td", ended, data_label="ended"),
        el("td", people, data_label="people"),
        el(
            "td",
            el("span", shown(one.verdict.ruling, 20), class_=f"badge {tone}".strip()),
            f" {shown(one.verdict.why, 200)}",
            class_="why",
        ),
        id=f"p{place}",
    )


def _apart(start: str | None, end: str | None) -> str:
    start_s, end_s = seconds(start), seconds(end)
    if start_s is None or end_s is None or end_s < start_s:
        return "-"
    gap = end_s - start_s
    return f"{gap / 60:.0f} min" if gap < 7_200 else f"{gap / 3_600:.1f} h"


def _actions(found: Backtest) -> list[Child]:
    names = sorted({one.action for one in found.proposals})
    rows = []
    for name in names[:10]:
        those = [one for one in found.proposals if one.action == name]
        ruled = Counter(one.verdict.ruling for one in those)
        judged = ruled["right"] + ruled["wrong"]
        known = [one for one in those if one.people.answer != "early"]
        same = sum(one.people.answer == "same" for one in known)
        delays = [
            opened - onset
            for one in those
            if (opened := seconds(one.opened)) is not None and (onset := seconds(one.onset)) is not None
        ]
        cells = (
            f"{len(those):,}",
            f"{same} of {len(known)}",
            *(f"{ruled[ruling]:,}" for ruling in _RULINGS),
            f"{ruled['right'] / judged:.0%}" if judged else "-",
            f"{median(delays) / 60:.0f} min" if delays else "-",
        )
        rows.append(
            el(
                "tr",
                el("td", shown(name, 40), class_="name"),
                *(el("td", cell, class_="num") for cell in cells),
            )
        )
    if not rows:
        return []
    heads = ("Proposals", "People did so", "Right", "Wrong", "Unknown", "Precision", "After onset")
    return [el("h2", "By action"), _figures("Action", heads, rows)]


def _figures(first: str, heads: tuple[str, ...], rows: list[Element]) -> Element:
    """Return a table of numbers. It may be wider than a phone: then it alone scrolls."""
    head = el("tr", el("th", first), *(el("th", name, class_="num") for name in heads))
    table = el("table", el("thead", head), el("tbody", *rows), class_="figures")
    return el("div", table, class_="wide", tabindex="0")


def _thresholds(found: Backtest) -> list[Child]:
    if not found.thresholds:
        return []
    chosen = found.budget.threshold if found.budget else None
    rows = []
    for one in found.thresholds[:40]:
        left = [each for each in found.proposals if each.strength is None or each.strength >= one.threshold]
        ruled = Counter(each.verdict.ruling for each in left)
        exact = len(left) == one.proposals  # strengths are cut to what the document holds
        cells = (
            f"{one.proposals:,}",
            plain(one.a_week),
            *(f"{ruled[name]:,}" if exact else "-" for name in _RULINGS),
        )
        name = f"{one.threshold:g}" + (" (meets the wish)" if one.threshold == chosen else "")
        rows.append(
            el("tr", el("td", name, class_="name"), *(el("td", cell, class_="num") for cell in cells))
        )
    heads = ("Proposals", "A week", "Right", "Wrong", "Unknown")
    wish = f" At most {plain(found.budget.a_week)} a week were wished for." if found.budget else ""
    return [
        el("h2", "Thresholds"),
        el(
            "p",
            f"What a higher threshold would have left. Scores choose it; verdicts stand beside it.{wish}",
            class_="dim",
        ),
        _figures("Threshold", heads, rows),
    ]


def _calibration(found: Backtest) -> list[Child]:
    if found.calibration is None:
        return []
    picture = calibrated.drawing(found.calibration)
    if picture is None:
        return []
    return [
        el("h2", "Calibration"),
        el("p", calibrated.told(found.calibration), class_="dim"),
        el(
            "figure",
            el("figcaption", "Share of days that reached a score: red observed, dashed promised at 1"),
            picture,
        ),
    ]


def _acts(found: Backtest) -> list[Child]:
    items = [
        el("li", el("b", shown(str(one.workload), MAX_NAME)), _act(one))
        for one in found.rollbacks_by_people[:100]
    ]
    return [el("h2", "What people rolled back"), el("ul", *items)] if items else []


def _act(one: Act) -> str:
    ahead = "never proposed" if one.ahead_s is None else f"proposed {one.ahead_s / 60:.0f} min earlier"
    return f" {shown(one.old, 80)} → {shown(one.new, 80)} at {moment(one.at)}, {ahead}"


def _foot() -> Element:
    text = (
        "Right: people did the same and it was calm within two hours. Wrong: it went on, another value ended"
        " it, or it ended by itself with the blamed image in place or before anybody could have merged."
        " This page fetches nothing and runs no script."
    )
    return el("footer", el("p", text), class_="dim small")
