"""Metric families of the plant: what a scrape finds, one column of samples per series.

Comes in: a `Trace`. Goes out: `Family` objects in a fixed order, which the OpenMetrics writer and
the direct answers share, so that both tell the same story. Scrape outages, missing series and
counter resets are laid over here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from aiops.domain import FloatArray
from aiops.mesh.faults import CounterReset, MissingSeries, ScrapeOutage
from aiops.mesh.plant import Trace

BoolArray = np.typing.NDArray[np.bool_]
Kind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """Samples of one series: `values` [n] float64 from minute `begin` on, NaN = not scraped.

    `owner`: the service it is about. `metric`: the sample name, suffix included.
    """

    owner: str
    metric: str
    labels: dict[str, str]
    begin: int
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """One metric family of one scrape job. `name`: without `_total`, as OpenMetrics wants it."""

    name: str
    kind: Kind
    text: str
    job: str
    series: tuple[Series, ...]


def counter(increments: FloatArray, alive: BoolArray) -> FloatArray:
    """Return [n, ...] the running sum, from 0 each time the counter comes back; NaN while it is gone.

    `increments`: [n, ...] per minute; `alive`: [n] whether the counter exists.
    """
    total = np.cumsum(increments, axis=0, dtype=np.float64)
    born = alive & ~np.concatenate([[False], alive[:-1]])
    first = np.maximum.accumulate(np.where(born, np.arange(alive.size), -1))  # [n] start of this life
    before = np.where(first > 0, first - 1, 0)
    base = np.where((first > 0).reshape(-1, *[1] * (total.ndim - 1)), total[before], 0.0)
    total = total - base
    total[~alive] = np.nan
    return total


def constant(
    owner: str, metric: str, labels: dict[str, str], begin: int, end: int, value: float = 1.0
) -> Series:
    """Return a series that says `value` in minutes [begin, end)."""
    return Series(owner, metric, labels, begin, np.full(max(0, end - begin), value))


def told(trace: Trace, families: Iterable[Family]) -> Iterator[Family]:
    """Return the families as a Prometheus got them: cluster and job added, faults laid over.

    Series with equal labels are joined (a StatefulSet pod has the name of the one before it).
    """
    for family in families:
        own = _up(trace, family) if family.name == "up" else family
        gone = np.zeros(trace.times.size, dtype=bool)
        for event in trace.events:
            # A target that is down still has `up`; only a dead Prometheus leaves nothing at all.
            if isinstance(event, ScrapeOutage) and event.job in (
                ("",) if own.name == "up" else ("", own.job)
            ):
                gone |= _during(trace, event)
        series = [_laid_over(trace, own, one, gone) for one in own.series]
        yield replace(own, series=tuple(_joined([s for s in series if not np.isnan(s.values).all()])))


def _during(trace: Trace, event: ScrapeOutage | MissingSeries) -> BoolArray:
    return (trace.times >= event.start_s) & (trace.times < event.end_s)


def _up(trace: Trace, family: Family) -> Family:
    """Return `up` with 0 where the targets of one job were down."""
    found = []
    for one in family.series:
        values = one.values.copy()
        for event in trace.events:
            if isinstance(event, ScrapeOutage) and event.job == one.labels["job"]:
                values[_during(trace, event)[one.begin : one.begin + values.size]] = 0.0
        found.append(replace(one, values=values))
    return replace(family, series=tuple(found))


def _laid_over(trace: Trace, family: Family, one: Series, gone: BoolArray) -> Series:
    """Return one series with the cluster label, gaps where it was not scraped, and resets."""
    span = slice(one.begin, one.begin + one.values.size)
    values, gap = one.values, gone[span]
    for event in trace.events:
        if (
            isinstance(event, MissingSeries)
            and event.service == one.owner
            and one.metric.startswith(event.prefix)
        ):
            gap = gap | _during(trace, event)[span]
        elif isinstance(event, CounterReset) and event.service == one.owner and family.job == "envoy-stats":
            at = int(np.searchsorted(trace.times, event.start_s)) - one.begin
            if 0 < at < values.size and not np.isnan(values[at - 1]):
                life = np.isnan(values[at:])
                end = at + (int(np.argmax(life)) if life.any() else life.size)
                values = values.copy()
                values[at:end] -= values[at - 1]
    if gap.any():
        values = np.where(gap, np.nan, values)
    labels = {"cluster": trace.mesh.cluster, "job": family.job, **one.labels}
    return replace(one, labels=labels, values=values)


def _joined(series: Sequence[Series]) -> list[Series]:
    """Return the series with equal names and labels put into one column."""
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[Series]] = {}
    for one in series:
        groups.setdefault((one.metric, tuple(sorted(one.labels.items()))), []).append(one)
    found = []
    for parts in groups.values():
        begin = min(part.begin for part in parts)
        end = max(part.begin + part.values.size for part in parts)
        if len(parts) == 1:
            found.append(parts[0])
            continue
        values = np.full(end - begin, np.nan)
        for part in parts:
            values[part.begin - begin : part.begin - begin + part.values.size] = part.values
        found.append(replace(parts[0], begin=begin, values=values))
    return found
