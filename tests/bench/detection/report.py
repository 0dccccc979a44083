"""The tables of the benchmark: text, one per collection, ours beside every peer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bench.detection import intervals, measures
from bench.detection.measures import Felt, Judged, Ranking
from bench.detection.series import Series
from numpy.typing import NDArray

RATES = (0.05, 0.2, 1.0)  # false events per series-day
DEFAULT = "at the default threshold"
_EDGE = 0.999  # a peer without a threshold of its own gets the level that its history kept


@dataclass(frozen=True, slots=True, eq=False)
class Column:
    """One method on one collection: `scores` one array [R] per series, None = it failed there."""

    name: str
    scores: Sequence[NDArray[np.float64] | None]
    ours: bool
    own_edge: bool  # 1.0 is the method's own threshold
    note: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """A column, measured; `vus` [N] over the series of the collection, NaN where there is none."""

    column: Column
    vus: NDArray[np.float64]
    auc: float
    f1: float
    unscored: float
    default: Felt
    equal: Sequence[Felt]
    failed: int


def measured(column: Column, series: Sequence[Series], labels: Sequence[NDArray[np.float64]]) -> Measured:
    """Return all measures of one method on a collection, on the rows after the history."""
    rankings: list[Ranking | None] = []
    judged: list[Judged] = []
    for score, label, one in zip(column.scores, labels, series, strict=True):
        if score is None:
            rankings.append(None)
            continue
        scaled = score if column.own_edge else in_own_edges(score, one.train_len)
        part = measures.judged(scaled, label, one.train_len, one.step_s)
        judged.append(part)
        rankings.append(measures.ranking(part, measures.buffer_steps(one.values()[: one.train_len, 0])))
    table = np.array([[r.vus_pr, r.auc_pr, r.f1, r.unscored] if r else [np.nan] * 4 for r in rankings])
    mean = np.nanmean(table, axis=0)
    return Measured(
        column,
        table[:, 0],
        float(mean[1]),
        float(mean[2]),
        float(mean[3]),
        measures.felt(judged),
        measures.felt_at(judged, RATES),
        sum(score is None for score in column.scores),
    )


def in_own_edges(score: NDArray[np.float64], train_len: int) -> NDArray[np.float64]:
    """Return the score in units of what 99.9 % of its history's rows kept, so that series compare."""
    known = score[:train_len][np.isfinite(score[:train_len])]
    edge = float(np.quantile(known, _EDGE)) if len(known) else 0.0
    return score / edge if edge > 0 else score


def text(collection: str, rows: Sequence[Measured], series: Sequence[Series], missing: Sequence[str]) -> str:
    """Return the table of a collection, best peer and the ratios to it below."""
    rates = " ".join(f"{'at ' + str(rate) + '/day':>19}" for rate in RATES)
    lines = [
        f"{collection.upper()}: {len(series)} series",
        f"{'':34} {'VUS-PR':>7} {'AUC-PR':>7} {'F1':>6}  {DEFAULT:>39}  {rates}  {'no':>5}",
        f"{'':34} {'':>7} {'':>7} {'':>6}  {'recall':>6} {'delay':>15} {'false/day':>9} {'on':>6}  "
        + " ".join(f"{'recall':>6} {'delay':>6} {'on':>5}" for _ in RATES)
        + "  score  notes",
    ]
    lines += [_line(row) for row in rows]
    lines += missing
    peers = [row for row in rows if not row.column.ours and not row.failed]
    if peers:
        best = max(peers, key=lambda row: float(np.nanmean(row.vus)))
        groups = [one.group for one in series]
        lines += [
            f"  {row.column.name} / best peer ({best.column.name}): "
            f"{intervals.ratio(row.vus, best.vus, groups)}"
            for row in rows
            if row.column.ours
        ]
    return "\n".join(lines)


def _line(row: Measured) -> str:
    felt = row.default
    delay = f"{_number(felt.delay_steps)} st {_number(felt.delay_minutes)} min"
    equal = " ".join(f"{e.recall:6.2f} {_number(e.delay_minutes):>6} {e.alarmed:5.1%}" for e in row.equal)
    note = row.column.note + (f" failed on {row.failed}" if row.failed else "")
    return (
        f"{row.column.name:34} {np.nanmean(row.vus):7.3f} {row.auc:7.3f} {row.f1:6.3f}  "
        f"{felt.recall:6.2f} {delay:>15} {felt.false_per_day:9.3f} {felt.alarmed:6.1%}  "
        f"{equal}  {row.unscored:5.1%}  {note}"
    )


def _number(value: float) -> str:
    return "-" if np.isnan(value) else f"{value:.0f}"
