"""What may happen to the mesh: frozen events, each with when and how much.

Times are unix seconds; `end_s` is exclusive. A release stays bad for as long as its tag runs, so
`Deploy` has no end: rolling the tag back ends it. A nightly peak (`Service.batch`) and a short
history (`Service.created_s`) are properties of a service, not events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DefectKind = Literal["errors", "latency", "hang", "crash-loop", "image-pull", "memory-leak", "cpu"]


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong with a release.

    `magnitude` by kind: errors, hang: share of requests 0..1; latency: ms added; cpu: factor of
    work per request; memory-leak: MiB per hour and pod; crash-loop, image-pull: not used.
    """

    kind: DefectKind
    magnitude: float = 1.0


@dataclass(frozen=True, slots=True)
class Deploy:
    """A new image tag starts to roll out at `start_s`; without a defect it does no harm."""

    service: str
    start_s: int
    tag: str
    defect: Defect | None = None


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """New pods with the same image and other settings (a ConfigMap hash in the pod template)."""

    service: str
    start_s: int
    revision: str
    defect: Defect | None = None


@dataclass(frozen=True, slots=True)
class Surge:
    """`factor` times the load that enters the mesh at `service`; it climbs for `ramp_s`."""

    service: str
    start_s: int
    end_s: int
    factor: float
    ramp_s: int = 180


@dataclass(frozen=True, slots=True)
class Outage:
    """`share` of the connections to `service` is refused: the server writes nothing about them."""

    service: str
    start_s: int
    end_s: int
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Saturation:
    """Every request at `service` takes `factor` times the work (locks, a missing index)."""

    service: str
    start_s: int
    end_s: int
    factor: float


@dataclass(frozen=True, slots=True)
class BadNode:
    """Pods on `node` work `factor` times slower."""

    node: str
    start_s: int
    end_s: int
    factor: float


@dataclass(frozen=True, slots=True)
class ScrapeOutage:
    """Targets of `job` answer no scrape: `up` is 0, their samples are missing. "" = all jobs."""

    start_s: int
    end_s: int
    job: str = ""


@dataclass(frozen=True, slots=True)
class CounterReset:
    """The proxy counters that count requests to `service` start again at 0."""

    service: str
    start_s: int


@dataclass(frozen=True, slots=True)
class MissingSeries:
    """Series of metric families that start with `prefix` are not written for `service`."""

    service: str
    start_s: int
    end_s: int
    prefix: str


Event = (
    Deploy
    | ConfigChange
    | Surge
    | Outage
    | Saturation
    | BadNode
    | ScrapeOutage
    | CounterReset
    | MissingSeries
)


@dataclass(frozen=True, slots=True)
class Control:
    """What the repository asks of one service from `start_s` on; None = unchanged."""

    service: str
    start_s: int
    tag: str | None = None
    replicas: int | None = None
    minimum: int | None = None
    maximum: int | None = None
