"""What kube-state-metrics and cAdvisor expose about pods and their containers, and `up`.

Names and labels: https://github.com/kubernetes/kube-state-metrics/blob/main/docs/metrics/workload/pod-metrics.md
and https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md. A series lives as
long as its pod. `kube_pod_status_unschedulable` exists only for a pod without a node, as in the
exporter. cAdvisor's rows without a container (sandbox, whole pod) are
left out: they double the series and every query has to skip them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from aiops.domain import FloatArray
from aiops.mesh import load, queueing
from aiops.mesh.families import Family, Series, constant
from aiops.mesh.faults import Crash, Defect, Leak, ProxyUpgrade
from aiops.mesh.plant import STEP_S, Trace, stream
from aiops.mesh.rollout import Pod
from aiops.mesh.settle import Standing

STATE, KUBELET = "kube-state-metrics", "kubelet"
SIDECAR_IMAGE = "docker.io/istio/proxyv2:1.24.1"
# Minutes after which a container that dies at once was restarted 1, 2, ... times: the kubelet
# waits 10 s, then twice as long each time, 5 min at most.
_BACKOFF = np.cumsum(np.minimum(10.0 * 2.0 ** np.arange(400), 300.0) + 5.0) / 60.0
MIB = 1024.0 * 1024.0


def families(trace: Trace) -> Iterator[Family]:
    """Return the families of kube-state-metrics, then those of the kubelet, then `up`."""
    found: dict[tuple[str, str], list[Series]] = {}
    for service in trace.mesh.services:
        there = trace.standing[service.name]
        for pod in there.replicas.pods:
            if pod.died > pod.born:
                for job, one in _pod(trace, there, pod):
                    found.setdefault((job, one.metric), []).append(one)
    for job in (STATE, KUBELET):
        for key in sorted(key for key in found if key[0] == job):
            counts = key[1].endswith("_total")
            name = key[1].removesuffix("_total")
            text = "Per container." if job == KUBELET else "From the pod."
            yield Family(name, "counter" if counts else "gauge", text, job, tuple(found[key]))
    yield Family("up", "gauge", "1 when the last scrape worked.", "", tuple(_targets(trace)))


def _targets(trace: Trace) -> Iterator[Series]:
    end = trace.times.size
    jobs = [(STATE, "kube-state-metrics.kube-system:8080", 0)]
    jobs += [(KUBELET, f"{node}:10250", 0) for node in trace.mesh.nodes]
    for service in trace.mesh.services:
        created = trace.standing[service.name].asked.created
        jobs.append(("envoy-stats", f"{service.name}.{trace.mesh.namespace}:15090", created))
    for job, instance, begin in jobs:
        yield constant("", "up", {"job": job, "instance": instance}, begin, end)


def _pod(trace: Trace, there: Standing, pod: Pod) -> Iterator[tuple[str, Series]]:
    """Return every series of one pod with its scrape job."""
    name, begin, end = there.service.name, pod.born, pod.died
    own = {"namespace": trace.mesh.namespace, "pod": pod.name}
    replicaset = there.asked.generations[pod.generation].replicaset(name)
    stateful = there.service.kind == "StatefulSet"
    kind, owner = ("StatefulSet", name) if stateful else ("ReplicaSet", replicaset)
    labels = {**own, "owner_kind": kind, "owner_name": owner, "owner_is_controller": "true"}
    yield STATE, constant(name, "kube_pod_owner", labels, begin, end)
    if not pod.node:  # it waits for a node: no container yet
        yield STATE, constant(name, "kube_pod_status_unschedulable", own, begin, end)
        return
    placed = {**own, "node": pod.node, "created_by_kind": kind, "created_by_name": owner}
    yield STATE, constant(name, "kube_pod_info", placed, begin, end)
    ready = (np.arange(begin, end) >= pod.ready).astype(np.float64)
    for condition, holds in (("true", ready), ("false", 1.0 - ready), ("unknown", np.zeros_like(ready))):
        yield STATE, Series(name, "kube_pod_status_ready", {**own, "condition": condition}, begin, holds)
    yield from _container(trace, there, pod, own)
    if there.service.sidecar:
        yield from _sidecar(trace, there, pod, own)


def _container(trace: Trace, there: Standing, pod: Pod, own: dict[str, str]) -> Iterator[tuple[str, Series]]:
    """Return the series of the application's container."""
    service, begin = there.service, pod.born
    tag = there.asked.generations[pod.generation].tag
    image = f"{trace.mesh.image(service.name)}:{tag}"
    mine = {**own, "container": service.name}
    defect = there.asked.defects[pod.generation]
    pulled = defect is None or defect.kind not in ("image-pull", "config-error")
    yield STATE, _image(service.name, mine, image, pod, pulled=pulled)
    limits = (service.memory_mib, service.cpu_request, service.memory_limit_mib, service.cpu_limit)
    for one in _resources(service.name, mine, pod, limits):
        yield STATE, one
    memory, restarts, reason = _memory(trace, there, pod, defect)
    yield STATE, Series(service.name, "kube_pod_container_status_restarts_total", mine, begin, restarts)
    if restarts.any():
        ended = {**mine, "reason": reason}
        metric, first = "kube_pod_container_status_last_terminated_reason", int(np.argmax(restarts > 0))
        yield STATE, constant(service.name, metric, ended, begin + first, pod.died)
    waiting = {
        "crash-loop": "CrashLoopBackOff",
        "image-pull": "ImagePullBackOff",
        "config-error": "CreateContainerConfigError",
    }
    metric = "kube_pod_container_status_waiting_reason"
    if defect is not None and defect.kind in waiting:
        stuck = {**mine, "reason": waiting[defect.kind]}
        yield STATE, constant(service.name, metric, stuck, begin + 1, pod.died)
    for first, last in _spans(trace, service.name, Crash, pod):
        stuck = {**mine, "reason": waiting["crash-loop"]}
        yield STATE, constant(service.name, metric, stuck, begin + first + 1, begin + last)
    if pulled:
        cores = trace.cores[service.name][begin : pod.died].copy()
        cores[: max(0, pod.ready - begin)] = 0.02  # it starts, or crashes
        uneven = stream(trace.seed, "cpu", pod.name)
        cores *= np.exp(0.04 * uneven.standard_normal() + 0.02 * load.correlated(uneven, cores.size, 3.0))
        for one in _cadvisor(service.name, mine, image, begin, (cores, service.cpu_limit, memory)):
            yield KUBELET, one


def _image(owner: str, mine: dict[str, str], image: str, pod: Pod, *, pulled: bool) -> Series:
    """Return kube_pod_container_info; the runtime names an image by its digest once it has it."""
    digest = hashlib.sha256(image.encode()).hexdigest()
    labels = {
        "image": image,
        "image_spec": image,
        "image_id": f"{image.rpartition(':')[0]}@sha256:{digest}" if pulled else "",
    }
    return constant(owner, "kube_pod_container_info", {**mine, **labels}, pod.born, pod.died)


def _resources(
    owner: str, mine: dict[str, str], pod: Pod, amounts: tuple[float, float, float, float]
) -> Iterator[Series]:
    """Return requests and limits. `amounts`: memory MiB and cores requested, then their limits."""
    memory, cpu, memory_limit, cpu_limit = amounts
    for metric, cores, mib in (("requests", cpu, memory), ("limits", cpu_limit, memory_limit)):
        for resource, unit, value in (("cpu", "core", cores), ("memory", "byte", mib * MIB)):
            labels = {**mine, "node": pod.node, "resource": resource, "unit": unit}
            yield constant(owner, f"kube_pod_container_resource_{metric}", labels, pod.born, pod.died, value)


def _memory(
    trace: Trace, there: Standing, pod: Pod, defect: Defect | None
) -> tuple[FloatArray, FloatArray, str]:
    """Return working set in bytes [n], restarts so far [n] and why the container ended last."""
    service, age = there.service, np.arange(pod.died - pod.born, dtype=np.float64)
    rng = stream(trace.seed, "memory", pod.name)
    busy = trace.running[service.name].rho[pod.born : pod.died]
    older = rng.uniform(200.0, 4000.0) if pod.born == 0 else 0.0  # ran before the simulation began
    warm = 1.0 - 0.35 * np.exp(-(age + older) / 40.0)
    level = service.memory_mib * warm * (1.0 + 0.03 * rng.standard_normal() + 0.2 * np.minimum(busy, 1.5))
    level = level * np.exp(0.01 * load.correlated(rng, age.size, 30.0))
    restarts, reason = np.zeros_like(age), "Error"
    if defect is not None and defect.kind == "memory-leak":
        leaked = defect.magnitude * age / 60.0
        room = max(service.memory_limit_mib - 1.2 * service.memory_mib, 1.0)
        restarts, reason = np.floor(leaked / room), "OOMKilled"
        level = level + leaked % room
    elif defect is not None and defect.kind == "crash-loop":
        restarts = np.searchsorted(_BACKOFF, age).astype(np.float64)
        level = level * 0.3
    for first, last in _spans(trace, service.name, Crash, pod):
        dead = np.clip(age - first, 0.0, last - first)
        restarts = restarts + np.where(age >= first, np.searchsorted(_BACKOFF, dead), 0)
        level = np.where((age >= first) & (age < last), level * 0.3, level)
    for event in trace.events:
        if isinstance(event, Leak) and event.service == service.name:
            since = pod.born + age - (event.start_s - trace.start_s) / STEP_S
            room = max(service.memory_limit_mib - 1.2 * service.memory_mib, 1.0)
            leaked = event.magnitude * np.clip(np.minimum(since, age), 0.0, None) / 60.0
            restarts, reason = restarts + np.floor(leaked / room), "OOMKilled"
            level = level + leaked % room
    return np.round(np.minimum(level, service.memory_limit_mib) * MIB), restarts, reason


def _spans(trace: Trace, name: str, kind: type[Crash], pod: Pod) -> list[tuple[int, int]]:
    """Return (first, last) minutes of a pod's life in which an event of one kind holds for it."""
    found = []
    for event in trace.events:
        if isinstance(event, kind) and event.service == name:
            first, last = ((t - trace.start_s) // STEP_S - pod.born for t in (event.start_s, event.end_s))
            first, last = max(first, 0), min(last, pod.died - pod.born)
            if first < last:
                found.append((first, last))
    return found


def _cadvisor(
    owner: str,
    mine: dict[str, str],
    image: str,
    begin: int,
    used: tuple[FloatArray, float, FloatArray],
) -> Iterator[Series]:
    """Return CPU, throttling and memory. `used`: cores [n], limit in cores, working set [n]."""
    cores, limit, memory = used
    labels = {**mine, "image": image}
    seconds = np.round(np.cumsum(cores * 60.0), 3)
    periods = np.cumsum(np.full(cores.size, 600.0))  # one every 100 ms
    throttled = np.floor(np.cumsum(600.0 * queueing.throttled_share(cores / limit)))
    cpu = {**labels, "cpu": "total"}
    yield Series(owner, "container_cpu_usage_seconds_total", cpu, begin, seconds)
    yield Series(owner, "container_cpu_cfs_periods_total", labels, begin, periods)
    yield Series(owner, "container_cpu_cfs_throttled_periods_total", labels, begin, throttled)
    yield Series(owner, "container_memory_working_set_bytes", labels, begin, memory)


def _sidecar(trace: Trace, there: Standing, pod: Pod, own: dict[str, str]) -> Iterator[tuple[str, Series]]:
    """Return the series of the proxy's container: its image changes with the mesh, not the service."""
    name, mine = there.service.name, {**own, "container": "istio-proxy"}
    begin, image = pod.born, SIDECAR_IMAGE
    for event in sorted((e for e in trace.events if isinstance(e, ProxyUpgrade)), key=lambda e: e.start_s):
        at = (event.start_s - trace.start_s) // STEP_S
        if event.service == name and begin < at < pod.died:
            yield STATE, _image(name, mine, image, replace(pod, born=begin, died=at), pulled=True)
            begin = at
        if event.service == name and at < pod.died:
            image = f"{SIDECAR_IMAGE.rpartition(':')[0]}:{event.tag}"
    yield STATE, _image(name, mine, image, replace(pod, born=begin), pulled=True)
    for one in _resources(name, mine, pod, (128.0, 0.1, 1024.0, 2.0)):
        yield STATE, one
    metric = "kube_pod_container_status_restarts_total"
    yield STATE, constant(name, metric, mine, pod.born, pod.died, 0.0)
    served = trace.running[name].served[pod.born : pod.died]
    pods = np.maximum(there.ready.sum(axis=0)[pod.born : pod.died], 1)
    cores = 0.005 + 0.0006 * served / pods
    memory = np.round((62.0 + 0.05 * served / pods) * MIB)
    for one in _cadvisor(name, mine, SIDECAR_IMAGE, pod.born, (cores, 2.0, memory)):
        yield KUBELET, one
