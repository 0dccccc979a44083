"""Proposals on a calendar, a row a week, as inline SVG: when they would have come, and what they were.

A square is a proposal: R rollback, S more capacity; its colour is the verdict, its link the row below.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence

from aiops.page.replayed import Proposed
from aiops.page.tree import Element, el, shown
from aiops.page.words import moment, seconds

MAX_WEEKS = 60
_DAY_S = 86_400
_WIDTH, _CELL, _ROW, _TOP = 364, 52, 54, 18
_SIDE, _GAP, _ACROSS = 15, 2, 3
_MOST = 5  # squares of one day; the sixth place says how many more there are
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
TONES = {"right": "good", "wrong": "bad"}


def drawing(proposals: Sequence[Proposed], start: str, end: str) -> Element | None:
    """Return the calendar from the first to the last run (UTC), None when there is nothing to draw."""
    start_s, end_s = seconds(start), seconds(end)
    if start_s is None or end_s is None or not start_s <= end_s:
        return None
    first, last = start_s // _DAY_S, max(start_s, end_s - 1) // _DAY_S
    monday = first - (first + 3) % 7  # 1970-01-01 was a Thursday
    weeks = (last - monday) // 7 + 1
    if weeks > MAX_WEEKS:
        return None
    by_day: dict[int, list[int]] = defaultdict(list)
    for place, one in enumerate(proposals):
        opened_s = seconds(one.opened)
        if opened_s is not None and first <= opened_s // _DAY_S <= last:
            by_day[opened_s // _DAY_S].append(place)
    svg = el("svg", viewBox=f"0 0 {_WIDTH} {_TOP + weeks * _ROW + 1}", role="img", class_="chart calendar")
    svg.append(el("title", f"Proposals a day, {moment(start)} to {moment(end)}"))
    for column, name in enumerate(_DAYS):
        svg.append(el("text", name, x=str(column * _CELL + 3), y="12", class_="start"))
    for day in range(first, last + 1):
        row, column = divmod(day - monday, 7)
        date = dt.datetime.fromtimestamp(day * _DAY_S, dt.UTC)
        name = f"{date.day} {date:%b}" if day == first or date.day == 1 else str(date.day)
        x, y = column * _CELL, _TOP + row * _ROW
        svg.append(el("rect", x=str(x), y=str(y), width=str(_CELL), height=str(_ROW), class_="day"))
        svg.append(el("text", name, x=str(x + 3), y=str(y + 13), class_="start"))
        svg.extend(_squares(x, y, by_day.get(day, []), proposals))
    return svg


def _squares(x: int, y: int, places: Sequence[int], proposals: Sequence[Proposed]) -> list[Element]:
    found = [
        _square(place, proposals[place], x + 2 + at % _ACROSS * (_SIDE + _GAP), _down(y, at))
        for at, place in enumerate(places[:_MOST])
    ]
    if len(places) > _MOST:
        left = f"+{len(places) - _MOST:,}"
        found.append(el("text", left, x=str(x + _CELL - 3), y=str(_down(y, _MOST) + 12), class_="end mark"))
    return found


def _down(y: int, at: int) -> int:
    return y + 19 + at // _ACROSS * (_SIDE + _GAP)


def _square(place: int, one: Proposed, x: int, y: int) -> Element:
    tone = TONES.get(one.verdict.ruling, "unsure")
    what = f"{shown(one.action, 40)} {shown(str(one.workload), 120)}"
    told = f"{moment(one.opened)}: {what}, {shown(one.verdict.ruling, 20)}"
    return el(
        "a",
        el("title", told),
        el("rect", x=str(x), y=str(y), width=str(_SIDE), height=str(_SIDE), rx="3", class_=tone),
        el(
            "text",
            {"rollback": "R", "scale": "S"}.get(one.action, "?"),
            x=f"{x + _SIDE / 2:g}",
            y=str(y + 11),
            class_=f"mid {tone}",
        ),
        href=f"#p{place + 1}",
    )
