"""What ingress-nginx says about the workloads behind its routes.

It names a Service, so the workload is looked up among the Service's endpoints. A scrape that does
not honour labels renames `namespace` and `service` to `exported_...`, its own then name the
controller. Only traffic from outside is seen, without who called.
Sources: https://kubernetes.github.io/ingress-nginx/user-guide/monitoring/ and ingress-nginx
internal/ingress/metric/collectors/socket.go (names, labels, units).
"""

from __future__ import annotations

from aiops.domain import Query
from aiops.ingest import golden
from aiops.ingest.golden import Counted, part, rate
from aiops.ingest.promql import label_from
from aiops.ingest.services import behind

_PREFIX = "nginx_ingress_controller"
_ROUTED = 'ingress!=""'  # "" is a request that no route took


def _served(vector: str) -> str:
    named = label_from(vector, "namespace", ("exported_namespace",))
    return behind(label_from(named, "service", ("exported_service",)))


def _counted() -> Counted:
    def requests(status: str) -> str:  # 5xx where the controller reports classes
        return rate(f"{_PREFIX}_requests{{{_ROUTED}{status}}}")

    told = requests(',status!=""')
    return Counted(
        requests=_served(requests("")),
        told=_served(told),
        failed=_served(part(requests(',status=~"5.."'), told)),
        good=_served(part(requests(',status=~"[123].."'), told)),
        # Until the upstream has answered: a slow client must not make a workload slow.
        buckets=_served(rate(f"{_PREFIX}_response_duration_seconds_bucket{{{_ROUTED}}}")),
        to_ms=1000,
    )


def signals() -> tuple[Query, ...]:
    """Return requests per second, share of errors and 95th percentile of the latency in ms."""
    return golden.signals((_counted(),))
