"""One signal around the onset as inline SVG: what was observed against the band that was expected.

Drawn at the width of a phone, so that its text can be read there; wide screens place several side by
side. Colours are classes: the style sheet knows light, dark and paper. A missing sample is a gap.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from aiops.page.document import Series
from aiops.page.tree import Element, add, el, shown
from aiops.page.words import clock, measured, plain, seconds

WIDTH, HEIGHT = 360, 176
_LEFT, _RIGHT, _TOP, _BOTTOM = 44, 8, 16, 20
_MAX_POINTS, _MAX_STEP_S = 400, 86_400  # a report of ours has 96 points

Line = Sequence[float | None]


@dataclass(frozen=True, slots=True)
class _Plot:
    """Where a point of `points` and a value in [low, high] lie in the picture."""

    points: int
    low: float
    high: float

    def x(self, place: float) -> float:
        return _LEFT + place / (self.points - 1) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return HEIGHT - _BOTTOM - share * (HEIGHT - _TOP - _BOTTOM)


def drawing(series: Series, onset_s: int | None) -> Element | None:
    """Return the picture of one signal, None when there is nothing to draw."""
    start_s, points = seconds(series.start), len(series.observed)
    lines = (series.observed, series.expected, series.lower, series.upper)
    if start_s is None or not 1 < points <= _MAX_POINTS or not 0 < series.step_s <= _MAX_STEP_S:
        return None
    if any(len(line) != points for line in lines):
        return None
    factor = 100.0 if series.unit.startswith("ratio") else 1.0
    observed, expected, lower, upper = ([_times(value, factor) for value in line] for line in lines)
    if all(value is None for value in observed):
        return None
    ticks = _ticks(*_range(observed, expected, lower, upper))
    plot = _Plot(points, ticks[0], ticks[-1])
    end_s = start_s + (points - 1) * series.step_s
    title = f"{series.signal}: observed against expected, {clock(start_s)} to {clock(end_s)} UTC"
    svg = el("svg", el("title", shown(title)), viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", class_="chart")
    for tick in ticks:
        y = plot.y(tick)
        svg.append(el("path", d=f"M{_LEFT} {y:.0f}H{WIDTH - _RIGHT}", class_="grid"))
        svg.append(el("text", plain(tick), x=str(_LEFT - 5), y=f"{y + 4:.0f}", class_="end"))
    for at_s in _hours(start_s, end_s):
        x = plot.x((at_s - start_s) / series.step_s)
        svg.append(el("text", clock(at_s), x=f"{x:.0f}", y=str(HEIGHT - 5), class_="mid"))
    svg.append(el("path", d=_area(lower, upper, plot), class_="band"))
    svg.append(el("path", d=_path(expected, plot), class_="expected"))
    svg.append(el("path", d=_path(observed, plot), class_="observed"))
    if onset_s is not None and start_s <= onset_s <= end_s:
        svg.extend(_onset(plot.x((onset_s - start_s) / series.step_s), onset_s))
    return svg


def _range(observed: Line, expected: Line, lower: Line, upper: Line) -> tuple[float, float]:
    """Return what the axis must hold. A band below zero of what is never below zero is cut there."""
    drawn = [value for line in (observed, expected) for value in line if value is not None]
    band = [value for line in (lower, upper) for value in line if value is not None]
    least = min([*drawn, *band])
    return (least if min(drawn) < 0 else max(least, 0.0)), max([*drawn, *band])


def _onset(x: float, onset_s: int) -> tuple[Element, Element]:
    side, offset = ("end", -4) if x > WIDTH * 0.6 else ("start", 4)
    line = el("path", d=f"M{x:.1f} {_TOP - 4}V{HEIGHT - _BOTTOM}", class_="onset")
    return line, el("text", f"onset {clock(onset_s)}", x=f"{x + offset:.0f}", y="11", class_=f"{side} mark")


def key(*told: tuple[str, str], after: str = "") -> Element:
    """Return what the marks mean: pairs of class and words, then a remark."""
    made = el("p", class_="small dim")
    for class_, words in told:
        line = class_ in ("observed", "expected")
        path = el("path", d="M0 5H24" if line else "M0 0H24V10H0Z", class_=class_)
        add(made, el("svg", path, viewBox="0 0 24 10", class_="key", aria_hidden="true"), words)
    return add(made, after)


def caption(series: Series) -> str:
    """Return the newest observation and what was expected of it, in words."""
    newest = next((place for place in range(len(series.observed) - 1, -1, -1) if _at(series, place)), None)
    if newest is None:
        return "no sample"
    told = measured(series.observed[newest], series.unit)
    wanted = series.expected[newest] if newest < len(series.expected) else None
    return told if wanted is None else f"{told}, expected {measured(wanted, series.unit)}"


def _at(series: Series, place: int) -> bool:
    return series.observed[place] is not None


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None or not math.isfinite(value) else value * factor


def _path(line: Line, plot: _Plot) -> str:
    """Return one path; a gap lifts the pen, a lone sample is a dot (round caps)."""
    pieces, down = [], False
    for place, value in enumerate(line):
        if value is None:
            down = False
            continue
        lone = not down and (place + 1 == len(line) or line[place + 1] is None)
        pieces.append(f"{'L' if down else 'M'}{plot.x(place):.1f} {plot.y(value):.1f}{'h0' if lone else ''}")
        down = True
    return "".join(pieces)


def _area(lower: Line, upper: Line, plot: _Plot) -> str:
    """Return a closed path for each unbroken stretch of the band."""
    paths: list[str] = []
    over: list[str] = []
    under: list[str] = []
    for place, (low, high) in enumerate([*zip(lower, upper, strict=True), (None, None)]):
        if low is not None and high is not None:
            over.append(f"{plot.x(place):.1f} {plot.y(high):.1f}")
            under.append(f"{plot.x(place):.1f} {plot.y(low):.1f}")
        elif over:
            paths.append("M" + "L".join([*over, *reversed(under)]) + "Z")
            over, under = [], []
    return "".join(paths)


def _ticks(least: float, most: float) -> list[float]:
    """Return three to six round numbers around [least, most], zero among them unless it is far away."""
    if 0 < least < most * 0.7:
        least = 0.0
    if most <= least:  # a line that never moves
        most = least + max(abs(least) * 0.1, 1e-6 if least else 1.0)
    raw = (most - least) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next((power * nice for nice in (1, 2, 2.5, 5, 10) if power * nice >= raw * 0.999), power * 10)
    first = math.floor(least / step + 1e-9)
    last = max(math.ceil(most / step - 1e-9), first + 1)
    return [number * step for number in range(first, last + 1)]


def _hours(start_s: int, end_s: int) -> list[int]:
    """Return about four round times between the ends."""
    steps = (300, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400, 604_800)
    step = next((step for step in steps if (end_s - start_s) / step <= 5), steps[-1])
    margin = (end_s - start_s) * 0.04
    return [
        at_s
        for at_s in range(-(-start_s // step) * step, end_s + 1, step)
        if at_s - start_s >= margin / 2 and end_s - at_s >= margin
    ][:6]
