"""Arithmetic of step grids: the chunks of a long one, and where one lies within another.

All times are unix seconds UTC, so no clock change, leap day or year end can move a step.
"""

from __future__ import annotations

import numpy as np

from aiops.domain import Grid, TimesArray


def chunks(grid: Grid, points: int) -> tuple[Grid, ...]:
    """Cut a grid into consecutive grids of at most `points` steps: no step twice, none missing."""
    span = points * grid.step_s
    starts = range(grid.start_s, grid.end_s + 1, span)
    last = grid.start_s + (grid.end_s - grid.start_s) // grid.step_s * grid.step_s
    return tuple(Grid(start, min(start + span - grid.step_s, last), grid.step_s) for start in starts)


def columns(recorded: Grid, wanted: Grid) -> TimesArray | None:
    """Return for each step of `wanted` its column in `recorded`, -1 outside; int64 [T].

    None when the steps of `wanted` fall between those of `recorded`.
    """
    if wanted.step_s % recorded.step_s or (wanted.start_s - recorded.start_s) % recorded.step_s:
        return None
    found = (wanted.times - recorded.start_s) // recorded.step_s
    return np.where((found >= 0) & (found < len(recorded.times)), found, -1)
