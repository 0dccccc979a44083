"""Times, numbers and names, as the JSON report spells them. What is unknown is null, never NaN."""

from __future__ import annotations

import datetime as dt
import math

from aiops.domain import Workload


def utc(seconds: int | None) -> str | None:
    """Return `2026-03-18T10:30:00Z`, or None."""
    if seconds is None:
        return None
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def named(workload: Workload) -> dict[str, str]:
    """Return the parts of a workload's name."""
    return {
        "cluster": workload.cluster,
        "namespace": workload.namespace,
        "kind": workload.kind,
        "name": workload.name,
    }


def number(value: float | None) -> float | None:
    """Return `value` at 6 significant digits; None for NaN and infinities."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.6g}")
