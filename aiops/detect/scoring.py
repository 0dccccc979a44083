"""Score every judged step of every workload: the forecaster first, what replaces it second.

A run judges the last twelve hours, which may touch two UTC days. Each day is scored by what was
fitted up to its own 00:00, from its own anchor: the same step gets the same score in every run.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aiops.detect import (
    baseline,
    carried,
    cold_start,
    features,
    forest,
    impact,
    local_time,
    lstm,
    past,
    traffic_guard,
)
from aiops.detect.bands import Bands, Batch, guarded, scores
from aiops.detect.carried import Carried
from aiops.detect.local_time import Span
from aiops.detect.model import Model
from aiops.detect.settings import (
    DAY_S,
    FATAL_SIGNALS,
    DetectSettings,
    History,
)
from aiops.domain import FloatArray, Panel, Scorer, Scores, Workload

# Less history than this before 00:00 UTC teaches no forest, and leaves the forecaster unsure.
_LEAST_S = 6 * 3_600


@dataclass(slots=True, eq=False)
class _Day:
    """The judged steps of one span: [W * S, T] each, and who scored each of [W]."""

    score: FloatArray
    bands: Bands
    scorer: list[Scorer]
    reason: list[str | None]
    carried: Carried | None


def score(history: History, model: Model | None, settings: DetectSettings) -> Scores:
    """Score the steps of `history.recent` from `judged_from_s` on.

    `model` None = none could be loaded: the forest scores. Workloads do not influence each other.
    """
    return resume(history, model, settings, None)[0]


def resume(
    history: History, model: Model | None, settings: DetectSettings, earlier: Mapping[str, Carried] | None
) -> tuple[Scores, tuple[Carried, ...]]:
    """Return the same scores, and what the next run may go on from; `earlier`: what this one may.

    None = nobody keeps it.
    """
    panel = history.recent
    week = past.aligned(history.week_ago, panel)
    newest = int(panel.times[-1])
    starts = range(history.judged_from_s // DAY_S * DAY_S, newest + 1, DAY_S)
    spans = [span for start in starts for span in local_time.spans(start, settings.calendar)]
    days = [
        _score_day(history, week, span, model, settings, earlier)
        for span in spans
        if span.start_s <= newest and span.end_s > history.judged_from_s
    ]
    times = panel.times[panel.times >= history.judged_from_s]
    shape = (len(panel.workloads), len(panel.signals), len(times))

    def joined(name: str) -> FloatArray:
        parts = [day.score if name == "score" else getattr(day.bands, name) for day in days]
        return np.concatenate(parts, axis=1).reshape(shape)

    values = joined("score").astype(np.float32)
    seen = ~np.isnan(values)
    expected = joined("expected").astype(np.float32)
    observed = panel.values[:, :, -len(times) :]
    weighed = impact.counted(values, observed, expected, panel.signals)
    top = np.where(seen, weighed, -np.inf).max(axis=1, initial=-np.inf)  # [W, S, T] -> [W, T]
    last = days[-1]
    found = Scores(
        values=values,
        workload=np.where(seen.any(axis=1), top, np.nan).astype(np.float32),
        expected=expected,
        lower=joined("lower").astype(np.float32),
        upper=joined("upper").astype(np.float32),
        times=times,
        step_s=panel.step_s,
        workloads=panel.workloads,
        signals=panel.signals,
        scorer=tuple(last.scorer),
        fallback_reason=tuple(last.reason),
    )
    return found, tuple(day.carried for day in days if day.carried is not None)


def _score_day(
    history: History,
    week: Panel | None,
    span: Span,
    model: Model | None,
    settings: DetectSettings,
    earlier: Mapping[str, Carried] | None,
) -> _Day:
    panel = history.recent
    batch = past.batch(history, week, span, settings.calendar)
    names = [signal.name for signal in panel.signals] * len(panel.workloads)
    fatal = np.isin(names, FATAL_SIGNALS)
    usual, _, flat = features.fit_scale(batch.fit, batch.min_deviation)
    young = cold_start.is_young(batch) & ~fatal
    least_s = _LEAST_S if model is None else cold_start.FIRST_S
    known_s = np.isfinite(batch.fit).sum(axis=1) * batch.step_s
    long = known_s >= least_s
    hold = max(1, settings.hold_s // batch.step_s)

    # Everybody starts with the fixed rule; whoever moves gets a better band below.
    bands = baseline.fixed(batch, fatal)
    moving = ~flat & ~fatal
    plain = np.flatnonzero(moving & ~long)
    _put(bands, plain, baseline.bands(batch.rows(plain)))
    pick = np.flatnonzero(moving & long)
    lost, kept = pick, None
    if model is not None and len(pick):
        asked = batch.rows(pick), model, tuple(names[i] for i in pick), hold
        if earlier is None:
            drawn = lstm.bands(*asked)
        else:
            drawn, kept = carried.bands(*asked, earlier)
        if local_time.changes(batch.times, span.offset_s, settings.calendar):
            # People come by the wall clock, jobs of the cluster by UTC: both are expected.
            steady = past.batch(history, week, span, settings.calendar, by_wall_clock=False)
            drawn = drawn.or_within(lstm.bands(steady.rows(pick), *asked[1:]))
        drawn = cold_start.unsure(drawn, known_s[pick] < _LEAST_S)
        judged = drawn.expected[:, batch.fit_steps :]
        good = np.isfinite(judged).all(axis=1)
        # A workload whose forecast failed for one signal is judged as a whole by the forest.
        broken = np.unique(pick[~good] // len(panel.signals))
        stays = ~np.isin(pick // len(panel.signals), broken)
        _put(bands, pick[stays], drawn.rows(np.flatnonzero(stays)))
        lost = pick[~stays]
    new = [] if model is None else _newcomers(bands, batch, np.flatnonzero(young), names, model, hold)
    first = max(history.judged_from_s, span.start_s)
    at = (first - int(batch.times[0])) // batch.step_s
    shown = guarded(bands.since(at), batch.min_deviation)
    odd = scores(batch.values[:, at:], shown, batch.direction)
    for index in np.unique(lost // len(panel.signals)):  # one fit per workload and day: law 8
        mine = lost[lost // len(panel.signals) == index]
        found, drawn = forest.judge(batch.rows(mine), forest.seed(panel.workloads[index], span.day_s), hold)
        odd[mine] = found[:, at:]
        _put(shown, mine, drawn.since(at))
    scorer, reason = _who(
        panel.workloads, len(panel.signals), np.concatenate([pick, *new]), lost, plain, model
    )
    before = batch.values[:, at - hold + 1 :]
    wider = traffic_guard.widened(shown, before, usual, panel.signals, batch.step_s, hold)
    return _Day(_spared(odd, batch, shown, wider), wider, scorer, reason, kept)


def _spared(odd: FloatArray, batch: Batch, shown: Bands, wider: Bands) -> FloatArray:
    """Return the scores [B, t] of the last t steps: what chance shows is not odd, whoever scored it."""
    few = np.flatnonzero((wider.upper > shown.upper).any(axis=1))
    judged = scores(batch.values[few, -odd.shape[1] :], wider.rows(few), batch.direction[few])
    odd[few] = np.where(wider.upper[few] > shown.upper[few], np.minimum(odd[few], judged), odd[few])
    return odd


def _newcomers(
    bands: Bands, batch: Batch, young: NDArray[np.int64], names: list[str], model: Model, hold: int
) -> list[NDArray[np.int64]]:
    """Draw the bands of series that began today, into `bands`; return those the forecaster drew."""
    drawn = []
    for rows, group in cold_start.begun_today(batch, young):
        _, _, flat = features.fit_scale(group.fit, group.min_deviation)
        found = baseline.fixed(group, np.zeros(len(rows), dtype=bool))
        moving = np.flatnonzero(~flat)
        if len(moving):
            asked = tuple(names[i] for i in rows[moving])
            _put(found, moving, lstm.bands(group.rows(moving), model, asked, hold))
            drawn.append(rows[moving])
        wide = cold_start.unsure(found, np.ones(len(rows), dtype=bool))
        for name in ("expected", "lower", "upper"):
            getattr(bands, name)[rows, group.fit_steps :] = getattr(wide, name)[:, group.fit_steps :]
    return drawn


def _put(into: Bands, rows: np.ndarray, new: Bands) -> None:
    for name in ("expected", "lower", "upper"):
        getattr(into, name)[rows] = getattr(new, name)


def _who(
    workloads: tuple[Workload, ...],
    signals: int,
    pick: np.ndarray,
    lost: np.ndarray,
    plain: np.ndarray,
    model: Model | None,
) -> tuple[list[Scorer], list[str | None]]:
    """Return who scored each workload, and why it was not the forecaster."""
    by_forest, by_model, short = set(lost // signals), set(pick // signals), set(plain // signals)
    scorer: list[Scorer] = []
    reason: list[str | None] = []
    for index in range(len(workloads)):
        if index in by_forest:
            scorer.append("forest")
            reason.append("no model" if model is None else "the forecast was not finite")
        elif index in by_model:
            scorer.append("lstm")
            reason.append(None)
        else:
            scorer.append("baseline")
            hours = f"less than {_LEAST_S // 3_600} h of history before 00:00 UTC"
            reason.append(hours if index in short else "no signal that moves before 00:00 UTC")
    return scorer, reason
