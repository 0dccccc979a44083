"""Go on where an earlier run of the same UTC day stopped, instead of from the anchor.

What a run knows of a series when its last whole block is fed is kept: state, forecasts for the
next buckets, one day of buckets as they were fed, the bands drawn so far, and what was fitted.
It is found again by a digest of every number it was made from. So a late or changed sample, a new
workload, another model, step, calendar or day finds nothing and is computed from the anchor;
and what is found is bit for bit what would have been computed (law 8).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiops.detect import features, lstm
from aiops.detect.bands import Bands, Batch
from aiops.detect.features import AHEAD, LEADS
from aiops.detect.model import BLOCK_ROWS, Model
from aiops.domain import Float32Array, FloatArray

Digest = NDArray[np.uint64]
_BACK = 2  # buckets of jitter: how far before the same time a season is read
_LANES = 2  # of 64 bits: chance finds another series by one in 2^128
_LEAST_KEPT = 48  # buckets: what `features.present` looks back, where a day has fewer


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """What is known of [B] series when [0, fed) buckets of a run are fed; R = buckets kept.

    `key`: what all rows were made with. `digest` [B, 2] of what each was made from. `fitted`
    [B, 3]: centre, scale, margin. `hidden` [B, 2, H]: h and c. `made` [B, J, AHEAD, 3]: forecasts
    for the buckets from `fed` on. `clean` and `replaced` [B, R]: the last buckets before `fed`,
    squashed. `drawn` [B, 3, fed - fit window]: lower edge, middle, upper edge, squashed.
    """

    key: str
    fed: int
    digest: Digest
    fitted: FloatArray
    hidden: Float32Array
    made: Float32Array
    clean: FloatArray
    replaced: NDArray[np.bool_]
    drawn: FloatArray


ARRAYS = ("digest", "fitted", "hidden", "made", "clean", "replaced", "drawn")


@dataclass(frozen=True, slots=True)
class _Span:
    """Where a run stands, in buckets: [0, fit) fitted, [fit, complete) judged and fed, then `buckets`."""

    per: int
    fit: int
    fed: int
    complete: int
    buckets: int


def bands(
    batch: Batch, model: Model, signals: tuple[str, ...], hold_steps: int, earlier: Mapping[str, Carried]
) -> tuple[Bands, Carried]:
    """Return the bands that `lstm.bands` draws from `batch.fit_steps` on, and what to carry.

    At least one series, at most one day after the fit window: [B, T], NaN before. `earlier`: by key.
    """
    span = _span(batch)
    known = {signal: _limit(model, signal) for signal in set(signals)}
    limits = np.array([known[signal] for signal in signals]).reshape(-1, 2)  # [B, 2]
    found = key(batch, model, hold_steps)
    old = earlier.get(found)
    if old is not None and not _fits(old, model, span, batch.step_s):
        old = None
    weight = _Weights(batch, limits, span.per)
    at = np.full(len(signals), -1)
    if old is None:
        digest = weight.of(0, span.fed)
    else:
        digest = weight.of(0, old.fed)
        at = _rows_of(digest, old.digest)
        digest = digest + weight.of(old.fed, span.fed)
    parts: list[tuple[NDArray[np.int64], FloatArray, Carried]] = []
    for rows in _blocks(np.flatnonzero(at < 0)):
        some = batch.rows(rows)
        parts.append((rows, *_from_anchor(some, model, tuple(signals[i] for i in rows), hold_steps, span)))
    for rows in _blocks(np.flatnonzero(at >= 0)):
        assert old is not None  # noqa: S101 - rows were found in it
        parts.append((rows, *_from_earlier(batch.rows(rows), model, _picked(old, at[rows]), span)))
    return _joined(batch, span, parts), _gathered(found, span, digest, parts)


def key(batch: Batch, model: Model, hold_steps: int) -> str:
    """Return a hash of what all series of a batch have in common."""
    common = (
        model.card.model_dump_json(),
        int(batch.times[0]),
        batch.step_s,
        batch.fit_steps,
        batch.trusted,
        batch.week_ago is None,
        batch.calendar,
        hold_steps,
    )
    return hashlib.sha256(repr(common).encode()).hexdigest()


def _span(batch: Batch) -> _Span:
    per = lstm.steps_per_bucket(batch.step_s)
    steps = batch.values.shape[1]
    complete = steps // per
    fit = min(batch.fit_steps // per, complete)
    fed = fit + (complete - fit) // lstm.BLOCK * lstm.BLOCK
    return _Span(per, fit, fed, complete, -(-steps // per))


def _fits(old: Carried, model: Model, span: _Span, step_s: int) -> bool:
    """Tell if it is not about a later time, and every array has the sizes of this model."""
    rows = len(old.digest)
    kept = min(_kept(lstm.day_of(span.per * step_s)), old.fed)
    return span.fit <= old.fed <= span.complete and (
        old.digest.shape == (rows, _LANES)
        and old.fitted.shape == (rows, 3)
        and old.hidden.shape == (rows, 2, model.card.hidden)
        and old.made.shape == (rows, len(LEADS), AHEAD, 3)
        and old.clean.shape == old.replaced.shape == (rows, kept)
        and old.drawn.shape == (rows, 3, old.fed - span.fit)
    )


def _kept(day: int) -> int:
    """Return how many buckets the next one reads: the same time yesterday, and what `present` reads."""
    return max(day + _BACK, _LEAST_KEPT)


def _limit(model: Model, signal: str) -> tuple[float, float]:
    found = model.card.calibration(signal)
    return found.threshold, found.typical


def _blocks(rows: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    return [rows[i : i + BLOCK_ROWS] for i in range(0, len(rows), BLOCK_ROWS)]


class _Weights:
    """A digest of numbers that grows with them: sums of each one's bits, times a fixed odd number.

    Any one changed number changes it; two that cancel out have a chance of 2^-64 in each lane.
    """

    def __init__(self, batch: Batch, limits: FloatArray, per: int) -> None:
        week = np.empty((len(limits), 0)) if batch.week_ago is None else batch.week_ago
        self._parts = (batch.values, week, np.column_stack([limits, batch.min_deviation, batch.direction]))
        self._per = per
        longest = max(part.shape[1] for part in self._parts)
        rng = np.random.Generator(np.random.PCG64(0))
        # Longest axis first: the numbers of a column do not depend on how many follow.
        drawn = rng.integers(2**64, size=(longest, len(self._parts), _LANES), dtype=np.uint64) | np.uint64(1)
        self._odd = np.ascontiguousarray(drawn.transpose(1, 2, 0))

    def of(self, start: int, stop: int) -> Digest:
        """Return what buckets [start, stop) add: [B, 2]. A week ago is read AHEAD buckets further."""
        ends = (stop, stop + AHEAD)
        starts = (start, start + AHEAD) if start else (0, 0)
        sides = [slice(a * self._per, b * self._per) for a, b in zip(starts, ends, strict=True)]
        sides.append(slice(None, None if not start else 0))  # what holds for the row counts once
        out = np.zeros((len(self._parts[0]), _LANES), dtype=np.uint64)
        for rows in _blocks(np.arange(len(out))):  # so that what is in between stays in the cache
            for part, odd, side in zip(self._parts, self._odd, sides, strict=True):
                bits = np.ascontiguousarray(part[rows[0] : rows[-1] + 1, side]).view(np.uint64)
                bits = bits ^ (bits >> np.uint64(32))  # samples were float32: their low bits are 0
                for lane in range(_LANES):
                    out[rows, lane] += (bits * odd[lane, : part.shape[1]][side]).sum(axis=1)
        return out


def _rows_of(digest: Digest, known: Digest) -> NDArray[np.int64]:
    """Return for each row of [B, 2] the row of [B', 2] that equals it, -1 = none."""
    if not len(known):
        return np.full(len(digest), -1)
    order = np.argsort(known[:, 0], kind="stable")
    place = np.minimum(np.searchsorted(known[order, 0], digest[:, 0]), len(order) - 1)
    row = order[place]
    return np.where((known[row] == digest).all(axis=1), row, -1)


def _picked(carried: Carried, rows: NDArray[np.int64]) -> Carried:
    return Carried(carried.key, carried.fed, *(getattr(carried, name)[rows] for name in ARRAYS))


def _from_anchor(
    batch: Batch, model: Model, signals: tuple[str, ...], hold_steps: int, span: _Span
) -> tuple[FloatArray, Carried]:
    run, centre, scale, margin = lstm.fit(batch, model, signals, hold_steps)
    run.settle(span.fit)
    fitted = np.column_stack([centre, scale, margin])
    none = np.empty((len(signals), 3, 0))
    return _finished(run, fitted, none, span, span.fit, 0)


def _from_earlier(batch: Batch, model: Model, old: Carried, span: _Span) -> tuple[FloatArray, Carried]:
    """Return the same from what was carried: bucket 0 of this pass is the first that was kept."""
    centre, scale, _ = old.fitted.T
    rows, kept = old.clean.shape
    first = old.fed - kept
    per, pace = span.per, span.per * batch.step_s

    def folded(values: FloatArray, start: int) -> FloatArray:
        return features.squash(features.fold(values[:, start * per :], per), centre, scale)

    seen = np.full((rows, kept + span.buckets - old.fed), np.nan)
    seen[:, kept:] = folded(batch.values, old.fed)
    clean = seen.copy()
    clean[:, :kept] = old.clean
    ahead = seen.shape[1] + AHEAD
    week = np.full((rows, ahead), np.nan)
    if batch.week_ago is not None:
        since = max(old.fed - _BACK, 0)
        week[:, since - first :] = features.columns(folded(batch.week_ago, since), 0, ahead - since + first)
    made = np.full((rows, len(LEADS), ahead, 3), np.nan, dtype=np.float32)
    made[:, :, kept : kept + AHEAD] = old.made
    replaced = np.zeros(seen.shape, dtype=bool)
    replaced[:, :kept] = old.replaced
    run = lstm.Pass(
        model=model,
        clean=clean,
        week=week,
        clock=batch.calendar.clock(int(batch.times[0]) + (first + np.arange(ahead, dtype=np.int64)) * pace),
        least=batch.min_deviation / scale,
        direction=batch.direction,
        day=lstm.day_of(pace),
        made=made,
        replaced=replaced,
        seen=seen,
        state=(old.hidden[None, :, 0], old.hidden[None, :, 1]),
    )
    return _finished(run, old.fitted, old.drawn, span, old.fed, first)


def _finished(
    run: lstm.Pass, fitted: FloatArray, before: FloatArray, span: _Span, start: int, first: int
) -> tuple[FloatArray, Carried]:
    """Feed buckets from `start` on; return the edges [B, 3, buckets - fit window] and what to carry.

    `before`: [B, 3, start - fit window], drawn earlier. `first`: the bucket that is 0 in `run`.
    """
    margin, fed = fitted[:, 2], span.fed - first
    run.advance(start - first, fed, margin)
    state, made = run.state, run.made[:, :, fed : fed + AHEAD].copy()
    run.advance(fed, span.complete - first, margin)
    drawn = run.drawn(start - first, span.buckets - first, margin)
    edges = np.concatenate([before, np.stack(drawn, axis=1)], axis=2)
    kept = slice(max(fed - _kept(run.day), 0), fed)
    carried = Carried(
        key="",
        fed=span.fed,
        digest=np.empty((len(margin), _LANES), dtype=np.uint64),
        fitted=fitted,
        hidden=np.concatenate(state).transpose(1, 0, 2),  # 2 x [1, B, H] -> [B, 2, H]
        made=made,
        clean=run.clean[:, kept],
        replaced=run.replaced[:, kept],
        drawn=edges[:, :, : span.fed - span.fit],
    )
    return edges, carried


def _joined(batch: Batch, span: _Span, parts: list[tuple[NDArray[np.int64], FloatArray, Carried]]) -> Bands:
    """Return the bands [B, T] of all blocks, in units."""
    steps = batch.values.shape[1]
    from_step = span.fit * span.per
    out = np.empty((3, len(batch.values), steps))
    out[:, :, :from_step] = np.nan
    for rows, edges, carried in parts:
        centre, scale, _ = carried.fitted.T
        for i in range(3):
            wide = np.repeat(features.expand(edges[:, i], centre, scale), span.per, axis=1)
            out[i, rows, from_step:] = wide[:, : steps - from_step]
    lower, middle, upper = out
    return Bands(middle, lower, upper)


def _gathered(
    found: str, span: _Span, digest: Digest, parts: list[tuple[NDArray[np.int64], FloatArray, Carried]]
) -> Carried:
    """Return what all blocks carry, row by row in the order of the batch."""
    order = np.argsort(np.concatenate([rows for rows, _, _ in parts]))
    arrays = [np.concatenate([getattr(one, name) for _, _, one in parts])[order] for name in ARRAYS[1:]]
    return Carried(found, span.fed, digest, *arrays)
