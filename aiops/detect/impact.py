"""Which deviations open an incident by themselves, and which only confirm another's.

More load is no fault: a crowd that capacity absorbs needs nobody at night. Latency that rises from
100 to 150 ms because the Monday mix of requests crosses a histogram bucket hurts nobody. Both say a
lot beside errors or saturation, so their scores stay as they are, and only what they add to the
score of the workload is limited.

Work follows load: three times the requests are three times the CPU, and no news either. So CPU is
held against what is expected of it at the load that came. Where that is more than the pods can do,
latency or errors say so.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aiops.domain import Float32Array, Signal

_LOAD = "request_rate"


def counted(
    values: Float32Array, observed: Float32Array, expected: Float32Array, signals: Sequence[Signal]
) -> Float32Array:
    """Return the scores as far as they count for their workload: 3 x [W, S, T] -> [W, S, T].

    What does not count alone counts as much as the worst that does. NaN stays NaN.
    """
    alone = np.ones(values.shape, dtype=bool)
    more = _more_load(observed, expected, signals)  # [W, T]
    for at, signal in enumerate(signals):  # a dozen signals, whole planes each
        factor = signal.alone_factor
        if factor is None:
            continue
        seen, usual = observed[:, at], expected[:, at]  # [W, T]
        if signal.follows_load:
            usual = usual * more
        if signal.direction == "up":
            alone[:, at] = seen >= factor * usual
            if signal.floor is not None:
                alone[:, at] |= seen >= signal.floor
        else:
            alone[:, at] = seen * factor <= usual
    worst = np.where(alone, np.nan_to_num(values), 0.0).max(axis=1, keepdims=True, initial=0.0)  # [W, 1, T]
    return np.where(alone, values, np.minimum(values, worst)).astype(np.float32)


def _more_load(observed: Float32Array, expected: Float32Array, signals: Sequence[Signal]) -> Float32Array:
    """Return how many times the expected requests came, at least 1: [W, T]; 1 where nobody knows."""
    rates = [at for at, signal in enumerate(signals) if signal.name == _LOAD]
    if not rates:
        return np.ones(observed[:, 0].shape, dtype=np.float32)
    seen, usual = observed[:, rates[0]], expected[:, rates[0]]
    known = np.isfinite(seen) & (usual > 0)
    more = np.divide(seen, usual, out=np.ones_like(seen), where=known)
    return np.maximum(more, np.float32(1.0))
