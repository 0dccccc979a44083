"""What will run into a bound if it goes on: memory, volumes, quotas, capacity, certificates.

Reported before it happens, never acted on: a trend of hours is no proof that it goes on. A trend
counts when a straight line fits the last hours well and the same hours yesterday did not rise as
well, so neither a sawtooth nor a daily swing is one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Literal

import numpy as np

from aiops.detect.windows import EVALUATION_DELAY_S
from aiops.domain import Answer, DriftWatch, FloatArray, Grid, Outlook, Panel, Query, TimesArray
from aiops.limits import Limits

SPAN_S = 6 * 3600  # of a trend: longer than a warm-up, shorter than half a day's swing
STEP_S = 300
DAY_S = 86_400
QUERIES = ("certificate_end", "volume_used", "quota_used")


def wanted(now_s: int) -> tuple[tuple[str, Grid], ...]:
    """Return (query name, grid) of what is read in every run; three small answers."""
    end_s = (now_s - EVALUATION_DELAY_S) // STEP_S * STEP_S
    return tuple((name, Grid(end_s - SPAN_S - DAY_S, end_s, STEP_S)) for name in QUERIES)


def outlook(
    answers: Mapping[str, Answer],
    recent: Panel,
    drift: Sequence[DriftWatch],
    queries: Mapping[str, Query],
    limits: Limits,
) -> tuple[Outlook, ...]:
    """Return everything that reaches its bound soon at the pace of the last hours, the first one first."""
    found = [
        *_memory(recent, queries, limits),
        *_trends(answers, "volume_used", "volume", "persistentvolumeclaim", limits),
        *_trends(answers, "quota_used", "quota", "resourcequota", limits),
        *_certificates(answers, limits),
        *_capacity(drift, int(recent.times[-1]), queries, limits),
    ]
    return tuple(
        sorted(found, key=lambda one: (one.breach_s, one.cluster, one.namespace, one.subject, one.what))
    )


def _memory(recent: Panel, queries: Mapping[str, Query], limits: Limits) -> list[Outlook]:
    names = [signal.name for signal in recent.signals]
    if "memory_utilization" not in names:
        return []
    column = names.index("memory_utilization")
    signal = recent.signals[column]
    found = []
    for workload, row in zip(recent.workloads, recent.values[:, column], strict=True):  # [W, T] -> [T]
        at = _reaches(recent.times, row, 1.0, signal.min_deviation, limits)
        if at is not None:
            expr = queries[signal.name].expr if signal.name in queries else ""
            kind = f"{workload.kind}/" if workload.kind else ""
            subject = f"{kind}{workload.name}"
            found.append(
                Outlook(
                    workload.cluster,
                    workload.namespace,
                    subject,
                    "memory",
                    at[0],
                    1.0,
                    signal.unit,
                    at[1],
                    expr,
                )
            )
    return found


def _trends(
    answers: Mapping[str, Answer], source: str, what: Literal["volume", "quota"], label: str, limits: Limits
) -> list[Outlook]:
    answer = answers.get(source)
    if answer is None:
        return []
    found = []
    for labels, row in zip(answer.labels, answer.values, strict=True):  # [N, T] -> [T]
        at = _reaches(answer.times, row, 1.0, 0.02, limits)
        if at is not None:
            subject = "/".join(part for part in (labels.get(label, ""), labels.get("resource", "")) if part)
            place = (labels.get("cluster", ""), labels.get("namespace", ""))
            found.append(Outlook(*place, subject, what, at[0], 1.0, "ratio", at[1], answer.query.expr))
    return found


def _certificates(answers: Mapping[str, Answer], limits: Limits) -> list[Outlook]:
    """Return the certificates that end soon, and those that ended lately and were not renewed."""
    answer = answers.get("certificate_end")
    if answer is None:
        return []
    now_s, found = int(answer.times[-1]), []
    for labels, row in zip(answer.labels, answer.values, strict=True):
        known = row[np.isfinite(row)]
        if known.size and abs(known[-1] - now_s) <= limits.certificate_ahead_s:
            days = (float(known[-1]) - now_s) / DAY_S
            place = (labels.get("cluster", ""), labels.get("namespace", ""), labels.get("name", ""))
            found.append(Outlook(*place, "certificate", days, 0.0, "days", int(known[-1]), answer.query.expr))
    return found


def _capacity(
    drift: Sequence[DriftWatch], now_s: int, queries: Mapping[str, Query], limits: Limits
) -> list[Outlook]:
    """Return the workloads whose CPU grows by itself every day and is near its request.

    From the drift of weeks: a line through hours would call every morning a trend.
    """
    found = []
    for watch in drift:
        for one in watch.drifts:
            if one.signal != "cpu_utilization" or one.per_day <= 0 or not 0 < one.new < limits.saturated_cpu:
                continue
            days = log(limits.saturated_cpu / one.new) / log(1 + one.per_day)
            if days <= limits.capacity_ahead_days:
                at_s, where = now_s + int(days * DAY_S), watch.workload
                expr = queries[one.signal].expr if one.signal in queries else ""
                place = (where.cluster, where.namespace, f"{where.kind}/{where.name}".strip("/"))
                found.append(Outlook(*place, "capacity", one.new, limits.saturated_cpu, one.unit, at_s, expr))
    return found


def _reaches(
    times: TimesArray, values: FloatArray, bound: float, least: float, limits: Limits
) -> tuple[float, int] | None:
    """Return (level now, time at the bound) of a straight rise, None when it is none or not soon.

    `least`: smallest growth over the span that counts.
    """
    line = _line(times, values, int(times[-1]))
    if line is None or line.slope <= 0 or line.level >= bound or line.slope * SPAN_S < least:
        return None
    ahead_s = (bound - line.level) / line.slope
    if line.fit < limits.trend_fit or ahead_s > limits.breach_ahead_s:
        return None
    yesterday = _line(times, values, int(times[-1]) - DAY_S)
    if yesterday is not None and yesterday.slope >= line.slope / 2:
        return None
    return line.newest, int(times[-1] + ahead_s)


@dataclass(frozen=True, slots=True)
class _Line:
    """A straight line through `SPAN_S`: growth per second, level at its end, R2, the newest sample."""

    slope: float
    level: float
    fit: float
    newest: float


def _line(times: TimesArray, values: FloatArray, end_s: int) -> _Line | None:
    """Return the line that ends at a time, None when half of its samples are missing."""
    span = (times > end_s - SPAN_S) & (times <= end_s)
    known = span & np.isfinite(values)
    if known.sum() < max(0.5 * span.sum(), 3):
        return None
    x, y = (times[known] - end_s).astype(np.float64), values[known].astype(np.float64)
    slope, level = np.polyfit(x, y, 1)
    spread = float(((y - y.mean()) ** 2).sum())
    fit = 1.0 - float(((y - (slope * x + level)) ** 2).sum()) / spread if spread > 0 else 0.0
    return _Line(float(slope), float(level), fit, float(y[-1]))
