"""Series of other exporters than Istio, with the label sets that they really have, as OpenMetrics text.

All tell one story: of `shop/api` an old pod answers 60 requests a minute well within 100 ms, a new
pod 30 well and 30 with a 5xx, all of them within 250 ms; `shop/web` calls it. Sources of the label
sets: the docstrings of the modules in aiops/ingest. Labels of the scrape (`job`, `instance`) included.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

START_S = 1_773_856_800  # 2026-03-18 18:00 UTC
MINUTES = 60
Sample = tuple[str, int, float]


@dataclass(frozen=True)
class Pod:
    """A pod, its workload, and what it serves a minute: (status, requests, upper bound in seconds)."""

    name: str
    workload: str
    image: str
    served: tuple[tuple[str, float, float], ...]


OLD = Pod("api-6c8f9d7b54-4xk2p", "api", "registry.local:5000/shop/api:1.0.0", (("200", 60, 0.1),))
NEW = Pod(
    "api-7d4b9c6f5d-q9w8e",
    "api",
    "registry.local:5000/shop/api:2.0.0@sha256:" + "0" * 64,
    (("200", 30, 0.25), ("503", 30, 0.25)),
)
CALM = Pod("calm-5f6d7c8b9-abcde", "calm", "shop/calm:v3", (("200", 60, 0.1),))
PODS = (OLD, NEW, CALM)
BOUNDS = (0.05, 0.1, 0.25, 0.5, 1.0)


def counter(metric: str, per_minute: float, **labels: str) -> Iterator[Sample]:
    """Yield one sample a minute of a counter."""
    head = _head(metric, labels)
    for minute in range(MINUTES):
        yield head, minute, 1_000.0 + minute * per_minute


def gauge(metric: str, value: float = 1, **labels: str) -> Iterator[Sample]:
    """Yield one sample a minute of a gauge."""
    head = _head(metric, labels)
    for minute in range(MINUTES):
        yield head, minute, value


def histogram(
    metric: str, per_minute: float, at_most: float, scale: float, **labels: str
) -> Iterator[Sample]:
    """Yield buckets and count; all observations lie in the bucket that ends at `at_most` seconds."""
    for bound in BOUNDS:
        inside = per_minute if bound >= at_most else 0
        yield from counter(f"{metric}_bucket", inside, **labels, le=f"{bound * scale:g}")
    yield from counter(f"{metric}_bucket", per_minute, **labels, le="+Inf")
    yield from counter(f"{metric}_count", per_minute, **labels)


def text(samples: Iterator[Sample]) -> list[str]:
    """Return OpenMetrics text that promtool back-fills. Types are left out: they decide nothing here."""
    rows = sorted(samples, key=lambda row: (row[0].partition("{")[0], row[0], row[1]))
    lines = []
    for family, group in itertools.groupby(rows, key=lambda row: row[0].partition("{")[0]):
        lines.append(f"# TYPE {family} unknown\n")
        lines += [f"{head} {value} {START_S + 60 * minute}\n" for head, minute, value in group]
    return [*lines, "# EOF\n"]


def kubernetes() -> Iterator[Sample]:
    """Yield what kube-state-metrics says of the pods: owners, images, endpoints of the Services."""
    scrape = {"job": "kube-state-metrics", "instance": "10.0.0.9:8080", "namespace": "shop"}
    for number, pod in enumerate(PODS):
        replicaset = pod.name.rpartition("-")[0]
        owner = {"owner_kind": "ReplicaSet", "owner_name": replicaset, "owner_is_controller": "true"}
        yield from gauge("kube_pod_owner", pod=pod.name, uid=f"u{number}", **owner, **scrape)
        above = {"owner_kind": "Deployment", "owner_name": pod.workload, "owner_is_controller": "true"}
        yield from gauge("kube_replicaset_owner", replicaset=replicaset, **above, **scrape)
        for container, image in (("app", pod.image), ("linkerd-proxy", "cr.l5d.io/linkerd/proxy:edge-25.1")):
            yield from gauge(
                "kube_pod_container_info",
                pod=pod.name,
                uid=f"u{number}",
                container=container,
                container_id=f"containerd://{number}{container}",
                image=image.partition("@")[0],
                image_id=f"{image.partition(':')[0]}@sha256:{number}",
                image_spec=image,
                **scrape,
            )
        # `api` has its Service; `both` selects the pods of two workloads.
        for service in (pod.workload, "both"):
            yield from gauge(
                "kube_endpointslice_endpoints",
                endpointslice=f"{service}-x7k2p",
                address=f"10.1.0.{number}",
                ready="true",
                serving="true",
                terminating="false",
                hostname="",
                targetref_kind="Pod",
                targetref_name=pod.name,
                targetref_namespace="shop",
                endpoint_nodename="node-1",
                endpoint_zone="",
                **scrape,
            )


def linkerd() -> Iterator[Sample]:
    for pod in PODS:
        scrape = {
            "job": "linkerd-proxy",
            "instance": "10.1.0.1:4191",
            "namespace": "shop",
            "pod": pod.name,
            "pod_template_hash": pod.name.split("-")[1],
            "control_plane_ns": "linkerd",
            "workload_ns": "shop",
            "app": pod.workload,
            "deployment": pod.workload,
        }
        inbound = {
            "direction": "inbound",
            "authority": f"{pod.workload}.shop.svc.cluster.local:8080",
            "target_addr": "10.1.0.1:8080",
            "target_port": "8080",
            "tls": "true",
            "client_id": "web.shop.serviceaccount.identity.linkerd.cluster.local",
            "srv_kind": "default",
            "srv_name": "all-unauthenticated",
            "route_kind": "default",
            "route_name": "default",
        }
        for status, per_minute, at_most in pod.served:
            failure = "failure" if status[0] == "5" else "success"
            outcome = {"classification": failure, "status_code": status, "grpc_status": "", "error": ""}
            yield from counter("response_total", per_minute, **inbound, **outcome, **scrape)
            yield from histogram(
                "response_latency_ms", per_minute, at_most, 1000, **inbound, status_code=status, **scrape
            )
        total = sum(per_minute for _, per_minute, _ in pod.served)
        yield from counter("request_total", total, **inbound, **scrape)
        probe = {**inbound, "route_name": "probe", "tls": "no_identity"}
        yield from counter("request_total", 600, **probe, **scrape)
        ok = {"classification": "success", "status_code": "200", "grpc_status": "", "error": ""}
        yield from counter("response_total", 600, **probe, **ok, **scrape)
    web = {
        "job": "linkerd-proxy",
        "instance": "10.1.0.8:4191",
        "namespace": "shop",
        "pod": "web-5d8c7b6f4-zzzzz",
        "deployment": "web",
    }
    outbound = {
        "direction": "outbound",
        "authority": "api.shop.svc.cluster.local:8080",
        "target_addr": "10.1.0.1:8080",
        "tls": "true",
        "dst_namespace": "shop",
        "dst_deployment": "api",
        "dst_service": "api",
        "dst_serviceaccount": "default",
        "dst_pod_template_hash": "6c8f9d7b54",
    }
    yield from counter("request_total", 120, **outbound, **web)
    for failure, status, per_minute in (("success", "200", 90), ("failure", "503", 30)):
        outcome = {"classification": failure, "status_code": status}
        yield from counter("response_total", per_minute, **outbound, **outcome, **web)


def hubble() -> Iterator[Sample]:
    for pod in PODS:
        labels = {
            "job": "hubble-metrics",
            "instance": "10.0.0.2:9965",
            "node": "node-1",
            "namespace": "kube-system",
            "pod": "cilium-8kq2m",
            "source_namespace": "shop",
            "source_workload": "web",
            "source_ip": "10.1.0.8",
            "destination_namespace": "shop",
            "destination_workload": pod.workload,
            "destination_ip": "10.1.0.1",
            "method": "GET",
        }
        for reporter in ("server", "client"):
            for status, per_minute, at_most in pod.served:
                more = {"reporter": reporter, "traffic_direction": "ingress"}
                counted = {**labels, **more, "destination_ip": pod.name}
                yield from counter(
                    "hubble_http_requests_total", per_minute, protocol="HTTP/1.1", status=status, **counted
                )
                yield from histogram(
                    "hubble_http_request_duration_seconds",
                    per_minute,
                    at_most,
                    1,
                    **{**counted, "source_ip": status},  # the duration has no status
                )


def envoy_sidecar() -> Iterator[Sample]:
    for pod in PODS:
        scrape = {"job": "envoy", "instance": "10.1.0.1:9901", "namespace": "shop", "pod": pod.name}
        for prefix, share in (("ingress_http", 1), ("egress_http", 50), ("admin", 50)):
            labels = {"envoy_http_conn_manager_prefix": prefix, **scrape}
            for status, per_minute, at_most in pod.served:
                yield from counter(
                    "envoy_http_downstream_rq_xx",
                    per_minute * share,
                    envoy_response_code_class=status[0],
                    **labels,
                )
                if status == "200":  # the histogram has no class
                    total = sum(one for _, one, _ in pod.served)
                    yield from histogram(
                        "envoy_http_downstream_rq_time", total * share, at_most, 1000, **labels
                    )


def envoy_edge() -> Iterator[Sample]:
    scrape = {"job": "envoy", "instance": "10.1.0.7:8002", "namespace": "projectcontour", "pod": "envoy-x2"}
    for names, pods in (("shop_api_8080", (OLD, NEW)), ("edge/gateway/shop_calm_80", (CALM,))):
        for pod in pods:
            labels = {"envoy_cluster_name": names, **scrape, "instance": pod.name}
            for status, per_minute, _ in pod.served:
                yield from counter(
                    "envoy_cluster_upstream_rq_xx", per_minute, envoy_response_code_class=status[0], **labels
                )
            total, at_most = sum(one for _, one, _ in pod.served), pod.served[0][2]
            yield from histogram("envoy_cluster_upstream_rq_time", total, at_most, 1000, **labels)
    other = {"envoy_cluster_name": "xds_cluster", **scrape}
    yield from counter("envoy_cluster_upstream_rq_xx", 6000, envoy_response_code_class="5", **other)


def _nginx(*, scraped: bool) -> Iterator[Sample]:
    for pod in PODS:
        for service in (pod.workload, "both"):
            names = {"namespace": "shop", "service": service}
            controller = {"namespace": "ingress-nginx", "service": "ingress-nginx-controller-metrics"}
            renamed = {**controller, **{f"exported_{key}": value for key, value in names.items()}}
            labels = {
                "job": "ingress-nginx-controller-metrics",
                "instance": f"10.0.0.5:10254-{pod.name}",
                "pod": "ingress-nginx-controller-7d56585cd5-2k8xv",
                "controller_class": "k8s.io/ingress-nginx",
                "controller_namespace": "ingress-nginx",
                "controller_pod": "ingress-nginx-controller-7d56585cd5-2k8xv",
                "host": "shop.example.com",
                "ingress": "shop",
                "canary": "",
                "method": "GET",
                "path": "/",
                **(renamed if scraped else names),
            }
            for status, per_minute, at_most in pod.served:
                yield from counter("nginx_ingress_controller_requests", per_minute, status=status, **labels)
                yield from histogram(
                    "nginx_ingress_controller_response_duration_seconds",
                    per_minute,
                    at_most,
                    1,
                    status=status,
                    **labels,
                )
    lost = {"ingress": "", "namespace": "", "service": "", "canary": "", "method": "GET", "path": ""}
    yield from counter("nginx_ingress_controller_requests", 900, status="404", controller_pod="x", **lost)


def nginx() -> Iterator[Sample]:
    return _nginx(scraped=True)


def nginx_honoured() -> Iterator[Sample]:
    return _nginx(scraped=False)


def _otel(how: str) -> Iterator[Sample]:
    for pod in PODS:
        resource = {
            "k8s_namespace_name": "shop",
            "k8s_deployment_name": pod.workload,
            "k8s_pod_name": pod.name,
        }
        target = {"job": f"shop/{pod.workload}", "instance": pod.name}
        if how == "joined":
            more = {"service_version": "1", "telemetry_sdk_language": "go"}
            yield from gauge("target_info", **resource, **target, **more)
        labels = {
            "http_request_method": "GET",
            "http_route": "/orders/{id}",
            "network_protocol_version": "1.1",
            "url_scheme": "http",
            "otel_scope_name": "io.opentelemetry.netty",
            **target,
        }
        if how == "promoted":
            labels |= {**resource, "service_name": pod.workload, "service_namespace": "shop"}
        if how == "scraped":
            labels |= {"namespace": "shop", "pod": pod.name, "container": "app", "job": "shop/api-monitor"}
        for status, per_minute, at_most in pod.served:
            error = {"error_type": status} if status[0] == "5" else {}
            yield from histogram(
                "http_server_request_duration_seconds",
                per_minute,
                at_most,
                1,
                http_response_status_code=status,
                **error,
                **labels,
            )


def otel_promoted() -> Iterator[Sample]:
    return _otel("promoted")


def otel_joined() -> Iterator[Sample]:
    return _otel("joined")


def otel_scraped() -> Iterator[Sample]:
    return _otel("scraped")


def _scrape(pod: Pod) -> dict[str, str]:
    return {
        "job": "shop/api",
        "instance": f"10.1.0.1:8080-{pod.name}",
        "namespace": "shop",
        "pod": pod.name,
        "container": "app",
        "endpoint": "http",
    }


def client_golang() -> Iterator[Sample]:
    """`http_requests_total` by code and method, a duration without a status, as promhttp counts them."""
    for pod in PODS:
        for status, per_minute, _ in pod.served:
            yield from counter("http_requests_total", per_minute, code=status, method="get", **_scrape(pod))
        total, at_most = sum(one for _, one, _ in pod.served), pod.served[0][2]
        yield from histogram("http_request_duration_seconds", total, at_most, 1, method="get", **_scrape(pod))


def fastapi() -> Iterator[Sample]:
    """prometheus-fastapi-instrumentator, whose status is a class."""
    for pod in PODS:
        total, at_most = sum(one for _, one, _ in pod.served), pod.served[0][2]
        route = {"handler": "/orders", "method": "GET", **_scrape(pod)}
        for status, per_minute, _ in pod.served:
            yield from counter("http_requests_total", per_minute, status=f"{status[0]}xx", **route)
        yield from histogram("http_request_duration_seconds", total, at_most, 1, **route)


def express() -> Iterator[Sample]:
    """express-prom-bundle: a duration by status_code and no counter of its own."""
    for pod in PODS:
        for status, per_minute, at_most in pod.served:
            route = {"status_code": status, "method": "GET", "path": "/orders", **_scrape(pod)}
            yield from histogram("http_request_duration_seconds", per_minute, at_most, 1, **route)


def micrometer() -> Iterator[Sample]:
    for pod in PODS:
        for status, per_minute, at_most in pod.served:
            outcome = "SERVER_ERROR" if status[0] == "5" else "SUCCESS"
            route = {"uri": "/orders/{id}", "method": "GET", "status": status, "outcome": outcome}
            more = {"error": "none", "exception": "none", **_scrape(pod)}
            yield from histogram("http_server_requests_seconds", per_minute, at_most, 1, **route, **more)


def without_status() -> Iterator[Sample]:
    for pod in PODS:
        total = sum(one for _, one, _ in pod.served)
        yield from counter("http_requests_total", total, method="get", **_scrape(pod))


def _head(metric: str, labels: dict[str, str]) -> str:
    named = ",".join(f'{key}="{value}"' for key, value in sorted(labels.items()))
    return f"{metric}{{{named}}}"
