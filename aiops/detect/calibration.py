"""What a score means: 1.0 is the edge of the expected, set by how rarely healthy series fire.

Residuals are autocorrelated, so single steps say little about firings. The threshold is set on
the *sustained statistic*: the level at which a series would have fired. Its daily maxima (one per
series and day, so that an hour of the same trouble counts once) have a tail that is modelled by a
generalised Pareto distribution.

Source: peaks over threshold, Siffer et al. 2017 (https://doi.org/10.1145/3097983.3098144);
probability-weighted moments, Hosking & Wallis 1987 (https://doi.org/10.2307/1269343).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aiops.domain import FloatArray

# 1 false firing per 100 workload-weeks, as a chance per workload and day.
BUDGET_PER_DAY = 1 / 700
# A run's own history may widen a band up to this factor; a series that needs more is not
# understood by the model and is judged with the widest band.
WIDEST = 6.0
_TAIL_SHARE = 0.1  # of the daily maxima: the tail that is modelled
_TYPICAL = 0.95  # quantile of the sustained statistic over a fit window
_RUNGS = 24  # from the widest to none: 8 % each
# Below this many steps a quantile of 95 % of a series is luck: the band is widened by half.
_ENOUGH = 360
_UNKNOWN = 1.5
_NOT_RARE = 0.98
_LEAST_SPREAD = 0.02  # of the level: block maxima that hardly differ still leave some room


def rolling(values: FloatArray, width: int, pick: np.ufunc) -> FloatArray:
    """Return the running maximum or minimum of the last `width` steps: [B, T] -> [B, T].

    Doubling windows: log2(width) passes instead of width. `pick` ignores NaN (np.fmax, np.fmin).
    """
    out, done = values.copy(), 1
    while done < width:
        shift = min(done, width - done)
        out[:, shift:] = pick(out[:, shift:], out[:, :-shift])
        done += shift
    return out


def middle_of_five(values: FloatArray) -> FloatArray:
    """Return the median of the last five steps, the level that 3 of 5 reach: [B, T] -> [B, T]."""
    padded = np.concatenate([np.zeros((len(values), 4)), np.nan_to_num(values)], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 5, axis=1)  # [B, T, 5]
    return np.partition(windows, 2, axis=2)[..., 2]


def sustained(ratios: FloatArray, hold_steps: int) -> FloatArray:
    """Return the highest level at which each step would be firing: [B, T] -> [B, T], >= 0.

    Fires at level v = 3 of 5 above v when it opens, a hold ago, and now; never 5 clean between.
    NaN counts as clean. Mirrors `sustain.py`, which a test compares it with.
    """
    middle = middle_of_five(ratios)
    alive = rolling(rolling(np.nan_to_num(ratios), 5, np.fmax), hold_steps, np.fmin)
    opened = np.zeros_like(middle)
    opened[:, hold_steps:] = middle[:, : -hold_steps or None]
    return np.maximum(np.minimum(np.minimum(middle, opened), alive), 0.0)


def noise(ratios: FloatArray, hold_steps: int) -> tuple[FloatArray, FloatArray]:
    """Return the typical sustained level [B] and the number of steps behind it [B]."""
    levels = np.where(np.isfinite(ratios), sustained(ratios, hold_steps), np.nan)
    count = np.isfinite(levels).sum(axis=1)
    ordered = np.sort(levels, axis=1)
    at = np.clip(np.rint(_TYPICAL * (count - 1)), 0, max(ratios.shape[1] - 1, 0)).astype(np.int64)
    found = np.where(count > 0, ordered[np.arange(len(ratios)), at] if ratios.shape[1] else 0.0, 0.0)
    return np.nan_to_num(found), count


def widening(ratios: FloatArray, typical: FloatArray, hold_steps: int, *, trusted: bool = True) -> FloatArray:
    """Return how much wider than the model says the band of each series has to be: [B] in 1..6.

    `ratios`: [B, T] of the fit window, in widths; `typical`: [B] from the card. The 95 % quantile,
    not the maximum: an incident of two hours in the fit window must not blind the next day. Not
    `trusted`: nor must a longer one, which may still go on; the longest stretch does not count.
    """
    found, count = noise(ratios, hold_steps)
    factor = np.clip(found / typical, 1.0, WIDEST)
    if not trusted:
        noisy = np.flatnonzero(factor > 1.0)
        factor[noisy] = np.minimum(factor[noisy], _calmer(ratios[noisy], typical[noisy], hold_steps))
    return np.where(count >= _ENOUGH, factor, np.maximum(factor, _UNKNOWN))


def _calmer(ratios: FloatArray, typical: FloatArray, hold_steps: int) -> FloatArray:
    """Return the widening [B] of [B, T] without the longest stretch above it.

    The narrowest that at most the allowed share of steps is above outside of one stretch: noise
    is above in many places, an incident in one. Steps less than four holds apart are one stretch;
    what lasted for more than half of the window is no incident.
    """
    seen = np.isfinite(ratios)
    levels = np.where(seen, sustained(ratios, hold_steps), -1.0) / typical[:, None]
    allowed = (1 - _TYPICAL) * seen.sum(axis=1)
    factor = np.full(len(ratios), WIDEST)
    for level in np.geomspace(WIDEST, 1.0, _RUNGS):
        above = levels > level
        most = _longest(above, 4 * hold_steps)
        rest = above.sum(axis=1) - np.where(most > allowed, most, 0)
        factor[rest <= allowed] = level
    return factor


def _longest(above: NDArray[np.bool_], apart: int) -> NDArray[np.int64]:
    """Return how many steps of [B, T] are in the largest stretch, 0 if it spans half of them.

    `apart` steps in between make two stretches.
    """
    rows, steps = above.shape
    last = np.maximum.accumulate(np.where(above, np.arange(steps), -apart), axis=1)
    before = np.concatenate([np.full((rows, 1), -apart), last[:, :-1]], axis=1)
    number = np.cumsum(above & (np.arange(steps) - before >= apart), axis=1)  # [B, T], 1 = the first
    most = steps // apart + 2
    row, step = np.nonzero(above)
    stretch = row * most + number[row, step]
    count = np.bincount(stretch, minlength=rows * most)
    first, end = np.full(rows * most, steps), np.zeros(rows * most, dtype=np.int64)
    np.minimum.at(first, stretch, step)
    np.maximum.at(end, stretch, step)
    count[2 * (end - first) > steps] = 0
    found: NDArray[np.int64] = count.reshape(rows, most).max(axis=1)
    return found


def edge(values: FloatArray, block_steps: int, chance: float) -> FloatArray:
    """Return the level that a block of a history like `values` exceeds with `chance`: [B, T] -> [B].

    From the maxima of blocks, so that one long excursion counts once, by a Gumbel distribution laid
    through their quartiles: a few incidents in the history move it little. What one block in 50
    reaches is no incident but a heavier tail, and stays below the edge.
    Source: block maxima, Coles 2001 (https://doi.org/10.1007/978-1-4471-3675-0), chapter 3.
    """
    rows, steps = values.shape
    blocks, size = max(1, steps // block_steps), min(block_steps, steps)
    peaks = values[:, steps - blocks * size :].reshape(rows, blocks, size).max(axis=2)  # [B, T] -> [B, N]
    low, middle, high, rare = np.quantile(peaks, [0.25, 0.5, 0.75, _NOT_RARE], axis=1)
    at = [-np.log(-np.log(share)) for share in (0.25, 0.5, 0.75, 1 - chance)]
    spread = np.maximum((high - low) / (at[2] - at[0]), _LEAST_SPREAD * middle)
    return np.asarray(np.maximum(middle + spread * (at[3] - at[1]), rare))


def threshold(daily_maxima: FloatArray, budget: float) -> float:
    """Return the level that a healthy day exceeds with probability `budget`.

    `daily_maxima`: [n] of the sustained statistic, one per series and day. The shape is kept in
    0..0.3: a bounded tail is wishful, and above 0.3 a few days would set the level alone.
    """
    clean = np.sort(daily_maxima[np.isfinite(daily_maxima)])
    if len(clean) < 20:
        return float(clean[-1] * 1.5) if len(clean) else 3.0
    start = clean[int(len(clean) * (1 - _TAIL_SHARE))]
    excess = clean[clean > start] - start
    if len(excess) < 5 or budget >= _TAIL_SHARE:
        return float(clean[min(int(len(clean) * (1 - budget)), len(clean) - 1)])
    rank = (np.arange(len(excess)) + 0.65) / len(excess)  # plotting position, ascending
    a0, a1 = excess.mean(), float(np.mean((1 - rank) * excess))
    shape = float(np.clip(2 - a0 / max(a0 - 2 * a1, 1e-9), 0.0, 0.3))
    spread = a0 * (1 - shape)  # so that the mean excess is kept
    share = len(excess) / len(clean)
    if shape < 1e-3:
        return float(start + spread * np.log(share / budget))
    return float(start + spread / shape * ((share / budget) ** shape - 1))
