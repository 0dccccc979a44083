"""The call graph: what runs, who calls whom, how much one pod can serve.

Comes in: nothing, or a seed. Goes out: a frozen `Mesh`. Rates are requests per second, times ms
unless named `*_s`, memory MiB.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Protocol = Literal["http", "grpc"]
Kind = Literal["Deployment", "StatefulSet"]


@dataclass(frozen=True, slots=True)
class Call:
    """`per_request` calls to service `to` for each request served; a 503 is tried `retries` times more."""

    to: str
    per_request: float
    retries: int = 2  # Istio's default: 2, on connect-failure, refused-stream, unavailable, 503


@dataclass(frozen=True, slots=True)
class Autoscale:
    """A HorizontalPodAutoscaler on CPU. `target`: share of the CPU request it holds."""

    minimum: int
    maximum: int
    target: float = 0.7


@dataclass(frozen=True, slots=True)
class Batch:
    """A peak of `rps` that comes every day at `start_s` (second of the UTC day)."""

    start_s: int
    length_s: int
    rps: float


@dataclass(frozen=True, slots=True)
class Habit:
    """When the people come who make the load.

    `timezone`: IANA name of the clock they live by. `week`: Monday .. Sunday relative to an
    ordinary day. `holidays`: local dates (YYYY-MM-DD) with the load of a Sunday. `twice`: 0 = one
    peak a day, 1 = two equal ones twelve hours apart. `bursts`: sigma of noise with a memory of
    5 minutes, on top of the noise that every load has.
    """

    timezone: str = "UTC"
    # The weekend of a shop is busier in the evening and quieter at noon; the mean is lower.
    week: tuple[float, ...] = (0.98, 1.0, 1.01, 1.02, 1.05, 0.9, 0.86)
    holidays: tuple[str, ...] = ()
    twice: float = 0.0
    bursts: float = 0.0


@dataclass(frozen=True, slots=True)
class Service:
    """One workload.

    `entry_rps`: mean load from outside the mesh over a day; `swing`: how far it moves around that
    mean; `peak_h`: local hour of the daily peak; `habit`: in which days and weeks. `work_ms`: own
    time of one request on an idle pod; `workers`: requests a pod works on at once; `queue`:
    requests a pod holds before it sheds. `tail`: shape of the latency distribution (smaller =
    longer tail). `base_errors`: share of requests that fail on a good day. `sidecar`: its proxy is
    an ordinary container, as before Istio 1.27; the others have it as an init container, which
    kube-state-metrics lists apart. `helm`: deployed by a chart. `created_s`: None = older than the
    simulation. `behind`: the Kubernetes Service that clients call, when it is not called like the
    workload. `annotations`: of its manifest.
    """

    name: str
    tag: str
    replicas: int
    work_ms: float
    calls: tuple[Call, ...] = ()
    entry_rps: float = 0.0
    swing: float = 0.5
    peak_h: float = 19.0
    kind: Kind = "Deployment"
    protocol: Protocol = "http"
    workers: int = 2
    queue: int = 80
    tail: float = 3.5
    base_errors: float = 0.0
    cpu_request: float = 0.7
    cpu_limit: float = 1.0
    memory_mib: float = 180.0
    memory_limit_mib: float = 512.0
    start_delay_s: int = 60
    autoscale: Autoscale | None = None
    batch: Batch | None = None
    sidecar: bool = False
    helm: bool = False
    created_s: int | None = None
    habit: Habit = Habit()
    behind: str = ""
    annotations: tuple[tuple[str, str], ...] = ()

    @property
    def pod_rps(self) -> float:
        """Requests per second that saturate one pod."""
        return self.workers / self.work_ms * 1000.0

    @property
    def cpu_s_per_request(self) -> float:
        """CPU seconds of one request, such that a saturated pod runs into its CPU limit."""
        return 0.95 * self.cpu_limit / self.pod_rps


@dataclass(frozen=True, slots=True)
class Mesh:
    """Services of one namespace in one cluster; callers stand before the services they call."""

    services: tuple[Service, ...]
    cluster: str = "prod-eu"
    namespace: str = "shop"
    registry: str = "registry.example.com:5000"
    gateway: str = "istio-ingressgateway"
    gateway_namespace: str = "istio-system"
    nodes: tuple[str, ...] = ("node-a", "node-b", "node-c", "node-d")

    def __post_init__(self) -> None:
        """Refuse a graph that the top-down pass could not walk (ValueError)."""
        seen: set[str] = set()
        for service in reversed(self.services):
            missing = [call.to for call in service.calls if call.to not in seen]
            if missing:
                raise ValueError(f"{service.name} calls {missing[0]}, which does not stand after it")
            seen.add(service.name)
        if len(seen) != len(self.services):
            raise ValueError("two services have the same name")

    def service(self, name: str) -> Service:
        """Return the service called `name` (KeyError when there is none)."""
        for service in self.services:
            if service.name == name:
                return service
        raise KeyError(name)

    def image(self, name: str) -> str:
        """Return the image of a service without its tag."""
        return f"{self.registry}/{self.namespace}/{name}"

    def edges(self) -> tuple[tuple[str, str, float, int], ...]:
        """Return (source, destination, calls per request, retries); the gateway sends what enters."""
        entries = [(self.gateway, s.name, 1.0, 2) for s in self.services if s.entry_rps or s.batch]
        calls = [(s.name, c.to, c.per_request, c.retries) for s in self.services for c in s.calls]
        return (*entries, *calls)


def default_mesh() -> Mesh:
    """Return the shop: 12 services, two front doors, one database, one nightly job.

    `search` has a front door of its own, so its load moves without the others.
    """
    night = Batch(start_s=22 * 3600, length_s=5400, rps=24.0)
    web_calls = (
        Call("catalog", 1.0), Call("auth", 0.4), Call("checkout", 0.3), Call("recommendation", 0.6),
    )  # fmt: skip
    mobile_calls = (
        Call("catalog", 0.8), Call("auth", 0.6), Call("checkout", 0.35), Call("cart", 0.3),
    )  # fmt: skip
    return Mesh((
        Service(
            "web", "5.3.0", 2, 26.0, web_calls, entry_rps=60.0, base_errors=0.0004, sidecar=True,
            workers=1, memory_mib=210, autoscale=Autoscale(2, 8),
        ),
        Service("mobile-api", "3.8.1", 3, 30.0, mobile_calls, entry_rps=40.0, peak_h=20.0),
        Service(
            "search", "2.7.4", 2, 50.0, (Call("orders-db", 0.02),), entry_rps=29.0, queue=60,
            base_errors=0.0003,
        ),
        Service(
            "nightly-export", "1.2.0", 2, 50.0, (Call("orders-db", 1.5),), entry_rps=0.8, swing=0.1,
            batch=night, memory_mib=260,
        ),
        Service(
            "checkout", "1.14.2", 3, 24.0, (Call("payment", 0.4), Call("cart", 0.8)), base_errors=0.0008
        ),
        Service(
            "recommendation", "0.21.3", 2, 18.0, (Call("cache", 0.8),), memory_mib=300, memory_limit_mib=768
        ),
        Service("payment", "4.0.7", 2, 30.0, (Call("orders-db", 1.0),), base_errors=0.0005, helm=True),
        Service("catalog", "2.11.0", 3, 16.0, (Call("cache", 1.0), Call("orders-db", 0.3))),
        Service("cart", "1.9.5", 2, 12.0, (Call("cache", 1.5),)),
        Service("auth", "6.2.1", 2, 10.0, (Call("cache", 0.5),), protocol="grpc", base_errors=0.0003),
        Service("cache", "7.2.4", 3, 5.0, protocol="grpc", memory_mib=380, memory_limit_mib=1024),
        Service(
            "orders-db", "15.6.0", 2, 8.0, kind="StatefulSet", protocol="grpc", memory_mib=900,
            memory_limit_mib=2048, cpu_limit=2.0, cpu_request=1.5, start_delay_s=120,
        ),
    ))  # fmt: skip
