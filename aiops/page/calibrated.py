"""Predicted against observed: how often a score was reached for long enough to fire, as inline SVG.

Both axes are logarithmic: what was promised is a few days in ten thousand.
"""

from __future__ import annotations

import math

from aiops.page.drawing import HEIGHT, WIDTH
from aiops.page.replayed import Calibration, Reached
from aiops.page.tree import Element, el
from aiops.page.words import plain

_LEFT, _RIGHT, _TOP, _BOTTOM = 52, 10, 10, 34
_SCORES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)


def drawing(found: Calibration) -> Element | None:
    """Return the picture, None where there is nothing to compare."""
    points = [(one.score, one.days / found.workload_days) for one in _observed(found)]
    share = found.predicted.share
    if not points or not 0 < share < 1 or found.predicted.score != 1:
        return None
    reached = [score for score, observed in points if observed > 0]
    most = next((one for one in _SCORES if one > max(reached, default=1)), _SCORES[-1])
    least = 10 ** math.floor(math.log10(min(share, 1 / found.workload_days)))

    def x(score: float) -> float:
        return _LEFT + math.log(score) / math.log(most) * (WIDTH - _LEFT - _RIGHT)

    def y(value: float) -> float:
        down = math.log(max(value, least)) / math.log(least)
        return _TOP + down * (HEIGHT - _TOP - _BOTTOM)

    svg = el("svg", viewBox=f"0 0 {WIDTH} {HEIGHT}", role="img", class_="chart calibration")
    svg.append(el("title", "Share of the days of a workload that reached a score, predicted and observed"))
    for power in range(round(math.log10(least)), 1):
        height = y(10.0**power)
        svg.append(el("path", d=f"M{_LEFT} {height:.0f}H{WIDTH - _RIGHT}", class_="grid"))
        svg.append(
            el("text", f"{plain(100 * 10.0**power)} %", x=str(_LEFT - 5), y=f"{height + 4:.0f}", class_="end")
        )
    for score in (one for one in _SCORES if one <= most):
        svg.append(el("text", str(score), x=f"{x(score):.0f}", y=str(HEIGHT - _BOTTOM + 14), class_="mid"))
    svg.append(el("text", "score", x=str(WIDTH - _RIGHT), y=str(HEIGHT - 4), class_="end"))
    svg.append(el("path", d=f"M{_LEFT} {y(share):.1f}H{WIDTH - _RIGHT}", class_="expected"))
    svg.append(el("circle", cx=str(_LEFT), cy=f"{y(share):.1f}", r="3.5", class_="promise"))
    drawn = [(x(score), y(observed)) for score, observed in points if score <= most and observed > 0]
    line = "L".join(f"{across:.1f} {down:.1f}" for across, down in drawn)
    if line:
        svg.append(el("path", d=f"M{line}{'h0' if len(drawn) == 1 else ''}", class_="observed"))
    return svg


def _observed(found: Calibration) -> list[Reached]:
    known = [one for one in found.observed if 1 <= one.score <= _SCORES[-1] and one.days >= 0]
    return sorted(known, key=lambda one: one.score) if found.workload_days > 0 else []


def told(found: Calibration) -> str:
    """Return promise and observation at the score 1 in a sentence."""
    at_one = next((one.days for one in _observed(found) if one.score == found.predicted.score), None)
    promised = found.predicted.share * found.workload_days
    days = f"{found.workload_days:,} days of workloads"
    if at_one is None:
        return f"{days}; how often the score 1 was reached is not known."
    return (
        f"Of {days}, {plain(promised)} were to reach the score 1 for long enough to fire if all had been"
        f" healthy ({plain(100 * found.predicted.share)} %); {at_one:,} did"
        f" ({plain(100 * at_one / found.workload_days)} %). Incidents and their victims are among these."
    )
