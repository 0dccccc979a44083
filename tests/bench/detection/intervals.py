"""Is ours better than the best peer, or are these series? A paired bootstrap over groups of series."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DRAWS = 10_000


@dataclass(frozen=True, slots=True)
class Ratio:
    """Mean of ours over mean of the peer on the same series, with its 95 % interval."""

    value: float
    low: float
    high: float
    groups: int

    def __str__(self) -> str:
        return f"{self.value:.2f} [{self.low:.2f}, {self.high:.2f}], {self.groups} groups"


def ratio(ours: NDArray[np.float64], peer: NDArray[np.float64], groups: Sequence[str]) -> Ratio:
    """Return the ratio of the means [N] over [N]; whole groups are drawn, always both methods of one.

    Series without a measure (NaN in either) are left out. With few groups the interval is rough,
    and rather too narrow.
    """
    both = np.isfinite(ours) & np.isfinite(peer)
    names = sorted({group for group, known in zip(groups, both, strict=True) if known})
    if not names:
        return Ratio(np.nan, np.nan, np.nan, 0)
    member = np.array([[group == name for group in groups] for name in names]) & both  # [G, N]
    sums = np.stack([member @ np.nan_to_num(ours), member @ np.nan_to_num(peer)])  # [2, G]
    rng = np.random.default_rng(0)
    drawn = rng.integers(len(names), size=(DRAWS, len(names)))
    means = sums[:, drawn].sum(axis=2)  # [2, D]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = means[0] / means[1]
        low, high = np.quantile(ratios[np.isfinite(ratios)], [0.025, 0.975])
        return Ratio(float(sums[0].sum() / sums[1].sum()), float(low), float(high), len(names))
