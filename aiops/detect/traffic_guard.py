"""A ratio of three requests is not a signal: edges are no nearer than chance reaches.

Comes in: the bands of the judged steps and the request rate of the same workload. Goes out: bands
whose upper edge is further away where few requests were counted. Errors are counts: one of three
says nothing, eight of ten do, and where each window alone says nothing, what the hold collected
does. A 95th percentile of a handful is nearly the slowest request: it strays by 1 / sqrt(n).

Signals of other names, and workloads without a request rate, are left as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aiops.detect.bands import Bands
from aiops.domain import FloatArray, Signal

# The presets count requests by `rate(...[5m])`: neighbouring steps see nearly the same requests.
WINDOW_S = 300
# 1 % of healthy windows go further than this many standard deviations. Three windows in a row, which
# is what the hold asks for, are then one in a million.
_REACH = 2.33
# Five requests beyond the 95th percentile: from there on its band is about the service, not about n.
_ENOUGH = 100
_WILD = 1e12  # req/s; Inf and 1e30 are no rates
_RATE, _ERRORS, _LATENCY = "request_rate", "error_ratio", "latency_p95"


def too_many(expected: FloatArray) -> FloatArray:
    """Return the count that chance hardly reaches when `expected` are expected, of any shape.

    Poisson, stabilised by the square root: sqrt(count) has a standard deviation of 1/2 whatever
    is expected. Source: Anscombe 1948 (https://doi.org/10.1093/biomet/35.3-4.246).
    """
    found: FloatArray = np.square(np.sqrt(expected) + _REACH / 2)
    return found


def widened(
    bands: Bands,
    values: FloatArray,
    usual: FloatArray,
    signals: Sequence[Signal],
    step_s: int,
    hold_steps: int,
) -> Bands:
    """Return the bands [W * S, T] with upper edges that few requests cannot reach by chance.

    `values`: [W * S, H + T], the T judged steps and H = hold_steps - 1 before them. `usual`: [W * S]
    medians of the history. `bands` must be guarded.
    """
    names = [signal.name for signal in signals]
    if _RATE not in names:
        return bands
    rows = np.arange(len(usual)).reshape(-1, len(names))  # [W, S]
    counted = values[rows[:, names.index(_RATE)]]
    rate = np.where((counted >= 0) & (counted < _WILD), counted, np.nan)
    upper = bands.upper.copy()
    judged = bands.upper.shape[1]
    if _ERRORS in names:
        errors = rows[:, names.index(_ERRORS)]
        # A ratio that stays below the smallest deviation that matters is no news: chance is
        # reckoned from there, which also covers a service that never failed so far.
        tolerated = bands.expected[errors] + signals[names.index(_ERRORS)].min_deviation
        edge = _error_edge(rate, values[errors], tolerated, step_s, hold_steps)
        upper[errors] = np.fmax(upper[errors], edge)
    if _LATENCY in names:
        slow = rows[:, names.index(_LATENCY)]
        seen = np.maximum(rate[:, -judged:] * WINDOW_S, 1.0)
        learned = np.minimum(usual[rows[:, names.index(_RATE)]] * WINDOW_S, _ENOUGH)[:, None]
        factor = np.sqrt(np.fmax(learned / seen, 1.0))  # NaN, an unknown rate, widens nothing
        upper[slow] = bands.expected[slow] + (bands.upper[slow] - bands.expected[slow]) * factor
    return Bands(bands.expected, bands.lower, upper)


def _error_edge(
    rate: FloatArray, ratio: FloatArray, tolerated: FloatArray, step_s: int, hold_steps: int
) -> FloatArray:
    """Return the ratio at which errors are too many: [W, H + T] twice and [W, T] -> [W, T].

    0 where the errors of the whole hold are too many: then the step counts as it is.
    """
    judged = tolerated.shape[1]
    window_s = min(step_s, WINDOW_S)  # of each step, what its rate saw and the step before did not
    requests = np.nan_to_num(rate) * window_s
    failed = np.nan_to_num(ratio) * requests
    # A sum per step, not a running one: the same bits wherever a run begins.
    total, bad = (
        sum((part[:, i : i + judged] for i in range(1, hold_steps)), part[:, :judged])
        for part in (requests, failed)
    )
    seen = rate[:, -judged:] * WINDOW_S
    with np.errstate(divide="ignore", invalid="ignore"):
        edge = too_many(seen * tolerated) / seen
    alone = np.where(seen > 0, edge, 0.0)  # no request, or an unknown rate: nothing to say
    return np.where(bad >= too_many(total * tolerated), 0.0, alone)
