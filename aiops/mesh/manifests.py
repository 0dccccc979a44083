"""The manifests of the mesh as a platform team writes them: text, comments included.

Comes in: a service, a cluster, tags and sizes. Goes out: bytes of one file each. Layout: Kustomize
base and one overlay per cluster; one service is a Helm chart with values per cluster, deployed by
an Argo CD Application; one HorizontalPodAutoscaler stands in its overlay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiops.mesh.graph import Mesh, Service

REPOSITORY_URL = "https://git.example.com/shop/gitops.git"
_HTTP, _GRPC = 8080, 9090


def deployment(mesh: Mesh, service: Service) -> bytes:
    """Return the Deployment or StatefulSet of the base, without tag; size and tag are per cluster."""
    name = service.name
    stateful = f"  serviceName: {name}\n" if service.kind == "StatefulSet" else ""
    size = "  replicas: 1\n"
    if service.autoscale is not None:
        size = "  # no replicas: the HorizontalPodAutoscaler of each cluster owns them\n"
    inject = '\n      annotations:\n        sidecar.istio.io/inject: "true"' if service.sidecar else ""
    port = _GRPC if service.protocol == "grpc" else _HTTP
    notes = "".join(f'\n    {key}: "{value}"' for key, value in service.annotations)
    notes = f"\n  annotations:{notes}" if notes else ""
    return f"""apiVersion: apps/v1
kind: {service.kind}
metadata:
  name: {name}
  labels:
    app: {name}{notes}
spec:
{size}{stateful}  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}{inject}
    spec:
      containers:
        - name: {name}
          image: {mesh.image(name)}  # the tag is set by each cluster
          ports:
            - name: {service.protocol}
              containerPort: {port}
          readinessProbe:
            tcpSocket:
              port: {service.protocol}
{_resources(service, 10)}
""".encode()


def _resources(service: Service, indent: int) -> str:
    """Return the `resources` of a container, as kube-state-metrics reports them."""
    lines = (
        "resources:",
        "  requests:",
        f"    cpu: {service.cpu_request * 1000:.0f}m",
        f"    memory: {service.memory_mib:.0f}Mi",
        "  limits:",
        f"    cpu: {service.cpu_limit * 1000:.0f}m",
        f"    memory: {service.memory_limit_mib:.0f}Mi",
    )
    return "\n".join(" " * indent + line for line in lines)


def network_service(service: Service) -> bytes:
    """Return the Service in front of the pods."""
    port = _GRPC if service.protocol == "grpc" else _HTTP
    return f"""apiVersion: v1
kind: Service
metadata:
  name: {service.name}
spec:
  selector:
    app: {service.name}
  ports:
    - name: {service.protocol}
      port: {port}
      targetPort: {service.protocol}
""".encode()


def base(names: Sequence[str]) -> bytes:
    """Return the kustomization of the base."""
    resources = "".join(f"  - {name}/deployment.yaml\n  - {name}/service.yaml\n" for name in names)
    return f"""apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
resources:
{resources}""".encode()


def overlay(
    mesh: Mesh,
    cluster: str,
    tags: Mapping[str, str],
    sizes: Mapping[str, int],
    extra: Sequence[str],
    settings: Mapping[str, str],
) -> bytes:
    """Return the kustomization of one cluster.

    `tags`: service -> tag; `sizes`: service -> pods; `extra`: more resources of the folder;
    `settings`: service -> revision of its settings.
    """
    resources = "".join(f"  - {name}\n" for name in ("../../base", *extra))
    images = "".join(f'  - name: {mesh.image(name)}\n    newTag: "{tags[name]}"\n' for name in sorted(tags))
    replicas = "".join(f"  - name: {name}\n    count: {sizes[name]}\n" for name in sorted(sizes))
    text = f"""# What {cluster} runs. The release job sets tags, people set sizes.
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: {mesh.namespace}
resources:
{resources}
images:
{images}
# Pods per service. What has a HorizontalPodAutoscaler is not listed: it would be undone.
replicas:
{replicas}"""
    if settings:
        text += "\nconfigMapGenerator:\n" + "".join(
            _settings(name, settings[name]) for name in sorted(settings)
        )
        text += "\npatches:\n" + "".join(_reads_settings(name) for name in sorted(settings))
    return text.encode()


def _settings(name: str, revision: str) -> str:
    """Return a generated ConfigMap: its name carries a hash, so new settings are new pods."""
    return f"  - name: {name}-settings\n    literals:\n      - REVISION={revision}\n"


def _reads_settings(name: str) -> str:
    """Return the patch that hands the ConfigMap to the container."""
    return f"""  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata:
        name: {name}
      spec:
        template:
          spec:
            containers:
              - name: {name}
                envFrom:
                  - configMapRef:
                      name: {name}-settings
"""


def autoscaler(service: Service, minimum: int, maximum: int) -> bytes:
    """Return the HorizontalPodAutoscaler of a service. Raises ValueError when it has none."""
    if service.autoscale is None:
        raise ValueError(f"{service.name} has no autoscaler")
    return f"""apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {service.name}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {service.name}
  minReplicas: {minimum}
  maxReplicas: {maximum}  # the quota of the namespace leaves room for twice as many
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {service.autoscale.target * 100:.0f}
""".encode()


def application(mesh: Mesh, cluster: str, name: str, source: str) -> bytes:
    """Return an Argo CD Application; `source`: the lines below `spec.source.repoURL`."""
    return f"""apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: {name}
  namespace: argocd
  labels:
    cluster: {cluster}
spec:
  project: {mesh.namespace}
  source:
    repoURL: {REPOSITORY_URL}
    targetRevision: main
{source}  destination:
    name: {cluster}
    namespace: {mesh.namespace}
  syncPolicy:
    automated:
      prune: true
      selfHeal: true
""".encode()


def overlay_source(cluster: str) -> str:
    """Return the source of the Application that deploys an overlay."""
    return f"    path: clusters/{cluster}\n"


def chart_source(service: Service, cluster: str) -> str:
    """Return the source of the Application that deploys a chart with the values of a cluster."""
    return f"""    path: apps/{service.name}
    helm:
      releaseName: {service.name}
      valueFiles:
        - values.yaml
        - values-{cluster}.yaml
"""


def chart(mesh: Mesh, service: Service) -> dict[str, bytes]:
    """Return the files of a Helm chart without the values of any cluster, by path."""
    name, folder = service.name, f"apps/{service.name}"
    values = f"""# Defaults; each cluster has its own values-<cluster>.yaml.
image:
  repository: {mesh.image(name)}
  tag: ""
replicaCount: 1
{_resources(service, 0)}
"""
    template = """apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  labels:
    app: {{ .Release.Name }}
spec:
  replicas: {{ .Values.replicaCount }}
  selector:
    matchLabels:
      app: {{ .Release.Name }}
  template:
    metadata:
      labels:
        app: {{ .Release.Name }}
    spec:
      containers:
        - name: {{ .Release.Name }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          ports:
            - name: http
              containerPort: 8080
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
"""
    return {
        f"{folder}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 0.3.0\n".encode(),
        f"{folder}/values.yaml": values.encode(),
        f"{folder}/templates/deployment.yaml": template.encode(),
    }


def values(service: Service, cluster: str, tag: str, size: int) -> bytes:
    """Return the values of one cluster."""
    return f"""# {service.name} in {cluster}
image:
  tag: "{tag}"  # set by the release job
replicaCount: {size}
""".encode()
