"""A monorepo of any size, written to a real bare git repository by one `git fast-import`.

Five manifests a service, the shapes in turn: a base with an overlay, plain files with an autoscaler,
a HelmRelease, an Application with a values file, two overlays with patches. One workload a service.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

PER_SERVICE = 5
REGISTRY = "reg.example.com"
START_S = 1_700_000_000


def write(folder: Path, manifests: int, commits: int = 1) -> str:
    """Write the repository; return the name of a workload in the middle of it.

    `commits`: further ones that each set the tag of one service.
    """
    services = manifests // PER_SERVICE
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    stream = b"".join(_stream(services, commits))
    command = ["git", f"--git-dir={folder}", "fast-import", "--quiet"]
    subprocess.run(command, input=stream, check=True)
    middle = services // 2 // PER_SERVICE * PER_SERVICE
    return f"shop-{middle // 10}/svc-{middle}"


def _stream(services: int, commits: int) -> Iterator[bytes]:
    yield _head("Deploy everything", START_S)
    for number in range(services):
        for path, text in service(number, "1.0.0").items():
            yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(text), text.encode())
    for count in range(1, commits):
        number = count % services
        yield _head(f"Deploy {count}", START_S + 60 * count)
        for path, text in service(number, f"1.{count}.0").items():
            if b"1.%d.0" % count in text.encode():
                yield b"M 100644 inline %s\ndata %d\n%s\n" % (path.encode(), len(text), text.encode())
    yield b"done\n"


def _head(message: str, time_s: int) -> bytes:
    who = f"Ada <ada@example.com> {time_s} +0000"
    return f"commit refs/heads/main\nauthor {who}\ncommitter {who}\ndata {len(message)}\n{message}\n".encode()


def service(number: int, tag: str) -> dict[str, str]:
    """Return the five manifests of one service."""
    name, namespace = f"svc-{number}", f"shop-{number // 10}"
    shapes = (_overlay, _plain, _release, _application, _patched)
    return shapes[number % len(shapes)](name, namespace, tag)


def _deployment(name: str, namespace: str, tag: str) -> str:
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
        f"  labels: {{app: {name}, team: platform}}\nspec:\n  replicas: 3\n  selector:\n"
        f"    matchLabels: {{app: {name}}}\n  template:\n    metadata:\n      labels: {{app: {name}}}\n"
        f"    spec:\n      containers:\n        - name: {name}\n          image: {REGISTRY}/{name}:{tag}\n"
        "          ports:\n            - containerPort: 8080\n          resources:\n"
        "            requests: {cpu: 100m, memory: 128Mi}\n"
        "          env:\n            - name: LOG\n              value: info\n            - name: REGION\n"
        "              value: eu\n          readinessProbe:\n"
        "            httpGet: {path: /ready, port: 8080}\n"
    )


def _other(name: str, namespace: str, kind: str) -> str:
    return (
        f"apiVersion: v1\nkind: {kind}\nmetadata:\n  name: {name}\n  namespace: {namespace}\n"
        "  labels:\n    team: platform\n# what follows is read by the service\ndata:\n  a: '1'\n  b: '2'\n"
        "  config.yaml: |\n    log:\n      level: info\n    limits:\n      requests: 100\n"
    )


def _overlay(name: str, namespace: str, tag: str) -> dict[str, str]:
    base, top = f"apps/{name}/base", f"clusters/eu/{name}"
    return {
        f"{base}/deployment.yaml": _deployment(name, namespace, "0.0.1"),
        f"{base}/service.yaml": _other(name, namespace, "Service"),
        f"{base}/config.yaml": _other(name, namespace, "ConfigMap"),
        f"{base}/kustomization.yaml": "resources:\n  - deployment.yaml\n  - service.yaml\n  - config.yaml\n",
        f"{top}/kustomization.yaml": (
            f"namespace: {namespace}\nresources:\n  - ../../../{base}\nimages:\n"
            f"  - name: {REGISTRY}/{name}\n    newTag: {tag}\nreplicas:\n  - name: {name}\n    count: 4\n"
        ),
    }


def _plain(name: str, namespace: str, tag: str) -> dict[str, str]:
    folder = f"plain/{name}"
    return {
        f"{folder}/deployment.yaml": _deployment(name, namespace, tag),
        f"{folder}/service.yaml": _other(name, namespace, "Service"),
        f"{folder}/config.yaml": _other(name, namespace, "ConfigMap"),
        f"{folder}/account.yaml": _other(name, namespace, "ServiceAccount"),
        f"{folder}/hpa.yaml": (
            f"apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\nmetadata:\n  name: {name}\n"
            f"  namespace: {namespace}\nspec:\n  scaleTargetRef:\n    kind: Deployment\n    name: {name}\n"
            "  minReplicas: 2\n  maxReplicas: 8\n"
        ),
    }


def _release(name: str, namespace: str, tag: str) -> dict[str, str]:
    folder = f"releases/{name}"
    return {
        f"{folder}/release.yaml": (
            f"apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata:\n  name: {name}\n"
            f"  namespace: {namespace}\nspec:\n  interval: 5m\n  chart:\n    spec:\n      chart: service\n"
            f"  values:\n    fullnameOverride: {name}\n    replicaCount: 3\n    image:\n"
            f"      repository: {REGISTRY}/{name}\n      tag: {tag}\n"
        ),
        f"{folder}/config.yaml": _other(name, namespace, "ConfigMap"),
        f"{folder}/account.yaml": _other(name, namespace, "ServiceAccount"),
        f"{folder}/secret.yaml": _other(name, namespace, "Secret"),
        f"{folder}/kustomization.yaml": "resources: [release.yaml, config.yaml, account.yaml, secret.yaml]\n",
    }


def _application(name: str, namespace: str, tag: str) -> dict[str, str]:
    folder = f"charts/{name}"
    return {
        f"argocd/{name}.yaml": (
            f"apiVersion: argoproj.io/v1alpha1\nkind: Application\nmetadata:\n  name: {name}\n"
            f"  namespace: argocd\nspec:\n  destination:\n    namespace: {namespace}\n  source:\n"
            f"    path: {folder}\n    helm:\n      valueFiles: [values-eu.yaml]\n"
        ),
        f"{folder}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n",
        f"{folder}/values.yaml": f"replicaCount: 2\nimage:\n  repository: {REGISTRY}/{name}\n  tag: 0.0.1\n",
        f"{folder}/values-eu.yaml": f"replicaCount: 3\nimage:\n  tag: {tag}\n",
        f"{folder}/templates/web.yaml": "kind: Deployment\nspec: {replicas: {{ .Values.replicaCount }}}\n",
    }


def _patched(name: str, namespace: str, tag: str) -> dict[str, str]:
    base, top = f"apps/{name}/base", f"clusters/eu/{name}"
    return {
        f"{base}/deployment.yaml": _deployment(name, namespace, "0.0.1"),
        f"{base}/service.yaml": _other(name, namespace, "Service"),
        f"{base}/kustomization.yaml": "resources:\n  - deployment.yaml\n  - service.yaml\n",
        f"{top}/patch.yaml": (
            f"kind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: 5\n  template:\n    spec:\n"
            f"      containers:\n        - name: {name}\n          image: {REGISTRY}/{name}:{tag}\n"
        ),
        f"{top}/kustomization.yaml": f"resources:\n  - ../../../{base}\npatches:\n  - path: patch.yaml\n",
    }
