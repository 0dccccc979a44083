"""What one UTC day is judged from: every series from the anchor on, as far as 00:00 may know it.

Comes in: what a run reads. Goes out: one `Batch`. Strays, excluded spans, clock changes and holidays
are dealt with here, so that whoever draws bands just looks back whole days.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from aiops.detect import cold_start, experience, features, holidays, local_time
from aiops.detect.bands import Batch, directions
from aiops.detect.local_time import Span
from aiops.detect.settings import DAY_S, WARM_UP_S, WEEK_S, Calendar, History
from aiops.domain import FloatArray, Panel, TimesArray

# Of the 28 days of the reference, what every run has that judges a step of one day.
_SURE_S = 26 * DAY_S
# Beyond the last judged step, a week ago: what the forecaster looks ahead, and a clock change.
_EXTRA_S = 9_000


def aligned(past: Panel | None, recent: Panel) -> Panel | None:
    """Return a panel of the past with the workloads and signals of `recent`; NaN where it has none."""
    if past is None or not past.workloads:
        return None
    at = {workload.key: i for i, workload in enumerate(past.workloads)}
    column = {signal.name: i for i, signal in enumerate(past.signals)}
    shape = (len(recent.workloads), len(recent.signals), len(past.times))
    values = np.full(shape, np.nan, dtype=np.float32)
    pairs = [(i, at[w.key]) for i, w in enumerate(recent.workloads) if w.key in at]
    signals = [(j, column[s.name]) for j, s in enumerate(recent.signals) if s.name in column]
    if pairs and signals:
        to, source = np.array(pairs).T, np.array(signals).T
        values[to[0][:, None], source[0]] = past.values[to[1][:, None], source[1]]
    return Panel(values, past.times, past.step_s, recent.workloads, recent.signals)


def batch(
    history: History, week: Panel | None, span: Span, calendar: Calendar, *, by_wall_clock: bool = True
) -> Batch:
    """Return every series from the anchor of one day to the end of the span (or of the data).

    By the wall clock: what it showed differently was moved (`local_time`), from the anchor on.
    """
    panel = history.recent
    step, start = panel.step_s, int(panel.times[0])
    anchor = span.day_s - WARM_UP_S
    steps = (min(span.end_s - step, int(panel.times[-1])) - anchor) // step + 1
    times = anchor + np.arange(steps + _EXTRA_S // step, dtype=np.int64) * step

    def local(values: FloatArray, times: TimesArray) -> FloatArray:
        return local_time.moved(values, times, step, span.offset_s, calendar) if by_wall_clock else values

    rows = len(panel.workloads) * len(panel.signals)
    flat = panel.values.reshape(rows, len(panel.times)).astype(np.float64)  # [W, S, T] -> [W * S, T]
    begun = np.repeat(_begun(history, span.day_s), len(panel.signals))  # [W] -> [W * S]
    back = None
    if week is not None:
        shift = (anchor - WEEK_S - int(week.times[0])) // step
        wide = week.values.reshape(rows, len(week.times)).astype(np.float64)
        then = cold_start.without_strays(features.columns(wide, shift, len(times)), times - WEEK_S, begun)
        back = local(_learned(then, times - WEEK_S, span, calendar), times - WEEK_S)
        special = holidays.any_of(times, span.offset_s, calendar)
        if special and (hourly := aligned(history.reference, panel)) is not None:
            known = hourly.values.reshape(rows, len(hourly.times)).astype(np.float64)
            sure = _learned(known, hourly.times, span, calendar)
            back = holidays.guided(back, times, span.offset_s, sure, hourly.times, calendar)
    there = features.columns(flat, (anchor - start) // step, steps)
    there = cold_start.without_strays(there, times[:steps], begun)
    return Batch(
        values=local(_learned(there, times[:steps], span, calendar), times[:steps]),
        week_ago=back,
        times=times[:steps],
        step_s=step,
        fit_steps=WARM_UP_S // step,
        min_deviation=np.tile([signal.min_deviation for signal in panel.signals], len(panel.workloads)),
        direction=np.tile(directions(panel.signals), len(panel.workloads)),
        calendar=replace(calendar, offset_s=span.offset_s),
    )


def _learned(values: FloatArray, times: TimesArray, span: Span, calendar: Calendar) -> FloatArray:
    """Return [B, T] without what lies in an excluded span before the judged day: as if not seen."""
    keep = calendar.learnable(times) | (times >= span.day_s)
    return values if keep.all() else np.where(keep, values, np.nan)


def _begun(history: History, day_s: int) -> TimesArray:
    """Return since when each workload was in sustained use, as far as 00:00 UTC knew: [W], -1 = not."""
    whole = history.reference
    known = (whole.times >= day_s - _SURE_S) & (whole.times < day_s) & (whole.times % 3_600 == 0)
    part = replace(whole, values=whole.values[:, :, known], times=whole.times[known])
    return experience.begun_s(part, history.recent.workloads)
