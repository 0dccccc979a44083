"""What may happen to the mesh: frozen events, each with when and how much.

Times are unix seconds; `end_s` is exclusive. A release stays bad for as long as its tag runs, so
`Deploy` has no end: rolling the tag back ends it. A nightly peak (`Service.batch`) and a short
history (`Service.created_s`) are properties of a service, not events.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

DefectKind = Literal[
    "errors", "client-errors", "latency", "hang", "crash-loop", "image-pull", "config-error",
    "memory-leak", "cpu", "fan-out",
]  # fmt: skip
# Kinds whose pods never get ready.
NEVER_READY = ("crash-loop", "image-pull", "config-error")


@dataclass(frozen=True, slots=True)
class Defect:
    """What is wrong with a release.

    `magnitude` by kind: errors (500), client-errors (400), hang: share of requests 0..1; latency: ms
    added; cpu: factor of work per request; memory-leak: MiB per hour and pod; fan-out: factor of
    calls per request to every callee; crash-loop, image-pull, config-error: not used.
    """

    kind: DefectKind
    magnitude: float = 1.0


@dataclass(frozen=True, slots=True)
class Deploy:
    """A new image tag starts to roll out at `start_s`; without a defect it does no harm.

    `also`: other files that its commit writes, by path.
    """

    service: str
    start_s: int
    tag: str
    defect: Defect | None = None
    also: tuple[str, ...] = ()


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
    """Every request at `service` takes `factor` times the work (a missing index).

    `waits`: it waits instead, for a lock or a pool, and uses no more CPU than before.
    """

    service: str
    start_s: int
    end_s: int
    factor: float
    waits: bool = False


@dataclass(frozen=True, slots=True)
class BadNode:
    """Pods on `node` work `factor` times slower."""

    node: str
    start_s: int
    end_s: int
    factor: float


@dataclass(frozen=True, slots=True)
class NodeLoss:
    """`node` is drained or reclaimed: its pods end at once and start again somewhere else."""

    node: str
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class NoRoom:
    """From `start_s` on no node takes a new pod: it stays pending, and nobody comes to help."""

    start_s: int


@dataclass(frozen=True, slots=True)
class FanOut:
    """`service` makes `factor` times its calls to `to`: a cache that misses, a loop, a moved route."""

    service: str
    start_s: int
    end_s: int
    to: str
    factor: float


@dataclass(frozen=True, slots=True)
class BadCaller:
    """`service` sends `to` requests of which a `share` cannot be answered (500); it takes no harm."""

    service: str
    start_s: int
    end_s: int
    to: str
    share: float


@dataclass(frozen=True, slots=True)
class Injection:
    """Proxies are told to fail a `share` of the calls to `service`: flag FI, the server sees none of it."""

    service: str
    start_s: int
    end_s: int
    share: float


@dataclass(frozen=True, slots=True)
class Crash:
    """All pods of `service` crash again and again, whatever their version."""

    service: str
    start_s: int
    end_s: int


@dataclass(frozen=True, slots=True)
class Leak:
    """Pods of `service` leak `magnitude` MiB per hour, whatever their version."""

    service: str
    start_s: int
    end_s: int
    magnitude: float


@dataclass(frozen=True, slots=True)
class ProxyUpgrade:
    """The platform replaces the proxy container of `service`, in place."""

    service: str
    start_s: int
    tag: str


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


@dataclass(frozen=True, slots=True)
class Reading:
    """One more series of some exporter: from `first` to `last` in a straight line, then it is gone.

    What the plant does not run itself: a delivery tool, a certificate, a quota, an experiment. It
    changes nothing but what is measured. `subject`: the service it is about, "" = none.
    """

    metric: str
    labels: tuple[tuple[str, str], ...]
    start_s: int
    end_s: int
    first: float
    last: float
    subject: str = ""


Event = (
    Deploy
    | ConfigChange
    | Surge
    | Outage
    | Saturation
    | BadNode
    | NodeLoss
    | NoRoom
    | FanOut
    | BadCaller
    | Injection
    | Crash
    | Leak
    | ProxyUpgrade
    | ScrapeOutage
    | CounterReset
    | MissingSeries
    | Reading
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
