"""The peers: score each workload by its strangest metric in a window, against the fault-free rows.

N-sigma: distance from the mean in standard deviations. BARO's robust scorer: distance from the
median in interquartile ranges (https://doi.org/10.1145/3660805). Both rank a workload by its
highest score, and always name one.
"""

from __future__ import annotations

import numpy as np
from bench.rootcause.cases import Case

from aiops.domain import FloatArray


def n_sigma(case: Case, start: int) -> tuple[str, ...]:
    """Return the workloads, strangest first, by the rows from `start` on."""
    past = np.ma.masked_invalid(case.values[: case.first])
    return _ranked(case, start, past.mean(axis=0).filled(np.nan), past.std(axis=0).filled(np.nan))


def robust(case: Case, start: int) -> tuple[str, ...]:
    """Return the same by median and interquartile range; a range of 0 counts as 1, as BARO's does."""
    past = case.values[: case.first]
    kept = np.where(np.isfinite(past).any(axis=0), past, 0.0)  # nothing seen: nothing to compare with
    low, middle, high = np.nanquantile(kept, [0.25, 0.5, 0.75], axis=0)
    return _ranked(case, start, middle, np.where(high > low, high - low, 1.0))


def _ranked(case: Case, start: int, centre: FloatArray, scale: FloatArray) -> tuple[str, ...]:
    off = np.abs(case.values[start:] - centre)
    known = np.isfinite(off) & (scale > 0)
    top = np.where(known, off / np.where(scale > 0, scale, 1.0), -1.0).max(axis=0)  # [t, C] -> [C]
    best = dict.fromkeys(case.workloads, -1.0)
    for (workload, _), score in zip(case.columns, top, strict=True):
        best[workload] = max(best[workload], float(score))
    return tuple(sorted(best, key=lambda workload: (-best[workload], workload)))
