"""The named queries: what the detector scores, what is asked once something is wrong.

Goes out: `Query` objects with fixed text, the same for the whole fleet, so that a recording can
be matched by its text. Nothing is filled into the text at run time, so no label value can become
PromQL. Valid on Prometheus 2.42 and 3.x (tests/edges/test_prometheus_real.py asks a real one).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiops.domain import Direction, Query, Signal
from aiops.errors import ConfigError
from aiops.ingest import (
    clients,
    envoy,
    hubble,
    istio,
    kubernetes,
    linkerd,
    nginx,
    opentelemetry,
    surroundings,
)
from aiops.ingest.promql import context_query, signal_query

# The functions that make a level, a count or a time out of a counter.
_UNRAW = re.compile(r"\b(i?rate|increase|resets|changes|count|count_over_time|timestamp|absent)\b")


@dataclass(frozen=True, slots=True)
class _Preset:
    signals: Callable[[], tuple[Query, ...]]
    context: Callable[[], tuple[Query, ...]] = tuple


# Those that count requests, best first: what sees both ends of a call before what sees one. All of
# them give the same three signals, so only one can be read.
_REQUESTS = {
    "istio": _Preset(istio.signals, istio.context),
    "linkerd": _Preset(linkerd.signals, linkerd.context),
    "hubble": _Preset(hubble.signals, hubble.context),
    "envoy": _Preset(envoy.signals, envoy.context),
    "opentelemetry": _Preset(opentelemetry.signals, opentelemetry.context),
    "clients": _Preset(clients.signals, clients.context),
    "nginx": _Preset(nginx.signals),
}
_PRESETS = {**_REQUESTS, "kubernetes": _Preset(kubernetes.signals)}
NAMES = tuple(_PRESETS)
REQUESTS = tuple(_REQUESTS)
DEFAULT = ("istio", "kubernetes")


def signal_queries(presets: Sequence[str]) -> tuple[Query, ...]:
    """Return the queries the detector scores, in the order of `presets`.

    Raises ConfigError for a preset that does not exist, and for two that count the same requests.
    """
    missing = [name for name in presets if name not in _PRESETS]
    if missing:
        raise ConfigError(
            f"expected a preset of {', '.join(_PRESETS)}, found {missing[0]!r}", where="signals"
        )
    both = [name for name in presets if name in _REQUESTS]
    if len(both) > 1:
        raise ConfigError(
            f"{' and '.join(both)} count the same requests, and a signal has one source",
            where="signals",
            todo="keep one of them; the others can stand under `queries` by names of their own",
        )
    return tuple(query for name in presets for query in _PRESETS[name].signals())


def context_queries(presets: Sequence[str] = DEFAULT) -> tuple[Query, ...]:
    """Return what is asked once something is wrong: who runs, who calls whom, what changed.

    What kube-state-metrics tells is asked whatever the presets are. What a source of requests cannot
    tell is not asked, and counts as missing, which lowers what may be claimed.
    """
    targets = "count by (cluster) (up)"
    return (
        *(query for name in presets for query in _PRESETS[name].context()),
        *kubernetes.context(),
        *surroundings.context(),
        # Scrape targets that answer, and all that are known.
        context_query(
            "targets_up",
            f"count by (cluster) (up == 1) or 0 * {targets}",
            "targets",
            ("cluster",),
            namespace="",
            workload="",
        ),
        context_query("targets_known", targets, "targets", ("cluster",), namespace="", workload=""),
    )


def custom(name: str, expr: str, unit: str, direction: Direction, min_deviation: float) -> Query:
    """Return a user's own signal as a query; its answer must carry `namespace` and `workload`.

    Raises ConfigError when the name is taken by a preset, or when the expression reads a counter
    as if it were a level: it only ever grows, and every restart would look like an incident.
    """
    where = f"queries.{name}"
    if name in {query.name for query in (*signal_queries(DEFAULT), *context_queries())}:
        raise ConfigError("this name belongs to a preset", where=where, todo="choose another name")
    counter = re.search(r"\b[a-zA-Z_:][\w:]*_(total|bucket)\b", expr)
    if counter and not _UNRAW.search(expr):
        raise ConfigError(
            f"expected a rate, found the raw counter {counter[0]}",
            where=where,
            todo=f"write rate({counter[0]}[5m])",
        )
    return signal_query(Signal(name, unit, direction, min_deviation), " ".join(expr.split()))
