"""Measure a trained network on held-out days: forecast errors, and where score 1.0 lies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aiops.detect import calibration, features, lstm
from aiops.detect.examples import Example
from aiops.detect.features import LEADS
from aiops.detect.forecaster import QUANTILES
from aiops.detect.model import Calibration, Metrics, Model
from aiops.detect.settings import Calendar, DetectSettings
from aiops.domain import FloatArray

# Before anything is measured; replaced in every card that `train` returns.
NEUTRAL = Calibration(threshold=4.0, typical=1.0)
# A threshold outside of this says more about the held-out days than about the signal: below 2
# widths a healthy daily peak would do, above 15 only an outage.
_LOWEST, _HIGHEST = 2.0, 15.0


class Judged(NamedTuple):
    """The last day of an example, squashed: forecast [B, N, 3], seasonal-naive [B, N], observed [B, N]."""

    forecast: FloatArray
    rival: FloatArray
    seen: FloatArray

    @property
    def both(self) -> NDArray[np.bool_]:
        """[B, N] where there is something to compare."""
        return np.isfinite(self.seen) & np.isfinite(self.rival) & np.isfinite(self.forecast).all(axis=2)


def forecast_metrics(model: Model, judged: Sequence[Example], calendar: Calendar) -> Metrics:
    """Compare the forecasts 30 to 60 minutes ahead with "as yesterday at this time".

    On the last day of each example, in squashed scales. The band of seasonal-naive is the 5 % and
    95 % quantile of its own errors on the same days: a generous rival.
    """
    return errors([last_day(model, one, calendar) for one in judged])


def last_day(model: Model, example: Example, calendar: Calendar) -> Judged:
    """Return what both forecast for the last day of an example, and what was observed."""
    run = _forecast(model, example, calendar)
    buckets, day = example.clean.shape[1], run.day
    span = slice(buckets - day, buckets)
    yesterday = features.columns(example.clean, -day, buckets)[:, span]
    now = features.columns(example.clean, -LEADS[0], buckets)[:, span]
    rival = np.where(np.isfinite(yesterday), yesterday, now)
    return Judged(run.quantiles(0, buckets)[:, span], rival, example.clean[:, span])


def errors(judged: Sequence[Judged]) -> Metrics:
    """Return the errors of both over all of these days, where there is something to compare."""
    forecast = np.concatenate([one.forecast[one.both] for one in judged])  # [B, N, 3] -> [P, 3]
    rival = np.concatenate([one.rival[one.both] for one in judged])
    seen = np.concatenate([one.seen[one.both] for one in judged])
    low, high = np.quantile(seen - rival, [QUANTILES[0], QUANTILES[2]])
    banded = np.stack([rival + low, rival, rival + high], axis=1)
    mae, mae_naive = np.abs(seen - forecast[:, 1]).mean(), np.abs(seen - rival).mean()
    loss, loss_naive = _pinball(forecast, seen), _pinball(banded, seen)
    return Metrics(
        mae=round(float(mae), 5),
        mae_seasonal_naive=round(float(mae_naive), 5),
        pinball=round(loss, 5),
        pinball_seasonal_naive=round(loss_naive, 5),
        beats_seasonal_naive=bool(mae < mae_naive and loss < loss_naive),
    )


def calibrations(
    model: Model, judged: Sequence[Example], calendar: Calendar
) -> tuple[dict[str, Calibration], Calibration]:
    """Return the calibration of each signal, and one for signals nobody trained on.

    Two passes over the same forecasts: how noisy the fit windows are, then how far the daily
    maxima of the sustained statistic reach once each series is widened by its own noise.
    """
    settings = DetectSettings()
    names = sorted({name for one in judged for name in one.names})
    measured = []
    for one in judged:
        hold = settings.hold_s // one.batch.step_s
        off = _ratios(model, one, calendar)
        fit = one.batch.fit_steps
        levels, _ = calibration.noise(off[:, :fit], hold)
        measured.append((np.array(one.names), off[:, :fit], off[:, fit:], levels, hold))
    labels = np.concatenate([m[0] for m in measured])
    usual_levels = np.concatenate([m[3] for m in measured])
    typical = {name: float(np.clip(np.median(usual_levels[labels == name]), 0.5, 3.0)) for name in names}
    maxima = []
    for label, fit_ratios, day_ratios, _, hold in measured:
        usual = np.array([typical[name] for name in label])
        wide = calibration.widening(fit_ratios, usual, hold)
        maxima.append((calibration.sustained(day_ratios, hold) / wide[:, None]).max(axis=1))
    worst = np.concatenate(maxima)
    budget = calibration.BUDGET_PER_DAY / max(1, len(names))
    found = {name: _calibration(worst[labels == name], typical[name], budget) for name in names}
    thresholds = [one.threshold for one in found.values()]
    rest = Calibration(
        threshold=round(float(np.median(thresholds)), 4),
        typical=round(float(np.median(list(typical.values()))), 4),
    )
    return found, rest


def _calibration(worst: FloatArray, typical: float, budget: float) -> Calibration:
    level = float(np.clip(calibration.threshold(worst, budget), _LOWEST, _HIGHEST))
    return Calibration(threshold=round(level, 4), typical=round(typical, 4))


def _ratios(model: Model, example: Example, calendar: Calendar) -> FloatArray:
    """Return how many widths each step is off: [B, T], with nothing replaced."""
    run = _forecast(model, example, calendar)
    batch = example.batch
    per = batch.values.shape[1] // run.clean.shape[1]
    centre, scale, _ = features.fit_scale(batch.fit, batch.min_deviation)
    return lstm.ratios(batch, run, centre, scale, per, batch.values.shape[1])


def _forecast(model: Model, example: Example, calendar: Calendar) -> lstm.Pass:
    batch = example.batch
    per = batch.values.shape[1] // example.clean.shape[1]
    centre, scale, _ = features.fit_scale(batch.fit, batch.min_deviation)
    run = lstm.start_pass(batch, model, centre, scale, per)
    buckets = run.clean.shape[1]
    run.clock = calendar.clock(
        int(batch.times[0]) + np.arange(len(run.clock), dtype=np.int64) * per * batch.step_s
    )
    run.advance(0, buckets, np.full(len(run.clean), np.inf))
    return run


def _pinball(quantiles: FloatArray, target: FloatArray) -> float:
    error = target[:, None] - quantiles
    level = np.array(QUANTILES)
    return float(np.maximum(level * error, (level - 1) * error).sum(axis=1).mean())
