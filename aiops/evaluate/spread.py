"""Looks at days of runs in several processes: each opens the doors for itself and sends back plans.

A process makes a plan for every run in which something fires, and for an hour after that, while what
is open may end. A run that needs one all the same is looked at here. The results are those of one
process, because no run of the past knows of another.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from aiops.detect.settings import DAY_S
from aiops.domain import Plan
from aiops.evaluate.looking import Look, Seen
from aiops.job import Job, Progress
from aiops.ports import Metrics, Repository

Doors = Callable[[], tuple[Job, Metrics, Repository]]
PART_S = 5 * DAY_S  # of one task: each scores one day more, the one before
_MOST = 16  # processes; each holds what one replay holds


@dataclass(slots=True)
class _Part:
    """What one task found, by run."""

    seen: dict[int, Seen] = field(default_factory=dict)
    plans: dict[int, Plan | None] = field(default_factory=dict)
    strengths: dict[int, Mapping[str, float]] = field(default_factory=dict)
    peaks: dict[int, NDArray[np.float64]] = field(default_factory=dict)


class Ahead:
    """A `Look` whose runs have been looked at."""

    def __init__(self, look: Look, parts: Sequence[_Part]) -> None:
        self._look = look
        self._all = _Part()
        for part in parts:
            for name in ("seen", "plans", "strengths", "peaks"):
                getattr(self._all, name).update(getattr(part, name))
        self.past = look.past

    def at(self, now_s: int) -> Seen:
        """Return what a run saw."""
        self.past.now = now_s
        return self._all.seen[now_s]

    def strengths(self, now_s: int) -> Mapping[str, float]:
        """Return how strong the incidents of a run were."""
        return self._all.strengths.get(now_s, {})

    def plan(self, now_s: int, *, afresh: bool = False) -> Plan | None:
        """Return the plan of a run."""
        if now_s in self._all.plans and not afresh:
            return self._all.plans[now_s]
        return self._look.plan(now_s, afresh=afresh)

    def peaks(self, days: Sequence[int]) -> NDArray[np.float64]:
        """Return the highest levels of the days."""
        found = [self._all.peaks[day] for day in days if day in self._all.peaks]
        return np.concatenate(found) if found else np.zeros(0)


def processes() -> int:
    """Return how many may run at once."""
    return min(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, _MOST
    )


def ahead(
    doors: Doors,
    look: Look,
    span: tuple[int, int, int],
    workers: int,
    tell: Progress,
    part_s: int = PART_S,
) -> Ahead:
    """Look at all runs of a span (first, last, seconds between) in parts of `part_s`."""
    start_s, end_s, every_s = span
    runs = range(start_s, end_s + 1, every_s)
    parts: dict[int, list[int]] = {}
    for now_s in runs:
        parts.setdefault(now_s // part_s, []).append(now_s)
    # A fresh interpreter: a forked one would share the sockets and sessions of this one.
    pool = ProcessPoolExecutor(
        min(workers, len(parts)), multiprocessing.get_context("spawn"), _open, (doors, end_s)
    )
    try:
        asked = [pool.submit(_part, every_s, these) for these in parts.values()]
        found = []
        for number, one in enumerate(asked, 1):
            tell(f"part {number} of {len(asked)} in {min(workers, len(parts))} processes")
            found.append(one.result())
    except BaseException:
        for child in multiprocessing.active_children():  # or an interrupted one works for minutes
            child.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    return Ahead(look, found)


# Of a worker: how to open the doors, and what is behind them once the first part has come.
_given: list[tuple[Doors, int]] = []
_opened: list[tuple[Job, Look]] = []


def _open(doors: Doors, end_s: int) -> None:
    """Start a worker. Nothing is opened yet: what fails here is never told. An interrupt ends it silently."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    _given.append((doors, end_s))


def _part(every_s: int, runs: Sequence[int]) -> _Part:
    """Look at some runs, one after the other."""
    if not _opened:
        ((doors, end_s),) = _given
        job, metrics, repository = doors()
        _opened.append((job, Look(job, metrics, repository, end_s)))
    ((job, look),) = _opened
    after_s = job.limits.over_s + 2 * every_s
    found, fired_s = _Part(), None
    for now_s in range(runs[0] - after_s // every_s * every_s, runs[0], every_s):
        fired_s = now_s if look.firing(now_s) else fired_s
    for now_s in runs:
        seen = found.seen[now_s] = look.at(now_s)
        if seen.firing:
            fired_s = now_s
            found.strengths[now_s] = look.strengths(now_s)
        if fired_s is not None and now_s - fired_s <= after_s:
            found.plans[now_s] = look.plan(now_s)
    for day in range(runs[0] // DAY_S, runs[-1] // DAY_S + 1):
        found.peaks[day] = look.peaks([day])
    return found
