"""How long a workload has really been in use: from sustained traffic, not from a stray sample.

One early sample (a smoke test a month ago) would date a series to then, and every quiet hour
since would teach that zero is normal (PostHog#95919).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from aiops.domain import Panel, Workload

_TRAFFIC = "request_rate"
# Sustained: 5 of the next 6 hours in use, a fifth of all hours from there on, and never unused for
# longer than four days. A service that is used in office hours passes, a long weekend included; one
# that was tried out and left alone does not.
_NEXT_HOURS, _OF_NEXT, _OF_ALL, _LONGEST_PAUSE_HOURS = 6, 5, 0.2, 96


def sustained_s(reference: Panel, workloads: tuple[Workload, ...], newest_s: int) -> NDArray[np.int64]:
    """Return the seconds of sustained traffic before `newest_s`: [W], 0 = none.

    `reference`: one-hour steps. Traffic is a positive request rate; for a workload without one
    (a batch job), any sample at all.
    """
    began = begun_s(reference, workloads)
    return np.where(began >= 0, np.maximum(newest_s - began, 0), 0)


def begun_s(reference: Panel, workloads: tuple[Workload, ...]) -> NDArray[np.int64]:
    """Return since when each workload has been in sustained use, unix seconds: [W], -1 = it is not."""
    at = {workload.key: i for i, workload in enumerate(reference.workloads)}
    rows = np.array([at.get(workload.key, -1) for workload in workloads], dtype=np.int64)
    if not len(reference.times) or not len(workloads):
        return np.full(len(workloads), -1, dtype=np.int64)
    present: NDArray[np.bool_] = _present(reference)  # [W', T]
    used = present[rows] & (rows >= 0)[:, None] if len(present) else np.zeros((len(rows), 1), dtype=bool)
    hours = used.shape[1]
    at_hour = np.arange(hours, dtype=np.int32)
    # before[:, t]: hours in use before hour t. Hours after the end count as used: a service must be
    # able to start in the last six hours.
    before = np.zeros((len(used), hours + _NEXT_HOURS + 1), dtype=np.int32)
    np.cumsum(used, axis=1, out=before[:, 1 : hours + 1])
    before[:, hours + 1 :] = before[:, hours, None] + np.arange(1, _NEXT_HOURS + 1)
    next_hours = before[:, _NEXT_HOURS : hours + _NEXT_HOURS] - before[:, :hours]
    from_here = before[:, hours, None] - before[:, :hours]
    starts = used & (next_hours >= _OF_NEXT) & (from_here >= _OF_ALL * (hours - at_hour))
    # The last hour with a pause behind it that is too long: a start is not before it.
    pause = np.zeros(used.shape, dtype=bool)
    late = before[:, _LONGEST_PAUSE_HOURS + 1 : hours + 1] - before[:, : max(hours - _LONGEST_PAUSE_HOURS, 0)]
    pause[:, _LONGEST_PAUSE_HOURS:] = late == 0
    since = np.where(pause & (before[:, :hours] > 0), at_hour, -1).max(axis=1)
    starts &= at_hour > since[:, None]
    first = reference.times[np.argmax(starts, axis=1)]
    return np.where(starts.any(axis=1), first, -1).astype(np.int64)


def _present(reference: Panel) -> NDArray[np.bool_]:
    seen: NDArray[np.bool_] = np.isfinite(reference.values)  # [W, S, T]
    names = [signal.name for signal in reference.signals]
    if _TRAFFIC not in names:
        return np.asarray(seen.any(axis=1))
    rate: NDArray[np.float32] = reference.values[:, names.index(_TRAFFIC)]  # [W, T]
    has_rate: NDArray[np.bool_] = np.isfinite(rate).any(axis=1)  # type: ignore[assignment]
    return np.where(has_rate[:, None], np.nan_to_num(rate) > 0, seen.any(axis=1))
