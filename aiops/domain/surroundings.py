"""What was asked about an incident: changes, calls, capacity, rollouts, and where it hurts."""

from __future__ import annotations

from dataclasses import dataclass

from aiops.domain.series import Workload


@dataclass(frozen=True, slots=True)
class Change:
    """Something that changed around the onset.

    `kind`: "image", "config" (pod template without the image, ConfigMap or Secret of its own),
    "exposure" (share of a service's traffic), "certificate" (one of the namespace ended), "nearby"
    (settings of the namespace) or "replicas".
    """

    workload: Workload
    kind: str
    subject: str
    old: str | None
    new: str | None
    at_s: int


@dataclass(frozen=True, slots=True)
class CallEdge:
    """Who calls whom, in the minutes before the judged step and in healthy time before the onset.

    Rates in req/s, ratios 0..1; None = not measured.
    """

    source: Workload
    destination: Workload
    rate: float
    error_ratio: float | None
    rate_before: float | None
    error_ratio_before: float | None


@dataclass(frozen=True, slots=True)
class Asks:
    """A callee that a workload asks for more since its newest release: no retries, good answers.

    `before`, `now`: calls answered well per own request; `rate`: req/s of all callers. `now` and
    `rate` are of the first minutes of the release, until `until_s`.
    """

    callee: Workload
    before: float
    now: float
    rate: float
    released_s: int
    until_s: int


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """The HorizontalPodAutoscaler (or ScaledObject) that owns the replicas of a workload.

    `limited`: it wants more than its bounds allow; `active`: it has its metric. None = not told.
    """

    name: str
    min_replicas: int
    max_replicas: int
    current: int
    limited: bool | None
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class Capacity:
    """Pods and CPU of a workload at the judged step; None = the source is missing.

    `cpu_utilization`: share of the request (0..). `throttled`: share of CPU periods, 0..1.
    """

    replicas_desired: int | None
    replicas_available: int | None
    cpu_utilization: float | None
    throttled: float | None
    unschedulable: int | None


@dataclass(frozen=True, slots=True)
class Rollout:
    """What a deploy is doing. `waiting`: (reason, pods) of containers that cannot start."""

    in_progress: bool | None
    stuck: bool | None
    waiting: tuple[tuple[str, int], ...]
    restarts: float | None


@dataclass(frozen=True, slots=True)
class VersionSplit:
    """One version of a workload since the onset: requests counted, error ratio, p95 in ms.

    `success_ratio`: what neither failed, hung, nor was refused as the client's mistake, 0..1.
    """

    version: str
    requests: float
    error_ratio: float | None
    latency_p95_ms: float | None
    success_ratio: float | None = None


@dataclass(frozen=True, slots=True)
class NodePods:
    """Pods of a workload on one node, before or now, whichever is more.

    `unready`: of them not ready now. `troubles`: conditions of the node since the onset or shortly
    before ("NotReady", "MemoryPressure", "Cordoned", "Gone"). `zone`: "" when not told.
    """

    node: str
    zone: str
    pods: int
    unready: int
    troubles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PodSplit:
    """One pod now: its error ratio and its p95 in ms, as far as the scrape tells pods apart."""

    pod: str
    node: str
    zone: str
    error_ratio: float | None
    latency_p95_ms: float | None


@dataclass(frozen=True, slots=True)
class LostCalls:
    """Calls that reach no workload: to which service, with which flag of Envoy, in calls per second.

    UH: no pod is ready; NR, NC: no route, no cluster. `before`: in the hour before the onset.
    """

    service: Workload
    flags: str
    rate: float
    before: float


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How requests end now besides errors of the server, as shares 0..1; None = not measured.

    `*_before`: in the hour before the onset. `injected`: the most that is injected into its own
    requests or into those that it makes, and into whose. `lost`: of the calls that it makes.
    """

    injected: float | None = None
    injected_into: str = ""
    disconnects: float | None = None
    disconnects_before: float | None = None
    turned_away: float | None = None
    turned_away_before: float | None = None
    slow: float | None = None
    lost: tuple[LostCalls, ...] = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What stands around a workload. Empty = nothing there or not known; `Context.missing` tells.

    `alerts`, `chaos`, `silences`: names of what fires, what runs, what mutes it.
    `quotas`: (quota/resource, used 0..1).
    `phase`: of its Argo Rollout, "" without one; `canary_failed`: of its Flagger canary.
    `oom_killed`: pods killed for memory in the last 15 minutes.
    """

    nodes: tuple[NodePods, ...] = ()
    pods: tuple[PodSplit, ...] = ()
    alerts: tuple[str, ...] = ()
    chaos: tuple[str, ...] = ()
    quotas: tuple[tuple[str, float], ...] = ()
    phase: str = ""
    canary_failed: bool | None = None
    vpa: bool = False
    oom_killed: float | None = None
    silences: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that was asked about one workload in an incident.

    `missing`: names of the sources that gave nothing; each lowers what can be claimed.
    `images`: (container, image_spec) running at the judged step. `neighbours`: image changes of
    the workloads that call it or that it calls. `switched`: its callees that serve more of a service.
    `upstream`: the calls that reach its callers, theirs and so on; not those that reach itself.
    """

    workload: Workload
    changes: tuple[Change, ...]
    callees: tuple[CallEdge, ...]
    callers: tuple[CallEdge, ...]
    autoscaler: Autoscaler | None
    capacity: Capacity
    rollout: Rollout
    versions: tuple[VersionSplit, ...]
    images: tuple[tuple[str, str], ...]
    missing: tuple[str, ...]
    neighbours: tuple[Change, ...] = ()
    outcomes: Outcomes = Outcomes()
    around: Surroundings = Surroundings()
    asks: tuple[Asks, ...] = ()
    switched: tuple[Change, ...] = ()
    upstream: tuple[CallEdge, ...] = ()
