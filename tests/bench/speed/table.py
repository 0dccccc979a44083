"""The arithmetic of the speed tables: medians of interleaved rounds, ratios, targets, text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Row:
    """One line: what was measured, the number, and what it should be.

    `at_most`: True when less is better. `target` None: for orientation only.
    """

    what: str
    value: float
    unit: str
    target: float | None = None
    at_most: bool = True
    note: str = ""

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target."""
        if self.target is None:
            return None
        return self.value <= self.target if self.at_most else self.value >= self.target

    @property
    def verdict(self) -> str:
        """`met`, or by which factor it is missed."""
        if self.target is None:
            return ""
        if self.met:
            return "met"
        factor = self.value / self.target if self.at_most else self.target / self.value
        return f"missed x{factor:.2g}"


def ratio(numerators: Sequence[float], denominators: Sequence[float]) -> float:
    """Return the median of the ratios of the same round: what slows both in a round cancels out."""
    pairs = list(zip(numerators, denominators, strict=True))
    return float(np.median([one / other for one, other in pairs]))


def rate(points: int, seconds: Sequence[float]) -> float:
    """Return points a second in the median round."""
    return points / float(np.median(seconds))


def growth(sizes: Sequence[int], seconds: Sequence[float]) -> float:
    """Return the exponent of time over size: the slope of a straight line in logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0])


def text(title: str, rows: Sequence[Row]) -> str:
    """Return a table as text."""
    lines = [("", "measured", "target", "")]
    for row in rows:
        sign = "<=" if row.at_most else ">="
        target = "" if row.target is None else f"{sign} {_number(row.target)} {row.unit}"
        lines.append(
            (
                row.what,
                f"{_number(row.value)} {row.unit}",
                target,
                " ".join(filter(None, (row.verdict, row.note))),
            )
        )
    widths = [max(len(line[i]) for line in lines) for i in range(3)]
    body = [f"{a:<{widths[0]}}  {b:>{widths[1]}}  {c:>{widths[2]}}  {d}".rstrip() for a, b, c, d in lines]
    return "\n".join([title, *body])


def _number(value: float) -> str:
    if value != value or value in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN
        return "-"
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
