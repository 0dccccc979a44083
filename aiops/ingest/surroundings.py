"""What stands around a workload: pod templates, settings, nodes, room, delivery tools, alerts, chaos.

Each source exists only where somebody runs its exporter; an empty answer means "not known" and is
named as missing, never read as "nothing there". Sources: kube-state-metrics' docs/metrics, Argo
Rollouts' and Flagger's monitoring pages, cert-manager's and Chaos Mesh's metrics, and
https://prometheus.io/docs/prometheus/latest/configuration/alerting_rules/ for `ALERTS`.
"""

from __future__ import annotations

from aiops.domain import Query
from aiops.ingest.kubernetes import POD, TO_WORKLOAD, named, per_pod, sum_workload
from aiops.ingest.promql import WORKLOAD, by, context_query

_NODE = ("cluster", "node")


def context() -> tuple[Query, ...]:
    """Return the queries about what surrounds the workloads, the same text for the whole fleet."""
    return (*_changes(), *_nodes(), *_room(), *_delivery(), *_told())


def _changes() -> tuple[Query, ...]:
    template = (*WORKLOAD, "template")
    versions = ("cluster", "namespace", "object")
    return (
        # Pods per ReplicaSet (per revision of a StatefulSet): another one is another pod template.
        context_query("pod_template", f"{_replicasets()} or {_revisions()}", "pods", template),
        # The version of each ConfigMap and Secret: it moves when somebody edits one in place.
        context_query(
            "config_version",
            f"{_version('configmap', 'ConfigMap')} or {_version('secret', 'Secret')}",
            "",
            versions,
            namespace="",
            workload="",
        ),
    )


def _replicasets() -> str:
    """Return pods per workload and ReplicaSet; `created` alone would miss a return to an old one."""
    owned = 'label_replace(kube_pod_owner{owner_kind="ReplicaSet"}, "replicaset", "$1", "owner_name", "(.*)")'
    pods = f'label_replace({owned}, "template", "$1", "owner_name", "(.*)")'
    workloads = named('kube_replicaset_owner{owner_kind=~"Deployment|Rollout"}', "owner_name")
    return (
        f"count {by((*WORKLOAD, 'template'))} ({pods} * on (cluster, namespace, replicaset)"
        f" group_left (workload) max by (cluster, namespace, replicaset, workload) ({workloads}))"
    )


def _revisions() -> str:
    revision = named("kube_statefulset_status_update_revision", "statefulset")
    relabelled = f'label_replace({revision}, "template", "$1", "revision", "(.*)")'
    return f"max {by((*WORKLOAD, 'template'))} ({relabelled})"


def _version(kind: str, title: str) -> str:
    metric = f"kube_{kind}_metadata_resource_version"
    titled = f'label_replace({metric}, "object", "{title}/$1", "{kind}", "(.*)")'
    return f"max by (cluster, namespace, object) ({titled})"


def _nodes() -> tuple[Query, ...]:
    placed = f'max {by((*POD, "node"))} (kube_pod_info{{node!=""}})'
    unready = per_pod("max", '(kube_pod_status_ready{condition=~"false|unknown"} == 1)')
    on_node, pod = (*WORKLOAD, "pod", "node"), (*WORKLOAD, "pod")
    trouble = (
        'kube_node_status_condition{condition!="Ready",status="true"}'
        ' or label_replace(kube_node_status_condition{condition="Ready",status=~"false|unknown"},'
        ' "condition", "NotReady", "", "")'
        ' or label_replace(kube_node_spec_unschedulable, "condition", "Cordoned", "", "")'
    )
    zone = 'label_replace(kube_node_labels, "zone", "$1", "label_topology_kubernetes_io_zone", "(.+)")'
    return (
        # 1 per pod and the node it runs on; 1 per pod that is not ready.
        context_query("pod_node", f"max {by(on_node)} ({placed} {TO_WORKLOAD})", "", on_node),
        context_query("pod_unready", f"max {by(pod)} ({unready} {TO_WORKLOAD})", "", pod),
        # 1 per node and trouble: not ready, under pressure, cordoned. No row, no trouble.
        context_query(
            "node_trouble",
            f"max by (cluster, node, condition) ({trouble}) > 0",
            "",
            (*_NODE, "condition"),
            namespace="",
            workload="",
        ),
        # 1 per node and its zone ("" where the exporter does not tell node labels).
        context_query(
            "node_zone",
            f"max by (cluster, node, zone) ({zone} or kube_node_info)",
            "",
            (*_NODE, "zone"),
            namespace="",
            workload="",
        ),
    )


def _room() -> tuple[Query, ...]:
    killed = '(kube_pod_container_status_last_terminated_reason{reason="OOMKilled"} == 1)'
    restarted = "(increase(kube_pod_container_status_restarts_total[15m]) > 0)"
    quota = ("cluster", "namespace", "resourcequota", "resource")
    kept, claim = f"by ({', '.join(quota)})", ("cluster", "namespace", "persistentvolumeclaim")
    expiry = "certmanager_certificate_expiration_timestamp_seconds"
    free, size = "kubelet_volume_stats_available_bytes", "kubelet_volume_stats_capacity_bytes"
    return (
        # Pods that were killed for memory in the last 15 minutes.
        context_query(
            "oom_killed",
            sum_workload(per_pod("max", f"{killed} and on (cluster, namespace, pod, container) {restarted}")),
            "pods",
        ),
        # Used over hard limit of each resource quota.
        context_query(
            "quota_used",
            f'max {kept} (kube_resourcequota{{type="used"}}) / on ({", ".join(quota)})'
            f' max {kept} (kube_resourcequota{{type="hard"}} > 0)',
            "ratio",
            quota,
            namespace="",
            workload="",
        ),
        # Unix seconds at which a certificate ends.
        context_query(
            "certificate_end",
            f"min by (cluster, namespace, name) ({expiry})",
            "unix s",
            ("cluster", "namespace", "name"),
            namespace="",
            workload="",
        ),
        # Share of each volume that is full.
        context_query(
            "volume_used",
            f"1 - min {by(claim)} ({free} / {size})",
            "ratio",
            claim,
            namespace="",
            workload="",
        ),
    )


def _delivery() -> tuple[Query, ...]:
    phase = (*WORKLOAD, "phase")
    target = "target_name"
    return (
        # 1 per Argo Rollout and its phase.
        context_query("rollout_phase", f"max {by(phase)} ({named('rollout_info', 'name')}) > 0", "", phase),
        # Of a Flagger canary: 0 in progress, 1 succeeded, 2 and above failed.
        context_query("canary_status", f"max {by(WORKLOAD)} ({named('flagger_canary_status', 'name')})", ""),
        # 1 where a VerticalPodAutoscaler moves requests.
        context_query(
            "vpa_active",
            f"max {by(WORKLOAD)} ({named(_VPA, target)}) > 0",
            "",
        ),
    )


_VPA = (
    'kube_verticalpodautoscaler_spec_updatepolicy_updatemode{update_mode=~"Auto|Recreate|InPlaceOrRecreate"}'
)


def _told() -> tuple[Query, ...]:
    alerts = (*WORKLOAD, "alertname", "severity")
    firing = 'ALERTS{alertstate="firing",alertname!~"Watchdog|InfoInhibitor"}'
    for label in ("statefulset", "deployment", "destination_workload"):
        firing = f'label_replace({firing}, "workload", "$1", "{label}", "(.+)")'
    chaos = ("cluster", "namespace", "kind")
    running = 'chaos_controller_manager_chaos_experiments{phase=~"[Rr]unning|[Ii]njecting"}'
    return (
        # Alerts that fire, with the workload where a label names it.
        context_query("alerts_firing", f"max {by(alerts)} ({firing})", "", alerts),
        # Chaos Mesh experiments that run, per kind.
        context_query(
            "chaos_running",
            f"sum {by(chaos)} ({running}) > 0",
            "experiments",
            chaos,
            namespace="",
            workload="",
        ),
    )
