"""What load does to one pod: waiting, shedding, and how latencies spread.

A pod is an M/M/1/K queue whose server is as fast as all its workers together, plus the part of
the service time that a faster server would have saved (a common stand-in for M/M/c/K; exact for
one worker). References: Kleinrock, Queueing Systems I, 3.6 (finite storage).
"""

from __future__ import annotations

import numpy as np

from aiops.domain import FloatArray

# Istio's default buckets are 0.5, 1, 5, 10, 25, ..., 10000, 30000, 60000, 300000, 600000, 1800000,
# 3600000 (Envoy stats config). A subset, because buckets are most of the series.
BOUNDS_MS = (5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0, 5000.0, 10000.0)


def blocked(rho: FloatArray, places: int) -> FloatArray:
    """Return the share of arrivals that find all `places` of a pod taken; rho = offered utilisation."""
    near = np.abs(rho - 1.0) < 1e-6
    above = rho > 1.0
    # In terms of y < 1 on both sides, so that a hundredfold overload does not overflow.
    y = np.where(near, 0.5, np.where(above, 1.0 / np.maximum(rho, 1e-9), rho))
    share = np.where(above, 1.0 - y, (1.0 - y) * y**places) / (1.0 - y ** (places + 1))
    return np.where(near, 1.0 / (places + 1), share)


def in_system(rho: FloatArray, places: int) -> FloatArray:
    """Return the mean number of requests in a pod with `places` places."""
    near = np.abs(rho - 1.0) < 1e-3  # the closed form cancels to noise around 1
    above = rho > 1.0
    y = np.where(near, 0.5, np.where(above, 1.0 / np.maximum(rho, 1e-9), rho))
    mean = y / (1.0 - y) - (places + 1) * y ** (places + 1) / (1.0 - y ** (places + 1))
    return np.where(near, places / 2.0, np.where(above, places - mean, mean))


def response_ms(rho: FloatArray, work_ms: FloatArray, workers: int, places: int) -> FloatArray:
    """Return the mean time in a pod in ms: `work_ms` when idle, bounded by the queue when saturated."""
    slice_ms = work_ms / workers
    safe = np.maximum(rho, 1e-6)
    wait = in_system(safe, places) / (safe * (1.0 - blocked(safe, places))) * slice_ms
    return np.asarray(work_ms - slice_ms + wait, dtype=np.float64)


def bucket_shares(mean_ms: FloatArray, tail: float) -> FloatArray:
    """Return [T, B] the share of requests in each latency bucket, for means [T] in ms.

    Log-logistic: it has a closed distribution function (no erf without SciPy) and the long tail
    of real latencies. Its median is `mean * sin(pi/tail) / (pi/tail)`.
    """
    angle = np.pi / tail
    median = np.maximum(mean_ms, 1e-3) * np.sin(angle) / angle  # [T]
    odds = tail * (np.log(np.array(BOUNDS_MS))[None, :] - np.log(median)[:, None])  # [T, B-1]
    below = 1.0 / (1.0 + np.exp(np.clip(-odds, -60.0, 60.0)))
    return np.diff(below, axis=1, prepend=0.0, append=1.0)  # [T, B]


def throttled_share(cpu_share: FloatArray) -> FloatArray:
    """Return the share of CFS periods that hit the quota, for CPU use as a share of the limit."""
    return np.asarray(np.clip((cpu_share - 0.6) / 0.4, 0.0, 1.0) ** 2, dtype=np.float64)
