"""Score any wide table: rows are times, columns are signals, and only the past is seen.

Nothing is known about a column: not which side is bad, nor how much matters. So a row is scored by
how new the forecaster's misses are (`novelty.py`), and 1.0 is what the history itself would exceed
once in 20 days. Without a model the forest scores, by bands.

Rows before `train_rows` are history: scale, memory, edges and forest come from them alone. Row t
reads rows <= t. The steps may be irregular: rows are laid on a grid of the usual step of the history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiops.detect import baseline, calibration, features, forest, lstm, novelty
from aiops.detect.bands import HIGHEST, Bands, Batch, guarded, scores
from aiops.detect.model import Model
from aiops.detect.settings import DAY_S, PACE_S, Calendar, DetectSettings
from aiops.domain import FloatArray, Scorer, TimesArray
from aiops.errors import ConfigError

# Buckets of history that a forecaster or a forest needs: 4 hours at 5 minutes.
_LEAST_BUCKETS = 48
# A constant that moves is worth a look; by how much of nothing it moved says little.
_FLAT_CAP = 2.0
# A column that was empty in the history: nothing is known, so it stands at the edge.
_UNKNOWN = 1.0
# A longer hole is folded to a whole number of days less: it must not become a grid of years.
_LONGEST_HOLE_S = 3 * DAY_S
# 38 columns have 38 chances to be odd. The edge of a row is what 99 % of the history's rows kept.
_ROW_QUANTILE = 0.99
# False events a day that the edge of the window view is set for; their maxima are taken by the hour.
_PER_DAY = 0.05
_BLOCK_S = 3_600
_LOWEST_EDGE = 0.5  # usual distances: a history without any surprise is not the whole truth


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table as read.

    `timestamps` [R] as they stood in the file, `times` [R] unix seconds, `values` float64 [R, C],
    NaN = missing. `notices`: what was left out, one line each.
    """

    timestamps: NDArray[Any]
    times: TimesArray
    columns: tuple[str, ...]
    values: FloatArray
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class TableScores:
    """`score` [R] and `columns` [R, C]: 1.0 = the edge of the expected; NaN = nothing observed."""

    score: FloatArray
    columns: FloatArray
    train_rows: int
    scorer: Scorer
    fallback_reason: str | None


def score_table(table: Table, train_rows: int | None, model: Model | None) -> TableScores:
    """Score every row. `train_rows` None = the first fifth; `model` None = the forest scores.

    Rows from `train_rows` on have a finite score unless every signal is missing. Raises
    ConfigError when the table is empty or has no row left to judge.
    """
    total = len(table.times)
    history = max(1, total // 5) if train_rows is None else train_rows
    if not total or not table.columns:
        raise ConfigError("expected rows and at least one signal, found none", where="table")
    if history >= total:
        raise ConfigError(
            f"expected fewer than the table's {total} rows, found {history}", where="--train-rows"
        )
    batch, cell = _grid(table, history)
    rows = _bounded(table.values.T)  # [R, C] -> [C, R]
    drawn, reason = _forecast(batch, model)
    scorer: Scorer = "lstm"
    if drawn is not None:
        single, top = _by_windows(batch, cell, rows, drawn, history)
    else:
        single, top, scorer = _by_bands(batch, cell, rows, history)
    known = np.isfinite(rows)
    single = np.where(known & np.isnan(single), _UNKNOWN, np.where(known, single, np.nan))
    score = np.where(known.any(axis=0), np.where(np.isnan(top), _UNKNOWN, top), np.nan)
    return TableScores(np.minimum(score, HIGHEST), single.T, history, scorer, reason)


def _bounded(values: FloatArray) -> FloatArray:
    """Return the values that a model may see; NaN for Inf and what is meant as Inf."""
    return np.where(np.abs(values) < 1e30, values, np.nan)


def _grid(table: Table, history: int) -> tuple[Batch, NDArray[np.int64]]:
    """Return the series on a regular grid, and the cell of each row [R].

    The step is the median of the history. Time never runs backwards: a row that claims to be
    older than the one before it lands in the same cell. Of several rows in a cell the first
    counts for the forecasts, so that no later row changes what earlier ones were judged by.
    """
    gaps = np.diff(table.times[:history])
    step = int(np.median(gaps[gaps > 0])) if (gaps > 0).any() else PACE_S
    step = max(step, 1)
    forward = np.maximum.accumulate(table.times)
    hole = np.diff(forward, prepend=forward[:1])
    folded = np.where(hole > _LONGEST_HOLE_S, (hole - DAY_S) // DAY_S * DAY_S, 0)
    forward = forward - np.cumsum(folded)
    cell = (forward - forward[0] + step // 2) // step  # [R], not falling
    values = np.full((len(table.columns), int(cell[-1]) + 1), np.nan)
    values[:, cell[::-1]] = _bounded(table.values)[::-1].T  # written backwards: the first row of a cell stays
    batch = Batch(
        values=values,
        week_ago=None,
        times=int(table.times[0]) + np.arange(values.shape[1], dtype=np.int64) * step,
        step_s=step,
        fit_steps=int(cell[history - 1]) + 1,
        min_deviation=np.zeros(len(table.columns)),
        direction=np.zeros(len(table.columns), dtype=np.int64),
        calendar=Calendar(),
        trusted=True,
    )
    return batch, cell


def _forecast(batch: Batch, model: Model | None) -> tuple[Bands | None, str | None]:
    """Return the forecaster's bands [C, T], flat columns at their constant; or why there are none."""
    if batch.fit_steps // _per_bucket(batch) < _LEAST_BUCKETS:
        return None, f"less than {_LEAST_BUCKETS} buckets of history"
    if model is None:
        return None, "no model"
    _, _, flat = features.fit_scale(batch.fit, batch.min_deviation)
    bands, pick = baseline.fixed(batch, np.zeros(len(flat), dtype=bool)), np.flatnonzero(~flat)
    if len(pick):
        drawn = lstm.bands(batch.rows(pick), model, tuple("" for _ in pick), _hold(batch))
        if not np.isfinite(drawn.expected[:, batch.fit_steps :]).all():
            return None, "the forecast was not finite"
        _put(bands, pick, drawn)
    return bands, None


def _by_windows(
    batch: Batch, cell: NDArray[np.int64], rows: FloatArray, drawn: Bands, history: int
) -> tuple[FloatArray, FloatArray]:
    """Return the score of each column [C, R] and of all together [R]."""
    centre, scale, flat = features.fit_scale(batch.fit, batch.min_deviation)
    centre, empty = np.nan_to_num(centre), np.isnan(centre)
    # A standard deviation as well: what is rare in the history is large there, and is not news.
    seen = np.isfinite(batch.fit)
    spread = np.where(seen, batch.fit - centre[:, None], 0.0)
    usual = np.sqrt((spread**2).sum(axis=1) / np.maximum(seen.sum(axis=1), 1))  # [C, T] -> [C]
    scale = np.where(flat, scale, np.maximum(scale, usual))
    level = features.squash(batch.values, centre, scale)  # [C, T]
    missed = level - features.squash(drawn.expected, centre, scale)
    level[flat] = np.clip(level[flat], -_FLAT_CAP, _FLAT_CAP)
    missed[flat] = 0.0
    new = novelty.novelty(level, missed, batch.fit_steps)[:, cell]  # [C, T] -> [C, R]
    new = np.where(np.isfinite(rows) & ~empty[:, None], new, np.nan)
    whole = novelty.together(new)  # [C, R] -> [R]
    block = max(1, _BLOCK_S // batch.step_s)
    chance = min(_PER_DAY * block * batch.step_s / DAY_S, 0.5)
    every = np.nan_to_num(np.concatenate([new, whole[None]])[:, :history])  # [C + 1, history]
    edge = np.maximum(calibration.edge(every, block, chance), _LOWEST_EDGE)
    return new / edge[:-1, None], whole / edge[-1]


def _by_bands(
    batch: Batch, cell: NDArray[np.int64], rows: FloatArray, history: int
) -> tuple[FloatArray, FloatArray, Scorer]:
    """Return the score of each column [C, R], the highest of each row [R], and who scored."""
    _, _, flat = features.fit_scale(batch.fit, batch.min_deviation)
    bands = baseline.fixed(batch, np.zeros(len(flat), dtype=bool))
    pick = np.flatnonzero(~flat)
    scorer: Scorer = "forest"
    by_forest = None
    if batch.fit_steps // _per_bucket(batch) < _LEAST_BUCKETS:
        scorer = "baseline"
        _put(bands, pick, baseline.bands(batch.rows(pick)))
    elif len(pick):
        by_forest, shown = forest.judge(batch.rows(pick), 0, _hold(batch))
        _put(bands, pick, shown)
    bands = guarded(bands, batch.min_deviation)
    at = Bands(bands.expected[:, cell], bands.lower[:, cell], bands.upper[:, cell])
    single = scores(rows, at, batch.direction)  # [C, R]
    if by_forest is not None:
        single[pick] = np.where(np.isfinite(single[pick]), np.nan_to_num(by_forest[:, cell]), np.nan)
    single[flat] = np.minimum(single[flat], _FLAT_CAP)
    top = np.where(np.isfinite(single), single, -1.0).max(axis=0)  # [C, R] -> [R]
    known = top[:history][top[:history] >= 0]
    edge = max(1.0, float(np.quantile(known, _ROW_QUANTILE))) if len(known) and len(single) > 1 else 1.0
    return single, np.where(top >= 0, top / edge, np.nan), scorer


def _per_bucket(batch: Batch) -> int:
    return max(1, round(PACE_S / batch.step_s))


def _hold(batch: Batch) -> int:
    return max(1, DetectSettings().hold_s // batch.step_s)


def _put(into: Bands, rows: NDArray[np.int64], new: Bands) -> None:
    for name in ("expected", "lower", "upper"):
        getattr(into, name)[rows] = getattr(new, name)
