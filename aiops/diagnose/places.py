"""The rule about places: what is concentrated on one pod, node or zone is no fault of the service.

Versions come first: when the bad pods are exactly those of the new pod template, it is the
release. Rolling back or adding pods does not mend a node; a person or the platform does.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiops.diagnose.facts import Facts
from aiops.diagnose.inquiry import Finding, Inquiry
from aiops.domain import Cause, Evidence, NodePods, PodSplit

# A drained node gives its pods time to move; the others come without a warning.
_EVENTS = (
    "NotReady",
    "MemoryPressure",
    "DiskPressure",
    "PIDPressure",
    "NetworkUnavailable",
    "Gone",
    "Cordoned",
)


def one_place(inquiry: Inquiry) -> Finding | None:
    """G-PLACE: bad pods stand on one pod, node or zone, and not on one version."""
    facts = inquiry.facts
    found = _by_pods(facts) or _by_nodes(facts)
    if found is not None:
        return found
    around = facts.context.around
    if len(around.pods) > 1:
        inquiry.no("G-PLACE", "its pods are about equally bad", cause="one pod, node or zone")
    elif around.nodes:
        inquiry.no("G-PLACE", "no node under its pods is in trouble; pods are not told apart")
    else:
        inquiry.no("G-PLACE", "where its pods run is not known")
    return None


def _by_pods(facts: Facts) -> Finding | None:
    pods = facts.context.around.pods
    bad = [pod for pod in pods if _is_bad(facts, pod, pods)]
    if len(pods) < 2 or not bad or len(bad) > facts.limits.concentrated_max * len(pods):
        return None
    if _is_one_version(facts, bad, pods):
        return None
    place = _place_of(bad, pods)
    if not place:
        return None
    signal = "pod_error_ratio" if any(_fails(facts, pod) for pod in bad) else "pod_latency_p95"
    worst = max(bad, key=lambda pod: (_value(pod, signal) or 0.0, pod.pod))
    unit = "ratio" if signal == "pod_error_ratio" else "ms"
    others = sorted(_value(pod, signal) or 0.0 for pod in pods if pod not in bad)
    said = (
        facts.evidence(
            f"pod {worst.pod} on {worst.node or 'an unknown node'}", signal, _value(worst, signal), unit
        ),
        facts.evidence(f"the worst of the other {len(others)} pods", signal, others[-1], unit),
    )
    answer = f"{len(bad)} of {len(pods)} pods are bad, all on {place}; the others are well"
    return _finding(place, answer, said)


def _by_nodes(facts: Facts) -> Finding | None:
    """Return the troubled nodes that hold all pods of this workload that are gone or not ready."""
    nodes = facts.context.around.nodes
    troubled = [one for one in nodes if set(one.troubles) & set(_EVENTS)]
    unready = [one for one in nodes if one.unready]
    if not troubled or not unready or not {one.node for one in unready} <= {one.node for one in troubled}:
        return None
    hit = [one for one in troubled if one.unready]
    zones = {one.zone for one in hit}
    alone = all(one.zone not in zones or one in hit for one in nodes)
    place = f"zone/{hit[0].zone}" if len(hit) > 1 and len(zones) == 1 and hit[0].zone and alone else ""
    place = place or "node/" + ", node/".join(one.node for one in hit)
    said = tuple(_told(facts, one) for one in hit)
    lost, every = sum(one.unready for one in hit), sum(one.pods for one in nodes)
    why = ", ".join(dict.fromkeys(trouble for one in hit for trouble in one.troubles))
    return _finding(place, f"{lost} of {every} pods are gone or not ready, all on {place} ({why})", said)


def _told(facts: Facts, one: NodePods) -> Evidence:
    claim = f"node {one.node} is {' and '.join(one.troubles)}; pods there that are gone or not ready"
    return facts.evidence(claim, "node_trouble", float(one.unready), "pods")


def _finding(place: str, answer: str, said: tuple[Evidence, ...]) -> Finding:
    return Finding(Cause.SHARED, None, answer, None, said, rule="G-PLACE", place=place)


def _fails(facts: Facts, pod: PodSplit) -> bool:
    return pod.error_ratio is not None and pod.error_ratio >= facts.floor("error_ratio")


def _is_bad(facts: Facts, pod: PodSplit, pods: Sequence[PodSplit]) -> bool:
    """Tell whether a pod harms users, and at least twice as much as the middle of the others."""
    for signal in ("pod_error_ratio", "pod_latency_p95"):
        own = _value(pod, signal)
        floor = facts.floor("error_ratio" if signal == "pod_error_ratio" else "latency_p95")
        others = sorted(
            value for one in pods if one is not pod and (value := _value(one, signal)) is not None
        )
        if own is None or not others or own < floor:
            continue
        if own >= 2 * others[(len(others) - 1) // 2]:
            return True
    return False


def _value(pod: PodSplit, signal: str) -> float | None:
    return pod.error_ratio if signal == "pod_error_ratio" else pod.latency_p95_ms


def _is_one_version(facts: Facts, bad: Sequence[PodSplit], pods: Sequence[PodSplit]) -> bool:
    """Tell whether bad and good pods are of different pod templates: then it is a version."""
    if not any(change.kind in ("image", "config") for change in facts.recent_changes()):
        return False
    ill = {_template(pod) for pod in bad}
    well = {_template(pod) for pod in pods if pod not in bad}
    return not ill & well


def _template(pod: PodSplit) -> str:
    """Return the ReplicaSet in the name of a pod: all but the last part."""
    return pod.pod.rpartition("-")[0]


def _place_of(bad: Sequence[PodSplit], pods: Sequence[PodSplit]) -> str:
    """Return the smallest place that holds all bad pods: a zone only when it holds no good one."""
    if len(bad) == 1:
        return f"node/{bad[0].node}" if bad[0].node and _only(bad, pods, "node") else f"pod/{bad[0].pod}"
    for kind in ("node", "zone"):
        names = {getattr(pod, kind) for pod in bad}
        if len(names) == 1 and "" not in names and _only(bad, pods, kind):
            return f"{kind}/{names.pop()}"
    return ""


def _only(bad: Sequence[PodSplit], pods: Sequence[PodSplit], kind: str) -> bool:
    names = {getattr(pod, kind) for pod in bad}
    return all(pod in bad for pod in pods if getattr(pod, kind) in names)
