"""Two errors of each signal side by side as bars, as inline SVG: the forecaster's and seasonal-naive's.

A name stands above its bars and not beside them, so that both can be read on a phone.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

from aiops.page.drawing import WIDTH
from aiops.page.tree import Element, el, shown
from aiops.page.words import plain

_ROW, _BAR, _NUMBERS, _NAME = 46, 10, 52, 34


class Pair(NamedTuple):
    """One row: two errors, lower is better."""

    name: str
    ours: float
    naive: float


def drawing(what: str, pairs: Sequence[Pair]) -> Element | None:
    """Return the bars, None when there is nothing to draw. `what`: which error it is."""
    known = [one for one in pairs if math.isfinite(one.ours) and math.isfinite(one.naive)]
    longest = max((max(one.ours, one.naive) for one in known), default=0.0)
    if longest <= 0:
        return None
    svg = el("svg", viewBox=f"0 0 {WIDTH} {len(known) * _ROW}", role="img", class_="chart bars")
    svg.append(el("title", f"{what}: the forecaster and seasonal-naive"))
    for place, one in enumerate(known):
        top = place * _ROW
        better = one.ours < one.naive
        tone = "good" if better else "bad"
        told = f"{'lower' if better else 'not lower'}, {_compared(one)}"
        svg.append(el("text", shown(one.name, _NAME), x="0", y=str(top + 12), class_="start mark"))
        svg.append(el("text", told, x=str(WIDTH), y=str(top + 12), class_=f"end {tone}"))
        for line, (value, class_) in enumerate(((one.ours, "ours"), (one.naive, "naive"))):
            y = top + 18 + line * (_BAR + 1)
            width = max(value / longest * (WIDTH - _NUMBERS), 0.5)
            svg.append(
                el("rect", x="0", y=str(y), width=f"{width:.1f}", height=str(_BAR), rx="1.5", class_=class_)
            )
            svg.append(
                el("text", plain(value), x=f"{width + 5:.1f}", y=str(y + _BAR - 1), class_="start figure")
            )
    return svg


def _compared(one: Pair) -> str:
    if one.naive <= 0:
        return "of no error"
    return f"x{one.ours / one.naive:.2f}"
