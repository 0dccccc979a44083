"""Wait until an anomaly is sustained: inactive, pending, firing, in metric time.

3 of the last 5 scored steps bad open an incident, 5 clean ones in a row close it, and it fires
when it lasted for the hold and is still bad. A step without a score is neither bad nor clean and
does not count as time: a gap neither resolves an incident nor lets it grow old.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aiops.detect import experience, impact
from aiops.detect.settings import FATAL_SIGNALS, DetectSettings, History
from aiops.domain import Breach, Float32Array, Incident, Panel, Scores, State, Verdict

_FIRING = 2
_STATES = (State.INACTIVE, State.PENDING, State.FIRING)
# A signal counts as usual for a workload when half of the steps of the last days have it.
_USUAL = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """What the machine did: `states` [n, T], and the first bad step of the open run [n] or -1."""

    states: NDArray[np.int8]
    onset: NDArray[np.int64]

    @property
    def state(self) -> NDArray[np.int8]:
        """[n]: 0 inactive, 1 pending, 2 firing after the last step."""
        return self.states[:, -1]


def sustain(scores: Scores, history: History, settings: DetectSettings) -> tuple[Incident, ...]:
    """Return the state of each workload at the newest judged step, in the order of `scores`.

    Several signals of one workload are one incident. Fatal signals (crash loop, image pull) have
    the short hold, everything else the long one; the worse state of the two counts.
    """
    worst, worst_fatal = kinds(scores, history.recent.values[:, :, -len(scores.times) :])
    slow = track(worst / settings.threshold, scores.step_s, settings.hold_s, settings)
    fast = track(worst_fatal, scores.step_s, settings.fatal_hold_s, settings)
    state = np.maximum(slow.state, fast.state)
    both = np.stack([slow.onset, fast.onset])  # [2, W]
    fired = _latest(np.maximum(slow.states, fast.states) == _FIRING)[:, -1]  # [W], -1 = it did not
    far = scores.values.shape[2]
    onset = np.where(both >= 0, both, far).min(axis=0)
    known = experience.sustained_s(history.reference, scores.workloads, int(scores.times[-1]))
    covered, newest = _coverage(history.recent, scores, settings)
    return tuple(
        _incident(
            scores,
            history.recent,
            index,
            (int(state[index]), int(onset[index]), int(fired[index])),
            known,
            covered,
            newest,
            settings,
        )
        for index in range(len(scores.workloads))
    )


def kinds(scores: Scores, observed: Float32Array) -> tuple[Float32Array, Float32Array]:
    """Return the worst score of what has the long hold, and of the fatal signals: [W, T] each."""
    fatal = np.isin([signal.name for signal in scores.signals], FATAL_SIGNALS)
    weighed = impact.counted(scores.values, observed, scores.expected, scores.signals)
    return _worst(weighed[:, ~fatal]), _worst(scores.values[:, fatal])


def track(values: Float32Array, step_s: int, hold_s: int, settings: DetectSettings) -> Track:
    """Run the machine over [n, T] scores, as multiples of the threshold."""
    rows, steps = values.shape
    states = np.zeros((rows, steps), dtype=np.int8)
    onset = np.full(rows, -1, dtype=np.int64)
    # Where nothing can open, nothing is looked at: most rows of a healthy fleet.
    busy = np.flatnonzero((values >= 1.0).sum(axis=1) >= settings.bad_to_open)
    if len(busy):
        states[busy], onset[busy] = _run(values[busy], step_s, hold_s, settings)
    return Track(states, onset)


def _run(
    values: Float32Array, step_s: int, hold_s: int, settings: DetectSettings
) -> tuple[NDArray[np.int8], NDArray[np.int64]]:
    """Return states [n, T] and the onset of the open run [n] or -1, all steps at once.

    Columns are first packed to the scored steps of each row, since only those count.
    """
    scored = ~np.isnan(values)
    steps = values.shape[1]
    order = np.argsort(~scored, axis=1, kind="stable")  # [n, P]: the scored steps, then the others
    place = np.arange(steps)
    real = place < scored.sum(axis=1)[:, None]
    bad = np.take_along_axis(values >= 1.0, order, axis=1) & real

    width = settings.window_steps
    last = np.stack([_shifted(bad, back, fill=0) for back in range(width)])  # [5, n, P], newest first
    when = np.stack([_shifted(order, back, fill=-steps) for back in range(width)])
    # A long gap in between: what was bad before it says nothing about now.
    near = last & (order - when < 2 * width)
    enough = near.sum(axis=0) >= settings.bad_to_open
    quiet = ~np.stack([_shifted(bad, back, fill=1) for back in range(settings.clean_to_close)]).any(axis=0)

    opened, closed = _latest(enough & real), _latest(quiet & real)
    is_open = opened > closed
    begins = is_open & ~_shifted(is_open, 1, fill=0)
    start = np.maximum(_latest(begins), 0)  # [n, P] where the run began, 0 where none did
    first = np.take_along_axis(np.where(near, when, steps).min(axis=0), start, axis=1)
    held = np.take_along_axis(order, start, axis=1) - first + place - start
    fires = is_open & enough & real & (held * step_s >= hold_s)
    state = is_open * (1 + (_latest(fires) >= start)).astype(np.int8)

    # Back to all steps: one without a score is in the state of the last one with.
    seen = np.cumsum(scored, axis=1) - 1
    states = np.where(seen >= 0, np.take_along_axis(state, np.maximum(seen, 0), axis=1), 0)
    end = np.maximum(seen[:, -1:], 0)
    found = np.take_along_axis(np.where(is_open, first, -1), end, axis=1)[:, 0]
    return states.astype(np.int8), found


def _shifted(values: NDArray[Any], back: int, *, fill: int) -> NDArray[Any]:
    """Return [n, P] with each column `back` places later, `fill` before the first."""
    return np.pad(values, ((0, 0), (back, 0)), constant_values=fill)[:, : values.shape[1]]


def _latest(flags: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the last column up to each one where the flag is set, -1 before the first: [n, P]."""
    return np.maximum.accumulate(np.where(flags, np.arange(flags.shape[1]), -1), axis=1)


def _worst(values: Float32Array) -> Float32Array:
    """Return the highest score of any signal: [W, S, T] -> [W, T], NaN when none has one."""
    seen = ~np.isnan(values)
    top = np.where(seen, values, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(seen.any(axis=1), top, np.nan).astype(np.float32)


def _coverage(
    recent: Panel, scores: Scores, settings: DetectSettings
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return coverage [W, S] and the time of the newest sample [W], -1 = none.

    Coverage is the share of samples in the tail; NaN for a signal the workload does not usually have.
    """
    seen: NDArray[np.bool_] = np.isfinite(recent.values)  # [W, S, T]
    tail = recent.times > int(scores.times[-1]) - settings.tail_s
    ever: NDArray[np.bool_] = seen.any(axis=1)  # type: ignore[assignment]  # numpy types any() as a scalar
    share = np.where(usual(seen), seen[:, :, tail].mean(axis=2), np.nan)
    last = recent.times[seen.shape[2] - 1 - np.argmax(ever[:, ::-1], axis=1)]
    return share, np.where(ever.any(axis=1), last, -1)


def usual(seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return which signals each workload usually has, of where samples are: [W, S, T] -> [W, S]."""
    ever: NDArray[np.bool_] = seen.any(axis=1)  # type: ignore[assignment]  # numpy types any() as a scalar
    # A young workload: usual is what it has had since its first sample.
    age = np.where(ever.any(axis=1), seen.shape[2] - np.argmax(ever, axis=1), 1)
    had = seen.sum(axis=2)  # [W, S]
    found: NDArray[np.bool_] = (had >= _USUAL * seen.shape[2]) | (had >= _USUAL * age[:, None])
    return found


def _incident(
    scores: Scores,
    recent: Panel,
    index: int,
    stand: tuple[int, int, int],
    known: NDArray[np.int64],
    covered: NDArray[np.float64],
    newest: NDArray[np.int64],
    settings: DetectSettings,
) -> Incident:
    state, onset, fired = stand
    breaches = _breaches(scores, recent, index, onset) if state else ()
    usual = covered[index][np.isfinite(covered[index])]
    coverage = float(usual.mean()) if len(usual) else 0.0
    whole = bool(len(usual)) and float(usual.min()) >= settings.coverage
    fresh = newest[index] >= 0 and scores.times[-1] - newest[index] <= settings.stale_s
    scored = scores.workload[index][np.isfinite(scores.workload[index])]
    return Incident(
        workload=scores.workloads[index],
        verdict=_verdict(
            scores, index, state, breaches, known, covered, settings, whole=whole and bool(fresh)
        ),
        state=_STATES[state],
        onset_s=int(scores.times[onset]) if state else None,
        signals=breaches,
        score=float(scored[-1]) if len(scored) else None,
        scorer=scores.scorer[index],
        fallback_reason=scores.fallback_reason[index],
        coverage=coverage,
        newest_sample_s=int(newest[index]) if newest[index] >= 0 else None,
        history_s=int(known[index]),
        ended_s=int(scores.times[fired]) if fired >= 0 else None,
    )


def _verdict(
    scores: Scores,
    index: int,
    state: int,
    breaches: tuple[Breach, ...],
    known: NDArray[np.int64],
    covered: NDArray[np.float64],
    settings: DetectSettings,
    *,
    whole: bool,
) -> Verdict:
    """Say what can be said. Healthy needs every usual signal; anomalous needs those that broke.

    A crash loop takes the CPU samples of its pods with it, and must still be seen; a lost scrape
    takes everything, and is neither healthy nor anomalous (law 3).
    """
    if state:
        names = [signal.name for signal in scores.signals]
        shares = [covered[index, names.index(breach.signal)] for breach in breaches]
        # A fatal signal has no samples while all is well: its presence is the news.
        watched = [
            share if np.isfinite(share) else 1.0 for breach, share in zip(breaches, shares, strict=True)
        ]
        newest = scores.values[index][[names.index(b.signal) for b in breaches]]
        current = bool(np.isfinite(newest[:, -settings.window_steps :]).any()) if breaches else False
        whole = whole or (current and max(watched, default=0.0) >= settings.coverage)
    if not whole:
        return Verdict.NO_DATA
    if known[index] < settings.learning_s:
        return Verdict.LEARNING
    return Verdict.ANOMALOUS if state == _FIRING else Verdict.HEALTHY


def _breaches(scores: Scores, recent: Panel, index: int, onset: int) -> tuple[Breach, ...]:
    """Return the signals that were bad since the onset, worst first.

    At least 3 bad steps each, so that a spike beside an incident is not blamed; when no single
    signal has three (they took turns), all that were bad.
    """
    since = scores.values[index][:, onset:]  # [S, t]
    skipped = len(recent.times) - len(scores.times)  # steps before the judged ones
    bad = np.nan_to_num(since) >= 1.0
    counted = np.flatnonzero(bad.sum(axis=1) >= 3)
    rows = counted if len(counted) else np.flatnonzero(bad.any(axis=1))
    made = []
    for row in rows:  # at most one per signal of one workload in an incident
        at = onset + int(np.nanargmax(since[row]))
        signal = scores.signals[row]
        made.append(
            Breach(
                signal=signal.name,
                observed=float(recent.values[index, row, skipped + at]),
                expected=float(scores.expected[index, row, at]),
                unit=signal.unit,
                score=float(scores.values[index, row, at]),
                onset_s=int(scores.times[onset + int(np.argmax(bad[row]))]),
                at_s=int(scores.times[at]),
            )
        )
    return tuple(sorted(made, key=lambda breach: (-breach.score, breach.signal)))
