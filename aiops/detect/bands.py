"""Series to be judged, the band each is expected in, and the score of leaving it.

Every scorer answers with the same `Bands`, so 1.0 means the same whoever drew them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiops.detect.settings import Calendar
from aiops.domain import FloatArray, Signal, TimesArray

# Beyond this a score says nothing more, and a report with 1e9 in it helps nobody.
HIGHEST = 1_000.0


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Series on one grid. The first `fit_steps` steps are history: all that is fitted is from there.

    `values`: float64 [B, T], NaN = no sample. `week_ago`: [B, >= T] the same a week earlier, or
    None to take it from `values` itself. `min_deviation`: [B] in units. `direction`: [B],
    +1 up is bad, -1 down, 0 both. `times`: [T], `times[0]` a multiple of the bucket. `trusted`: the
    history was chosen to be normal; otherwise an incident may be in it, and may still go on.
    """

    values: FloatArray
    week_ago: FloatArray | None
    times: TimesArray
    step_s: int
    fit_steps: int
    min_deviation: FloatArray
    direction: NDArray[np.int64]
    calendar: Calendar
    trusted: bool = False

    @property
    def fit(self) -> FloatArray:
        """[B, fit_steps]: the history, NaN in the excluded spans of the calendar."""
        keep = self.calendar.learnable(self.times[: self.fit_steps])
        return np.where(keep, self.values[:, : self.fit_steps], np.nan)

    def rows(self, pick: NDArray[np.int64]) -> Batch:
        """Return the same grid with only some series."""
        week = None if self.week_ago is None else self.week_ago[pick]
        return Batch(
            self.values[pick],
            week,
            self.times,
            self.step_s,
            self.fit_steps,
            self.min_deviation[pick],
            self.direction[pick],
            self.calendar,
            self.trusted,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Bands:
    """The expected value and the edges of its band, in units: each [B, T], NaN = cannot say."""

    expected: FloatArray
    lower: FloatArray
    upper: FloatArray

    def or_within(self, other: Bands) -> Bands:
        """Return the same expected value; the edges enclose what both allow."""
        return Bands(self.expected, np.fmin(self.lower, other.lower), np.fmax(self.upper, other.upper))

    def since(self, step: int) -> Bands:
        """Return the bands from `step` on."""
        return Bands(self.expected[:, step:], self.lower[:, step:], self.upper[:, step:])

    def rows(self, pick: NDArray[np.int64]) -> Bands:
        """Return the bands of only some series."""
        return Bands(self.expected[pick], self.lower[pick], self.upper[pick])


def directions(signals: Sequence[Signal]) -> NDArray[np.int64]:
    """Return +1, -1 or 0 for each signal."""
    return np.array(
        [{"up": 1, "down": -1, "both": 0}[signal.direction] for signal in signals], dtype=np.int64
    )


def guarded(bands: Bands, min_deviation: FloatArray) -> Bands:
    """Return bands whose edges are at least `min_deviation` [B] away from what is expected."""
    least = min_deviation[:, None]
    return Bands(
        bands.expected,
        np.minimum(bands.lower, bands.expected - least),
        np.maximum(bands.upper, bands.expected + least),
    )


def scores(values: FloatArray, bands: Bands, direction: NDArray[np.int64]) -> FloatArray:
    """Return how far each value is towards (1.0) or beyond the edge on its bad side: [B, T] >= 0.

    `bands` must be guarded. NaN where there is no sample or no band; a deviation to the good side
    is 0. An infinite sample scores HIGHEST: it is wrong, and it must not become NaN.
    """
    sign = direction[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        up = (values - bands.expected) / (bands.upper - bands.expected)
        down = (bands.expected - values) / (bands.expected - bands.lower)
    raw = np.where(sign > 0, up, np.where(sign < 0, down, np.maximum(up, down)))
    known = ~np.isnan(values) & np.isfinite(bands.expected)
    return np.where(known, np.clip(np.nan_to_num(raw, nan=0.0, posinf=HIGHEST), 0.0, HIGHEST), np.nan)
