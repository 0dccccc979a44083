"""Which workload has which samples, and which manifest: what `doctor` and `init` show.

Pure: comes in what was read, goes out one `Covered` a workload, and for each hole what would close
it. A signal counts as there when it has a sample in the last day; how whole it is stands beside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aiops.domain import Panel, Target, TimesArray, Workload
from aiops.gitops import where
from aiops.gitops.clusters import Cluster
from aiops.ports import Files

_COUNTED = "scrape what counts its requests (its sidecar, or its own /metrics)"
_KUBE_STATE = "scrape kube-state-metrics with honor_labels: true"
# Signal -> what would close the hole. A custom query is the user's own.
_CLOSES = {
    "request_rate": _COUNTED,
    "error_ratio": f"absent without requests; else {_COUNTED}",
    "latency_p95": f"absent without requests; else {_COUNTED}",
    "cpu_utilization": "give its containers a CPU request, and scrape cAdvisor (kubelet)",
    "memory_utilization": "give its containers a memory limit, and scrape cAdvisor (kubelet)",
    "restarts": _KUBE_STATE,
    "pods_waiting": _KUBE_STATE,
}


@dataclass(frozen=True, slots=True)
class Covered:
    """One workload: the share of steps of the last day with a sample, by signal, and its places.

    `known_s`: how long ago its first sample is, None without one. `image`, `capacity`: what a
    rollback and a scaling would edit; None when the repository was not readable.
    """

    workload: Workload
    signals: dict[str, float]
    known_s: int | None
    image: Target | None
    capacity: Target | None

    @property
    def missing(self) -> tuple[str, ...]:
        """Signals without any sample."""
        return tuple(name for name, share in self.signals.items() if not share)

    @property
    def gap(self) -> float:
        """Largest share of the last day that a signal which is there has no sample for."""
        return max((1 - share for share in self.signals.values() if share), default=1.0)


def closes(signal: str) -> str:
    """Return what would give a workload this signal."""
    return _CLOSES.get(signal, f"check the labels that queries.{signal} returns")


def covered(
    day: Panel, reference: Panel, files: Files | None, clusters: Sequence[Cluster]
) -> tuple[Covered, ...]:
    """Return one entry a workload. `day`: the last day by the step; `reference`: the weeks by the hour."""
    first = {
        one.key: _first_s(reference.times, row)
        for one, row in zip(reference.workloads, reference.values, strict=True)
    }
    newest = int(day.times[-1])
    found = []
    for workload, rows in zip(day.workloads, day.values, strict=True):
        began = first.get(workload.key)
        share = np.isfinite(rows).mean(axis=1)  # [S, T] -> [S]
        found.append(
            Covered(
                workload,
                {one.name: float(part) for one, part in zip(day.signals, share, strict=True)},
                None if began is None else newest - began,
                None if files is None else _image(files, workload, clusters),
                None if files is None else _capacity(files, workload, clusters),
            )
        )
    return tuple(found)


def reach_s(reference: Panel) -> int:
    """Return how far before the newest step the first sample of anything lies."""
    seen = [one for rows in reference.values if (one := _first_s(reference.times, rows)) is not None]
    return int(reference.times[-1]) - min(seen) if seen else 0


def holes(day: Panel) -> tuple[int, int]:
    """Return (steps, longest run of steps) of the last day at which no workload had any sample."""
    silent = ~np.isfinite(day.values).any(axis=(0, 1))  # [W, S, T] -> [T]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], silent, [False]])))
    runs = edges[1::2] - edges[::2]
    return int(silent.sum()), int(runs.max(initial=0))


def _first_s(times: TimesArray, rows: np.ndarray) -> int | None:
    """Return when the first sample of [S, T] is."""
    seen = np.isfinite(rows).any(axis=0)
    return int(times[np.argmax(seen)]) if seen.any() else None


def _image(files: Files, workload: Workload, clusters: Sequence[Cluster]) -> Target:
    """Return the tag; the digest where that is what runs, or why neither can be edited."""
    tag = where.resolve(files, workload, "image.tag", clusters)
    return where.resolve(files, workload, "image.digest", clusters) if tag.refusal == where.PINNED else tag


def _capacity(files: Files, workload: Workload, clusters: Sequence[Cluster]) -> Target:
    """Return the number of replicas; where an autoscaler owns it the autoscaler's maximum."""
    fixed = where.resolve(files, workload, "replicas", clusters)
    return where.resolve(files, workload, "hpa.max", clusters) if fixed.owner else fixed
