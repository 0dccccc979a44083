"""Reads what stands around a workload out of the answers: nodes, pods, alerts, experiments, room.

Comes in: the answers of the context. Goes out: `Outcomes` and `Surroundings` of one workload. What
no exporter tells is empty here and named in `Context.missing`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from aiops.diagnose.exposure import SERVICE
from aiops.diagnose.rows import NOW_STEPS, Kinds, Sources, median, named, newest
from aiops.diagnose.traffic import DESTINATION, SOURCE
from aiops.domain import (
    Answer,
    FloatArray,
    LostCalls,
    NodePods,
    Outcomes,
    PodSplit,
    Surroundings,
    Workload,
)
from aiops.limits import LIMITS

# Of Argo Rollouts; the others (Healthy, Progressing, Paused) are seen by other sources.
DEGRADED = "Degraded"
# Where experiments are written that break things elsewhere; nothing tells what they aim at.
CHAOS_HOMES = ("chaos-mesh", "chaos-testing")


def outcomes(
    sources: Sources, workload: Workload, callees: Sequence[Workload], onset_s: int, kinds: Kinds
) -> Outcomes:
    """Return how the requests of a workload end. A fault is injected by the proxy of the caller."""

    def now(source: str) -> float | None:
        return _level(sources, source, workload, None)

    def before(source: str) -> float | None:
        return _level(sources, source, workload, onset_s)

    injected = [
        (share, one.name)
        for one in (workload, *callees)
        if (share := _level(sources, "injected_ratio", one, None)) is not None
    ]
    most, into = max(injected, default=(None, ""))
    return Outcomes(
        injected=most,
        injected_into=into,
        disconnects=now("disconnect_ratio"),
        disconnects_before=before("disconnect_ratio"),
        turned_away=now("turned_away_ratio"),
        turned_away_before=before("turned_away_ratio"),
        slow=now("slow_ratio"),
        lost=_lost(sources, workload, onset_s, kinds),
    )


def around(sources: Sources, workload: Workload, onset_s: int) -> Surroundings:
    """Return what stands around a workload."""
    places = _places(sources, workload, onset_s)
    zones = _zones(sources, workload.cluster)
    # Flagger's canary is called like its target; what serves is called <target>-primary.
    target = replace(workload, name=workload.name.removesuffix("-primary"))
    canary = sources.newest("canary_status", target)
    phases = sorted(
        labels.get("phase", "") for labels, row in sources.rows("rollout_phase", workload) if newest(row)
    )
    return Surroundings(
        nodes=_nodes(sources, workload, places, zones, onset_s),
        pods=_pods(sources, workload, places, zones),
        alerts=_alerts(sources, workload),
        chaos=_strings(
            f"{labels.get('kind', '')} in {labels.get('namespace', '')}"
            for labels, row in _of_namespace(sources, "chaos_running", workload, *CHAOS_HOMES)
            if newest(row)
        ),
        quotas=tuple(
            sorted(
                (f"{labels.get('resourcequota', '')}/{labels.get('resource', '')}", used)
                for labels, row in _of_namespace(sources, "quota_used", workload)
                if (used := newest(row)) is not None
            )
        ),
        phase=DEGRADED if DEGRADED in phases else (phases[0] if phases else ""),
        canary_failed=None if canary is None else canary >= 2,
        vpa=bool(sources.newest("vpa_active", workload)),
        oom_killed=sources.newest("oom_killed", workload, sum),
    )


def _lost(sources: Sources, workload: Workload, onset_s: int, kinds: Kinds) -> tuple[LostCalls, ...]:
    """Return the calls of a workload that reach nobody. A service is taken for the workload of its name."""
    found = []
    for labels, row in sources.rows("lost_calls", workload, *SOURCE):
        rate = median(row[-NOW_STEPS:])
        if not rate:
            continue
        service = named(labels, kinds, namespace=SERVICE[0], name=SERVICE[1])
        before = _before(sources.answers["lost_calls"], row, onset_s) or 0.0
        found.append(LostCalls(service, labels.get("response_flags", ""), rate, before))
    return tuple(sorted(found, key=lambda one: (one.service, one.flags)))


def _before(answer: Answer, values: FloatArray, onset_s: int) -> float | None:
    times = answer.times
    early = (times >= onset_s - LIMITS.baseline_s) & (times < onset_s - LIMITS.onset_slack_s)
    return median(values[early])


def _level(sources: Sources, source: str, workload: Workload, onset_s: int | None) -> float | None:
    """Return the median of the newest steps, or of the hour before the onset."""
    rows = sources.rows(source, workload, *DESTINATION)
    if not rows:
        return None
    values = rows[0][1]
    return (
        median(values[-NOW_STEPS:]) if onset_s is None else _before(sources.answers[source], values, onset_s)
    )


def _of_namespace(
    sources: Sources, source: str, workload: Workload, *also: str
) -> list[tuple[Mapping[str, str], FloatArray]]:
    answer = sources.answers.get(source)
    if answer is None:
        return []
    return [
        (labels, row)
        for labels, row in zip(answer.labels, answer.values, strict=True)
        if labels.get("cluster", "") == workload.cluster
        and labels.get("namespace", "") in (workload.namespace, *also)
    ]


def _places(sources: Sources, workload: Workload, onset_s: int) -> dict[str, str]:
    """Return pod -> node of every pod that lived since shortly before the onset, the newest node."""
    answer = sources.answers.get("pod_node")
    if answer is None:
        return {}
    since = answer.times >= onset_s - 2 * LIMITS.onset_slack_s
    found: dict[str, tuple[int, str]] = {}
    for labels, row in sources.rows("pod_node", workload):
        seen = np.flatnonzero(np.isfinite(row) & since)
        if seen.size:
            one = (int(seen[-1]), labels.get("node", ""))
            found[labels.get("pod", "")] = max(found.get(labels.get("pod", ""), one), one)
    return {pod: node for pod, (_, node) in sorted(found.items())}


def _zones(sources: Sources, cluster: str) -> dict[str, str]:
    answer = sources.answers.get("node_zone")
    if answer is None:
        return {}
    return {
        labels.get("node", ""): labels["zone"]
        for labels in answer.labels
        if labels.get("cluster", "") == cluster and labels.get("zone")
    }


def _nodes(
    sources: Sources, workload: Workload, places: Mapping[str, str], zones: Mapping[str, str], onset_s: int
) -> tuple[NodePods, ...]:
    unready = {labels.get("pod", "") for labels, row in sources.rows("pod_unready", workload) if newest(row)}
    alive = {labels.get("pod", "") for labels, row in sources.rows("pod_node", workload) if newest(row)}
    known, trouble = sources.answers.get("node_zone"), sources.answers.get("node_trouble")
    found = []
    for node in sorted(set(places.values())):
        here = [pod for pod, where in places.items() if where == node]
        bad = sum(pod in unready or pod not in alive for pod in here)
        troubles = _troubles(trouble, workload.cluster, node, onset_s)
        if _gone(known, workload.cluster, node):
            troubles = (*troubles, "Gone")
        found.append(NodePods(node, zones.get(node, ""), len(here), bad, troubles))
    return tuple(found)


def _troubles(answer: Answer | None, cluster: str, node: str, onset_s: int) -> tuple[str, ...]:
    """Return the troubles of a node that began shortly before the onset or later, or go on."""
    if answer is None:
        return ()
    since = answer.times >= onset_s - 2 * LIMITS.onset_slack_s
    return _strings(
        labels.get("condition", "")
        for labels, row in zip(answer.labels, answer.values, strict=True)
        if (labels.get("cluster", ""), labels.get("node", "")) == (cluster, node)
        and (np.isfinite(row) & since).any()
    )


def _gone(answer: Answer | None, cluster: str, node: str) -> bool:
    """Tell whether a node was there and is not any more: taken back, or dead and removed."""
    if answer is None:
        return False
    rows = [
        row
        for labels, row in zip(answer.labels, answer.values, strict=True)
        if (labels.get("cluster", ""), labels.get("node", "")) == (cluster, node)
    ]
    return bool(rows) and all(newest(row) is None for row in rows)


def _pods(
    sources: Sources, workload: Workload, places: Mapping[str, str], zones: Mapping[str, str]
) -> tuple[PodSplit, ...]:
    """Return what each pod that serves now does; empty where the scrape does not tell pods apart."""
    values: dict[str, dict[str, float | None]] = {}
    for source in ("pod_error_ratio", "pod_latency_p95"):
        for labels, row in sources.rows(source, workload, *DESTINATION):
            if labels.get("pod"):
                values.setdefault(labels["pod"], {})[source] = median(row[-NOW_STEPS:])
    return tuple(
        PodSplit(
            pod,
            places.get(pod, ""),
            zones.get(places.get(pod, ""), ""),
            one.get("pod_error_ratio"),
            one.get("pod_latency_p95"),
        )
        for pod, one in sorted(values.items())
        if any(value is not None for value in one.values())
    )


def _alerts(sources: Sources, workload: Workload) -> tuple[str, ...]:
    """Return the alerts that fire and name this workload."""
    rows = sources.rows("alerts_firing", workload)
    return _strings(labels.get("alertname", "") for labels, row in rows if newest(row))


def _strings(found: Iterable[str]) -> tuple[str, ...]:
    """Return each string once, in an order that does not depend on the answer's."""
    return tuple(sorted(set(found)))
