"""Tells a release that asks a callee for more from one whose callee fails.

Callers send again what fails, so more calls alone prove nothing. But a call is answered well at
most once, however often it is sent: where more calls per own request succeed from a release on,
the new version asks for more. Nothing else is claimed here: whether the callee suffers from it is
asked elsewhere, and where a part is not measured nothing is said.

Refused: calls that were made over calls before. Retries look the same, on the victim.
"""

from __future__ import annotations

from math import sqrt

import numpy as np
from numpy.typing import NDArray

from aiops.diagnose.changes import SIDECARS
from aiops.diagnose.rows import NOW_STEPS, Kinds, Sources, median, named
from aiops.diagnose.traffic import DESTINATION, LOOK_BACK_S, SOURCE
from aiops.domain import Asks, Change, FloatArray, TimesArray, Workload
from aiops.limits import LIMITS

# After a release, the minutes that show what it asks for: before its callee gave way, or early in it.
_FIRST_S = 900


def asks(
    sources: Sources, workload: Workload, images: tuple[Change, ...], onset_s: int, kinds: Kinds
) -> tuple[Asks, ...]:
    """Return the callees that the newest release before an onset asks for more, sorted by callee."""
    released_s = max(
        (
            change.at_s
            for change in images
            if change.subject not in SIDECARS
            and -LIMITS.change_after_onset_s <= onset_s - change.at_s <= LIMITS.change_to_onset_s
        ),
        default=None,
    )
    own = _sum(sources, "version_rate", workload, DESTINATION)
    if released_s is None or own is None or "call_rate" not in sources.answers:
        return ()
    times = sources.answers["call_rate"].times
    found = []
    for labels, rate in sources.rows("call_rate", workload, *SOURCE):
        callee = named(labels, kinds, namespace=DESTINATION[0], name=DESTINATION[1])
        share = next(
            (
                row
                for other, row in sources.rows("call_success_ratio", workload, *SOURCE)
                if named(other, kinds, namespace=DESTINATION[0], name=DESTINATION[1]) == callee
            ),
            None,
        )
        every = _sum(sources, "call_rate", callee, DESTINATION)
        if share is None or every is None or not own.size == rate.size == share.size == times.size:
            continue
        one = _more(callee, times, released_s, own, rate, rate * share, every)
        if one is not None:
            found.append(one)
    return tuple(sorted(found, key=lambda one: one.callee))


def _more(
    callee: Workload,
    times: TimesArray,
    released_s: int,
    own: FloatArray,
    sent: FloatArray,
    good: FloatArray,
    every: FloatArray,
) -> Asks | None:
    """Return by how much more a callee is asked since a release; all series [T] in req/s."""
    earlier = (times >= released_s - LIMITS.baseline_s) & (times < released_s)
    first = (times >= released_s + LOOK_BACK_S) & (times < released_s + LOOK_BACK_S + _FIRST_S)
    per = np.full(own.shape, np.nan)
    np.divide(good, own, out=per, where=own > 0)
    levels = [_level(values, earlier, first) for values in (per, good, sent, every)]
    known = [level for level in levels if level is not None]
    if len(known) < len(levels):
        return None
    (before, now), (good_before, good_now), (sent_before, sent_now), (all_before, all_now) = known
    rise = LIMITS.load_rise_min
    if now < rise * before or good_now < rise * good_before or all_now < rise * all_before:
        return None
    # Most of what the callee gets more comes from here.
    if sent_now - sent_before < LIMITS.explained_min * (all_now - all_before):
        return None
    step_s = int(times[1] - times[0])
    counts = good_before * earlier.sum() * step_s, good_now * first.sum() * step_s
    if (
        min(counts) < LIMITS.split_requests_min
        or _sigma(before, counts[0], now, counts[1]) < LIMITS.split_sigma
    ):
        return None
    return Asks(callee, before, now, all_now, released_s, int(times[first][-1]))


def _level(
    values: FloatArray, earlier: NDArray[np.bool_], first: NDArray[np.bool_]
) -> tuple[float, float] | None:
    """Return the level before a release and in its first minutes; what rose before it is before."""
    hour, last, now = (
        median(part) for part in (values[earlier], values[earlier][-NOW_STEPS:], values[first])
    )
    return None if hour is None or last is None or now is None else (max(hour, last), now)


def _sigma(before: float, before_n: float, now: float, now_n: float) -> float:
    """Return by how many standard errors `now` is above `before`: rates of Poisson counts."""
    return (now - before) / sqrt(now**2 / now_n + before**2 / before_n)


def _sum(sources: Sources, source: str, workload: Workload, end: tuple[str, str]) -> FloatArray | None:
    """Return the sum of the rows of a workload: [T], NaN where none has a value; None without rows."""
    rows = [row for _, row in sources.rows(source, workload, *end)]
    if not rows:
        return None
    stacked = np.stack(rows)  # [N, T]
    total: FloatArray = np.where(np.isfinite(stacked).any(axis=0), np.nansum(stacked, axis=0), np.nan)
    return total
