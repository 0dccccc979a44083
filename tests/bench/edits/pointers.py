"""More kinds: what Argo CD, Flux, Flagger and kustomize read away from the workload they deploy."""

from __future__ import annotations

from typing import Any

from bench.edits.kinds import (
    _application,
    _base,
    _chart,
    _values,
    argo_replicas,
    chart_values,
    cron,
    daemon,
    flux_images,
    helm_release,
    in_list,
    json_patch,
    keda,
    merge_patch,
    overlay,
    parameters,
    plain,
    scaled,
    values_file,
    values_object,
    workload,
)
from bench.edits.repositories import Draft, noise


def argo_override(draft: Draft) -> None:
    """Write an override file of an Application beside the chart."""
    _chart(draft)
    folder = f"charts/{draft.name}"
    draft.files[f"{folder}/values.yaml"] = [{"image": {"repository": draft.image, "tag": "v0.0.1"}}]
    file = f"{folder}/.argocd-source-{draft.name}.yaml"
    entries = [{"name": "image.tag", "value": draft.tag(file)}, {"name": "x.y", "value": "1"}]
    draft.chance.shuffle(entries)
    draft.files[file] = [{"helm": {"parameters": entries}, **noise(draft.chance)}]
    _application(draft, {"path": folder})


def argo_images(draft: Draft) -> None:
    """Write an Application that sets the image of a kustomization by a text."""
    _base(draft)
    images = [draft.reference("apps/app.yaml"), "envoy:v1.31.0"]
    draft.chance.shuffle(images)
    _application(draft, {"path": "base", "kustomize": {"images": images}})


def application_set(draft: Draft) -> None:
    """Write an ApplicationSet whose list element fills in the tag."""
    _chart(draft)
    draft.files[f"charts/{draft.name}/values.yaml"] = [
        {"image": {"repository": draft.image, "tag": "v0.0.1"}}
    ]
    element = {"env": "prod", "tag": draft.tag("sets/web.yaml"), **noise(draft.chance)}
    helm = {"parameters": [{"name": "image.tag", "value": "{{tag}}"}]}
    template = {
        "metadata": {"name": draft.name},
        "spec": {
            "project": "default",
            "destination": {"namespace": "shop"},
            "source": {"path": f"charts/{draft.name}", "helm": helm},
        },
    }
    spec = {"generators": [{"list": {"elements": [element]}}], "template": template}
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "all"}}
    draft.files["sets/web.yaml"] = [{**body, "spec": spec}]


def _flux(draft: Draft, spec: dict[str, Any]) -> None:
    kind = {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization"}
    meta = {"name": draft.name, "namespace": "flux-system"}
    draft.files["clusters/web.yaml"] = [{**kind, "metadata": meta, "spec": {"prune": True, **spec}}]


def flux_substitute(draft: Draft) -> None:
    """Write a Flux Kustomization that fills the tag into a folder."""
    draft.files["base/web.yaml"] = [workload(draft, "Deployment", f"{draft.image}:${{TAG}}", 2)]
    draft.files["base/kustomization.yaml"] = [{"resources": ["web.yaml"]}]
    filled = {"OTHER": "1", "TAG": draft.tag("clusters/web.yaml")}
    _flux(draft, {"path": "./base", "postBuild": {"substitute": filled}})


def flux_substitute_from(draft: Draft) -> None:
    """Write a ConfigMap that Flux fills the tag in from."""
    draft.files["base/web.yaml"] = [workload(draft, "Deployment", f"{draft.image}:${{TAG}}", 2)]
    draft.files["base/kustomization.yaml"] = [{"resources": ["web.yaml"]}]
    meta = {"name": "settings", "namespace": "flux-system"}
    data = {"OTHER": "1", "TAG": draft.tag("clusters/vars.yaml")}
    draft.files["clusters/vars.yaml"] = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
    ]
    others = [{"kind": "ConfigMap", "name": "settings"}]
    _flux(draft, {"path": "./base", "postBuild": {"substituteFrom": others}})


def post_renderer(draft: Draft) -> None:
    """Write a HelmRelease whose post-renderer sets the image."""
    key, version = draft.version("release.yaml")
    image = {"name": draft.image, key: version}
    values = {"image": {"repository": draft.image, "tag": "v0.0.1"}}
    spec = {
        "chart": {"spec": {"chart": draft.name}},
        "values": values,
        "postRenderers": [{"kustomize": {"images": [image]}}],
    }
    meta = {"name": draft.name, "namespace": "shop"}
    kind = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease"}
    draft.files["release.yaml"] = [{**kind, "metadata": meta, "spec": spec}]


def app_template(draft: Draft) -> None:
    """Write a HelmRelease with the values of bjw-s' app-template."""
    image = {"repository": draft.image, "tag": draft.tag("release.yaml")}
    controller = {"containers": {"app": {"image": image, **noise(draft.chance)}}}
    values = {"controllers": {draft.name: controller}, "service": {"app": {"ports": {"http": {"port": 80}}}}}
    spec = {"chart": {"spec": {"chart": "app-template"}}, "values": values}
    meta = {"name": draft.name, "namespace": "shop"}
    kind = {"apiVersion": "helm.toolkit.fluxcd.io/v2", "kind": "HelmRelease"}
    draft.files["release.yaml"] = [{**kind, "metadata": meta, "spec": spec}]


def helm_charts(draft: Draft) -> None:
    """Write a kustomization that inflates a chart with values of its own."""
    file = "prod/kustomization.yaml"
    chart = {"name": draft.name, "repo": "https://charts.example.com", "version": "1.0.0"}
    release = {"releaseName": draft.name, "namespace": "shop", "valuesInline": _values(draft, file)}
    draft.files[file] = [{"helmCharts": [{**chart, **release}]}]


def canary(draft: Draft) -> None:
    """Write a Flagger Canary that sets the bounds of the autoscaler it copies."""
    draft.files["web.yaml"] = [workload(draft, "Deployment", draft.reference("web.yaml"), None)]
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": draft.name}
    spec: dict[str, Any] = {"scaleTargetRef": target, "minReplicas": 1, "maxReplicas": 2}
    meta = {"name": draft.name, "namespace": "shop"}
    draft.files["hpa.yaml"] = [
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": meta, "spec": spec}
    ]
    low, high = draft.count("hpa.min", "canary.yaml"), draft.count("hpa.max", "canary.yaml")
    bounds = {"minReplicas": low, "maxReplicas": high}
    scaler = {"kind": "HorizontalPodAutoscaler", "name": draft.name, "primaryScalerReplicas": bounds}
    spec = {"targetRef": target, "autoscalerRef": scaler}
    draft.files["canary.yaml"] = [
        {"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": meta, "spec": spec}
    ]


def workload_ref(draft: Draft) -> None:
    """Write a Rollout that takes its pods from a Deployment: the image there, the count here."""
    draft.files["web.yaml"] = [workload(draft, "Deployment", draft.reference("web.yaml"), 0)]
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": draft.name}
    spec = {"replicas": draft.count("replicas", "rollout.yaml"), "workloadRef": reference}
    meta = {"name": draft.name, "namespace": "shop"}
    body = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": meta, "spec": spec}
    draft.files["rollout.yaml"] = [body]


def _replacement(draft: Draft, source: dict[str, Any]) -> dict[str, Any]:
    select = {"kind": "Deployment", "name": draft.name}
    path = f"spec.template.spec.containers.[name={draft.name}].image"
    options = {"delimiter": ":", "index": draft.image.count(":") + 1}
    return {**source, "targets": [{"select": select, "fieldPaths": [path], "options": options}]}


def replacement(draft: Draft) -> None:
    """Write a kustomization that copies a literal into the image."""
    _base(draft)
    file = "prod/kustomization.yaml"
    entry = _replacement(draft, {"sourceValue": draft.tag(file)})
    draft.files[file] = [{"resources": ["../base"], "replacements": [entry]}]


def replacement_config_map(draft: Draft) -> None:
    """Write a ConfigMap that only kustomize reads, and copies from."""
    _base(draft)
    meta = {"name": "versions", "annotations": {"config.kubernetes.io/local-config": "true"}}
    data = {"other": "1", "web": draft.tag("prod/versions.yaml")}
    draft.files["prod/versions.yaml"] = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": data}
    ]
    source = {"source": {"kind": "ConfigMap", "name": "versions", "fieldPath": "data.web"}}
    resources = ["../base", "versions.yaml"]
    entry = _replacement(draft, source)
    draft.files["prod/kustomization.yaml"] = [{"resources": resources, "replacements": [entry]}]


KINDS = (
    plain, plain, plain, in_list, daemon, cron, scaled, keda, overlay, merge_patch, json_patch, values_file,
    chart_values, values_object, parameters, argo_replicas, helm_release, flux_images, argo_override,
    argo_images, application_set, flux_substitute, flux_substitute_from, post_renderer, app_template,
    helm_charts, canary, workload_ref, replacement, replacement_config_map,
)  # fmt: skip
