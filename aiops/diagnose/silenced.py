"""As which alerts an incident would show up in Alertmanager: what a silence is held against.

An incident of ours is no alert. It is taken for one that carries the labels that alerts about the
workload usually carry, and for each alert that fires and names it. More label sets match more
silences: to hold a proposal back costs a look, to act on what a person works on costs trust.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

from aiops.diagnose.rows import Sources, newest
from aiops.domain import Answer, Workload

MAX_SETS = 200  # of one incident: alerts x pods
# Labels that name a workload in alerts of kube-prometheus, Istio and people's own.
_NAMES = ("workload", "app", "service", "destination_workload")
_KINDS = ("deployment", "statefulset", "daemonset", "rollout")


def as_alerts(answers: Mapping[str, Answer], workload: Workload) -> tuple[dict[str, str], ...]:
    """Return the label sets of one incident, the plain one first, in an order that is always the same."""
    sources = Sources(answers)
    kinds = tuple(kind for kind in _KINDS if kind == workload.kind.lower()) or _KINDS
    base = dict.fromkeys((*_NAMES, *kinds), workload.name)
    base |= {"namespace": workload.namespace, "destination_workload_namespace": workload.namespace}
    if workload.cluster:
        base["cluster"] = workload.cluster
    firing = sorted(
        {
            (labels.get("alertname", ""), labels.get("severity", ""))
            for labels, row in sources.rows("alerts_firing", workload)
            if newest(row)
        }
    )
    pods = sorted(
        {labels.get("pod", "") for labels, row in sources.rows("pod_node", workload) if newest(row)} - {""}
    )
    alerts = [base, *({**base, "alertname": name, "severity": severity} for name, severity in firing)]
    placed = ({**alert, "pod": pod} for pod in pods for alert in alerts)
    return (*alerts, *islice(placed, max(MAX_SETS - len(alerts), 0)))
