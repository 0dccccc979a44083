"""Draw the band of each series with the trained forecaster, one pass, seeing only the past.

Buckets are fed in blocks of 30 minutes with carried state. The forecasts that judge a block were
made before it began, so a block can be judged before it is fed. What left its band is fed as what
was forecast: an outage does not become the expectation, and since the pass starts at a fixed
anchor, every run replays the same replacements and needs no memory.

Numpy and ONNX Runtime only; the one loop is over blocks of time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiops.detect import calibration, features
from aiops.detect.bands import Bands, Batch
from aiops.detect.features import AHEAD, LEADS
from aiops.detect.model import BLOCK_ROWS, Model
from aiops.detect.settings import DAY_S, PACE_S
from aiops.domain import Float32Array, FloatArray

BLOCK = LEADS[0]  # buckets fed at once: the nearest forecast must be older than the block
# In the fit window the widening is not known yet: replace only what is clearly out.
_FIT_MARGIN = 2.0
# The days of a healthy series differ less in their scale.
_SHIFTED = 1.5
_LASTING = 0.9  # of the buckets out of the band: at the edge some come back in


@dataclass(slots=True, eq=False)
class Pass:
    """One pass over [B] series of [N] buckets; mutated block by block, never seen outside.

    `clean`: [B, N] squashed, what left its band replaced. `made`: [B, J, N + AHEAD, 3] forecasts
    by the bucket they are for. `replaced`: [B, N]. `seen`: [B, N] squashed, as measured.
    """

    model: Model
    clean: FloatArray
    week: FloatArray
    clock: Float32Array
    least: FloatArray
    direction: NDArray[np.int64]
    day: int
    made: Float32Array
    replaced: NDArray[np.bool_]
    seen: FloatArray
    state: tuple[Float32Array, Float32Array]

    def quantiles(self, start: int, stop: int) -> FloatArray:
        """Return the mean of the forecasts made 30, 45 and 60 minutes before: [B, stop-start, 3].

        One forecast may have been made at an odd moment; three agree on what is odd.
        """
        made = self.made[:, :, start:stop].astype(np.float64)
        if np.isfinite(made).all():  # nearly always; the same sum, without a copy for each step
            return np.asarray(made.sum(axis=1) / made.shape[1])
        count = np.isfinite(made).sum(axis=1)
        return np.where(count > 0, np.nansum(made, axis=1) / np.maximum(count, 1), np.nan)

    def yesterday(self, start: int, stop: int) -> tuple[FloatArray, FloatArray]:
        """Return the lowest and highest of the same time yesterday, 10 minutes around: [B, L] each.

        As it was fed: an incident of yesterday is not in it, a nightly job is. Nor is the way up to
        an incident: a ramp is in its band until it is steep enough.
        """
        first, length = start - self.day - 2, stop - start + 4
        clean = features.columns(self.clean, first, length)
        clean[self._on_the_way(first, length)] = np.nan
        near = [clean[:, o : o + stop - start] for o in range(5)]
        return np.fmin.reduce(near), np.fmax.reduce(near)

    def _on_the_way(self, first: int, length: int) -> NDArray[np.bool_]:
        """Tell of [first, first + length) if more than half of the next 4 hours was replaced.

        A nightly job that yesterday's night did not know is shorter, and known today.
        """
        ahead = self.day // 6  # less than a day minus a block: known when today is judged
        low = max(first, 0)
        out = np.zeros((len(self.replaced), length + ahead), dtype=np.int64)
        found = self.replaced[:, low : max(first + length + ahead, low)]
        out[:, low - first : low - first + found.shape[1]] = found
        total = np.cumsum(out, axis=1)
        return 2 * (total[:, ahead:] - total[:, :-ahead]) > ahead

    def drawn(self, start: int, stop: int, margin: FloatArray) -> tuple[FloatArray, ...]:
        """Return lower edge, middle and upper edge of buckets [start, stop): [B, L] each, squashed."""
        return edges(self.quantiles(start, stop), margin, self.least, self.yesterday(start, stop))

    def advance(self, start: int, stop: int, margin: FloatArray) -> None:
        """Judge, replace and feed buckets [start, stop), in blocks. `margin`: [B] in widths."""
        # Yesterday is settled: what it says is laid out for many blocks at once.
        stretch = max(self.day - AHEAD, BLOCK) // BLOCK * BLOCK
        for begin in range(start, stop, stretch):
            end = min(begin + stretch, stop)
            seasons, known = features.seasons(self.clean, self.week, self.clock, begin, end, self.day)
            for first in range(begin, end, BLOCK):
                last = min(first + BLOCK, end)
                self._replace(first, last, margin)
                here = slice(first - begin, last - begin)
                now = features.present(self.clean, first, last)
                inputs = np.concatenate([now, seasons[:, here]], axis=2)  # [B, L, 4 + 7]
                quantiles, self.state = self.model.run(inputs, known[:, here], self.state)
                for j, lead in enumerate(LEADS):
                    self.made[:, j, first + lead : last + lead] = quantiles[:, :, j]

    def settle(self, start: int) -> None:
        """Take what was out of its band for 36 hours before `start` as the new level.

        Called at 00:00 UTC only: from then on, yesterday is what was seen. A gap is no time.
        """
        lasting = self.day * 3 // 2
        if start < lasting:
            return
        span = slice(start - lasting, start)
        there = np.isfinite(self.seen[:, span]).sum(axis=1)
        out = self.replaced[:, span].sum(axis=1)
        settled = (out >= _LASTING * there) & (2 * there >= lasting)
        self.clean[settled, :start] = self.seen[settled, :start]
        self.replaced[settled] = False

    def _replace(self, first: int, last: int, margin: FloatArray) -> None:
        quantiles = self.quantiles(first, last)
        lower, middle, upper = edges(quantiles, margin, self.least, self.yesterday(first, last))
        seen = self.seen[:, first:last]
        high = (seen > upper) & (self.direction >= 0)[:, None]
        low = (seen < lower) & (self.direction <= 0)[:, None]
        out = high | low  # NaN compares False: a gap is not replaced
        # On the first day of a young series there is no season to hold it against.
        near = [features.columns(self.clean, first - self.day + o, last - first) for o in range(-2, 3)]
        known = np.isfinite(near).any(axis=0) | np.isfinite(self.week[:, first:last])
        # Odd or not, what a week ago had as well is no outage to forget: a Monday that was fed as the
        # forecast of a Sunday would be the yesterday of Tuesday.
        weekly = [features.columns(self.week, first + o, last - first) for o in range(-2, 3)]
        width_up, width_down = quantiles[..., 2] - quantiles[..., 1], quantiles[..., 1] - quantiles[..., 0]
        usual = (seen <= np.fmax.reduce(weekly) + width_up) & (seen >= np.fmin.reduce(weekly) - width_down)
        out &= known & ~usual
        self.replaced[:, first:last] = out
        self.clean[:, first:last] = np.where(out, middle, seen)


def edges(
    quantiles: FloatArray,
    margin: FloatArray,
    least: FloatArray,
    yesterday: tuple[FloatArray, FloatArray],
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return lower edge, middle and upper edge [B, L], squashed, from quantiles [B, L, 3].

    `margin`: [B] widths from the middle to the edge. `least`: [B] smallest deviation that
    matters, in scales (not squashed). What was seen at this time yesterday, and a width beyond,
    is inside the band: a peak that history knows is no incident, however rare such peaks were in
    training.
    """
    low, middle, high = (quantiles[..., i] for i in range(3))
    raw = np.sinh(middle)
    upper = np.maximum(middle + margin[:, None] * (high - middle), np.arcsinh(raw + least[:, None]))
    lower = np.minimum(middle - margin[:, None] * (middle - low), np.arcsinh(raw - least[:, None]))
    upper = np.fmax(upper, yesterday[1] + (high - middle))
    lower = np.fmin(lower, yesterday[0] - (middle - low))
    return lower, middle, upper


def bands(batch: Batch, model: Model, signals: tuple[str, ...], hold_steps: int) -> Bands:
    """Return the band of each series: [B, T], NaN in the first 30 minutes and where it is unknown.

    `signals`: [B] names, for the calibration. Series must not be flat (`features.fit_scale`).
    Every row is computed as if it were alone.
    """
    parts = [
        _block_bands(
            batch.rows(np.arange(i, min(i + BLOCK_ROWS, len(signals)))),
            model,
            signals[i : i + BLOCK_ROWS],
            hold_steps,
        )
        for i in range(0, len(signals), BLOCK_ROWS)
    ]
    return Bands(
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("expected", "lower", "upper"))
    )


def _block_bands(batch: Batch, model: Model, signals: tuple[str, ...], hold_steps: int) -> Bands:
    per = steps_per_bucket(batch.step_s)
    run, centre, scale, margin = fit(batch, model, signals, hold_steps)

    buckets = run.clean.shape[1]
    complete = batch.values.shape[1] // per  # a bucket that still fills is never fed
    fitted = min(batch.fit_steps // per, complete)
    parts = [run.drawn(0, fitted, margin)]
    for start in range(fitted, buckets, run.day):  # one UTC day in a run, many in a table
        stop = min(start + run.day, buckets)
        run.settle(start)
        run.advance(start, min(stop, complete), margin)
        parts.append(run.drawn(start, stop, margin))  # before a later day settles what was before

    steps = batch.values.shape[1]
    lower, middle, upper = (
        np.repeat(features.expand(np.concatenate(one, axis=1), centre, scale), per, axis=1)[:, :steps]
        for one in zip(*parts, strict=True)
    )
    return Bands(middle, lower, upper)


def steps_per_bucket(step_s: int) -> int:
    """Return how many steps make one bucket."""
    return max(1, round(PACE_S / step_s))


def day_of(pace_s: int, days: int = 1) -> int:
    """Return how many buckets one looks back for the same time so many days ago."""
    return features.season_length(days * max(1, round(DAY_S / pace_s)))


def fit(
    batch: Batch, model: Model, signals: tuple[str, ...], hold_steps: int
) -> tuple[Pass, FloatArray, FloatArray, FloatArray]:
    """Return a pass fed with the fit window; centre, scale and margin [B], which hold from there on."""
    known = [model.card.calibration(signal) for signal in signals]
    limit = np.array([one.threshold for one in known])
    typical = np.array([one.typical for one in known])
    centre, scale = _calm_scale(batch)
    per = steps_per_bucket(batch.step_s)
    run = start_pass(batch, model, centre, scale, per)
    fitted = min(batch.fit_steps, batch.values.shape[1]) // per
    # The second half is held against what the first one says: what was out of its band yesterday
    # must be fed as forecast today as well, or an incident ends at 00:00 UTC.
    half = fitted // 2
    run.advance(0, half, limit * _FIT_MARGIN)
    early = ratios(batch, run, centre, scale, per, half * per)
    wider = calibration.widening(early, typical, hold_steps, trusted=batch.trusted)
    run.advance(half, fitted, limit * wider)
    history = ratios(batch, run, centre, scale, per, batch.fit_steps)
    margin = limit * calibration.widening(history, typical, hold_steps, trusted=batch.trusted)
    return run, centre, scale, margin


def _calm_scale(batch: Batch) -> tuple[FloatArray, FloatArray]:
    """Return centre and scale [B] of the fit window; of one half of it when a shift is between.

    An incident that goes on at 00:00 UTC must not be the scale that it is measured with. The
    earlier half first: it was there before.
    """
    fit, half = batch.fit, batch.fit_steps // 2
    centre, whole, _ = features.fit_scale(fit, batch.min_deviation)
    scale = whole
    for part in () if batch.trusted else (fit[:, half:], fit[:, :half]):
        level, spread, flat = features.fit_scale(part, batch.min_deviation)
        enough = 4 * np.isfinite(part).sum(axis=1) >= np.isfinite(fit).sum(axis=1)
        calmer = enough & (~flat | (batch.min_deviation > 0)) & (_SHIFTED * spread < whole)
        centre, scale = np.where(calmer, level, centre), np.where(calmer, spread, scale)
    return np.nan_to_num(centre), scale


def start_pass(batch: Batch, model: Model, centre: FloatArray, scale: FloatArray, per: int) -> Pass:
    """Return a pass at its anchor: folded, squashed, nothing fed yet."""
    clean = features.squash(features.fold(batch.values, per), centre, scale)  # [B, N]
    rows, buckets = clean.shape
    pace = per * batch.step_s
    start = int(batch.times[0])
    ahead = start + np.arange(buckets + AHEAD, dtype=np.int64) * pace
    if batch.week_ago is None:
        # Shifted by whole weeks, so far that a target's week-ago is never after its origin.
        week = features.columns(clean, -day_of(pace, 7), buckets + AHEAD)
    else:
        folded = features.squash(features.fold(batch.week_ago, per), centre, scale)
        week = features.columns(folded, 0, buckets + AHEAD)
    return Pass(
        model=model,
        clean=clean,
        week=week,
        clock=batch.calendar.clock(ahead),
        least=batch.min_deviation / scale,
        direction=batch.direction,
        day=day_of(pace),
        made=np.full((rows, len(LEADS), buckets + AHEAD, 3), np.nan, dtype=np.float32),
        replaced=np.zeros((rows, buckets), dtype=bool),
        seen=clean.copy(),
        state=model.state(rows),
    )


def ratios(
    batch: Batch, run: Pass, centre: FloatArray, scale: FloatArray, per: int, steps: int
) -> FloatArray:
    """Return how many widths each of the first `steps` samples is off on its bad side: [B, steps].

    A deviation smaller than `min_deviation`, or that yesterday had as well, is 0. NaN where
    nothing was observed or forecast.
    """
    seen = batch.values[:, :steps]
    buckets = run.clean.shape[1]
    quantiles = run.quantiles(0, buckets)
    drawn = [*(quantiles[..., i] for i in range(3)), *run.yesterday(0, buckets)]
    low, middle, high, bottom, top = (np.repeat(one, per, axis=1)[:, :steps] for one in drawn)
    squashed = features.squash(seen, centre, scale)
    off = squashed - middle
    ratio = np.where(off >= 0, off / (high - middle), -off / (middle - low))
    bad = np.where(off >= 0, batch.direction[:, None] >= 0, batch.direction[:, None] <= 0)
    small = np.abs(seen - features.expand(middle, centre, scale)) < batch.min_deviation[:, None]
    small |= (squashed <= top + (high - middle)) & (squashed >= bottom - (middle - low))
    return np.where(np.isfinite(ratio), np.where(bad & ~small, ratio, 0.0), np.nan)
