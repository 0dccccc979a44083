"""What is measured: workloads, queries, their answers, and panels of samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.floating]
Float32Array = NDArray[np.float32]
TimesArray = NDArray[np.int64]

Direction = Literal["up", "down", "both"]
Scorer = Literal["lstm", "forest", "baseline"]
# The closed list of fields that a pull request may change.
FieldName = Literal["image.tag", "image.digest", "replicas", "hpa.min", "hpa.max"]


@dataclass(frozen=True, slots=True, order=True)
class Workload:
    """One thing that Kubernetes runs. `cluster` and `kind` are "" when no metric names them."""

    cluster: str
    namespace: str
    kind: str
    name: str

    def __str__(self) -> str:
        """Return `[CLUSTER/]NAMESPACE/[KIND/]NAME`, the spelling of the command line."""
        return "/".join(part for part in (self.cluster, self.namespace, self.kind, self.name) if part)

    @property
    def key(self) -> tuple[str, str, str]:
        """(cluster, namespace, name): the identity that every metric source shares."""
        return (self.cluster, self.namespace, self.name)


@dataclass(frozen=True, slots=True)
class Signal:
    """One measured quantity of a workload that the detector scores.

    `direction`: which deviation is bad. `min_deviation`: smaller absolute moves, in `unit`,
    are never anomalous. `floor`: the absolute value, in `unit`, above which a user notices
    (the gate of harm); None when the signal alone never harms a user. `alone_factor`: to open
    an incident by itself it must be that many times what is expected or reach its floor, or,
    where "both" sides are bad, be that many times less; a nearer move counts only beside
    another signal, a rise of the latter never by itself. None = every move counts.
    `follows_load`: it rises with the requests of the workload, so a rise in proportion to theirs
    counts only beside another signal as well.
    """

    name: str
    unit: str
    direction: Direction
    min_deviation: float
    floor: float | None = None
    alone_factor: float | None = None
    follows_load: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A named PromQL expression and how its answer maps to workloads.

    `labels`: the labels of the answer that matter, all others are dropped.
    The three `*_label` say which of them name the workload; "" when the answer is not per workload.
    `signal` is set for what the detector scores and None for context.
    """

    name: str
    expr: str
    unit: str
    labels: tuple[str, ...]
    cluster_label: str = "cluster"
    namespace_label: str = "namespace"
    workload_label: str = "workload"
    signal: Signal | None = None


@dataclass(frozen=True, slots=True)
class Grid:
    """The steps of a range query: start, start+step, ..., end (both ends included)."""

    start_s: int
    end_s: int
    step_s: int

    @property
    def times(self) -> TimesArray:
        """[T] int64, unix seconds."""
        return np.arange(self.start_s, self.end_s + 1, self.step_s, dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """What one range query returned, on the grid that was asked for.

    `labels`: one mapping per series, sorted by its items, only the labels of the query.
    `values`: float64 [N, T], NaN = no sample. `times`: int64 [T]. `warnings`: what the server
    said about missing data; not empty means partial. `samples`: samples touched, None = not told.
    """

    query: Query
    labels: tuple[Mapping[str, str], ...]
    values: FloatArray
    times: TimesArray
    warnings: tuple[str, ...] = ()
    samples: int | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Signals of workloads on one grid. `values` float32 [W, S, T], NaN = no sample."""

    values: Float32Array
    times: TimesArray
    step_s: int
    workloads: tuple[Workload, ...]
    signals: tuple[Signal, ...]
