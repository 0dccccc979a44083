"""From samples to what the forecaster sees: buckets, scale, and what the last day and week knew.

Letters: B series, T steps, N buckets, L buckets of one block, J leads, F and K features.
Missing stays NaN until the last line, where it becomes (0, mask 0): never a zero that was measured.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aiops.domain import Float32Array, FloatArray

# Buckets of 5 minutes ahead: 30, 45 and 60 minutes. The nearest is twice the hold of 15 minutes,
# so a shift is sustained before any forecast that judges it could have seen it.
LEADS = (6, 9, 12)
INPUTS = 11  # F, in the order of `block`
KNOWN = 12  # K
AHEAD = LEADS[-1] + 3  # buckets of `week` and `clock` beyond the last bucket
_LEVEL = 3  # buckets in the current level: 15 min, the hold
_HOLD_LAST = 36  # buckets a last value stands in for a gap: 3 h, a long deploy or scrape outage
_NEAR = 2  # buckets a peak may come earlier or later than yesterday: 10 min of cron jitter
_APART = 1.0  # in squashed units, a bit more than a scale: yesterday and last week are no one day
_CLIP = 12.0  # in squashed units: sinh(12) scales; what is beyond says nothing more


def fold(values: FloatArray, per_bucket: int) -> FloatArray:
    """Return the median of each bucket: [B, T] -> [B, ceil(T / per_bucket)], NaN = no sample.

    The median, because one wild sample in five is an outlier and three are an event.
    """
    rows, steps = values.shape
    buckets = -(-steps // per_bucket)
    padded = np.full((rows, buckets * per_bucket), np.nan)
    padded[:, :steps] = values
    ordered = np.sort(padded.reshape(rows, buckets, per_bucket), axis=2)  # NaN sorts last
    count = np.isfinite(ordered).sum(axis=2)  # [B, N]
    low = np.take_along_axis(ordered, np.maximum((count - 1) // 2, 0)[..., None], axis=2)[..., 0]
    high = np.take_along_axis(ordered, np.maximum(count // 2, 0)[..., None].clip(max=per_bucket - 1), axis=2)
    return np.where(count > 0, (low + high[..., 0]) / 2, np.nan)


def fit_scale(values: FloatArray, min_deviation: FloatArray) -> tuple[FloatArray, FloatArray, np.ndarray]:
    """Return median, scale and "flat" of each series: [B, T] -> [B], [B] > 0, [B] bool.

    The scale is the interquartile range as a standard deviation, at least a quarter of the
    smallest deviation that matters and 2 % of the level: below that, noise would be blown up.
    Flat: fewer than 3 values, or one value nearly always, or no sample; a model has nothing to learn.
    """
    rows = len(values)
    ordered = np.sort(values, axis=1)  # NaN last
    count = np.isfinite(values).sum(axis=1)

    def quantile(share: float) -> FloatArray:
        at = np.clip(np.rint(share * (count - 1)), 0, max(values.shape[1] - 1, 0)).astype(np.int64)
        return ordered[np.arange(rows), at] if values.shape[1] else np.full(rows, np.nan)

    low, middle, high, top, bottom = (quantile(q) for q in (0.25, 0.5, 0.75, 0.99, 0.01))
    spread = np.maximum((high - low) / 1.349, (top - bottom) / 8)
    # A batch job is zero for 23 hours: its interquartile range is 0 while its life is in the tail.
    least = np.maximum(min_deviation / 4, 0.02 * np.abs(middle))
    scale = np.fmax(spread, least)
    flat = (count < 3) | ~(top - bottom > 1e-6 * np.maximum(np.abs(middle), 1e-12))
    return (
        np.where(count > 0, middle, np.nan),
        np.where(np.isfinite(scale) & (scale > 0), scale, 1.0),
        flat,
    )


def squash(values: FloatArray, centre: FloatArray, scale: FloatArray) -> FloatArray:
    """Return asinh((values - centre) / scale), clipped: [B, T] -> [B, T], NaN stays.

    Linear within a scale, logarithmic beyond, so one outlier of 1e6 is a 14 and not a 1e6.
    """
    with np.errstate(over="ignore"):
        return np.clip(np.arcsinh((values - centre[:, None]) / scale[:, None]), -_CLIP, _CLIP)


def expand(squashed: FloatArray, centre: FloatArray, scale: FloatArray) -> FloatArray:
    """Return the inverse of `squash`: [B, T] -> [B, T]."""
    return np.sinh(squashed) * scale[:, None] + centre[:, None]


def block(
    clean: FloatArray, week: FloatArray, clock: Float32Array, start: int, stop: int, day: int
) -> tuple[Float32Array, Float32Array]:
    """Return the model's inputs for origins [start, stop): [B, L, F] and [B, L, J, K].

    `clean`: squashed buckets [B, >= stop]; see `present` and `seasons` for what is read of it.
    """
    now, known = seasons(clean, week, clock, start, stop, day)
    return np.concatenate([present(clean, start, stop), now], axis=2), known


def present(clean: FloatArray, start: int, stop: int) -> Float32Array:
    """Return value and level with their masks [B, L, 4]; reads columns < stop."""
    return _masked([columns(clean, start, stop - start), _level(clean, start, stop)])


def seasons(
    clean: FloatArray, week: FloatArray, clock: Float32Array, start: int, stop: int, day: int
) -> tuple[Float32Array, Float32Array]:
    """Return what yesterday and last week say of origins [start, stop): [B, L, 7] and [B, L, J, K].

    Reads columns < stop + AHEAD - day of `clean`. `week`: squashed [B, N + AHEAD], column k is one
    week before bucket k. `clock`: [N + AHEAD, 3]. `day`: `season_length`.

    A Sunday says little of a Monday: where yesterday was a day off and today is not, or the other
    way round, and last week was clearly another, yesterday is not known.
    """
    rows, length = len(clean), stop - start
    far = length + LEADS[-1]  # for all leads at once: column i is bucket start + i, a lead is a shift
    reach = range(-_NEAR, _NEAR + 1)
    days = {o: columns(clean, start - day + o, far) for o in reach}
    weeks = {o: columns(week, start + o, far) for o in reach}
    other = turned(clock, start, far, day)
    if other.any():
        apart = np.abs(_mean([days[o] for o in (-1, 0, 1)]) - _mean([weeks[o] for o in (-1, 0, 1)]))
        days = {o: np.where(other & (apart > _APART), np.nan, days[o]) for o in reach}
    day_now = _mean([days[o][:, :length] for o in (-1, 0, 1)])
    week_now = _mean([weeks[o][:, :length] for o in (-1, 0, 1)])
    now = np.broadcast_to(clock[start:stop], (rows, length, 3))
    before = np.concatenate([_masked([day_now, week_now]), now], axis=2)  # [B, L, 4 + 3]

    both = np.concatenate([_around(list(days.values())), _around(list(weeks.values()))], axis=2)  # [.., 8]
    leads = []
    for lead in LEADS:
        then = np.broadcast_to(clock[start + lead : stop + lead], (rows, length, 3))
        ahead = np.full((rows, length, 1), lead / LEADS[-1], dtype=np.float32)
        leads.append(np.concatenate([both[:, lead : lead + length], then, ahead], axis=2))
    return before, np.stack(leads, axis=2)


def turned(clock: Float32Array, start: int, length: int, day: int) -> NDArray[np.bool_]:
    """Tell of [length] buckets from `start` on if one of it and `day` before lies in a day off."""
    off = clock[start : start + length, 2]
    before = columns(clock[None, :, 2], start - day, length)[0]  # NaN where the clock does not reach
    differs: NDArray[np.bool_] = np.abs(off - before) > 0
    return differs


def season_length(per_day: int) -> int:
    """Return the buckets to look back for "yesterday": whole days, longer than the forecast reaches.

    One day, unless a day has fewer than 21 buckets: then the same hour a few days ago, since one
    day before the target would lie after the origin.
    """
    least = AHEAD + LEADS[0]
    return -(-least // per_day) * per_day


def columns(values: FloatArray, start: int, length: int) -> FloatArray:
    """Return columns [start, start + length) of [B, N]; NaN where there are none."""
    low, high = max(start, 0), min(start + length, values.shape[1])
    if (low, high) == (start, start + length):
        return values[:, low:high].astype(np.float64)
    out = np.full((len(values), length), np.nan)
    if low < high:
        out[:, low - start : high - start] = values[:, low:high]
    return out


def _mean(parts: list[FloatArray]) -> FloatArray:
    stacked = np.stack(parts)
    seen = np.isfinite(stacked)
    count = seen.sum(axis=0)
    total = np.where(seen, stacked, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _masked(parts: list[FloatArray]) -> Float32Array:
    """Return each part [B, L] with its mask behind it: [B, L, 2 n], 0 where missing."""
    stacked = np.stack(parts, axis=2)
    seen = np.isfinite(stacked)
    both = np.stack([np.where(seen, stacked, 0.0), seen], axis=3)  # [B, L, n, 2]
    return both.reshape(*stacked.shape[:2], -1).astype(np.float32)


def _around(parts: list[FloatArray]) -> Float32Array:
    """Return centre, mask, and how far the highest and lowest of five are from it: [B, L, 4]."""
    at = _mean(parts[1:4])
    top, bottom = np.fmax.reduce(parts), np.fmin.reduce(parts)
    spread = np.stack([top - at, bottom - at], axis=2)
    return np.concatenate([_masked([at]), np.where(np.isfinite(spread), spread, 0.0)], axis=2).astype(
        np.float32
    )


def _level(clean: FloatArray, start: int, stop: int) -> FloatArray:
    """Return the mean of the last three buckets [B, L]; a gap up to 3 h keeps the last value."""
    reach = _HOLD_LAST + _LEVEL
    window = columns(clean, start - reach, stop - start + reach)  # [B, reach + L]
    index = np.where(np.isfinite(window), np.arange(window.shape[1]), -1)
    last = np.maximum.accumulate(index, axis=1)
    fresh = (last >= 0) & (np.arange(window.shape[1]) - last <= _HOLD_LAST)
    held = np.where(fresh, np.take_along_axis(window, np.maximum(last, 0), axis=1), np.nan)
    return _mean([held[:, reach - o : held.shape[1] - o] for o in range(_LEVEL)])
