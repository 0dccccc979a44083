"""How far each series moved at a step, counted in how far it usually moves.

A move is the median since the onset less the median of the hour before. The same difference is
taken all along the history, so a series that jumps every hour needs a larger jump to say
something than one that never did. Medians, because one wild sample is no change of state.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiops.domain import FloatArray

# Places in the history where a move is measured, evenly spread: more change the unit little.
_PLACES = 100
_CALM_PLACES = 40  # where a whole ranking is repeated: enough for one in twenty
# Of the level: a series that hardly ever moves would make a move of nothing look large.
_LEAST = 0.02
_LEAST_BEFORE = 5  # steps: a median of fewer is a sample


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Moves of all series at one step: [W, S] in units, NaN = not measured.

    `before`: level ahead of the step; `moved`: the level since, less that; `usual`: root mean
    square of such moves in the history.
    """

    before: FloatArray
    moved: FloatArray
    usual: FloatArray

    def sizes(self, moved: FloatArray) -> FloatArray:
        """Return moves [W, S] in usual moves, without sign; 0 where nothing is known."""
        known = np.isfinite(moved) & (self.usual > 0)
        return np.where(known, np.abs(moved) / np.where(known, self.usual, 1.0), 0.0)


def locate(values: FloatArray, first: int, before_steps: int, least: FloatArray, sigma: float) -> int:
    """Return the step from `first` on, with one after it, at which most moved: [W, S, T].

    An incident opens on the first signal that is odd, which may be an older and smaller trouble.
    The change to explain is the largest inside of it: the sum of logarithms of all moves that are
    evidence (`sigma` usual ones), so that many series outweigh one. The earliest of equals.
    """
    last = values.shape[2] - 2
    first = min(first, last)
    back = max(_LEAST_BEFORE, before_steps)
    # One unit for all steps: a longer look has a smaller one, and would always win.
    unit = moves(values, last, before_steps, least)
    best, found = -1.0, first
    for step in range(first, last + 1):
        sizes = unit.sizes(_move(values, step, back, values.shape[2] - step)[1])
        total = float(np.log1p(np.where(sizes >= sigma, sizes, 0.0)).sum())
        if total > best:
            best, found = total, step
    return found


def moves(values: FloatArray, onset: int, before_steps: int, least: FloatArray) -> Moves:
    """Return the moves of [W, S, T] at a step; what came since reaches to the last step.

    `least`: [S] in units, what a usual move is at least.
    """
    since = values.shape[2] - onset
    back = max(_LEAST_BEFORE, before_steps)
    before, moved = _move(values, onset, back, since)
    # Only what ended before the onset teaches what is usual, and only where most of both sides is known.
    ends = np.unique(np.linspace(_LEAST_BEFORE + since, onset, _PLACES).astype(np.int64))
    ends = ends[(ends >= _LEAST_BEFORE + since) & (ends <= onset)]
    past = np.stack([_move(values[:, :, :end], end - since, back, since)[1] for end in ends], axis=2)
    seen = np.isfinite(past)  # [W, S, places]
    square = np.where(seen, past**2, 0.0).sum(axis=2) / np.maximum(seen.sum(axis=2), 1)
    level = np.abs(_median(values[:, :, :onset]))
    usual = np.fmax(np.sqrt(square), np.fmax(_LEAST * level, least))
    return Moves(before, moved, np.where(seen.any(axis=2), usual, np.nan))


def calm(values: FloatArray, until: int, since: int, before_steps: int, usual: FloatArray) -> list[Moves]:
    """Return moves of `since` steps at places in [W, S, T] that ended before `until`, evenly spread."""
    back = max(_LEAST_BEFORE, before_steps)
    if until <= back + since:
        return []
    ends = np.unique(np.linspace(back + since, until, _CALM_PLACES).astype(np.int64))
    return [Moves(*_move(values[:, :, :end], end - since, back, since), usual) for end in ends.tolist()]


def _move(values: FloatArray, onset: int, back: int, since: int) -> tuple[FloatArray, FloatArray]:
    """Return the level before and the move at one step, of `since` steps: [W, S] each."""
    before = _median(values[:, :, max(onset - back, 0) : onset])
    return before, _median(values[:, :, onset : onset + since]) - before


def _median(values: FloatArray) -> FloatArray:
    """Return the median of the samples of [W, S, t], NaN where there is none: [W, S]."""
    ordered = np.sort(values, axis=2)  # NaN last
    count = np.isfinite(ordered).sum(axis=2, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0), axis=2)
    high = np.take_along_axis(ordered, np.minimum(count // 2, values.shape[2] - 1), axis=2)
    middle: FloatArray = np.where(count > 0, (low + high) / 2, np.nan)[:, :, 0]
    return middle
