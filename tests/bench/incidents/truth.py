"""What a fault did, told by the plant itself and never by the detector.

The SLO-like bound of one service, minute by minute; a minute is bad when any of these holds:

- more than 1 % of the calls to it fail for good, after the retries of the mesh, and they did not
  in the healthy twin;
- its 95th percentile is above 300 ms and above twice that of the twin at the same minute;
- a pod waits because its container cannot start, or three containers restarted in 15 minutes.

The bound is broken when at least 30 of the 60 minutes after the onset are bad. The onset is the
minute the fault begins to act: the start of the event, or the first minute a pod of the bad
release is there (serves, or fails to start).

A workload is affected when the fault moves what it is asked for by 10 %, its failures by one in a
hundred or its latency by 20 % and 10 ms, against the twin, in 10 of those minutes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from bench.incidents.campaign import Case

from aiops.domain import Signal
from aiops.mesh.graph import Service
from aiops.mesh.plant import STEP_S, Trace

RETRIES = 2
ONE_HOUR = 60  # minutes
LEAST_BAD = 30
FACTS = ("offered", "failed", "errors", "p95")  # rows of `facts`


@dataclass(frozen=True, slots=True, eq=False)
class Bound:
    """When the bound is broken: `bad` [T] from the onset on."""

    bad: np.ndarray

    @property
    def broken(self) -> bool:
        """Whether half of the first hour is bad."""
        return bool(self.bad[:ONE_HOUR].sum() >= LEAST_BAD)

    @property
    def first(self) -> int:
        """Minutes from the onset to the first bad one; 0 when none is."""
        return int(np.argmax(self.bad))


def facts(trace: Trace, start_s: int, end_s: int) -> np.ndarray:
    """Return [W, 4, T] of the services in the order of their names, see FACTS; ms and requests per second.

    `failed`: share of calls lost after retries; `errors`: share of the served that failed.
    """
    first, last = ((t - trace.start_s) // STEP_S for t in (start_s, end_s))
    found = []
    for service in sorted(trace.mesh.services, key=lambda service: service.name):
        now, there = trace.running[service.name], trace.standing[service.name]
        served = now.shed + (1 - now.shed) * (now.hang + (1 - now.hang) * (there.share * now.errors).sum(0))
        row = (now.offered, now.lost(there, RETRIES), served, p95_ms(service, now.latency, now.hang))
        found.append([one[first : last + 1] for one in row])
    return np.array(found)


def p95_ms(service: Service, mean_ms: np.ndarray, hang: np.ndarray) -> np.ndarray:
    """Return the 95th percentile of answers in ms; see `queueing.bucket_shares` for the distribution."""
    angle = np.pi / service.tail
    median = mean_ms * np.sin(angle) / angle
    # Requests that hang are beyond every percentile that is asked of the others.
    rank = np.clip(0.95 / (1.0 - np.minimum(hang, 0.049)), 0.0, 0.9999)
    return np.asarray(median * (rank / (1.0 - rank)) ** (1.0 / service.tail))


def onset_s(trace: Trace, case: Case) -> int:
    """Return the minute at which the fault begins to act."""
    there = trace.standing[case.service]
    bad = [g for g, defect in enumerate(there.asked.defects) if defect is not None]
    if not bad:
        return case.start_s
    pods = [pod for pod in there.replicas.pods if pod.generation in bad]
    starts = [pod.born if there.asked.generations[pod.generation].broken else pod.ready for pod in pods]
    return trace.start_s + STEP_S * min(starts) if starts else case.start_s


def bound(own: np.ndarray, twin: np.ndarray, restarts: np.ndarray, waiting: np.ndarray) -> Bound:
    """Return when the bound is broken. `own`, `twin`: facts [4, T] of one service from the onset on.

    `restarts`: [T] in 15 minutes, `waiting`: [T] pods; NaN = none.
    """
    failed, p95 = FACTS.index("failed"), FACTS.index("p95")
    lost = (own[failed] > 0.01) & (twin[failed] <= 0.01)
    slow = (own[p95] > 300.0) & (own[p95] > 2.0 * twin[p95])
    down = (np.nan_to_num(restarts) >= 2.99) | (np.nan_to_num(waiting) >= 0.99)
    return Bound(lost | slow | down)


def affected(own: np.ndarray, twin: np.ndarray) -> np.ndarray:
    """Return [W] whether a workload visibly changed in the first hour; facts [W, 4, T] from the onset on."""
    offered, failed, errors, p95 = (own[:, i, :ONE_HOUR] for i in range(4))
    was = [twin[:, i, :ONE_HOUR] for i in range(4)]
    moved = np.abs(offered - was[0]) > 0.1 * was[0]
    moved |= (np.abs(failed - was[1]) > 0.01) | (np.abs(errors - was[2]) > 0.01)
    moved |= np.abs(p95 - was[3]) > np.maximum(0.2 * was[3], 10.0)
    return np.asarray(moved.sum(axis=1) >= 10)


def shown(own: np.ndarray, twin: np.ndarray, signals: Sequence[Signal]) -> bool:
    """Return whether a signal moved to its bad side by `min_deviation`, on average against the twin.

    `own`, `twin`: samples [W, S, T]. Where this is False, the bound is broken in something that
    the five scored signals and the two fatal ones do not carry.
    """
    moved = np.nan_to_num(own) - np.nan_to_num(twin)  # no sample of an error or a restart is none
    sign = np.array([{"up": 1.0, "down": -1.0, "both": 0.0}[signal.direction] for signal in signals])
    mean = moved.mean(axis=2)  # [W, S, T] -> [W, S]
    off = np.where(sign == 0.0, np.abs(mean), mean * sign)
    least = np.array([signal.min_deviation for signal in signals])
    return bool((off >= least).any())
