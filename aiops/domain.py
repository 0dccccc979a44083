"""Every type that crosses a stage: frozen, with shapes and units.

Nothing here reads, writes or computes more than a property. "Unknown" has one spelling per
place: NaN in arrays, None in scalars (null in JSON), "" for a cluster or kind that no metric
names, `Hold(reason)` in decisions. Times are int seconds since the epoch, UTC, named `*_s`.

Letters in shapes: W workloads, S signals, T steps, N series of one answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
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


# --- ingest -----------------------------------------------------------------------------------


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


# --- detect -----------------------------------------------------------------------------------


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
    traffic before the judged step. `familiar`: None while it is news.
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


# --- context ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Change:
    """Something that changed around the onset.

    `kind`: "image", "config" (pod template without the image, ConfigMap or Secret of its own),
    "exposure" (share of a service's traffic), "nearby" (settings of the namespace) or "replicas".
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

    `alerts`, `chaos`: names of what fires and what runs. `quotas`: (quota/resource, used 0..1).
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


@dataclass(frozen=True, slots=True)
class Context:
    """Everything that was asked about one workload in an incident.

    `missing`: names of the sources that gave nothing; each lowers what can be claimed.
    `images`: (container, image_spec) running at the judged step. `neighbours`: image changes of
    the workloads that call it or that it calls.
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


# --- gitops -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Place:
    """One scalar in the repository that sets a field.

    `document`: index in the YAML stream. `path`: keys and list indices from the document root.
    A step "|" means: inside of the YAML that the string at this path holds.
    `value`: the scalar as a string, as YAML reads it. `start`, `end`: byte span of the scalar
    in the file, quotes included. `kind`: which manifest kind it stands in (a word for people).
    """

    file: str
    document: int
    path: tuple[str | int, ...]
    value: str
    start: int
    end: int
    kind: str

    @property
    def path_text(self) -> str:
        """The key path as people write it: `spec.template.spec.containers[0].image`."""
        text = ""
        for part in self.path:
            joined = part if not text or part == "|" or text[-1] == "|" else f".{part}"
            text += f"[{part}]" if isinstance(part, int) else str(joined)
        return text


@dataclass(frozen=True, slots=True)
class Insertion:
    """Where one key or list entry, once written, would win over the place that counts now.

    `path`: of the new scalar; what is missing of it is written. `entry`: the `name` of the list
    entry when that is new too. `kind`: which manifest kind it stands in (a word for people).
    """

    file: str
    document: int
    path: tuple[str | int, ...]
    entry: str
    kind: str

    @property
    def path_text(self) -> str:
        """The key path as people write it."""
        return Place(self.file, self.document, self.path, "", 0, 0, "").path_text


@dataclass(frozen=True, slots=True)
class Pin:
    """What stops an automation from setting a value again, in the same commit as a rollback.

    `what`: `marker` (the one behind the winning value is removed) or `ignore` (the value that is
    taken out joins the list of ignored tags at `path`). `lift`: how to undo it, for people.
    """

    owner: str
    what: Literal["marker", "ignore"]
    file: str
    document: int
    path: tuple[str | int, ...]
    lift: str


@dataclass(frozen=True, slots=True)
class PastValue:
    """A value the winning place had, from `since_s` to `until_s` (None = still), by `commit`.

    `touched`: the other files of that commit. `ran`: how the workload ran then, in words; "" when
    nobody looked.
    """

    value: str
    commit: str
    since_s: int
    until_s: int | None
    touched: tuple[str, ...]
    ran: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Where one field of one workload lives in the repository.

    `places`: every place that sets it, the winner last. `winner`: None when refused.
    `insertion`: where an edit writes a new key instead of changing the winner, which others share.
    `beside`: the tag next to the digest that wins; they change together, as `tag@digest`.
    `pins`: what a rollback must change beside it. `owner`: the automation that owns the field
    ("HorizontalPodAutoscaler/web"), None = nobody.
    `history`: newest first, the current value included. `refusal`: one line, None = editable.
    `annotations`: those of the workload's manifest that start with `aiops/`, by name.
    """

    workload: Workload
    field: FieldName
    places: tuple[Place, ...]
    winner: Place | None
    owner: str | None
    history: tuple[PastValue, ...]
    refusal: str | None
    annotations: tuple[tuple[str, str], ...] = ()
    insertion: Insertion | None = None
    pins: tuple[Pin, ...] = ()
    beside: Place | None = None


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace bytes [start, end) of `file` by `new_text`: one of three kinds of `change`.

    `replace`: the whole old scalar; `old`, `new` are the values as YAML reads them, `new_text` the
    scalar as written, quotes included. `insert`: one key or list entry at `start` (= `end`), after
    which `path` holds `new`; `old` is the value that counted before, `entry` the name of a new list
    entry. `remove`: the image automation's marker behind the scalar at `path`; `old` is the marker.
    `role`: `value` changes the field, `pin` stops an automation from changing it back.
    `blob`: sha of the file the span was measured in; another blob refuses the edit.
    """

    file: str
    document: int
    path: tuple[str | int, ...]
    old: str
    new: str
    new_text: str
    start: int
    end: int
    blob: str
    change: Literal["replace", "insert", "remove"] = "replace"
    entry: str = ""
    role: Literal["value", "pin"] = "value"

    @property
    def path_text(self) -> str:
        """The key path as people write it."""
        return Place(self.file, self.document, self.path, self.old, 0, 0, "").path_text


@dataclass(frozen=True, slots=True)
class TreeFile:
    """One entry of a git tree. `mode` as git prints it: 100644, 100755, 120000, 160000."""

    path: str
    mode: str
    blob: str
    size: int


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of the base branch. `time_s`: committer time. `paths`: files it touched."""

    sha: str
    time_s: int
    subject: str
    paths: tuple[str, ...]


# --- diagnose, decide -------------------------------------------------------------------------


class Cause(StrEnum):
    """Why an incident happens, as far as metrics and history can tell."""

    BAD_RELEASE = "bad-release"
    OVERLOAD = "overload"
    DEPENDENCY = "dependency"
    SHARED = "shared"
    LEAK = "leak"
    CONFIG = "config"
    EXPOSURE = "exposure"
    CLIENT = "client"
    SCHEDULED = "scheduled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One claim with the number behind it. `query` is the PromQL that returns `value`."""

    claim: str
    query: str
    value: float | None
    unit: str
    at_s: int


@dataclass(frozen=True, slots=True)
class Impact:
    """Who feels it: shares of requests 0..1 (None = not measured), workloads that call it."""

    share_failing: float | None
    share_slow: float | None
    callers: tuple[str, ...]
    growing: bool | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One rule that was asked and what it answered: the trace of a decision."""

    rule: str
    holds: bool
    answer: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The cause of one incident. `root`: the workload to blame, None when unknown.

    `change`: the change that is blamed, if one is. `ruled_out`: other causes, with the reason.
    `place`: the pod, node or zone to blame ("node/node-a"), "" when no place is. `missing`: the
    sources that gave nothing, which lowers what can be claimed.
    """

    workload: Workload
    cause: Cause
    root: Workload | None
    change: Change | None
    evidence: tuple[Evidence, ...]
    against: tuple[Evidence, ...]
    ruled_out: tuple[str, ...]
    impact: Impact
    trace: tuple[Asked, ...]
    place: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scale:
    """Propose more capacity: `field` from `old` to `new`."""

    field: Literal["replicas", "hpa.min", "hpa.max"]
    old: int
    new: int
    rule: str
    reason: str
    variant: str = "scale"
    action: Literal["scale"] = "scale"


@dataclass(frozen=True, slots=True)
class Rollback:
    """Propose the value that ran well before: `field` from `old` to `new`."""

    field: Literal["image.tag", "image.digest"]
    old: str
    new: str
    rule: str
    reason: str
    variant: str = "rollback"
    action: Literal["rollback"] = "rollback"


@dataclass(frozen=True, slots=True)
class Hold:
    """Propose nothing, and say which rule held it back."""

    rule: str
    reason: str
    variant: str = "hold"
    action: Literal["hold"] = "hold"


Decision = Scale | Rollback | Hold


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One limit that was checked. `tripped` means nothing more is proposed because of it."""

    id: str
    tripped: bool
    value: str
    limit: str


# --- propose ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Chart:
    """At most 24 points of one signal for the pull request; None = no sample. Values in `unit`."""

    signal: str
    unit: str
    times_s: tuple[int, ...]
    observed: tuple[float | None, ...]
    expected: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    onset_s: int


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One decision, with everything the proposing half needs: it has no Prometheus.

    `edits` is empty for a hold. `past`: values the field had, for the table in the body.
    `gates`: the gates that were asked after the cause was named; one that holds stops the change.
    """

    workload: Workload
    decision: Decision
    incident: Incident
    diagnosis: Diagnosis
    edits: tuple[Edit, ...]
    past: tuple[PastValue, ...]
    chart: Chart | None
    gates: tuple[Asked, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What one analysis wants to propose. No wall time, machine path or pull-request number.

    `data_time_s`: the newest judged step. `base`, `base_sha`: branch and commit it was read at.
    `guardrails`: the fleet-wide checks of the analysing half (storm, data).
    """

    base: str
    base_sha: str
    data_time_s: int
    step_s: int
    model: str
    items: tuple[PlanItem, ...]
    guardrails: tuple[Guardrail, ...]
    schema: str = "aiops.plan/1"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pull request that was not sent yet. `files`: path -> the whole new content.

    `modes`: path -> git mode, kept from the base. `marker`: the identity inside the body.
    """

    branch: str
    title: str
    body: str
    commit_message: str
    base: str
    base_sha: str
    edits: tuple[Edit, ...]
    marker: str
    files: Mapping[str, bytes] = field(repr=False)
    modes: Mapping[str, str] = field(repr=False)


PullState = Literal["open", "closed", "merged"]


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as the forge shows it. Times None = the event did not happen."""

    number: int
    url: str
    branch: str
    state: PullState
    title: str
    body: str
    author: str
    labels: tuple[str, ...]
    created_at_s: int
    closed_at_s: int | None
    merged_at_s: int | None
    closed_by: str | None
