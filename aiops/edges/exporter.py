"""Writes measures where Prometheus can find them: a textfile folder or a Pushgateway.

An HTTP endpoint is no use: the job is gone before anybody scrapes it. What is written replaces what
the same half of an earlier run left; a workload that is gone leaves nothing behind.
"""

from __future__ import annotations

import base64
import os
import tempfile
from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPException
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

from aiops.domain import Measure
from aiops.edges.redaction import redact
from aiops.errors import ConfigError

TIMEOUT_S = 10.0
JOB = "aiops"
_USER, _PASSWORD, _TOKEN = "AIOPS_PUSHGATEWAY_USER", "AIOPS_PUSHGATEWAY_PASSWORD", "AIOPS_PUSHGATEWAY_TOKEN"


def is_gateway(place: str) -> bool:
    """Tell an address from a folder. Raises ConfigError for one with a password in it."""
    if not place.startswith(("http://", "https://")):
        return False
    if "@" in place.split("/", 3)[2]:
        raise ConfigError(
            "expected an address without a user in it",
            where="--export",
            todo=f"name them in {_USER} and {_PASSWORD}, or {_TOKEN}",
        )
    return True


def export(place: str, half: str, measures: Iterable[Measure], environment: Mapping[str, str]) -> None:
    """Write the measures of one half of the job to a folder or a Pushgateway.

    Raises OSError, one line without a secret: the caller says so and goes on, because a run whose
    metrics cannot be written is as good as any other.
    """
    registry = _registry(measures)
    if is_gateway(place):
        _push(place, half, registry, environment)
    else:
        _write(Path(place), half, registry)


def _registry(measures: Iterable[Measure]) -> Any:
    from prometheus_client import CollectorRegistry, Gauge

    registry = CollectorRegistry()
    for measure in measures:
        names = tuple(measure.samples[0][0])
        gauge = Gauge(measure.name, measure.help, names, registry=registry)
        for labels, value in measure.samples:
            (gauge.labels(**labels) if names else gauge).set(value)
    return registry


def _write(folder: Path, half: str, registry: Any) -> None:
    """Replace `aiops-HALF.prom`; readable by all, because node_exporter is another user."""
    from prometheus_client import generate_latest

    with tempfile.NamedTemporaryFile(dir=folder, prefix=".aiops-", delete=False) as handle:
        handle.write(generate_latest(registry))
    Path(handle.name).chmod(0o644)
    os.replace(handle.name, folder / f"aiops-{half}.prom")  # noqa: PTH105 - replaces atomically


def _push(url: str, half: str, registry: Any, environment: Mapping[str, str]) -> None:
    """Replace the group of this half. PUT, not POST: what is not in it any more must go."""
    from prometheus_client import push_to_gateway

    user, password = environment.get(_USER, ""), environment.get(_PASSWORD, "")
    token = environment.get(_TOKEN, "")
    authorization = f"Bearer {token}" if token else ""
    if user and not token:
        authorization = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
    try:
        push_to_gateway(
            url, JOB, registry, {"half": half}, timeout=TIMEOUT_S, handler=_handler(authorization)
        )
    except HTTPError as error:
        with error:  # it holds the connection
            raise OSError(redact(str(error), [password, token, authorization])) from None
    # urllib's errors are OSErrors; a malformed address or answer is one of the other two.
    except (OSError, ValueError, HTTPException) as error:
        raise OSError(redact(str(error), [password, token, authorization])) from None


def _handler(authorization: str) -> Callable[..., Callable[[], None]]:
    """Return prometheus-client's own sender with our header; it knows only basic auth."""
    from prometheus_client.exposition import default_handler

    def handler(
        url: str, method: str, timeout: float | None, headers: list[tuple[str, str]], data: bytes
    ) -> Callable[[], None]:
        more = [("Authorization", authorization)] if authorization else []
        return default_handler(url, method, timeout, [*headers, *more], data)

    return handler
