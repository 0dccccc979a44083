"""What a person has heard of before: incidents that are older than a day, or that come most days.

Both are reported and not acted on. Comes in: incidents as `sustain` found them. Goes out: the same,
with the onset of those that were open already at the first judged step, and `familiar`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aiops.detect import frequent
from aiops.detect.settings import DAY_S, FATAL_SIGNALS, DetectSettings, History
from aiops.detect.sustain import track
from aiops.domain import Familiar, Float32Array, Incident, Panel, Scores, State

_LOOK_S = 3_600  # of the judged steps, for the edge: one of them may be odd


def recognised(
    incidents: Sequence[Incident], scores: Scores, history: History, settings: DetectSettings
) -> tuple[Incident, ...]:
    """Return the incidents in the same order. Crash loops and image pulls are always news."""
    found = []
    for index, incident in enumerate(incidents):  # nothing is looked up for what is inactive
        if incident.state is State.INACTIVE or incident.onset_s is None:
            found.append(incident)
            continue
        onset_s = _onset(incident.onset_s, scores, history.recent, index, settings)
        dated = replace(incident, onset_s=onset_s)
        found.append(replace(dated, familiar=_familiar(dated, scores, history, index)))
    return tuple(found)


def _familiar(incident: Incident, scores: Scores, history: History, index: int) -> Familiar | None:
    if incident.state is not State.FIRING or incident.onset_s is None:
        return None
    if any(breach.signal in FATAL_SIGNALS for breach in incident.signals):
        return None
    age_s = int(scores.times[-1]) - incident.onset_s
    if age_s >= DAY_S:
        return Familiar("new-level", f"a new level: it has been like this for {age_s // 3_600} h")
    names = [signal.name for signal in scores.signals]
    since = history.recent.times >= incident.onset_s
    values = history.recent.values[index][:, since]  # [S, t]
    now = {
        breach.signal: float(np.nanmedian(row))
        for breach in incident.signals
        if np.isfinite(row := values[names.index(breach.signal)]).any()
    }
    why = frequent.reason(history.reference, incident, now)
    return None if why is None else Familiar("frequent", why)


def _onset(onset_s: int, scores: Scores, recent: Panel, index: int, settings: DetectSettings) -> int:
    """Return when it began; `onset_s` itself when that lies inside of the judged steps.

    What lies before the judged steps was judged by earlier runs, whose scores nobody keeps; so the
    samples are held against the edge of the band where judging begins: the expectation from before.
    """
    if onset_s >= int(scores.times[0]) + settings.window_steps * scores.step_s:
        return onset_s
    before = _bad_before(recent, scores, index, settings)
    found = int(track(before, scores.step_s, 0, settings).onset[0])
    return min(onset_s, int(recent.times[found])) if found >= 0 else onset_s


def _bad_before(recent: Panel, scores: Scores, index: int, settings: DetectSettings) -> Float32Array:
    """Return how one workload stood before the first judged step: [1, P], 2 bad, 0 clean, NaN unknown.

    Of the signals that are bad at the first judged steps; the worst of them counts. The edge does not
    follow the hours of the day: of a signal that does, the onset may be told too late, hardly too early.
    """
    steps = max(settings.window_steps, _LOOK_S // scores.step_s)
    seen = recent.values[index][:, : len(recent.times) - len(scores.times)]  # [S, P]
    first = scores.values[index][:, :steps]
    broke = np.flatnonzero((np.nan_to_num(first[:, : settings.window_steps]) >= 1).sum(axis=1) * 2 > 1)
    worst = np.full(seen.shape[1], np.nan, dtype=np.float32)
    for row in broke:  # at most one per signal of one workload in an incident
        bad = np.nan_to_num(first[row]) >= 1
        value = recent.values[index, row, seen.shape[1] :][:steps][bad]
        above = bool(np.median(value - scores.expected[index, row, :steps][bad]) > 0)
        edges = scores.upper if above else scores.lower
        edge = float(np.median(edges[index, row, :steps][bad]))
        beyond = np.where(seen[row] > edge if above else seen[row] < edge, 2.0, 0.0)
        worst = np.fmax(worst, np.where(np.isnan(seen[row]), np.nan, beyond).astype(np.float32))
    return worst[None]
