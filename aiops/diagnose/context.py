"""The second and last read: which context queries an incident needs, and what they say.

`wanted` names queries and grids only when something is pending or firing: a healthy fleet costs
one read. `assemble` turns the answers into one `Context` per incident; a source that gave nothing
is named in `Context.missing`, and each one lowers what can be claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from aiops.decide.limits import LIMITS
from aiops.diagnose.changes import image_changes, replica_changes
from aiops.diagnose.rows import NOW_STEPS, Kinds, median, named, newest, of_workload, worst_now
from aiops.domain import (
    Answer,
    Autoscaler,
    CallEdge,
    Capacity,
    Change,
    Context,
    FloatArray,
    Grid,
    Incident,
    Rollout,
    State,
    VersionSplit,
    Workload,
)

# How far back images are asked for: the history a workload needs before it is judged at all.
IMAGE_SPAN_S = 26 * 3600
# The others: from an hour before the earliest onset.
AROUND_ONSET = (
    "call_rate",
    "call_error_ratio",
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
    "targets_up",
    "targets_known",
)
# Sources that must have a row of the workload itself: Kubernetes writes these for every one.
PER_WORKLOAD = ("image", "replicas_desired", "replicas_available", "cpu_throttled")
VERSION_LABELS = ("destination_workload_namespace", "destination_workload")


def wanted(incidents: Iterable[Incident], now_s: int, step_s: int) -> tuple[tuple[str, Grid], ...]:
    """Return (query name, grid) of what the incidents need; empty when nothing is pending or firing.

    Grids end at `now_s` and have the step of the panel: at a coarser one a deploy that came two
    minutes before the onset could seem to come after it.
    """
    onsets = [i.onset_s for i in _open(incidents) if i.onset_s is not None]
    if not onsets:
        return ()
    start_s = max(min(onsets) - LIMITS.baseline_s, now_s - IMAGE_SPAN_S)
    short = Grid(now_s - max(now_s - start_s, step_s) // step_s * step_s, now_s, step_s)
    long = Grid(now_s - IMAGE_SPAN_S // step_s * step_s, now_s, step_s)
    return (("image", long), *((name, short) for name in AROUND_ONSET))


def assemble(
    answers: Mapping[str, Answer], incidents: Iterable[Incident], kinds: Kinds, now_s: int
) -> dict[Workload, Context]:
    """Return the context of every pending or firing incident; samples after `now_s` are not used."""
    known = {name: _until(answer, now_s) for name, answer in answers.items()}
    return {incident.workload: _context(known, incident, kinds) for incident in _open(incidents)}


def _open(incidents: Iterable[Incident]) -> list[Incident]:
    return sorted((i for i in incidents if i.state is not State.INACTIVE), key=lambda i: i.workload)


def _until(answer: Answer, now_s: int) -> Answer:
    if not answer.times.size or answer.times[-1] <= now_s:
        return answer
    keep = answer.times <= now_s
    kept = answer.values[:, keep]  # [N, T] -> [N, <= T]
    return Answer(answer.query, answer.labels, kept, answer.times[keep], answer.warnings, answer.samples)


def _context(answers: Mapping[str, Answer], incident: Incident, kinds: Kinds) -> Context:
    workload = incident.workload
    images = image_changes(answers.get("image"), workload)
    onset_s = incident.onset_s if incident.onset_s is not None else 0
    edges = _edges(answers, workload, onset_s, kinds)
    return Context(
        workload=workload,
        changes=images + replica_changes(answers.get("replicas_desired"), workload),
        callees=tuple(edge for edge in edges if edge.source.key == workload.key),
        callers=tuple(edge for edge in edges if edge.destination.key == workload.key),
        autoscaler=_autoscaler(answers, workload),
        capacity=_capacity(answers, workload),
        rollout=_rollout(answers, workload),
        versions=_versions(answers, workload, _split_since(images, onset_s)),
        images=_images(answers, workload),
        missing=_missing(answers, workload),
    )


def _missing(answers: Mapping[str, Answer], workload: Workload) -> tuple[str, ...]:
    empty = {name for name in ("image", *AROUND_ONSET) if name not in answers or not answers[name].labels}
    if "waiting_reason" in answers and "replicas_desired" not in empty:
        empty.discard("waiting_reason")  # kube-state-metrics has it only while a container waits
    silent = {name for name in PER_WORKLOAD if worst_now(answers.get(name), workload) is None}
    partial = {name for name, answer in answers.items() if answer.warnings}
    return tuple(sorted(empty | silent | partial))


def _images(answers: Mapping[str, Answer], workload: Workload) -> tuple[tuple[str, str], ...]:
    return tuple(
        sorted(
            (labels.get("container", ""), labels.get("image_spec", ""))
            for labels, values in of_workload(answers.get("image"), workload)
            if (newest(values) or 0) > 0
        )
    )


def _edges(answers: Mapping[str, Answer], workload: Workload, onset_s: int, kinds: Kinds) -> list[CallEdge]:
    """Return the call edges from and to a workload, sorted by (source, destination)."""
    rates = answers.get("call_rate")
    if rates is None:
        return []
    ratios = answers.get("call_error_ratio")
    by_pair: dict[tuple[Workload, Workload], FloatArray] = {}
    if ratios is not None:
        by_pair = {
            _ends(labels, kinds): row for labels, row in zip(ratios.labels, ratios.values, strict=True)
        }
    before = (rates.times >= onset_s - LIMITS.baseline_s) & (rates.times < onset_s - LIMITS.onset_slack_s)
    edges: list[CallEdge] = []
    for labels, rate in zip(rates.labels, rates.values, strict=True):
        source, destination = _ends(labels, kinds)
        if workload.key not in (source.key, destination.key):
            continue
        now = median(rate[-NOW_STEPS:])
        if now is None:
            continue
        errors = by_pair.get((source, destination))
        now_ratio = before_ratio = None
        if errors is not None and ratios is not None:
            now_ratio = median(errors[-NOW_STEPS:])
            if np.array_equal(ratios.times, rates.times):
                before_ratio = median(errors[before])
        edges.append(CallEdge(source, destination, now, now_ratio, median(rate[before]), before_ratio))
    return sorted(edges, key=lambda edge: (edge.source, edge.destination))


def _ends(labels: Mapping[str, str], kinds: Kinds) -> tuple[Workload, Workload]:
    return (
        named(labels, kinds, namespace="source_workload_namespace", name="source_workload"),
        named(labels, kinds, namespace=VERSION_LABELS[0], name=VERSION_LABELS[1]),
    )


def _autoscaler(answers: Mapping[str, Answer], workload: Workload) -> Autoscaler | None:
    """Return the autoscaler that targets the workload; None also when one of its bounds is unknown."""
    found: dict[str, float] = {}
    names: set[str] = set()
    for source in ("hpa_min", "hpa_max", "hpa_current", "hpa_limited"):
        for labels, values in of_workload(answers.get(source), workload, name="scaletargetref_name"):
            value = newest(values)
            if value is not None and labels.get("scaletargetref_kind", "") in (workload.kind, ""):
                found[source] = value
                names.add(labels.get("horizontalpodautoscaler", ""))
    if len(names) != 1 or not {"hpa_min", "hpa_max", "hpa_current"} <= found.keys():
        return None
    limited = found.get("hpa_limited")
    return Autoscaler(
        names.pop(),
        int(found["hpa_min"]),
        int(found["hpa_max"]),
        int(found["hpa_current"]),
        None if limited is None else limited > 0,
    )


def _capacity(answers: Mapping[str, Answer], workload: Workload) -> Capacity:
    desired = worst_now(answers.get("replicas_desired"), workload)
    available = worst_now(answers.get("replicas_available"), workload, min)
    unschedulable = worst_now(answers.get("unschedulable"), workload, sum)
    if unschedulable is None and desired is not None:
        unschedulable = 0  # kube-state-metrics has this series only for pods that cannot be placed
    return Capacity(
        replicas_desired=None if desired is None else int(desired),
        replicas_available=None if available is None else int(available),
        cpu_utilization=None,  # the panel has it; one number must not have two homes
        throttled=worst_now(answers.get("cpu_throttled"), workload),
        unschedulable=None if unschedulable is None else int(unschedulable),
    )


def _rollout(answers: Mapping[str, Answer], workload: Workload) -> Rollout:
    progressing = worst_now(answers.get("rollout_progressing"), workload, name="deployment")
    stuck = worst_now(answers.get("rollout_stuck"), workload, name="deployment")
    waiting: dict[str, int] = {}
    for labels, values in of_workload(answers.get("waiting_reason"), workload):
        pods = newest(values) or 0
        if pods > 0:
            waiting[labels.get("reason", "")] = waiting.get(labels.get("reason", ""), 0) + int(pods)
    return Rollout(
        in_progress=None if progressing is None else progressing > 0,
        stuck=None if stuck is None else stuck > 0,
        waiting=tuple(sorted(waiting.items())),
        restarts=None,  # the panel has it
    )


def _split_since(images: tuple[Change, ...], onset_s: int) -> int:
    """Return where counting per version starts: at the release before the onset, else at the onset.

    From the release on, because while a rollout goes on both versions serve at the same minutes.
    """
    earlier = [change.at_s for change in images if 0 <= onset_s - change.at_s <= LIMITS.change_to_onset_s]
    return min([onset_s, *earlier[-1:]])


def _versions(answers: Mapping[str, Answer], workload: Workload, since_s: int) -> tuple[VersionSplit, ...]:
    namespace, name = VERSION_LABELS

    def by_version(source: str) -> dict[str, FloatArray]:
        answer = answers.get(source)
        if answer is None:
            return {}
        since = answer.times >= since_s
        rows = of_workload(answer, workload, namespace, name)
        return {labels.get("destination_version", ""): values[since] for labels, values in rows}

    rates, errors, latencies = (
        by_version(f"version_{what}") for what in ("rate", "error_ratio", "latency_p95")
    )
    step_s = _step_s(answers.get("version_rate"))
    together, overlap = _together(rates, step_s)
    return tuple(
        VersionSplit(
            version,
            float(np.nansum(rate[together])) * step_s,
            _weighted(errors.get(version), rate, together),
            _weighted(latencies.get(version), rate, together),
        )
        for version, rate in sorted(rates.items())
        if np.nansum(rate[together]) > 0 and (overlap or np.nansum(rate[-NOW_STEPS:]) > 0)
    )


def _together(rates: Mapping[str, FloatArray], step_s: int) -> tuple[NDArray[np.bool_], bool]:
    """Return [T], the steps at which two versions served, and True; all steps and False if none did.

    Only the same minutes compare versions: a dependency that broke after the rollout would make
    the new version look worse than an old one that served before. A rate looks back 5 minutes, so
    a version still shows one after it went: what shows none 5 minutes later does not count.
    """
    if not rates:
        return np.zeros(0, dtype=np.bool_), False
    serving = np.stack([np.nan_to_num(rate) > 0 for rate in rates.values()])  # [versions, T]
    ahead = LIMITS.onset_slack_s // step_s if step_s else 0
    later = np.concatenate([serving[:, ahead:], np.repeat(serving[:, -1:], ahead, axis=1)], axis=1)
    both: NDArray[np.bool_] = (serving & later[:, : serving.shape[1]]).sum(axis=0) >= 2
    return (both, True) if both.any() else (np.ones_like(both), False)


def _step_s(answer: Answer | None) -> int:
    return int(answer.times[1] - answer.times[0]) if answer is not None and answer.times.size > 1 else 0


def _weighted(values: FloatArray | None, weights: FloatArray, steps: NDArray[np.bool_]) -> float | None:
    """Return the mean of `values` weighted by requests, over the given steps where both are known."""
    if values is None or values.shape != weights.shape:
        return None
    both = steps & np.isfinite(values) & np.isfinite(weights) & (weights > 0)
    return float(np.average(values[both], weights=weights[both])) if both.any() else None
