"""When workloads fire over time, as the scheduled runs would see it.

A score is a function of its UTC day, so one pass gives what every run of those days would say.
Fatal signals have the short hold, everything else the long one, as in `aiops.detect.sustain`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aiops.detect import impact, scoring, sustain
from aiops.detect.model import Model
from aiops.detect.settings import DAY_S, FATAL_SIGNALS, WARM_UP_S, WEEK_S, DetectSettings, History
from aiops.domain import Panel, Scores

FIRING = 2  # in the states of `sustain.track`
AHEAD_S = 5_400  # a week ago the forecaster looks this far beyond the newest step


@dataclass(frozen=True, slots=True)
class Firing:
    """One workload began to fire: `row` of the panel, unix seconds; what its worst signal showed."""

    row: int
    at_s: int
    since_s: int
    signal: str
    observed: float
    expected: float
    score: float
    bad_steps: int


def score_days(panel: Panel, from_s: int, model: Model | None, settings: DetectSettings) -> Scores:
    """Score all steps from `from_s` (00:00 UTC) on. `panel` begins 9 days before."""
    recent = _from(panel, from_s - WARM_UP_S, int(panel.times[-1]))
    week_end = min(int(panel.times[-1]) - WEEK_S + AHEAD_S, int(panel.times[-1]))
    week = _from(panel, from_s - WARM_UP_S - WEEK_S, week_end)
    return scoring.score(History(recent, week, recent, from_s), model, settings)


def _from(panel: Panel, start_s: int, end_s: int) -> Panel:
    keep = (panel.times >= start_s) & (panel.times <= end_s)
    return Panel(panel.values[:, :, keep], panel.times[keep], panel.step_s, panel.workloads, panel.signals)


def states(panel: Panel, scores: Scores, settings: DetectSettings) -> np.ndarray:
    """Return [W, T]: 0 inactive, 1 pending, 2 firing."""
    fatal = np.isin([signal.name for signal in scores.signals], FATAL_SIGNALS)
    held = ((~fatal, settings.hold_s), (fatal, settings.fatal_hold_s))
    observed = panel.values[:, :, -len(scores.times) :]
    values = impact.counted(scores.values, observed, scores.expected, scores.signals)
    tracks = [
        sustain.track(worst(values[:, pick]), scores.step_s, hold, settings).states for pick, hold in held
    ]
    return np.maximum(*tracks)


def worst(values: np.ndarray) -> np.ndarray:
    """Return the highest score of any signal: [W, S, T] -> [W, T], NaN when none has one."""
    seen = ~np.isnan(values)
    top = np.where(seen, values, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(seen.any(axis=1), top, np.nan).astype(np.float32)


def begins(found: np.ndarray) -> np.ndarray:
    """Return [n, 2] rows and steps at which a workload begins to fire, from states [W, T]."""
    now = found == FIRING
    before = np.concatenate([np.zeros((len(now), 1), dtype=bool), now[:, :-1]], axis=1)
    return np.argwhere(now & ~before)


def firings(panel: Panel, scores: Scores, settings: DetectSettings) -> list[Firing]:
    """Return every beginning of a firing and the signal to blame for it."""
    found = states(panel, scores, settings)
    skipped = len(panel.times) - len(scores.times)
    told = []
    for row, step in begins(found):
        quiet = np.flatnonzero(found[row, :step] == 0)
        first = max(int(quiet[-1]) + 1 if len(quiet) else 0, step - 60)
        since = max(first - settings.window_steps + 1, 0)
        run = np.nan_to_num(scores.values[row, :, since : step + 1])  # [S, t]
        signal = int(np.argmax((run >= 1).sum(axis=1) + run.max(axis=1) / (1 + run.max())))
        # The middle of its bad steps says more than the worst of them.
        bad = np.flatnonzero(run[signal] >= 1)
        at = int(bad[len(bad) // 2]) + since if len(bad) else int(step)
        told.append(
            Firing(
                int(row),
                int(scores.times[step]),
                int(scores.times[since]),
                scores.signals[signal].name,
                float(panel.values[row, signal, skipped + at]),
                float(scores.expected[row, signal, at]),
                float(scores.values[row, signal, at]),
                len(bad),
            )
        )
    return told


def last_day_s(panel: Panel) -> int:
    """Return 00:00 UTC of the day of the newest step."""
    return int(panel.times[-1]) // DAY_S * DAY_S
