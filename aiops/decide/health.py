"""Reads harm and health of one workload out of the panel: what users notice now, what ran well then."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import exp, lgamma, log

import numpy as np
from numpy.typing import NDArray

from aiops.domain import FloatArray, Panel, PastValue, Workload
from aiops.limits import Limits
from aiops.propose import words


@dataclass(frozen=True, slots=True)
class Ran:
    """How a workload ran in a span. `why` says what is wrong, "" when it ran healthy."""

    why: str
    requests: float


def row(panel: Panel, workload: Workload, signal: str) -> FloatArray | None:
    """Return [T] of one signal of a workload, None when the panel does not have it."""
    places = [index for index, one in enumerate(panel.workloads) if one.key == workload.key]
    names = [one.name for one in panel.signals]
    if not places or signal not in names:
        return None
    values: FloatArray = panel.values[places[0], names.index(signal)]
    return values


def level(panel: Panel, workload: Workload, signal: str, start_s: int, end_s: int) -> float | None:
    """Return the median of a signal in [start_s, end_s), None without samples."""
    values = row(panel, workload, signal)
    if values is None:
        return None
    span = values[(panel.times >= start_s) & (panel.times < end_s)]
    span = span[np.isfinite(span)]
    return float(np.median(span)) if span.size else None


def harms(panel: Panel, workload: Workload, limits: Limits) -> tuple[str, ...]:
    """Return the signals that are at or above their floor in enough of the newest steps."""
    found: list[str] = []
    for signal in panel.signals:
        values = row(panel, workload, signal.name)
        if signal.floor is None or values is None:
            continue
        if int((values[-limits.harm_of :] >= signal.floor).sum()) >= limits.harm_min:  # NaN is not harm
            found.append(signal.name)
    return tuple(found)


def requests_per_min(panel: Panel, workload: Workload, limits: Limits) -> float | None:
    """Return the newest level of requests, None when they are not measured."""
    rate = row(panel, workload, "request_rate")
    if rate is None:
        return None
    newest = rate[-limits.harm_of :]
    newest = newest[np.isfinite(newest)]
    return float(np.median(newest)) * 60 if newest.size else None


def ran(panel: Panel, workload: Workload, start_s: int, end_s: int, limits: Limits) -> Ran:
    """Tell how a workload ran in [start_s, end_s), as far as the panel reaches.

    Healthy = at least half of `rollback_soak_s` has samples and the median of every harmful signal
    that was measured is below its floor.
    """
    span = (panel.times >= start_s) & (panel.times < end_s)
    needed = limits.rollback_soak_s / panel.step_s / 2
    seen = 0
    for signal in panel.signals:
        values = row(panel, workload, signal.name)
        if signal.floor is None or values is None:
            continue
        known = values[span][np.isfinite(values[span])]
        if known.size < needed:
            continue
        seen += 1
        if float(np.median(known)) >= signal.floor:
            return Ran(f"{signal.name} was {float(np.median(known)):.3g} {signal.unit} then", 0.0)
    if not seen:
        return Ran("no samples say how it ran", 0.0)
    rate = row(panel, workload, "request_rate")
    served = 0.0 if rate is None else float(np.nansum(rate[span])) * panel.step_s
    return Ran("", served)


def healthy_rate(panel: Panel, workload: Workload, since_s: int | None, least_s: int) -> float | None:
    """Return the highest req/s that was served while no harmful signal was at its floor.

    The 99th percentile of such steps, so that one lucky minute does not count as capacity. `since_s`:
    when the pods of today were asked for, what others served before is theirs; None = all that the panel
    has. Fewer than `least_s` of calm since then are too few to tell.
    """
    rate = row(panel, workload, "request_rate")
    if rate is None:
        return None
    calm: NDArray[np.bool_] = np.isfinite(rate) & (rate > 0)
    for signal in panel.signals:
        values = row(panel, workload, signal.name)
        if signal.floor is not None and values is not None:
            calm &= ~(values >= signal.floor)
    if since_s is not None:
        calm &= panel.times >= since_s
        if calm.sum() * panel.step_s < least_s:
            return None
    return float(np.quantile(rate[calm], 0.99)) if calm.any() else None


def told(
    history: tuple[PastValue, ...], workload: Workload, reference: Panel, limits: Limits
) -> tuple[PastValue, ...]:
    """Return the past values of a field, each with how the workload ran then."""
    end_s = int(reference.times[-1]) + reference.step_s
    return tuple(
        replace(one, ran=how_it_ran(reference, workload, one.since_s, one.until_s or end_s, limits))
        for one in history
    )


def how_it_ran(panel: Panel, workload: Workload, start_s: int, end_s: int, limits: Limits) -> str:
    """Say in a few words how a workload ran in [start_s, end_s), as far as the panel reaches."""
    found = ran(panel, workload, start_s, end_s, limits)
    return found.why or (
        f"well, {_count(found.requests)} requests" if found.requests else "well, without requests"
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """Requests and failures since a time, and how likely so many failures are by chance, 0..1."""

    requests: float
    failures: float
    chance: float


def counted(panel: Panel, workload: Workload, start_s: int, floor: float) -> Counted:
    """Count instead of taking a ratio: with a handful of requests a ratio is noise.

    `chance`: of at least so many failures among these requests if each fails with the ratio of
    the day before, or with `floor` when that is higher. Exact binomial tail.
    """
    rate, ratio = row(panel, workload, "request_rate"), row(panel, workload, "error_ratio")
    if rate is None or ratio is None:
        return Counted(0.0, 0.0, 1.0)
    requests = np.nan_to_num(rate) * panel.step_s
    failures = requests * np.nan_to_num(ratio)
    since = panel.times >= start_s
    day = (panel.times >= start_s - 86_400) & (panel.times < start_s)
    before = float(failures[day].sum() / max(requests[day].sum(), 1.0))
    n, k = float(requests[since].sum()), float(failures[since].sum())
    return Counted(n, k, _tail(round(n), round(k), min(max(before, floor), 1 - 1e-9)))


def _tail(n: int, k: int, p: float) -> float:
    """Return P(X >= k) of a binomial with n draws."""
    if k <= 0 or n <= 0:
        return 1.0
    whole = lgamma(n + 1)
    terms = (
        exp(whole - lgamma(i + 1) - lgamma(n - i + 1) + i * log(p) + (n - i) * log(1 - p))
        for i in range(k, n + 1)
    )
    return min(sum(terms), 1.0)


def _count(requests: float) -> str:
    """Return a count that a person takes in: `812`, `96.4 thousand`, `7.04 million`."""
    if requests >= 999_500:
        return words.quantity(requests / 1e6, "million")
    return words.quantity(requests / 1e3, "thousand") if requests >= 10_000 else f"{requests:.0f}"
