"""Score any wide table: rows are times, columns are signals, and only the past is seen.

Rows before `train_rows` are history: scale, widening and forest come from them alone. Row t reads
rows <= t. The steps may be irregular: rows are laid on a grid of the usual step of the history.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiops.detect import baseline, features, forest, lstm
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
    rows = len(table.times)
    history = max(1, rows // 5) if train_rows is None else train_rows
    if not rows or not table.columns:
        raise ConfigError("expected rows and at least one signal, found none", where="table")
    if history >= rows:
        raise ConfigError(
            f"expected fewer than the table's {rows} rows, found {history}", where="--train-rows"
        )
    batch, cell = _grid(table, history)
    single, scorer, reason = _columns(batch, cell, table.values.T, model)
    seen = np.isfinite(single)  # [C, R]
    top = np.where(seen, single, -1.0).max(axis=0)  # [C, R] -> [R]
    known = top[:history][top[:history] >= 0]
    edge = max(1.0, float(np.quantile(known, _ROW_QUANTILE))) if len(known) and len(single) > 1 else 1.0
    score = np.where(seen.any(axis=0), np.minimum(top / edge, HIGHEST), np.nan)
    return TableScores(score, single.T, history, scorer, reason)


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
    clean = np.where(np.abs(table.values) < 1e30, table.values, np.nan)  # also drops Inf
    values[:, cell[::-1]] = clean[::-1].T  # written backwards: the first row of a cell stays
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


def _columns(
    batch: Batch, cell: NDArray[np.int64], rows: FloatArray, model: Model | None
) -> tuple[FloatArray, Scorer, str | None]:
    """Return the score of each column and row [C, R], who scored, and why not the forecaster."""
    rows = np.where(np.abs(rows) < 1e30, rows, np.nan)
    _, _, flat = features.fit_scale(batch.fit, batch.min_deviation)
    bands = baseline.fixed(batch, np.zeros(len(rows), dtype=bool))
    pick = np.flatnonzero(~flat)
    per = max(1, round(PACE_S / batch.step_s))
    hold = max(1, DetectSettings().hold_s // batch.step_s)
    scorer: Scorer = "lstm"
    reason: str | None = None
    by_forest = None
    if batch.fit_steps // per < _LEAST_BUCKETS:
        scorer, reason = "baseline", f"less than {_LEAST_BUCKETS} buckets of history"
        _put(bands, pick, baseline.bands(batch.rows(pick)))
    elif model is None:
        scorer, reason = "forest", "no model"
    elif len(pick):
        drawn = lstm.bands(batch.rows(pick), model, tuple("" for _ in pick), hold)
        if np.isfinite(drawn.expected[:, batch.fit_steps :]).all():
            _put(bands, pick, drawn)
        else:
            scorer, reason = "forest", "the forecast was not finite"
    if scorer == "forest" and len(pick):
        by_forest, shown = forest.judge(batch.rows(pick), 0, hold)
        _put(bands, pick, shown)
    bands = guarded(bands, batch.min_deviation)
    at = Bands(bands.expected[:, cell], bands.lower[:, cell], bands.upper[:, cell])
    single = scores(rows, at, batch.direction)  # [C, R]
    if by_forest is not None:
        single[pick] = np.where(np.isfinite(single[pick]), np.nan_to_num(by_forest[:, cell]), np.nan)
    single[flat] = np.minimum(single[flat], _FLAT_CAP)
    return np.where(np.isnan(single) & np.isfinite(rows), _UNKNOWN, single), scorer, reason


def _put(into: Bands, rows: NDArray[np.int64], new: Bands) -> None:
    for name in ("expected", "lower", "upper"):
        getattr(into, name)[rows] = getattr(new, name)
