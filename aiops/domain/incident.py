"""What the detector finds in a panel: scores, incidents, drift, and what will run into a bound."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from aiops.domain.series import Float32Array, Scorer, Signal, TimesArray, Workload


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Anomaly scores of the judged steps. 1.0 = the edge of what is expected, higher = worse.

    `values`: float32 [W, S, T]; `workload`: float32 [W, T]; NaN = not scored.
    `expected`, `lower`, `upper`: float32 [W, S, T] in the unit of the signal: the forecast and
    its band (score 1.0). `scorer` and `fallback_reason`: one per workload; the reason is None
    when the first choice was used.
    """

    values: Float32Array
    workload: Float32Array
    expected: Float32Array
    lower: Float32Array
    upper: Float32Array
    times: TimesArray
    step_s: int
    workloads: tuple[Workload, ...]
    signals: tuple[Signal, ...]
    scorer: tuple[Scorer, ...]
    fallback_reason: tuple[str | None, ...]


class Verdict(StrEnum):
    """What one run can say of one workload."""

    ANOMALOUS = "anomalous"
    HEALTHY = "healthy"
    LEARNING = "learning"
    NO_DATA = "no-data"
    ERROR = "error"


class State(StrEnum):
    """Where an incident stands; the words of Prometheus alerting."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"


@dataclass(frozen=True, slots=True)
class Breach:
    """One signal that left its band: values in `unit` at the worst step since the onset."""

    signal: str
    observed: float
    expected: float
    unit: str
    score: float
    onset_s: int
    at_s: int


@dataclass(frozen=True, slots=True)
class Familiar:
    """Why an incident is reported and no longer acted on, in words for a person."""

    kind: Literal["new-level", "frequent"]
    reason: str


@dataclass(frozen=True, slots=True)
class Incident:
    """The state of one workload at the newest judged step.

    `onset_s`: first bad step of the current run of bad steps, None when inactive.
    `signals`: what broke, worst first; empty when inactive. `score`: the newest workload score,
    None when not scored. `coverage`: share of steps with a sample in the judged window, 0..1.
    `newest_sample_s`: None when there is no sample at all. `history_s`: length of sustained
    traffic before the judged step. `familiar`: None while it is news. `ended_s`: the newest judged
    step at which it fired, None when it did not.
    """

    workload: Workload
    verdict: Verdict
    state: State
    onset_s: int | None
    signals: tuple[Breach, ...]
    score: float | None
    scorer: Scorer
    fallback_reason: str | None
    coverage: float
    newest_sample_s: int | None
    history_s: int
    familiar: Familiar | None = None
    ended_s: int | None = None


@dataclass(frozen=True, slots=True)
class SignalHistory:
    """One signal around an onset, for the page. Points `step_s` apart, values in `unit`, None = no sample."""

    signal: str
    unit: str
    start_s: int
    step_s: int
    observed: tuple[float | None, ...]
    expected: tuple[float | None, ...]
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Drift:
    """One signal of a workload that changes by `per_day` of itself every day (0.01 = 1 %).

    `old`, `new`: its level in the first and in the last week of the reference, in `unit`.
    `since_s`: the first day of it, at the earliest the first day of the reference.
    """

    signal: str
    unit: str
    per_day: float
    old: float
    new: float
    since_s: int


@dataclass(frozen=True, slots=True)
class DriftWatch:
    """Whether slow drift of one workload can be seen, and what drifts.

    `days`: sustained traffic in the reference; below 28 there may be no first week to compare with.
    """

    workload: Workload
    watched: bool
    days: int
    drifts: tuple[Drift, ...]


@dataclass(frozen=True, slots=True)
class Outlook:
    """A trend that reaches a bound at `breach_s` if it goes on. `what`: memory, volume, quota, ...

    `value`: now, in `unit`; `bound`: what it runs into; `query`: the PromQL that returns the value.
    """

    cluster: str
    namespace: str
    subject: str
    what: Literal["memory", "volume", "quota", "certificate", "capacity"]
    value: float
    bound: float
    unit: str
    breach_s: int
    query: str
