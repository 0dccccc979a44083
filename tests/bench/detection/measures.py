"""How good a score is, without point adjustment: what TSB-AD ranks by, and what a user feels.

Everything is measured on the rows after the history. `vus_pr` is TSB-AD 1.5's VUS-PR (its
`RangeAUC_volume_opt`, 250 thresholds) in one pass over the rows for each buffer length instead of
one for each buffer and threshold; Paparrizos et al., "Volume Under the Surface", VLDB 2022.
A NaN score ranks below every other score: a row that nobody judged was not found.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

THRESHOLDS = 250  # TSB-AD's
JOINED_STEPS = 5  # a gap of at most this many steps does not end an event
DAY_S = 86_400


@dataclass(frozen=True, slots=True)
class Ranking:
    """Threshold-free measures of one series, 0..1; NaN where the judged rows have no anomaly."""

    vus_pr: float
    auc_pr: float
    f1: float
    unscored: float  # share of the judged rows without a score


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """The judged rows of one series: `score` [R], NaN = none; `label` bool [R]; seconds a step."""

    score: Floats
    label: NDArray[np.bool_]
    step_s: float

    @property
    def days(self) -> float:
        """How long the judged rows last."""
        return len(self.score) * self.step_s / DAY_S


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """What is predicted at one threshold: delays of the found segments, and how many are missed."""

    delays: Ints  # [found] steps from the first labelled row to the first row of the event, >= 0
    missed: int
    false: int
    healthy: int  # rows inside of events that no label covers


@dataclass(frozen=True, slots=True)
class Felt:
    """Events of a collection at one threshold; segments and false events are pooled over series."""

    threshold: float
    recall: float  # share of the label segments that an event overlaps
    delay_steps: float  # median over the found segments
    delay_minutes: float
    false_per_day: float  # false events per series-day
    alarmed: float  # share of the unlabelled rows inside of events: one endless event finds all


def judged(score: Floats, label: Floats, train_len: int, step_s: float) -> Judged:
    """Return the rows after the history."""
    return Judged(np.asarray(score, float)[train_len:], np.asarray(label)[train_len:] > 0, step_s)


def ranking(series: Judged, window: int) -> Ranking:
    """Return the threshold-free measures of one series; `window` as `buffer_steps` gives it."""
    unscored = float(np.mean(~np.isfinite(series.score)))
    if not series.label.any():
        return Ranking(np.nan, np.nan, np.nan, unscored)
    score = _filled(series.score)
    precision, recall = _curve(score, series.label)
    found = precision * recall > 0
    f1 = 2 * precision[found] * recall[found] / (precision[found] + recall[found])
    auc = float(np.sum(np.diff(recall, prepend=0.0) * precision))
    return Ranking(vus_pr(score, series.label, window), auc, float(f1.max()), unscored)


def vus_pr(score: Floats, label: NDArray[np.bool_], window: int) -> float:
    """Return the mean, over buffers of 0..`window` steps around the labels, of the range-AUC-PR.

    With a buffer of w steps a row at distance d <= w // 2 of a segment counts sqrt(1 - d / w) of
    a labelled row. Recall is weighted by the share of the segments, with their buffers, of which
    any row is above the threshold.
    """
    rank, predicted = _ranks(score)
    starts, ends = segments(label)
    positives = int(label.sum())
    inside = np.cumsum(np.bincount(rank[label], minlength=THRESHOLDS))  # [K] labelled rows found
    row, distance = _around(starts, ends, label, window // 2)
    places, row = np.unique(row, return_inverse=True)
    seen = np.append(rank, THRESHOLDS)  # one row more, so that a segment may end with the series
    total = 0.0
    for buffer in range(window + 1):
        near = int(np.searchsorted(distance, buffer // 2, side="right"))
        weight = np.sqrt(1 - distance[:near] / max(buffer, 1))
        weight = np.minimum(np.bincount(row[:near], weight, minlength=len(places)), 1.0)
        outside = np.cumsum(np.bincount(rank[places], weight, minlength=THRESHOLDS))
        first = _first_found(seen, starts, ends, buffer // 2)
        exists = np.searchsorted(np.sort(first), np.arange(THRESHOLDS), side="right") / len(first)
        found = inside + outside
        recall = np.minimum(found / (positives + outside / 2), 1.0) * exists
        total += float(np.diff(recall, prepend=0.0) @ (found / predicted))
    return total / (window + 1)


def buffer_steps(history: Floats) -> int:
    """Return TSB-AD's window length (`find_length_rank`) of a channel, from its history rows alone.

    The lag of the highest local maximum of the autocorrelation up to 400 steps, or 125. A hole is
    filled with the value before it.
    """
    known = forward_filled(np.asarray(history, float))[:20_000]
    known = known - known.mean()
    size = 1 << (2 * len(known) - 1).bit_length()
    power = np.abs(np.fft.rfft(known, size)) ** 2
    lagged = np.fft.irfft(power, size)[: min(401, len(known))]
    if not lagged[0] > 0:
        return 125
    curve = (lagged / lagged[0])[3:]
    peaks = np.flatnonzero((curve[1:-1] > curve[:-2]) & (curve[1:-1] > curve[2:])) + 1
    if not len(peaks):
        return 125
    best = int(peaks[np.argsort(curve[peaks])[-1]])
    return 125 if best < 3 or best > 300 else best + 3


def forward_filled(values: Floats) -> Floats:
    """Return [R] with every hole filled by the value before it; the first by the first value."""
    known = np.isfinite(values)
    if not known.any():
        return np.zeros(len(values))
    last = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return values[np.where(last < 0, int(np.argmax(known)), last)]


def segments(flag: NDArray[np.bool_]) -> tuple[Ints, Ints]:
    """Return the first and the last row of each maximal run of True."""
    change = np.diff(np.concatenate([[0], flag.astype(np.int8), [0]]))
    return np.flatnonzero(change == 1), np.flatnonzero(change == -1) - 1


def events(series: Judged, threshold: float) -> Events:
    """Compare the label segments with the maximal runs above `threshold`, short gaps joined."""
    with np.errstate(invalid="ignore"):
        above = np.flatnonzero(series.score > threshold)
    gap = np.flatnonzero(np.diff(above) > JOINED_STEPS + 1)
    begins = above[np.concatenate([[0], gap + 1])] if len(above) else above  # [E]
    lasts = above[np.concatenate([gap, [len(above) - 1]])] if len(above) else above
    starts, ends = segments(series.label)
    # The first event that ends in the segment or after it overlaps when it begins before its end.
    at = np.searchsorted(lasts, starts)
    found = np.append(begins, np.iinfo(np.int64).max)[at] <= ends
    delays = np.maximum(begins[at[found]] - starts[found], 0)
    touched = np.searchsorted(ends, begins)  # the first segment that ends in the event or after it
    true = np.append(starts, np.iinfo(np.int64).max)[touched] <= lasts
    quiet = np.concatenate([[0], np.cumsum(~series.label)])
    healthy = int((quiet[lasts + 1] - quiet[begins]).sum())
    return Events(delays, int((~found).sum()), int((~true).sum()), healthy)


def felt(collection: Sequence[Judged], threshold: float = 1.0) -> Felt:
    """Return event recall, delay and false events per series-day of a collection."""
    each = [events(series, threshold) for series in collection]
    delays = np.concatenate([one.delays for one in each])
    minutes = np.concatenate([one.delays * s.step_s / 60 for one, s in zip(each, collection, strict=True)])
    count = len(delays) + sum(one.missed for one in each)
    return Felt(
        threshold,
        len(delays) / count if count else np.nan,
        float(np.median(delays)) if len(delays) else np.nan,
        float(np.median(minutes)) if len(minutes) else np.nan,
        sum(one.false for one in each) / sum(series.days for series in collection),
        sum(one.healthy for one in each) / max(1, sum(int((~s.label).sum()) for s in collection)),
    )


def felt_at(collection: Sequence[Judged], rates: Sequence[float], grid: int = 400) -> list[Felt]:
    """Return the same at equal false events per series-day: one threshold for the collection each.

    The threshold falls from the highest score of the collection over `grid` ranks; the last one
    before the rate is first passed is taken (lower ones join events, and may look better again).
    """
    scores = np.concatenate([series.score for series in collection])
    scores = np.sort(scores[np.isfinite(scores)])[::-1]
    ranks = np.unique(np.geomspace(1, max(len(scores), 1), grid).astype(int) - 1)
    levels = np.unique(scores[ranks] if len(scores) else np.array([np.inf]))[::-1]
    # From the best row downwards: at the highest score itself nothing is above the threshold.
    best = [felt(collection, float(levels[0]))] * len(rates)
    passed = [False] * len(rates)
    for level in levels:
        here = felt(collection, float(level))
        for number, rate in enumerate(rates):
            passed[number] = passed[number] or here.false_per_day > rate
            if not passed[number]:
                best[number] = here
        if all(passed):
            break
    return best


def _filled(score: Floats) -> Floats:
    """Return finite scores in the same order: NaN below all others, infinities at the ends."""
    known = score[np.isfinite(score)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 0.0)
    below = low - max(abs(low), 1.0)
    return np.nan_to_num(score, nan=below, posinf=high + max(abs(high), 1.0), neginf=below)


def _curve(score: Floats, label: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return precision and recall at every distinct score, from the highest."""
    order = np.argsort(-score, kind="stable")
    last = np.append(np.flatnonzero(np.diff(score[order])), len(score) - 1)
    found = np.cumsum(label[order])[last]
    return found / (last + 1), found / label.sum()


def _ranks(score: Floats) -> tuple[Ints, Ints]:
    """Return for each row the first of TSB-AD's thresholds that it reaches, and rows at each [K]."""
    descending = -np.sort(-score)
    thresholds = descending[np.linspace(0, len(score) - 1, THRESHOLDS).astype(int)]
    rank = np.searchsorted(-thresholds, -score, side="left")  # [R], 0..K-1: the last is the minimum
    return rank, np.cumsum(np.bincount(rank, minlength=THRESHOLDS))


def _around(starts: Ints, ends: Ints, label: NDArray[np.bool_], reach: int) -> tuple[Ints, Ints]:
    """Return unlabelled rows within `reach` of a segment and their distance, nearest first."""
    steps = np.arange(1, reach + 1)
    distance = np.repeat(steps, 2 * len(starts))  # [N]
    row = np.concatenate([starts - steps[:, None], ends + steps[:, None]], axis=1).ravel()
    inside = (row >= 0) & (row < len(label))
    row, distance = row[inside], distance[inside]
    outside = ~label[row]
    return row[outside], distance[outside]


def _first_found(rank: Ints, starts: Ints, ends: Ints, reach: int) -> Ints:
    """Return the first threshold that any row of each segment reaches, near segments as one."""
    apart = ends[:-1] + reach < starts[1:] - reach
    left = np.maximum(starts[np.concatenate([[True], apart])] - reach, 0)
    right = np.minimum(ends[np.concatenate([apart, [True]])] + reach, len(rank) - 2)
    return np.minimum.reduceat(rank, np.stack([left, right + 1], axis=1).ravel())[::2]
