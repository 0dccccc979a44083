"""Objects that are one workload: a Rollout and the Deployment it takes its pods from, a Canary.

Source: argo-rollouts docs/migrating.md (workloadRef), flagger docs/usage/how-it-works.md.
"""

from __future__ import annotations

from aiops.gitops.nodes import look, text_at
from aiops.gitops.rendered import Rendered, number
from aiops.gitops.snapshot import Spot

_SCALERS = ("HorizontalPodAutoscaler", "ScaledObject")


def link(objects: list[Rendered]) -> None:
    """Let Rollouts have the containers of their Deployment, and let Canaries set their bounds."""
    named = {(one.kind, one.namespace, one.names[0]): one for one in objects}
    for one in objects:
        if one.kind == "Rollout" and one.reference:
            target = named.get(("Deployment", one.namespace, one.reference))
            if target is not None:
                one.containers = target.containers
                one.same, target.same = [target], [one]
                what = f"owned by Rollout/{one.name} (workloadRef): its replicas are what counts"
                target.numbers["replicas"] = [Spot(target.file, target.document, (), "", "Rollout", what)]
        elif one.kind == "Canary":
            _bounds(one, objects)


def _bounds(canary: Rendered, objects: list[Rendered]) -> None:
    """Let `primaryScalerReplicas` win over the bounds of the autoscaler that Flagger copies."""
    wanted = text_at(canary.node, "spec", "autoscalerRef", "name")
    for one in objects:
        if one.name != wanted or one.kind not in _SCALERS or one.namespace != canary.namespace:
            continue
        for name, key in (("hpa.min", "minReplicas"), ("hpa.max", "maxReplicas")):
            path = ("spec", "autoscalerRef", "primaryScalerReplicas", key)
            found, _ = look(canary.node, *path)
            if found is not None:
                one.numbers.setdefault(name, []).append(
                    number(canary.file, canary.document, (*canary.root, *path), found, "Canary")
                )
