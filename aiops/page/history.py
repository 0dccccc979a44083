"""What the picture of an incident shows: the signals that broke, from some hours before the onset.

Comes in: incidents, panel and scores of one run. Goes out: at most 96 points for each of at most three
signals. Each point is the mean of the same steps for every line, so that thinning cannot push one
of them over another; a step without a sample stays without.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from aiops.domain import Incident, Panel, Scores, SignalHistory, Workload
from aiops.propose import chart

MAX_POINTS, MAX_SIGNALS = 96, 3
_BEFORE_S = 3 * 3_600


def around(
    incidents: Sequence[Incident], panel: Panel, scores: Scores
) -> Mapping[Workload, tuple[SignalHistory, ...]]:
    """Return the histories of every workload with an incident."""
    rows = {workload: row for row, workload in enumerate(scores.workloads)}
    panel_rows = {workload: row for row, workload in enumerate(panel.workloads)}
    names = {signal.name: column for column, signal in enumerate(scores.signals)}
    panel_names = {signal.name: column for column, signal in enumerate(panel.signals)}
    found = {}
    for one in incidents:
        if one.onset_s is None or one.workload not in rows or one.workload not in panel_rows:
            continue
        broke = [
            breach.signal for breach in one.signals if breach.signal in names and breach.signal in panel_names
        ]
        row, panel_row = rows[one.workload], panel_rows[one.workload]
        found[one.workload] = tuple(
            _history(one.onset_s, panel, (panel_row, panel_names[name]), scores, (row, names[name]))
            for name in broke[:MAX_SIGNALS]
        )
    return found


def _history(
    onset_s: int, panel: Panel, seen: tuple[int, int], scores: Scores, scored: tuple[int, int]
) -> SignalHistory:
    keep = scores.times >= onset_s - _BEFORE_S  # [T] -> [K]
    times = scores.times[keep]
    stride = max(1, math.ceil(len(times) / MAX_POINTS))
    observed = chart.on_grid(panel.values[seen], panel.times, times)  # [K]
    lines = (observed, *(line[scored][keep] for line in (scores.expected, scores.lower, scores.upper)))
    told = [chart.buckets(line, stride) for line in lines]
    step_s = stride * scores.step_s
    start_s = int(times[-1]) - (len(told[0]) - 1) * step_s if len(times) else 0
    signal = panel.signals[seen[1]]
    return SignalHistory(signal.name, signal.unit, start_s, step_s, told[0], told[1], told[2], told[3])
