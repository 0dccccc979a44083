"""Samples on a grid as Prometheus 2.42 sees them: lookback, rate, quantiles of histograms.

Comes in: columns of raw samples, one a minute, NaN where there is none. Goes out: float64 [N, T]
on the grid. Sources: prometheus/promql/functions.go (extrapolatedRate), quantile.go
(bucketQuantile), engine.go (lookback), all at v2.42.0; described in
https://prometheus.io/docs/prometheus/latest/querying/.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiops.domain import FloatArray, TimesArray

LOOKBACK_S = 300
Index = np.typing.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Raw samples [N, L], one column per scrape at `start_s + 60 * column`; NaN = no sample."""

    values: FloatArray
    start_s: int
    step_s: int

    @property
    def times(self) -> FloatArray:
        """[L] unix seconds."""
        return self.start_s + self.step_s * np.arange(self.values.shape[1], dtype=np.float64)

    def at_or_before(self, times: TimesArray) -> Index:
        """Return [T] the last column at or before each time; -1 when there is none."""
        return np.clip((times - self.start_s) // self.step_s, -1, self.values.shape[1] - 1)

    def at_or_after(self, times: TimesArray) -> Index:
        """Return [T] the first column at or after each time; L when there is none."""
        return np.clip(-((self.start_s - times) // self.step_s), 0, self.values.shape[1])


def _previous(valid: np.typing.NDArray[np.bool_]) -> Index:
    """Return [N, L] the last valid column at or before each column, -1 when there is none."""
    columns = np.arange(valid.shape[1], dtype=np.int64)
    return np.maximum.accumulate(np.where(valid, columns, -1), axis=1)


def newest(columns: Columns, times: TimesArray) -> tuple[FloatArray, FloatArray]:
    """Return [N, T] value and time of the newest sample at most 5 minutes old; NaN = none.

    The end of the lookback is part of it in 2.x (3.0 left it out).
    """
    before, valid = columns.at_or_before(times), ~np.isnan(columns.values)
    if valid.all():
        late = (before < 0) | (columns.times[before] < times - LOOKBACK_S)
        at = np.broadcast_to(np.where(late, np.nan, columns.times[before]), (len(valid), times.size))
        return np.where(late, np.nan, columns.values[:, before]), at
    last = np.where(before >= 0, _previous(valid)[:, before], -1)  # (N, T)
    at = np.where(last >= 0, columns.times[last], -np.inf)
    fresh = at >= (times - LOOKBACK_S)[None, :]
    values = np.take_along_axis(columns.values, np.maximum(last, 0), axis=1)
    return np.where(fresh, values, np.nan), np.where(fresh, at, np.nan)


def increase(columns: Columns, times: TimesArray, range_s: int) -> FloatArray:
    """Return [N, T] the extrapolated growth of counters over [t - range_s, t]; NaN below two samples.

    Both ends belong to the window in 2.x. A counter that falls has started again at 0.
    """
    begin, end = columns.at_or_after(times - range_s), columns.at_or_before(times)
    whole = ~np.isnan(columns.values).any(axis=1)
    out = np.empty((whole.size, times.size))
    # Most series have no gap: then every row has the same first and last sample of a window.
    if whole.any():
        held = Columns(columns.values[whole], columns.start_s, columns.step_s)
        enough = (begin < end)[None, :]
        first = np.where(begin < end, begin, 0)[None, :]
        last = np.where(begin < end, end, 0)[None, :]
        out[whole] = _extrapolated(held, (times, range_s), enough, first, last)
    if not whole.all():
        held = Columns(columns.values[~whole], columns.start_s, columns.step_s)
        valid = ~np.isnan(held.values)
        # The first valid column at or after each column: the same walk from the other end.
        ahead = valid.shape[1] - 1 - _previous(valid[:, ::-1])[:, ::-1]
        inside = (begin <= end) & (end >= 0)
        first = ahead[:, np.where(inside, begin, 0)]  # (N, T)
        last = _previous(valid)[:, np.where(inside, end, 0)]
        enough = inside[None, :] & (first < last) & (last <= end) & (first >= begin)
        first, last = np.where(enough, first, 0), np.where(enough, last, 0)
        out[~whole] = _extrapolated(held, (times, range_s), enough, first, last)
    return out


def _grown(values: FloatArray) -> FloatArray:
    """Return [N, L] the growth of each counter since its first sample, without its resets."""
    valid = ~np.isnan(values)
    if valid.all() and not (np.diff(values, axis=1) < 0).any():
        return values
    previous = _previous(valid)
    prior = np.concatenate([np.full((len(values), 1), -1), previous[:, :-1]], axis=1)
    before = np.take_along_axis(values, np.maximum(prior, 0), axis=1)
    step = np.where(values >= before, values - before, values)
    return np.asarray(np.cumsum(np.where(valid & (prior >= 0), step, 0.0), axis=1))


def _pick(array: FloatArray | Index, index: Index) -> FloatArray:
    """Return [N, T] the columns `index`: [N, T], or [1, T] when all rows share them."""
    if len(index) == 1:
        return np.asarray(array[:, index[0]], dtype=np.float64)
    return np.asarray(np.take_along_axis(array, index, axis=1), dtype=np.float64)


def _extrapolated(
    columns: Columns,
    window: tuple[TimesArray, int],
    enough: np.typing.NDArray[np.bool_],
    first: Index,
    last: Index,
) -> FloatArray:
    """Return [N, T] the growth between two samples, stretched to the window as Prometheus does.

    `window`: times [T] and its length in s; `first`, `last`: columns of the outer samples.
    """
    times, range_s = window
    grown = _grown(columns.values)
    growth = _pick(grown, last) - _pick(grown, first)
    number = (last - first).astype(np.float64)
    if np.isnan(columns.values).any():  # rows with gaps have fewer samples than columns
        count = np.cumsum(~np.isnan(columns.values), axis=1)
        number = _pick(count, last) - _pick(count, first)
    spanned = (last - first) * float(columns.step_s)
    mean_gap = spanned / np.maximum(number, 1.0)
    to_start = columns.times[first] - (times - range_s)[None, :]
    to_end = times[None, :] - columns.times[last]
    # A counter was never below 0: do not extrapolate past where it would have been.
    with np.errstate(divide="ignore", invalid="ignore"):
        to_zero = spanned * _pick(columns.values, first) / growth
    to_start = np.where((growth > 0) & (to_zero < to_start), to_zero, to_start)
    near = 1.1 * mean_gap
    whole = spanned + np.where(to_start < near, to_start, mean_gap / 2)
    whole = whole + np.where(to_end < near, to_end, mean_gap / 2)
    result = growth * whole / np.where(spanned > 0, spanned, 1.0)
    return np.where(enough, result, np.nan)


def quantile(share: float, bounds: FloatArray, counts: FloatArray) -> FloatArray:
    """Return [T] the quantile of one histogram, interpolated inside its bucket; NaN when empty.

    `bounds`: [B] upper bounds, rising, the last +Inf; `counts`: [B, T] cumulative, NaN = absent.
    """
    if bounds.size < 2 or not np.isinf(bounds[-1]):
        return np.full(counts.shape[1], np.nan)
    held = np.maximum.accumulate(np.where(np.isnan(counts), 0.0, counts), axis=0)
    total = held[-1]
    rank = share * total
    bucket = np.minimum((held[:-1] < rank).sum(axis=0), bounds.size - 1)  # (T,) first that holds it
    inner = np.minimum(bucket, bounds.size - 2)
    columns = np.arange(total.size)
    low = np.where(inner > 0, bounds[inner - 1], 0.0)
    below = np.where(inner > 0, held[inner - 1, columns], 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        part = (rank - below) / (held[inner, columns] - below)
    value = np.where(bucket == bounds.size - 1, bounds[-2], low + (bounds[inner] - low) * part)
    return np.where((total > 0) & ~np.isnan(counts[-1]), value, np.nan)
