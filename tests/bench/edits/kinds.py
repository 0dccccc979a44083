"""The kinds of repositories: plain manifests, kustomizations, Helm values, what Flux and Argo CD read."""

from __future__ import annotations

from typing import Any

from bench.edits.idioms import Anchored
from bench.edits.repositories import Draft, anchored, noise

API = {"Deployment": "apps/v1", "StatefulSet": "apps/v1", "Rollout": "argoproj.io/v1alpha1"}


def workload(draft: Draft, kind: str, image: Any, replicas: Any) -> dict[str, Any]:
    """Return a manifest with the given image and count."""
    chance = draft.chance
    spec: dict[str, Any] = {} if replicas is None else {"replicas": replicas}
    labels = anchored(chance, spec, {"app": draft.name, **noise(chance)})
    main = {"name": draft.name, "image": image, **noise(chance)}
    others = [{"name": "sidecar", "image": "envoy:v1.30.1"}] if chance.random() < 0.3 else []
    containers = [main, *others]
    chance.shuffle(containers)
    pod: dict[str, Any] = {"containers": containers}
    if chance.random() < 0.1:
        pod = {"initContainers": [{"image": "busybox:1.36.1", "name": "init"}], **pod}
    spec["template"] = {"spec": pod}
    meta = {"name": draft.name, "namespace": "shop", "labels": labels}
    body = {"kind": kind, "metadata": meta, "spec": spec}
    body = {"apiVersion": API.get(kind, "apps/v1"), **body}
    if chance.random() < 0.2 and not isinstance(labels, Anchored):  # an alias comes after its anchor
        keys = list(body)
        chance.shuffle(keys)
        return {key: body[key] for key in keys}
    return body


def plain(draft: Draft) -> None:
    """Write a workload by itself."""
    kind = draft.chance.choice(("Deployment", "Deployment", "StatefulSet", "Rollout"))
    body = workload(draft, kind, draft.reference("web.yaml"), draft.count("replicas", "web.yaml"))
    draft.files["web.yaml"] = [body]


def in_list(draft: Draft) -> None:
    """Write a workload in a `kind: List`."""
    body = workload(draft, "Deployment", draft.reference("all.yml"), draft.count("replicas", "all.yml"))
    other = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": draft.name}}
    draft.files["all.yml"] = [{"apiVersion": "v1", "kind": "List", "items": [other, body]}]


def daemon(draft: Draft) -> None:
    """Write a workload that has an image and no count."""
    body = workload(draft, draft.chance.choice(("DaemonSet", "Job")), draft.reference("d.yaml"), None)
    draft.files["d.yaml"] = [body]


def cron(draft: Draft) -> None:
    """Write a CronJob, whose pod stands one level deeper."""
    body = workload(draft, "CronJob", draft.reference("c.yaml"), None)
    body["spec"] = {"schedule": "0 3 * * *", "jobTemplate": {"spec": body["spec"]}}
    draft.files["c.yaml"] = [body]


def scaled(draft: Draft) -> None:
    """Write a workload with a HorizontalPodAutoscaler, of any version of its API."""
    version = draft.chance.choice(("autoscaling/v1", "autoscaling/v2beta2", "autoscaling/v2"))
    low, high = draft.count("hpa.min", "hpa.yaml"), draft.count("hpa.max", "hpa.yaml")
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": draft.name}
    spec = {"scaleTargetRef": target, "minReplicas": low, "maxReplicas": high}
    draft.files["hpa.yaml"] = [
        {"apiVersion": version, "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}, "spec": spec}
    ]
    draft.files["web.yaml"] = [workload(draft, "Deployment", draft.reference("web.yaml"), None)]


def keda(draft: Draft) -> None:
    """Write a workload with a ScaledObject in the same file."""
    low, high = draft.count("hpa.min", "web.yaml"), draft.count("hpa.max", "web.yaml")
    spec = {"scaleTargetRef": {"name": draft.name}, "maxReplicaCount": high, "minReplicaCount": low}
    meta = {"name": draft.name, "namespace": "shop"}
    scaler = {"apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "metadata": meta, "spec": spec}
    draft.files["web.yaml"] = [workload(draft, "Deployment", draft.reference("web.yaml"), None), scaler]


def _base(draft: Draft) -> None:
    body = workload(draft, "Deployment", f"{draft.image}:v0.0.1", 1)
    draft.files |= {"base/web.yaml": [body], "base/kustomization.yaml": [{"resources": ["web.yaml"]}]}


def overlay(draft: Draft) -> None:
    """Write an overlay whose `images` and `replicas` win."""
    _base(draft)
    file = "prod/kustomization.yaml"
    key, version = draft.version(file)
    image = {"name": draft.image, key: version}
    other = {"name": "envoy", "newTag": "v1.31.0"}
    images = [image, other] if draft.chance.random() < 0.3 else [image]
    draft.chance.shuffle(images)
    counts = [{"name": draft.name, "count": draft.count("replicas", file)}]
    body = {"resources": ["../base"], "images": images, "replicas": counts, **_annotations(draft)}
    draft.files[file] = [body]


def _annotations(draft: Draft) -> dict[str, Any]:
    found = noise(draft.chance)
    return {"commonAnnotations": found} if found else {}


def merge_patch(draft: Draft) -> None:
    """Write an overlay with a strategic merge patch in a file of its own."""
    _base(draft)
    container = {"name": draft.name, "image": draft.reference("prod/patch.yaml")}
    spec = {
        "replicas": draft.count("replicas", "prod/patch.yaml"),
        "template": {"spec": {"containers": [container]}},
    }
    body = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": draft.name}, "spec": spec}
    draft.files["prod/patch.yaml"] = [body]
    draft.files["prod/kustomization.yaml"] = [{"resources": ["../base"], "patches": [{"path": "patch.yaml"}]}]


def json_patch(draft: Draft) -> None:
    """Write an overlay with a JSON 6902 patch in a file of its own."""
    file = "prod/ops.yaml"
    body = {"name": draft.name, "image": f"{draft.image}:v0.0.1"}
    draft.files["base/web.yaml"] = [
        {
            "kind": "Deployment",
            "metadata": {"name": draft.name},
            "spec": {"replicas": 1, "template": {"spec": {"containers": [body]}}},
        }
    ]
    draft.files["base/kustomization.yaml"] = [{"resources": ["web.yaml"]}]
    image = "/spec/template/spec/containers/0/image"
    operations = [
        {"op": "replace", "path": image, "value": draft.reference(file)},
        {"op": "replace", "path": "/spec/replicas", "value": draft.count("replicas", file)},
    ]
    draft.chance.shuffle(operations)
    draft.files[file] = [operations]
    patch = {"path": "ops.yaml", "target": {"kind": "Deployment", "name": draft.name}}
    draft.files["prod/kustomization.yaml"] = [{"resources": ["../base"], "patches": [patch]}]


def _values(draft: Draft, file: str) -> dict[str, Any]:
    """Return Helm values in one of their usual spellings."""
    chance = draft.chance
    style = chance.random()
    if style < 0.2:
        found: dict[str, Any] = {"image": draft.reference(file)}
    elif style < 0.5:
        registry, slash, rest = draft.image.partition("/")
        split = slash and ("." in registry or ":" in registry)
        parts = {"registry": registry, "repository": rest} if split else {"repository": draft.image}
        found = {"image": {**parts, "tag": draft.tag(file)}}
    elif style < 0.6:
        found = {"image": {"repository": draft.image, "version": draft.tag(file)}}
    else:
        found = {"image": {"repository": draft.image, "tag": draft.tag(file), "pullPolicy": "Always"}}
    if chance.random() < 0.4:
        low, high = draft.count("hpa.min", file), draft.count("hpa.max", file)
        found["autoscaling"] = {"enabled": True, "minReplicas": low, "maxReplicas": high}
    else:
        found["replicaCount"] = draft.count("replicas", file)
    found["podAnnotations"] = noise(chance)
    keys = list(found)
    chance.shuffle(keys)
    return {key: found[key] for key in keys}


def _chart(draft: Draft) -> None:
    draft.files[f"charts/{draft.name}/Chart.yaml"] = [
        {"apiVersion": "v2", "name": draft.name, "version": "0.1.0"}
    ]


def _application(draft: Draft, source: dict[str, Any]) -> None:
    spec = {
        "project": "default",
        "destination": {"namespace": "shop"},
        "source": source,
        **noise(draft.chance),
    }
    meta = {"name": draft.name, "namespace": "argocd"}
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", "metadata": meta, "spec": spec}
    draft.files["apps/app.yaml"] = [body]


def values_file(draft: Draft) -> None:
    """Write a chart whose values file an Application names."""
    _chart(draft)
    draft.files["env/prod.yaml"] = [_values(draft, "env/prod.yaml")]
    helm = {"valueFiles": ["../../env/prod.yaml"]}
    _application(draft, {"path": f"charts/{draft.name}", "helm": helm})


def chart_values(draft: Draft) -> None:
    """Write a chart that nothing in the repository deploys by name."""
    _chart(draft)
    file = f"charts/{draft.name}/values.yaml"
    draft.files[file] = [_values(draft, file)]


def values_object(draft: Draft) -> None:
    """Write an Application with `valuesObject`."""
    _chart(draft)
    helm = {"valuesObject": _values(draft, "apps/app.yaml")}
    _application(draft, {"path": f"charts/{draft.name}", "helm": helm})


def parameters(draft: Draft) -> None:
    """Write an Application with a parameter for the tag."""
    _chart(draft)
    draft.files[f"charts/{draft.name}/values.yaml"] = [
        {"image": {"repository": draft.image, "tag": "v0.0.1"}}
    ]
    entries = [{"name": "image.tag", "value": draft.tag("apps/app.yaml")}, {"name": "x.y", "value": "1"}]
    draft.chance.shuffle(entries)
    _application(draft, {"path": f"charts/{draft.name}", "helm": {"parameters": entries}})


def argo_replicas(draft: Draft) -> None:
    """Write an Application that sets the replicas of a kustomization."""
    _base(draft)
    counts = [{"name": draft.name, "count": draft.count("replicas", "apps/app.yaml")}]
    _application(draft, {"path": "base", "kustomize": {"replicas": counts}})


def helm_release(draft: Draft) -> None:
    """Write a Flux HelmRelease, of any version of its API."""
    version = draft.chance.choice(("v2", "v2beta1", "v2beta2"))
    spec: dict[str, Any] = {"interval": "5m", "chart": {"spec": {"chart": draft.name}}}
    spec["values"] = _values(draft, "release.yaml")
    meta = {"name": draft.name, "namespace": "shop"}
    kind = {"apiVersion": f"helm.toolkit.fluxcd.io/{version}", "kind": "HelmRelease"}
    draft.files["release.yaml"] = [{**kind, "metadata": meta, "spec": spec}]


def flux_images(draft: Draft) -> None:
    """Write a Flux Kustomization that sets the image of a folder."""
    _base(draft)
    key, version = draft.version("clusters/web.yaml")
    spec = {"path": "./base", "prune": True, "images": [{"name": draft.image, key: version}]}
    kind = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization"}
    meta = {"name": draft.name, "namespace": "flux-system"}
    draft.files["clusters/web.yaml"] = [{**kind, "metadata": meta, "spec": spec}]
