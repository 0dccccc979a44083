from __future__ import annotations

import numpy as np
import pytest
from bench.incidents import firing, plants

from aiops.detect import scoring, sustain
from aiops.detect.settings import DAY_S, DetectSettings, History
from aiops.domain import Scores, State

MIDNIGHT = 20_000 * DAY_S
NAMES = [signal.name for signal in plants.SIGNALS]


def scored(values: np.ndarray) -> Scores:
    """Scores [W, S, T] of the five signals and the two fatal ones."""
    times = MIDNIGHT + 60 * np.arange(values.shape[2], dtype=np.int64)
    panel = plants.named(values, MIDNIGHT, np.array([f"w{i}" for i in range(len(values))]))
    none = np.zeros_like(values)
    top = firing.worst(values)
    count = len(values)
    return Scores(
        values=values, workload=top, expected=none + 7, lower=none, upper=none, times=times, step_s=60,
        workloads=panel.workloads, signals=panel.signals, scorer=("lstm",) * count,
        fallback_reason=(None,) * count,
    )  # fmt: skip


def quiet(workloads: int = 1, minutes: int = 240) -> np.ndarray:
    return np.zeros((workloads, len(NAMES), minutes), dtype=np.float32)


def test_a_firing_is_counted_once_and_blamed_on_the_signal_that_was_bad() -> None:
    values = quiet()
    values[0, NAMES.index("latency_p95"), 100:140] = 1.5
    values[0, NAMES.index("error_ratio"), 118] = 40.0  # a spike beside it
    scores = scored(values)
    panel = plants.named(values * 10, MIDNIGHT, np.array(["w0"]))
    (found,) = firing.firings(panel, scores, DetectSettings())
    assert (0, MIDNIGHT + 115 * 60) == (found.row, found.at_s)
    assert ("latency_p95", 15.0, 7.0, 1.5) == (found.signal, found.observed, found.expected, found.score)


def test_what_closes_and_opens_again_is_two_firings() -> None:
    values = quiet(2)
    values[1, NAMES.index("error_ratio"), 20:60] = 2.0
    values[1, NAMES.index("error_ratio"), 120:160] = 2.0
    panel = plants.named(values, MIDNIGHT, np.array(["a", "b"]))
    assert [1, 1] == [found.row for found in firing.firings(panel, scored(values), DetectSettings())]


def test_pods_that_cannot_start_have_the_short_hold() -> None:
    values = quiet()
    values[0, NAMES.index("pods_waiting"), 30:100] = 2.0
    panel = plants.named(values, MIDNIGHT, np.array(["w0"]))
    states = firing.states(panel, scored(values), DetectSettings())
    assert 35 == int(np.argmax(states[0] == firing.FIRING))


@pytest.mark.parametrize("signal", ["pods_waiting", "error_ratio"])
def test_the_states_are_those_of_a_scheduled_run(signal: str) -> None:
    values = quiet()
    values[0, NAMES.index(signal), 40:90] = 3.0
    settings = DetectSettings()
    whole = plants.named(np.zeros_like(values), MIDNIGHT, np.array(["w0"]))
    states = firing.states(whole, scored(values), settings)
    numbers = [State.INACTIVE, State.PENDING, State.FIRING]
    for newest in range(30, 110, 5):  # a run that sees no further
        part = scored(values[:, :, : newest + 1])
        panel = plants.named(np.zeros_like(part.values), MIDNIGHT, np.array(["w0"]))
        (told,) = sustain.sustain(part, History(panel, None, panel, MIDNIGHT), settings)
        assert told.state is numbers[states[0, newest]]


def test_one_pass_over_days_scores_as_the_runs_of_each_day() -> None:
    rng = np.random.default_rng(3)
    minutes = 11 * 1_440
    clock = np.arange(minutes) / 1_440
    values = np.full((1, len(NAMES), minutes), np.nan, dtype=np.float32)
    values[0, 0] = 20 * (1 + 0.4 * np.sin(2 * np.pi * clock)) * np.exp(0.05 * rng.standard_normal(minutes))
    panel = plants.named(values, MIDNIGHT - 9 * DAY_S, np.array(["w0"]))
    whole = firing.score_days(panel, MIDNIGHT, None, DetectSettings())
    second = MIDNIGHT + DAY_S

    def between(start_s: int, end_s: int) -> plants.Panel:
        keep = (panel.times >= start_s) & (panel.times <= end_s)
        return plants.Panel(values[:, :, keep], panel.times[keep], 60, panel.workloads, panel.signals)

    end_s = second + 7 * 3_600
    recent = between(second - 2 * DAY_S, end_s)
    week = between(second - 9 * DAY_S, end_s - 7 * DAY_S + firing.AHEAD_S)
    run = scoring.score(History(recent, week, recent, second), None, DetectSettings())
    np.testing.assert_array_equal(whole.values[:, :, 1_440 : 1_440 + run.values.shape[2]], run.values)
