"""How long a workload has really been in use: from sustained traffic, not from a stray sample.

One early sample (a smoke test a month ago) would date a series to then, and every quiet hour
since would teach that zero is normal (PostHog#95919).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aiops.domain import Panel, Workload

_TRAFFIC = "request_rate"
# Sustained: 5 of the next 6 hours in use, and half of all hours from there on. A service that is
# used in office hours only passes; one that was tried out and left alone does not.
_NEXT_HOURS, _OF_NEXT, _OF_ALL = 6, 5, 0.5


def sustained_s(reference: Panel, workloads: tuple[Workload, ...], newest_s: int) -> NDArray[np.int64]:
    """Return the seconds of sustained traffic before `newest_s`: [W], 0 = none.

    `reference`: one-hour steps. Traffic is a positive request rate; for a workload without one
    (a batch job), any sample at all.
    """
    at = {workload.key: i for i, workload in enumerate(reference.workloads)}
    rows = np.array([at.get(workload.key, -1) for workload in workloads], dtype=np.int64)
    if not len(reference.times) or not len(workloads):
        return np.zeros(len(workloads), dtype=np.int64)
    present: NDArray[np.bool_] = _present(reference)  # [W', T]
    used = present[rows] & (rows >= 0)[:, None] if len(present) else np.zeros((len(rows), 1), dtype=bool)
    hours = used.shape[1]
    # Hours after the end count as used: a service must be able to start in the last six hours.
    ahead = np.concatenate([used, np.ones((len(used), _NEXT_HOURS), dtype=bool)], axis=1)
    next_hours = np.lib.stride_tricks.sliding_window_view(ahead, _NEXT_HOURS, axis=1)[:, :hours]
    from_here = np.cumsum(used[:, ::-1], axis=1)[:, ::-1] / np.arange(hours, 0, -1)
    starts = used & (next_hours.sum(axis=2) >= _OF_NEXT) & (from_here >= _OF_ALL)
    first = reference.times[np.argmax(starts, axis=1)]
    return np.where(starts.any(axis=1), np.maximum(newest_s - first, 0), 0).astype(np.int64)


def _present(reference: Panel) -> NDArray[np.bool_]:
    seen: NDArray[np.bool_] = np.isfinite(reference.values)  # [W, S, T]
    names = [signal.name for signal in reference.signals]
    if _TRAFFIC not in names:
        return np.asarray(seen.any(axis=1))
    rate: NDArray[np.float32] = reference.values[:, names.index(_TRAFFIC)]  # [W, T]
    has_rate: NDArray[np.bool_] = np.isfinite(rate).any(axis=1)  # type: ignore[assignment]
    return np.where(has_rate[:, None], np.nan_to_num(rate) > 0, seen.any(axis=1))
