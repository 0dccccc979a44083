"""The second and last read: which context queries an incident needs, and what they say.

`wanted` names queries and grids only when something is pending or firing: a healthy fleet costs
one read. `assemble` turns the answers into one `Context` per incident; a source that gave nothing
is named in `Context.missing`, and each one lowers what can be claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from aiops.detect.windows import EVALUATION_DELAY_S
from aiops.diagnose import surroundings, traffic
from aiops.diagnose.asks import asks
from aiops.diagnose.changes import (
    ended_certificates,
    image_changes,
    replica_changes,
    settings_changes,
    template_changes,
)
from aiops.diagnose.exposure import exposure_changes, rose
from aiops.diagnose.rows import Kinds, Sources, newest
from aiops.domain import (
    Answer,
    Autoscaler,
    CallEdge,
    Capacity,
    Change,
    Context,
    Grid,
    Incident,
    Rollout,
    State,
    Workload,
)
from aiops.limits import LIMITS

# How far back images are asked for: the history a workload needs before it is judged at all.
IMAGE_SPAN_S = 26 * 3600
# The others: from an hour before the earliest onset.
AROUND_ONSET = (
    "call_rate",
    "call_error_ratio",
    "call_success_ratio",
    "version_rate",
    "version_error_ratio",
    "version_latency_p95",
    "replicas_desired",
    "replicas_available",
    "hpa_min",
    "hpa_max",
    "hpa_current",
    "hpa_limited",
    "cpu_throttled",
    "unschedulable",
    "waiting_reason",
    "rollout_progressing",
    "rollout_stuck",
    "version_success_ratio",
    "service_rate",
    "injected_ratio",
    "disconnect_ratio",
    "turned_away_ratio",
    "slow_ratio",
    "lost_calls",
    "pod_error_ratio",
    "pod_latency_p95",
    "hpa_active",
    "pod_template",
    "config_version",
    "pod_node",
    "pod_unready",
    "node_trouble",
    "node_zone",
    "oom_killed",
    "quota_used",
    "rollout_phase",
    "canary_status",
    "vpa_active",
    "alerts_firing",
    "chaos_running",
    "certificate_end",
    "targets_up",
    "targets_known",
)
# Sources that are empty while all is well: nobody waits, no node is in trouble, no alert fires.
# Whether their exporter exists cannot be told from silence, so silence is not called missing.
SILENT_WHEN_WELL = (
    "waiting_reason",
    "lost_calls",
    "pod_unready",
    "node_trouble",
    "oom_killed",
    "alerts_firing",
)
# Sources of tools that not every cluster has; without the tool there is nothing to miss.
OF_TOOLS = ("quota_used", "rollout_phase", "canary_status", "vpa_active", "chaos_running", "certificate_end")
AUTOSCALER = "autoscaler"  # is missing where something scales a workload and it is not clear what
# Sources that must have a row of the workload itself: Kubernetes writes these for every one.
PER_WORKLOAD = ("image", "replicas_desired", "replicas_available", "cpu_throttled")


def wanted(incidents: Iterable[Incident], now_s: int, step_s: int) -> tuple[tuple[str, Grid], ...]:
    """Return (query name, grid) of what the incidents need; empty when nothing is pending or firing.

    Grids end at the newest complete step, as the panel does, on multiples of the step: a change then
    has the same time in every run that sees it. Their step is the panel's: at a coarser one a
    deploy that came two minutes before the onset could seem to come after it.
    """
    onsets = [i.onset_s for i in _open(incidents) if i.onset_s is not None]
    if not onsets:
        return ()
    end_s = (now_s - EVALUATION_DELAY_S) // step_s * step_s
    start_s = max(min(onsets) - LIMITS.baseline_s, end_s - IMAGE_SPAN_S)
    short = Grid(end_s - max(end_s - start_s, step_s) // step_s * step_s, end_s, step_s)
    long = Grid(end_s - IMAGE_SPAN_S // step_s * step_s, end_s, step_s)
    return (("image", long), *((name, short) for name in AROUND_ONSET))


def assemble(
    answers: Mapping[str, Answer], incidents: Iterable[Incident], kinds: Kinds, now_s: int
) -> dict[Workload, Context]:
    """Return the context of every pending or firing incident; samples after `now_s` are not used."""
    known = Sources({name: _until(answer, now_s) for name, answer in answers.items()})
    return {incident.workload: _context(known, incident, kinds) for incident in _open(incidents)}


def _open(incidents: Iterable[Incident]) -> list[Incident]:
    return sorted((i for i in incidents if i.state is not State.INACTIVE), key=lambda i: i.workload)


def _until(answer: Answer, now_s: int) -> Answer:
    if not answer.times.size or answer.times[-1] <= now_s:
        return answer
    keep = answer.times <= now_s
    kept = answer.values[:, keep]  # [N, T] -> [N, <= T]
    return Answer(answer.query, answer.labels, kept, answer.times[keep], answer.warnings, answer.samples)


def _context(sources: Sources, incident: Incident, kinds: Kinds) -> Context:
    workload = incident.workload
    images = image_changes(sources, workload)
    onset_s = incident.onset_s if incident.onset_s is not None else 0
    edges = traffic.edges(sources, workload, onset_s, kinds)
    changes = (
        *images,
        *template_changes(sources, workload, images),
        *settings_changes(sources, workload),
        *ended_certificates(sources, workload),
        *exposure_changes(sources, workload, images, onset_s),
        *replica_changes(sources, workload),
    )
    autoscaler, known = _autoscaler(sources, workload)
    callees = tuple(edge for edge in edges if edge.source.key == workload.key)
    callers = tuple(edge for edge in edges if edge.destination.key == workload.key)
    return Context(
        workload=workload,
        changes=changes,
        callees=callees,
        callers=callers,
        autoscaler=autoscaler,
        capacity=_capacity(sources, workload),
        rollout=_rollout(sources, workload),
        versions=traffic.versions(sources, workload, traffic.split_since(images, onset_s)),
        images=_images(sources, workload),
        missing=_missing(sources, workload, autoscaler_known=known),
        neighbours=_neighbours(sources, workload, edges),
        outcomes=surroundings.outcomes(
            sources, workload, [edge.destination for edge in callees], onset_s, kinds
        ),
        around=surroundings.around(sources, workload, onset_s),
        asks=asks(sources, workload, images, onset_s, kinds),
        switched=tuple(
            change
            for edge in callees
            for change in exposure_changes(
                sources, edge.destination, image_changes(sources, edge.destination), onset_s
            )
            if rose(change)
        ),
        upstream=tuple(traffic.upstream(sources, [edge.source for edge in callers], onset_s, kinds)),
    )


def _neighbours(sources: Sources, workload: Workload, edges: list[CallEdge]) -> tuple[Change, ...]:
    """Return the image changes of the workloads that this one calls or that call it, oldest first."""
    ends = {one.key: one for edge in edges for one in (edge.source, edge.destination)}
    found = [
        change
        for key, one in sorted(ends.items())
        if key != workload.key
        for change in image_changes(sources, one)
    ]
    return tuple(sorted(found, key=lambda change: (change.at_s, change.workload, change.subject)))


def _missing(sources: Sources, workload: Workload, *, autoscaler_known: bool) -> tuple[str, ...]:
    empty = {
        name
        for name in ("image", *AROUND_ONSET)
        if name not in sources.answers or not sources.answers[name].labels
    }
    empty -= {
        name for name in SILENT_WHEN_WELL if name in sources.answers and "replicas_desired" not in empty
    }
    empty -= {name for name in OF_TOOLS if name in sources.answers}
    silent = {name for name in PER_WORKLOAD if sources.newest(name, workload) is None}
    partial = {name for name, answer in sources.answers.items() if answer.warnings}
    unclear = set() if autoscaler_known else {AUTOSCALER}
    return tuple(sorted(empty | silent | partial | unclear))


def _images(sources: Sources, workload: Workload) -> tuple[tuple[str, str], ...]:
    return tuple(
        sorted(
            (labels.get("container", ""), labels.get("image_spec", ""))
            for labels, values in sources.rows("image", workload)
            if (newest(values) or 0) > 0
        )
    )


def _autoscaler(sources: Sources, workload: Workload) -> tuple[Autoscaler | None, bool]:
    """Return the autoscaler that targets the workload, and whether that is all that is known of it.

    (None, True): nothing targets it. (None, False): something does, but not one autoscaler with all
    its bounds. Who takes that for "none" would edit replicas that somebody else sets.
    """
    found: dict[str, float] = {}
    names: set[str] = set()
    for source in ("hpa_min", "hpa_max", "hpa_current", "hpa_limited", "hpa_active"):
        for labels, values in sources.rows(source, workload, name="scaletargetref_name"):
            value = newest(values)
            if value is not None and labels.get("scaletargetref_kind", "") in (workload.kind, ""):
                found[source] = value
                names.add(labels.get("horizontalpodautoscaler", ""))
    if len(names) != 1 or not {"hpa_min", "hpa_max", "hpa_current"} <= found.keys():
        return None, not names
    limited = found.get("hpa_limited")
    one = Autoscaler(
        names.pop(),
        int(found["hpa_min"]),
        int(found["hpa_max"]),
        int(found["hpa_current"]),
        None if limited is None else limited > 0,
        None if "hpa_active" not in found else found["hpa_active"] > 0,
    )
    return one, True


def _capacity(sources: Sources, workload: Workload) -> Capacity:
    desired = sources.newest("replicas_desired", workload)
    available = sources.newest("replicas_available", workload, min)
    unschedulable = sources.newest("unschedulable", workload, sum)
    if unschedulable is None and desired is not None:
        unschedulable = 0  # kube-state-metrics has this series only for pods that cannot be placed
    return Capacity(
        replicas_desired=None if desired is None else int(desired),
        replicas_available=None if available is None else int(available),
        cpu_utilization=None,  # the panel has it; one number must not have two homes
        throttled=sources.newest("cpu_throttled", workload),
        unschedulable=None if unschedulable is None else int(unschedulable),
    )


def _rollout(sources: Sources, workload: Workload) -> Rollout:
    progressing = sources.newest("rollout_progressing", workload, name="deployment")
    stuck = sources.newest("rollout_stuck", workload, name="deployment")
    waiting: dict[str, int] = {}
    for labels, values in sources.rows("waiting_reason", workload):
        pods = newest(values) or 0
        if pods > 0:
            waiting[labels.get("reason", "")] = waiting.get(labels.get("reason", ""), 0) + int(pods)
    return Rollout(
        in_progress=None if progressing is None else progressing > 0,
        stuck=None if stuck is None else stuck > 0,
        waiting=tuple(sorted(waiting.items())),
        restarts=None,  # the panel has it
    )
