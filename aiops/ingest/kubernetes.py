"""What kube-state-metrics and cAdvisor say about a workload: resources, restarts, images, rollouts.

Pods are joined to their workload without recording rules. The exporter's own `namespace` and
`pod` must have survived the scrape (`honor_labels: true`, as kube-prometheus sets it).
Sources: https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics,
https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md, and the join of
https://github.com/kubernetes-monitoring/kubernetes-mixin/blob/master/rules/apps.libsonnet.
"""

from __future__ import annotations

from aiops.domain import Query, Signal
from aiops.ingest.promql import WORKLOAD, by, context_query, signal_query

# A container that waits for one of these does not start by waiting longer.
FATAL_WAITING = (
    "CrashLoopBackOff|ImagePullBackOff|ErrImagePull|ErrImageNeverPull|InvalidImageName"
    "|CreateContainerConfigError|CreateContainerError|RunContainerError"
)

_DEPLOYMENT = ("cluster", "namespace", "deployment")
_AUTOSCALER = ("cluster", "namespace", "horizontalpodautoscaler")
_SCALE_TARGET = ("scaletargetref_kind", "scaletargetref_name")
POD = ("cluster", "namespace", "pod")
_CONTAINER = (*POD, "container")
# The sandbox of a pod has no container name ("POD" in old releases) and is not the workload's.
_IN_CONTAINER = 'container!="",container!="POD"'


def _pods() -> str:
    """Return 1 per pod that a Deployment, Rollout, StatefulSet or DaemonSet owns, with `workload`.

    kube_pod_owner names the ReplicaSet; kube_replicaset_owner names what stands above it.
    """
    replicasets = named('kube_replicaset_owner{owner_kind=~"Deployment|Rollout"}', "owner_name")
    through_replicaset = (
        'label_replace(kube_pod_owner{owner_kind="ReplicaSet"}, "replicaset", "$1", "owner_name", "(.*)")'
        " * on (cluster, namespace, replicaset) group_left (workload)"
        f" max by (cluster, namespace, replicaset, workload) ({replicasets})"
    )
    direct = named('kube_pod_owner{owner_kind=~"StatefulSet|DaemonSet"}', "owner_name")
    labels = by((*WORKLOAD, "pod"))
    return f"(max {labels} ({through_replicaset}) or max {labels} ({direct}))"


def named(metric: str, label: str) -> str:
    """Return the metric with the value of `label` as `workload`."""
    return f'label_replace({metric}, "workload", "$1", "{label}", "(.*)")'


def per_pod(fold: str, vector: str) -> str:
    """Return one value per pod."""
    return f"{fold} {by(POD)} ({vector})"


def _per_deployment(vector: str) -> str:
    return f"max {by(_DEPLOYMENT)} ({vector})"


_PODS = _pods()
TO_WORKLOAD = f"* on (cluster, namespace, pod) group_left (workload) {_PODS}"
# The tag of `registry:5000/name:tag@sha256:...`; an image by digest alone has none.
_TAG = '"destination_version", "$2", "image_spec", "(.*/)?[^/:@]+:([^/:@]+)(@.*)?"'
# Containers that stand beside the one that serves: the proxies of the meshes.
_BESIDE = "istio-proxy|linkerd-proxy|envoy|envoy-sidecar|consul-dataplane|POD"


def _version_of_pod() -> str:
    """Return 1 per pod with `destination_version`, the tag of its only image that is no proxy's."""
    image = f'kube_pod_container_info{{container!="",container!~"{_BESIDE}"}}'
    tags = f"group {by((*POD, 'container', 'destination_version'))} (label_replace({image}, {_TAG}))"
    alone = f"count {by(POD)} ({tags}) == 1"
    return f"(group {by((*POD, 'destination_version'))} ({tags}) and on ({', '.join(POD)}) ({alone}))"


VERSION_OF_POD = _version_of_pod()
_NONE = f"0 * sum {by(WORKLOAD)} ({_PODS})"  # 0 for every workload that has pods
_WAITING = (
    f'(kube_pod_container_status_waiting_reason{{reason=~"{FATAL_WAITING}"}}'
    f' or kube_pod_init_container_status_waiting_reason{{reason=~"{FATAL_WAITING}"}})'
)


def sum_workload(per_pod: str) -> str:
    """Return the sum over the pods of each workload."""
    return f"sum {by(WORKLOAD)} ({per_pod} {TO_WORKLOAD})"


def signals() -> tuple[Query, ...]:
    """Return CPU per request, memory per limit, restarts, and pods that cannot start."""
    used = f"sum {by(_CONTAINER)} (rate(container_cpu_usage_seconds_total{{{_IN_CONTAINER}}}[5m]))"
    wanted = f'max {by(_CONTAINER)} (kube_pod_container_resource_requests{{resource="cpu"}})'
    # Only containers with both: one that waits requests and cannot use, which would look like room;
    # a sidecar that runs as an init container uses what is listed nowhere among these requests.
    both = f"and on ({', '.join(_CONTAINER)})"
    memory = f"max {by(_CONTAINER)} (container_memory_working_set_bytes{{{_IN_CONTAINER}}})"
    limit = f'max {by(_CONTAINER)} (kube_pod_container_resource_limits{{resource="memory"}} > 0)'
    share = f"{memory} / on (cluster, namespace, pod, container) {limit}"
    restarts = f"max {by(_CONTAINER)} (increase(kube_pod_container_status_restarts_total[15m]))"
    return (
        # CPU seconds used per second and core requested, 1 = all that was asked for.
        signal_query(
            Signal("cpu_utilization", "ratio of request", "up", 0.15, None, 2, follows_load=True),
            f"{sum_workload(f'({used} {both} {wanted})')} / {sum_workload(f'({wanted} {both} {used})')}",
        ),
        # Working set per limit of the container that is nearest to being killed, 0..1.
        signal_query(
            Signal("memory_utilization", "ratio of limit", "up", 0.1),
            f"max {by(WORKLOAD)} ({share} {TO_WORKLOAD})",
        ),
        # Container restarts of all pods in the last 15 minutes, extrapolated by `increase`.
        signal_query(Signal("restarts", "restarts per 15 min", "up", 2, 3), sum_workload(restarts)),
        # Pods with a container that cannot start; 0 where there are pods and none waits.
        signal_query(
            Signal("pods_waiting", "pods", "up", 0.5, 0.5),
            f"{sum_workload(per_pod('max', _WAITING))} or {_NONE}",
        ),
    )


def context() -> tuple[Query, ...]:
    """Return kinds, images, replicas, limits, waiting reasons, rollouts and autoscalers."""
    return (*_pod_context(), *_rollout_context(), *_autoscaler_context())


def _pod_context() -> tuple[Query, ...]:
    throttled = per_pod("sum", f"rate(container_cpu_cfs_throttled_periods_total{{{_IN_CONTAINER}}}[5m])")
    periods = per_pod("sum", f"rate(container_cpu_cfs_periods_total{{{_IN_CONTAINER}}}[5m])")
    images, reasons = (*WORKLOAD, "container", "image_spec"), (*WORKLOAD, "reason")
    info = f'max {by((*_CONTAINER, "image_spec"))} (kube_pod_container_info{{container!=""}})'
    waiting = f"max {by((*POD, 'reason'))} ({_WAITING})"
    unschedulable = sum_workload(per_pod("max", "kube_pod_status_unschedulable"))
    return (
        # Pods per image as git spells it (`image` is what the container runtime made of it).
        context_query("image", f"count {by(images)} ({info} {TO_WORKLOAD})", "pods", images),
        # Share of CPU periods in which the pods were throttled, 0..1.
        context_query("cpu_throttled", f"{sum_workload(throttled)} / ({sum_workload(periods)} > 0)", "ratio"),
        # Pods that no node has room for; 0 where there are pods and all were placed.
        context_query("unschedulable", f"{unschedulable} or {_NONE}", "pods"),
        # Pods per reason why a container cannot start.
        context_query("waiting_reason", f"sum {by(reasons)} ({waiting} {TO_WORKLOAD}) > 0", "pods", reasons),
    )


def _rollout_context() -> tuple[Query, ...]:
    generation = _per_deployment("kube_deployment_metadata_generation")
    observed = _per_deployment("kube_deployment_status_observed_generation")
    updated = _per_deployment("kube_deployment_status_replicas_updated")
    wanted = _per_deployment("kube_deployment_spec_replicas")
    stuck = 'kube_deployment_status_condition{condition="Progressing",status="false"}'
    return (
        # 1 for every workload and kind that exists, also with no pods.
        context_query("workload_kind", _kinds(), "", (*WORKLOAD, "owner_kind")),
        # Pods that the manifest or the autoscaler asked for.
        context_query(
            "replicas_desired",
            _replicas("kube_deployment_spec_replicas", "kube_statefulset_replicas"),
            "pods",
        ),
        # Pods that are ready to serve.
        context_query(
            "replicas_available",
            _replicas("kube_deployment_status_replicas_available", "kube_statefulset_status_replicas_ready"),
            "pods",
        ),
        # 1 while the controller has not seen the newest manifest, or not all pods are of it, else 0.
        # The generation alone would not do: an autoscaler moves it as well.
        context_query(
            "rollout_progressing",
            f"clamp_max(({generation} > bool {observed}) + ({updated} < bool {wanted}), 1)",
            "",
            _DEPLOYMENT,
            workload="deployment",
        ),
        # 1 once a rollout missed its progress deadline (the old pods may still serve), else 0.
        context_query("rollout_stuck", _per_deployment(stuck), "", _DEPLOYMENT, workload="deployment"),
    )


def _autoscaler_context() -> tuple[Query, ...]:
    """Return bounds and state of every HorizontalPodAutoscaler, with the workload it scales."""
    labels = (*_AUTOSCALER, *_SCALE_TARGET)
    target = f"max {by(labels)} (kube_horizontalpodautoscaler_info)"
    join = f"on ({', '.join(_AUTOSCALER)}) group_left ({', '.join(_SCALE_TARGET)})"
    return tuple(
        context_query(
            name,
            f"max {by(_AUTOSCALER)} (kube_horizontalpodautoscaler_{metric}) * {join} {target}",
            unit,
            labels,
            workload="scaletargetref_name",
        )
        for name, metric, unit in (
            ("hpa_min", "spec_min_replicas", "pods"),
            ("hpa_max", "spec_max_replicas", "pods"),
            ("hpa_current", "status_current_replicas", "pods"),
            # 1 when the autoscaler wants more (or fewer) pods than its bounds allow, else 0.
            ("hpa_limited", 'status_condition{condition="ScalingLimited",status="true"}', ""),
            # 1 when the autoscaler can compute a wish at all, 0 when its metric is missing.
            ("hpa_active", 'status_condition{condition="ScalingActive",status="true"}', ""),
        )
    )


def _kinds() -> str:
    """Return 1 per workload and kind, from the objects themselves."""
    objects = (
        ("Deployment", "kube_deployment_spec_replicas", "deployment"),
        ("StatefulSet", "kube_statefulset_replicas", "statefulset"),
        ("DaemonSet", "kube_daemonset_status_desired_number_scheduled", "daemonset"),
        ("CronJob", "kube_cronjob_info", "cronjob"),
        ("Rollout", 'kube_replicaset_owner{owner_kind="Rollout"}', "owner_name"),
    )
    return " or ".join(
        f'label_replace(group {by(WORKLOAD)} ({named(metric, label)}), "owner_kind", "{kind}", "", "")'
        for kind, metric, label in objects
    )


def _replicas(deployment: str, statefulset: str) -> str:
    """Return pods per workload, whichever kind it has."""
    parts = (named(deployment, "deployment"), named(statefulset, "statefulset"))
    return " or ".join(f"max {by(WORKLOAD)} ({part})" for part in parts)
