"""The page of a model: what it learned from, and whether it learned anything.

Comes in: the card, and what was measured on days that were held out. Goes out: one HTML document for
people. Nothing reads it back, and no wall time is on it: the same history gives the same page.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Sequence

from aiops.detect.held_out import Day, HeldOut, OfSignal
from aiops.detect.model import Card
from aiops.domain import FloatArray, Workload
from aiops.page import bars, drawing, shell
from aiops.page.document import Series
from aiops.page.tree import MAX_NAME, Child, Element, el, shown
from aiops.page.words import count, plain

MAX_WORKLOADS = 400
_DAY_S = 86_400
_NO_DAY = (
    "No whole day with samples was left to hold out, so nothing is drawn: whether this model learned "
    "anything is not known."
)
_HELD_OUT = ", held out: they chose when to stop and the thresholds, and no weight was fitted to them"
_NOT_BETTER = (
    "On these days “as yesterday at this time” was no worse, by at least one of the two errors. More history "
    "(aiops train --from) may help."
)
_ERRORS = (
    "Both forecast the same held-out days. Seasonal-naive says “as yesterday at this time”; the forecaster "
    "looks 30 to 60 minutes ahead. Errors are in scales of each series, 1 being how much it usually varies. "
    "Pinball loss counts how well the band of 5 % to 95 % fits, too. It beats where both are lower."
)
_RULE = (
    "Chosen by a rule that flatters nobody: of all held-out days of all workloads the one in the middle. "
    "Half were forecast better, half worse (by absolute error; days without half of their samples aside). "
    "An anomaly lies further out than the band, at the threshold of its signal."
)


def render(card: Card, held: HeldOut | None, workloads: Sequence[Workload], judged_on: str = "") -> str:
    """Return the document. `workloads`: those that were learned from. `judged_on`: whose days, if others'."""
    return shell.page(
        f"aiops model {shown(card.name, MAX_NAME)}",
        el("p", "aiops model card", class_="dim small"),
        el("h1", headline(card, held)),
        *_learned(card, held, judged_on),
        *([el("p", _NO_DAY, class_="note warn")] if held is None else [*_errors(held), *_days(held)]),
        el("h2", "How it was made"),
        _settings(card),
        _names(workloads),
        _foot(),
    )


def headline(card: Card, held: HeldOut | None) -> str:
    """Return in one sentence whether the model learned anything."""
    name = shown(card.name, MAX_NAME)
    if held is None:
        return f"{name} was not judged"
    return f"{name} {_verdict(held.errors.beats_seasonal_naive)} seasonal-naive"


def _verdict(beats: bool) -> str:  # noqa: FBT001 - the one thing that is said
    return "beats" if beats else "does not beat"


def _learned(card: Card, held: HeldOut | None, judged_on: str) -> list[Child]:
    """Say what was learned from and when it was judged."""
    data = card.data
    start_s, end_s = _number(data.get("from_s")), _number(data.get("to_s"))
    days = None if start_s is None or end_s is None else (end_s - start_s) / _DAY_S
    tiles = (
        _tile(_number(data.get("workloads")), "workloads", "{:,.0f}"),
        _tile(days, "days of history", "{:.0f}"),
        None
        if held is None
        else _tile(held.days, "held-out day" if held.days == 1 else "held-out days", "{:.0f}"),
        _tile(_number(data.get("flagged_share")), "left out as incidents", "{:.2%}"),
    )
    span = "" if start_s is None or end_s is None else f" of {_date(start_s)} to {_date(end_s)}"
    step, seed = plain(_number(data.get("step_s"))), plain(_number(card.training.get("seed")))
    judged = "" if held is None else f" Judged on {_span(held)}{judged_on or _HELD_OUT}."
    told = f"Learned from the history{span}, at steps of {step} s, with seed {seed}.{judged}"
    return [el("div", *tiles, class_="tiles"), el("p", told)]


def _errors(held: HeldOut) -> list[Child]:
    rows = [("all signals", held.errors), *((one.signal.name, one.errors) for one in held.signals)]
    absolute = [bars.Pair(name, one.mae, one.mae_seasonal_naive) for name, one in rows]
    pinball = [bars.Pair(name, one.pinball, one.pinball_seasonal_naive) for name, one in rows]
    pictures = [
        el("figure", el("figcaption", el("b", name)), bars.drawing(name, pairs))
        for name, pairs in (("Absolute error", absolute), ("Pinball loss", pinball))
    ]
    return [
        el("h2", "Held-out error"),
        el("p", _beaten(held.signals), class_="lead"),
        None if held.errors.beats_seasonal_naive else el("p", _NOT_BETTER, class_="note warn"),
        el("p", _ERRORS),
        drawing.key(("ours", "forecaster"), ("naive", "seasonal-naive"), after="; lower is better"),
        el("div", *pictures, class_="charts"),
    ]


def _beaten(signals: Sequence[OfSignal]) -> str:
    """Say for which signals it beats seasonal-naive, and for which it does not."""
    beaten = [one for one in signals if one.errors.beats_seasonal_naive]
    others = [shown(one.signal.name, MAX_NAME) for one in signals if not one.errors.beats_seasonal_naive]
    if not others:
        return f"It beats seasonal-naive for each of {count(len(beaten), 'signal')}."
    if not beaten:
        return f"It does not beat seasonal-naive for any of {count(len(others), 'signal')}."
    kept = f"It beats seasonal-naive for {len(beaten)} of {len(signals)} signals"
    return f"{kept}; it does not beat it for {', '.join(others)}."


def _days(held: HeldOut) -> list[Child]:
    return [
        el("h2", "A held-out day of each signal"),
        el("p", _RULE),
        drawing.key(
            ("observed", "observed"),
            ("expected", "forecast"),
            ("band", "its band, for nine of ten values"),
            after="; times are UTC; a gap: no sample, or left out as an incident",
        ),
        el("div", *(_day(one) for one in held.signals), class_="charts"),
    ]


def _day(one: OfSignal) -> Element:
    name = el("b", shown(one.signal.name, MAX_NAME))
    day = one.typical
    picture = None if day is None else drawing.drawing(_series(one, day), None)
    if day is None or picture is None:
        return el("figure", el("figcaption", name, ": no held-out day with half of its samples"))
    unit = "%" if one.signal.unit.startswith("ratio") else one.signal.unit
    where = f" in {shown(unit, MAX_NAME)}, {shown(str(day.workload), MAX_NAME)}, {_date(day.start_s)}"
    middle = f"absolute error {plain(day.error)}, in the middle of {count(one.days, 'workload-day')}"
    told = f"{middle}; {one.inside:.0%} of all values are in the band"
    return el("figure", el("figcaption", name, where, el("div", told, class_="dim")), picture)


def _series(one: OfSignal, day: Day) -> Series:
    observed, expected, lower, upper = map(_line, (day.observed, day.expected, day.lower, day.upper))
    start = f"{_date(day.start_s)}T00:00:00Z"
    return Series(one.signal.name, one.signal.unit, day.step_s, observed, expected, lower, upper, start=start)


def _line(values: FloatArray) -> tuple[float | None, ...]:
    return tuple(value if math.isfinite(value) else None for value in values.tolist())


def _settings(card: Card) -> Element:
    """Return what else the card says, as it says it."""
    told = {"name": card.name, "sha256": card.sha256[:12], "hidden": card.hidden, "head": card.head}
    rows = [
        el("tr", el("td", el("code", shown(key, MAX_NAME)), class_="name"), el("td", _told(value)))
        for key, value in [*told.items(), *card.data.items(), *card.training.items()]
    ]
    summary = el("summary", f"What {shown(card.name, MAX_NAME)} was made from, as its card says")
    return el("details", summary, el("table", el("tbody", *rows)))


def _told(value: object) -> str:
    return shown(", ".join(map(str, value)) if isinstance(value, list) else str(value), MAX_NAME)


def _names(workloads: Sequence[Workload]) -> Element | None:
    if not workloads:
        return None
    items = [el("li", shown(str(one), MAX_NAME)) for one in sorted(workloads)[:MAX_WORKLOADS]]
    left = len(workloads) - MAX_WORKLOADS
    more = el("li", f"and {left:,} more") if left > 0 else None
    return el("details", el("summary", "The workloads it learned from"), el("ul", *items, more))


def _foot() -> Element:
    told = "For people: aiops reads card.json, never this page. It fetches nothing and runs no script."
    return el("footer", el("p", told), class_="dim small")


def _tile(value: float | None, name: str, form: str) -> Element | None:
    return None if value is None else el("div", el("b", form.format(value)), el("span", name), class_="tile")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _span(held: HeldOut) -> str:
    first, last = _date(held.from_s), _date(held.to_s - _DAY_S)
    return first if held.days == 1 else f"{held.days} days, {first} to {last}"


def _date(at_s: float) -> str:
    return dt.datetime.fromtimestamp(at_s, dt.UTC).strftime("%Y-%m-%d")
