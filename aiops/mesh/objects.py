"""What kube-state-metrics exposes about workloads: Deployments, StatefulSets, ReplicaSets, HPAs.

Names and labels: https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics
(workload/deployment-metrics.md, statefulset-metrics.md, replicaset-metrics.md,
horizontalpodautoscaler-metrics.md). `job` and `cluster` are added when it is scraped.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from aiops.domain import FloatArray
from aiops.mesh.families import Family, Series, constant
from aiops.mesh.plant import Trace
from aiops.mesh.settle import Standing

JOB = "kube-state-metrics"
DEADLINE = 10  # minutes: progressDeadlineSeconds, default 600
_HELP = "From the Kubernetes object of the same name."


def families(trace: Trace) -> Iterator[Family]:
    """Return the gauges of every Deployment, StatefulSet, ReplicaSet and autoscaler."""
    found: dict[str, list[Series]] = {}
    for service in trace.mesh.services:
        there = trace.standing[service.name]
        parts = [_statefulset(trace, there)] if service.kind == "StatefulSet" else [
            _deployment(trace, there), _replicasets(trace, there),
        ]  # fmt: skip
        if service.autoscale is not None:
            parts.append(_autoscaler(trace, there))
        for series in parts:
            for one in series:
                found.setdefault(one.metric, []).append(one)
    for metric in sorted(found):
        yield Family(metric, "gauge", _HELP, JOB, tuple(found[metric]))


def current(there: Standing, steps: int) -> np.typing.NDArray[np.int64]:
    """Return [T] the index of the pod template that is asked for."""
    index = np.zeros(steps, dtype=np.int64)
    for number, generation in enumerate(there.asked.generations):
        index[generation.start :] = number
    return index


def _alive(there: Standing, steps: int) -> np.typing.NDArray[np.int64]:
    """Return [G, T] pods that exist, ready or not."""
    change = np.zeros((len(there.asked.generations), steps + 1), dtype=np.int64)
    for pod in there.replicas.pods:
        change[pod.generation, pod.born] += 1
        change[pod.generation, pod.died] -= 1
    return np.cumsum(change[:, :-1], axis=1)


def _state(there: Standing, steps: int) -> dict[str, FloatArray]:
    """Return [T] wanted, every, ready, updated, changes (of the spec) and stuck (0 or 1)."""
    minutes, index, wanted = np.arange(steps), current(there, steps), there.replicas.wanted
    alive, ready = _alive(there, steps), there.ready
    updated = alive[index, minutes]
    done = (ready[index, minutes] >= wanted) & (alive.sum(axis=0) == updated)
    begun = np.maximum.accumulate(np.where(np.diff(index, prepend=-1) != 0, minutes, 0))
    last = np.maximum(np.maximum.accumulate(np.where(done, minutes, 0)), begun)
    changed = (np.diff(wanted, prepend=wanted[:1]) != 0) | (np.diff(index, prepend=0) != 0)
    return {
        "wanted": wanted.astype(np.float64),
        "every": alive.sum(axis=0).astype(np.float64),
        "ready": ready.sum(axis=0).astype(np.float64),
        "updated": updated.astype(np.float64),
        "changes": 1.0 + np.cumsum(changed),
        "stuck": (~done & (minutes - last >= DEADLINE)).astype(np.float64),
    }


def _deployment(trace: Trace, there: Standing) -> list[Series]:
    name, begin = there.service.name, there.asked.created
    own = {"namespace": trace.mesh.namespace, "deployment": name}
    state = _state(there, trace.times.size)
    columns = {
        "spec_replicas": state["wanted"],
        "status_replicas": state["every"],
        "status_replicas_available": state["ready"],
        "status_replicas_updated": state["updated"],
        "metadata_generation": state["changes"],
        "status_observed_generation": state["changes"],
    }
    series = [Series(name, f"kube_deployment_{key}", own, begin, v[begin:]) for key, v in columns.items()]
    floor = state["wanted"] - np.floor(0.25 * state["wanted"])
    available = (state["ready"] >= floor).astype(np.float64)
    metric = "kube_deployment_status_condition"
    return series + _conditions(
        name, metric, own, begin, {"Available": available, "Progressing": 1.0 - state["stuck"]}
    )


def _conditions(
    owner: str, metric: str, own: dict[str, str], begin: int, holds: Mapping[str, FloatArray]
) -> list[Series]:
    """Return three series per condition: exactly one of true, false, unknown is 1."""
    return [
        Series(owner, metric, {**own, "condition": condition, "status": status}, begin, values[begin:])
        for condition, true in holds.items()
        for status, values in (("true", true), ("false", 1.0 - true), ("unknown", np.zeros_like(true)))
    ]


def _statefulset(trace: Trace, there: Standing) -> list[Series]:
    name, begin = there.service.name, there.asked.created
    own = {"namespace": trace.mesh.namespace, "statefulset": name}
    state = _state(there, trace.times.size)
    columns = {
        "replicas": state["wanted"],
        "status_replicas": state["every"],
        "status_replicas_ready": state["ready"],
        "status_replicas_updated": state["updated"],
        "metadata_generation": state["changes"],
        "status_observed_generation": state["changes"],
    }
    series = [Series(name, f"kube_statefulset_{key}", own, begin, v[begin:]) for key, v in columns.items()]
    metric, generations = "kube_statefulset_status_update_revision", there.asked.generations
    for number, generation in enumerate(generations):
        end = generations[number + 1].start if number + 1 < len(generations) else trace.times.size
        revision = {**own, "revision": generation.replicaset(name)}
        series.append(constant(name, metric, revision, generation.start, end))
    return series


def _replicasets(trace: Trace, there: Standing) -> list[Series]:
    """Return owner and creation time of each ReplicaSet; a rollback finds the old one again."""
    name, end, series, seen = there.service.name, trace.times.size, [], set[str]()
    for generation in there.asked.generations:
        replicaset = generation.replicaset(name)
        if replicaset in seen or generation.start >= end:
            continue
        seen.add(replicaset)
        own = {"namespace": trace.mesh.namespace, "replicaset": replicaset}
        owner = {"owner_kind": "Deployment", "owner_name": name, "owner_is_controller": "true"}
        # What runs at the start was created some day before it.
        older = 3 * 86_400 if generation.start == 0 else 0
        created = float(trace.times[generation.start]) - older
        begin = generation.start
        series.append(constant(name, "kube_replicaset_owner", {**own, **owner}, begin, end))
        series.append(constant(name, "kube_replicaset_created", own, begin, end, created))
    return series


def _autoscaler(trace: Trace, there: Standing) -> list[Series]:
    name, begin = there.service.name, there.asked.created
    own = {"namespace": trace.mesh.namespace, "horizontalpodautoscaler": name}
    prefix, asked = "kube_horizontalpodautoscaler", there.replicas
    target = {
        "scaletargetref_api_version": "apps/v1",
        "scaletargetref_kind": "Deployment",
        "scaletargetref_name": name,
    }
    columns = {
        "spec_min_replicas": asked.minimum,
        "spec_max_replicas": asked.maximum,
        "status_current_replicas": _alive(there, trace.times.size).sum(axis=0),
        "status_desired_replicas": asked.wanted,
    }
    series = [constant(name, f"{prefix}_info", {**own, **target}, begin, trace.times.size)]
    series += [
        Series(name, f"{prefix}_{key}", own, begin, v[begin:].astype(np.float64))
        for key, v in columns.items()
    ]
    yes = np.ones(trace.times.size)
    holds = {
        "AbleToScale": yes,
        "ScalingActive": yes,
        "ScalingLimited": asked.limited.astype(np.float64),
    }
    return series + _conditions(name, f"{prefix}_status_condition", own, begin, holds)
