"""The second view: how unlike anything in its history the forecaster is wrong.

A window is the newest rows of one series, as two tracks: the level, and what the forecaster
missed. It is compared with the windows of the history; its distance to the nearest one says how
new it is: a shift, a burst, a noise that grew. What history knows is not new, however badly it is
forecast. A sensor that is stuck within its usual range looks near to everything, and is not found.

Windows have three lengths, and the newest one counts: a burst of some rows is lost in a long
window, and a slow wandering is never new in a short one.

Row t reads rows <= t; windows to compare with and every number come from the history rows.
Source: nearest neighbours among windows of the past, as in https://doi.org/10.1109/ICDM.2016.0179
(the left matrix profile) and https://arxiv.org/abs/2602.01359 (patches against a memory); the
tracks, the weights and the calibration are our own.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aiops.domain import Float32Array, FloatArray

# Points of a window and rows between them: 8, 32 and 128 rows. Between two points, their mean.
_VIEWS = ((8, 1), (32, 1), (32, 4))
# Weights fall by e over a quarter of the window: what is over stops counting soon, and an onset is
# not averaged away by the calm before it.
_DECAYS = 4
_LEAST = 4  # windows that must fit into the history, or there is nothing to compare with
_MEMORY = 400  # windows of history that are kept, evenly spread: the nearest of more is hardly nearer
# A history row is compared with the other four fifths, as a row after the history is with all.
_FOLDS = 5
# Distances count from half a scale: a history that repeats itself exactly has windows at distance
# zero, and everything would be infinitely new.
_FLOOR = 0.5
_USUAL = 0.95  # quantile of the history's own distances
_CLIP = 50.0
_BLOCK_ROWS = 8  # series at once
_CELLS = 1 << 20  # distances held at once: 4 MiB, about a cache


def novelty(level: FloatArray, missed: FloatArray, fit_steps: int) -> FloatArray:
    """Return how new the window that ends in each row is: [B, T] -> [B, T], in 0..50.

    `level`: in scales of the history; `missed`: level minus what was forecast of it. NaN = no
    sample: the value before it stands in. The unit is the usual distance of the history; where
    the edge of the expected lies, `calibration.edge` says.
    """
    out = np.zeros(level.shape)
    for first in range(0, len(level), _BLOCK_ROWS):
        rows = slice(first, first + _BLOCK_ROWS)
        tracks = np.stack([_held(level[rows]), _held(missed[rows])], axis=1).astype(np.float32)  # [B, 2, T]
        for points, every in _VIEWS:
            found = _against_history(_smooth(tracks, every), fit_steps, points, every)
            out[rows] = np.maximum(out[rows], found)
    return out


def together(columns: FloatArray) -> FloatArray:
    """Return how new all columns are together: [C, R] -> [R], the root of their mean square.

    NaN = a column has no sample; a row without any is NaN.

    Between the mean, which drowns one broken column of forty, and the largest, which fires with
    the noisiest.
    """
    seen = np.isfinite(columns)
    total, count = np.where(seen, columns**2, 0.0).sum(axis=0), seen.sum(axis=0)
    return np.where(count > 0, np.sqrt(total / np.maximum(count, 1)), np.nan)


def _smooth(tracks: Float32Array, every: int) -> Float32Array:
    """Return the mean of the last `every` rows: [B, 2, T] -> [B, 2, T]; before the first, the first."""
    total = tracks.copy()
    for back in range(1, every):  # a sum per row, not a running one: no row changes with later ones
        total[..., back:] += tracks[..., :-back]
        total[..., :back] += tracks[..., :1]
    return total / np.float32(every)


def _against_history(tracks: Float32Array, fit_steps: int, points: int, every: int) -> FloatArray:
    """Return the distance to the nearest window of the history, in its usual ones: [B, 2, T] -> [B, T].

    A window has `points` rows, `every` apart, fewer in a short history.
    A squared distance is |x|^2 - 2 x m + |m|^2; the last two terms are one matrix product.
    """
    rows, _, steps = tracks.shape
    lags = max(1, min(points, fit_steps // (_LEAST * every)))
    windows = _windows(tracks, lags, every)  # [B, T, 2, lags], a view
    weight = np.exp(-np.arange(lags)[::-1] * _DECAYS / lags)
    weight = np.sqrt(weight / weight.sum() / 2).astype(np.float32)
    size = 2 * lags
    kept = np.unique(np.linspace(0, fit_steps - 1, _MEMORY).astype(np.int64))  # [M]
    memory = (windows[:, kept] * weight).reshape(rows, len(kept), size)
    norm = (memory**2).sum(axis=2, keepdims=True)
    memory = np.concatenate([-2 * memory, norm], axis=2).transpose(0, 2, 1)  # [B, 2 lags + 1, M]
    fold = np.arange(steps) * _FOLDS // fit_steps  # rows after the history are in no fold of it
    out = np.empty((rows, steps))
    block = max(1, _CELLS // (rows * len(kept)))
    # Always a whole block: a product of another shape may round differently, and cutting the
    # future off would change the last bit of the past.
    part = np.zeros((rows, block, size + 1), dtype=np.float32)
    part[:, :, size] = 1.0
    for start in range(0, steps, block):
        stop = min(start + block, steps)
        length = stop - start
        part[:, :length, :size] = (windows[:, start:stop] * weight).reshape(rows, length, size)
        square = (part @ memory)[:, :length]  # [B, L, 2 lags + 1] @ [B, 2 lags + 1, M] -> [B, L, M]
        own = fold[start:stop, None] == fold[kept]  # [L, M]
        if own.any():
            square[:, own] = np.inf
        nearest = square.min(axis=2) + (part[:, :length, :size] ** 2).sum(axis=2)  # [B, L, M] -> [B, L]
        out[:, start:stop] = np.sqrt(np.maximum(nearest, 0.0))
    usual = np.quantile(out[:, :fit_steps], _USUAL, axis=1)
    return np.minimum(out / (usual[:, None] + _FLOOR), _CLIP)


def _windows(tracks: Float32Array, lags: int, every: int) -> Float32Array:
    """Return the window that ends in each row, oldest lag first: [B, 2, T] -> [B, T, 2, lags]."""
    reach = (lags - 1) * every
    before = np.repeat(tracks[:, :, :1], reach, axis=2)  # calm, as the first row
    padded = np.concatenate([before, tracks], axis=2)  # [B, 2, reach + T]
    view = np.lib.stride_tricks.sliding_window_view(padded, reach + 1, axis=2)
    return view[..., ::every].transpose(0, 2, 1, 3)


def _held(values: FloatArray) -> FloatArray:
    """Return the last value that was seen, 0 before the first: [B, T] -> [B, T]."""
    at: NDArray[np.int64] = np.where(np.isfinite(values), np.arange(values.shape[1]), 0)
    return np.nan_to_num(np.take_along_axis(values, np.maximum.accumulate(at, axis=1), axis=1))
