from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.detect.settings import DetectSettings, History
from aiops.detect.sustain import sustain, track
from aiops.domain import Panel, Scores, Signal, State, Verdict

SETTINGS = DetectSettings()
NAN = np.nan
BAD, OK = 2.0, 0.5


def _track(steps: list[float], hold_s: int = 900) -> tuple[int, int]:
    found = track(np.array([steps], dtype=np.float32), 60, hold_s, SETTINGS)
    return int(found.state[0]), int(found.onset[0])


@pytest.mark.parametrize(
    ("name", "steps", "expected"),
    [
        ("healthy", [OK] * 30, (0, -1)),
        ("two bad of five", [OK] * 10 + [BAD, OK, OK, BAD, OK], (0, -1)),
        ("three bad of five open", [OK] * 10 + [BAD, OK, BAD, OK, BAD], (1, 10)),
        ("one bad step is a spike", [OK] * 10 + [99.0], (0, -1)),
        ("not yet for the hold", [OK] * 10 + [BAD] * 15, (1, 10)),
        ("for the hold", [OK] * 10 + [BAD] * 16, (2, 10)),
        ("four clean steps do not close", [OK] * 10 + [BAD] * 20 + [OK] * 4, (2, 10)),
        ("five clean steps close", [OK] * 10 + [BAD] * 20 + [OK] * 5, (0, -1)),
        ("closed before the hold", [BAD] * 10 + [OK] * 5 + [BAD] * 4, (1, 15)),
        ("a gap does not close", [OK] * 10 + [BAD] * 20 + [NAN] * 30, (2, 10)),
        ("a gap is no time", [OK] * 10 + [BAD] * 10 + [NAN] * 30, (1, 10)),
        ("a gap inside is not held", [OK] * 10 + [BAD] * 10 + [NAN] * 30 + [BAD] * 5, (1, 10)),
        ("after the gap it goes on", [OK] * 10 + [BAD] * 10 + [NAN] * 30 + [BAD] * 7, (2, 10)),
        ("bad steps before a long gap do not count", [BAD, BAD] + [NAN] * 30 + [BAD], (0, -1)),
        ("nothing scored", [NAN] * 30, (0, -1)),
    ],
)
def test_the_machine(name: str, steps: list[float], expected: tuple[int, int]) -> None:
    assert expected == _track(steps)


def test_the_short_hold_fires_after_five_minutes() -> None:
    assert _track([BAD] * 5, 300) == (1, 0)
    assert _track([BAD] * 6, 300) == (2, 0)


@given(st.lists(st.sampled_from([0.2, 0.9, 1.5, 3.0, NAN]), min_size=1, max_size=80))
def test_rows_do_not_touch_each_other(steps: list[float]) -> None:
    alone = track(np.array([steps], dtype=np.float32), 60, 900, SETTINGS)
    rows = np.array([[BAD] * len(steps), steps, [OK] * len(steps)], dtype=np.float32)
    together = track(rows, 60, 900, SETTINGS)
    assert (alone.state[0], alone.onset[0]) == (together.state[1], together.onset[1])


@given(st.lists(st.floats(0, 3, width=32), min_size=1, max_size=80), st.floats(1, 3))
def test_raising_the_threshold_never_makes_a_state_worse(steps: list[float], factor: float) -> None:
    lower = track(np.array([steps], dtype=np.float32), 60, 900, SETTINGS)
    higher = track(np.array([steps], dtype=np.float32) / np.float32(factor), 60, 900, SETTINGS)
    assert higher.state[0] <= lower.state[0]


def _scores(history: History, fill: float = OK) -> Scores:
    panel = history.recent
    times = panel.times[panel.times >= history.judged_from_s]
    shape = (len(panel.workloads), len(panel.signals), len(times))
    values = np.full(shape, fill, dtype=np.float32)
    values[np.isnan(panel.values[:, :, -len(times) :])] = NAN
    expected = np.zeros(shape, dtype=np.float32)
    return _with_top(
        Scores(
            values,
            values[:, 0],
            expected,
            expected - 1,
            expected + 1,
            times,
            60,
            panel.workloads,
            panel.signals,
            ("lstm",) * shape[0],
            (None,) * shape[0],
        )
    )


def _with_top(scores: Scores) -> Scores:
    seen = ~np.isnan(scores.values)
    top = np.where(seen, scores.values, -np.inf).max(axis=1)
    return dataclasses.replace(scores, workload=np.where(seen.any(axis=1), top, NAN).astype(np.float32))


def test_below_the_threshold_nothing_is_bad_but_a_crash_loop(world) -> None:
    history = world.history()
    names = [signal.name for signal in history.recent.signals]
    scores = _scores(history)
    scores.values[1, names.index("error_ratio"), -20:] = 2.4
    scores.values[2, names.index("error_ratio"), -20:] = 2.5
    scores.values[3, names.index("restarts"), -20:] = 1.0
    found = sustain(_with_top(scores), history, dataclasses.replace(SETTINGS, threshold=2.5))
    assert [incident.state for incident in found] == [
        *(State.INACTIVE, State.INACTIVE, State.FIRING, State.FIRING),
    ]


def test_several_signals_of_a_workload_are_one_incident(world) -> None:
    history = world.history()
    scores = _scores(history)
    scores.values[1, 1, -20:] = 5.0
    scores.values[1, 2, -18:] = 3.0
    incidents = sustain(_with_top(scores), history, SETTINGS)
    assert [incident.verdict for incident in incidents] == [
        Verdict.HEALTHY,
        Verdict.ANOMALOUS,
        Verdict.HEALTHY,
        Verdict.HEALTHY,
    ]
    found = incidents[1]
    assert found.state == State.FIRING
    assert int(scores.times[-20]) == found.onset_s
    assert [(b.signal, b.unit) for b in found.signals] == [("error_ratio", "ratio"), ("latency_p95", "ms")]
    assert int(scores.times[-18]) == found.signals[1].onset_s


def test_a_spike_beside_an_incident_is_not_blamed(world) -> None:
    history = world.history()
    scores = _scores(history)
    scores.values[0, 1, -20:] = 5.0
    scores.values[0, 2, -7] = 90.0
    assert [b.signal for b in sustain(_with_top(scores), history, SETTINGS)[0].signals] == ["error_ratio"]


def test_a_crash_loop_fires_after_the_short_hold(world) -> None:
    history = world.history()
    scores = _scores(history)
    scores.values[0, 3, -7:] = 2.0
    scores.values[1, 2, -7:] = 2.0
    states = [incident.state for incident in sustain(_with_top(scores), history, SETTINGS)]
    assert states == [State.FIRING, State.PENDING, State.INACTIVE, State.INACTIVE]


def test_no_data_is_neither_healthy_nor_anomalous(world) -> None:
    plain = world.history()
    values = plain.recent.values.copy()
    values[0, :, -16:] = NAN
    values[1, :3, -16:] = NAN
    history = dataclasses.replace(plain, recent=dataclasses.replace(plain.recent, values=values))
    verdicts = [incident.verdict for incident in sustain(_scores(history), history, SETTINGS)]
    assert verdicts == [Verdict.NO_DATA, Verdict.NO_DATA, Verdict.HEALTHY, Verdict.HEALTHY]


def test_an_incident_that_is_seen_counts_although_other_signals_are_lost(world) -> None:
    plain = world.history()
    values = plain.recent.values.copy()
    values[0, 2, -1_200:] = NAN
    history = dataclasses.replace(plain, recent=dataclasses.replace(plain.recent, values=values))
    scores = _scores(history)
    scores.values[0, 1, -30:] = 4.0
    incident = sustain(_with_top(scores), history, SETTINGS)[0]
    assert incident.verdict == Verdict.ANOMALOUS
    assert incident.coverage < 0.9


def test_a_workload_without_a_day_of_traffic_is_learning(world) -> None:
    plain = world.history()
    values = plain.reference.values.copy()
    values[0, :, :-20] = NAN
    history = dataclasses.replace(plain, reference=dataclasses.replace(plain.reference, values=values))
    incidents = sustain(_scores(history), history, SETTINGS)
    assert incidents[0].verdict == Verdict.LEARNING
    assert 19 <= incidents[0].history_s / 3_600 < 21
    assert incidents[1].verdict == Verdict.HEALTHY


def _defined(steps: list[float], step_s: int, hold_s: int) -> tuple[list[int], int]:
    """Return the states and the onset of the open run, step by step, as the text has it."""
    seen: list[tuple[int, bool]] = []  # the scored steps: when, and was it bad
    state, onset, held, states = 0, -1, 0, []
    for now, value in enumerate(steps):
        if not np.isnan(value):
            seen.append((now, value >= 1))
            near = [when for when, bad in seen[-5:] if bad and now - when < 10]
            held += step_s if state else 0
            if not state and len(near) >= 3:
                state, onset, held = 1, near[0], (now - near[0]) * step_s
            if state == 1 and len(near) >= 3 and held >= hold_s:
                state = 2
            if state and len(seen) >= 5 and not any(bad for _, bad in seen[-5:]):
                state, onset = 0, -1
        states.append(state)
    return states, onset


_STEPS = st.lists(
    st.tuples(st.sampled_from([0.2, 1.5, NAN]), st.integers(1, 12)).map(lambda run: [run[0]] * run[1]),
    min_size=1,
    max_size=20,
).map(lambda runs: [value for run in runs for value in run])


@given(_STEPS, st.sampled_from([300, 900]))
def test_the_machine_does_what_its_definition_says_step_by_step(steps: list[float], hold_s: int) -> None:
    found = track(np.array([steps], dtype=np.float32), 60, hold_s, SETTINGS)
    assert _defined(steps, 60, hold_s) == (found.states[0].tolist(), int(found.onset[0]))


@given(_STEPS, st.integers(1, 200), st.data())
def test_a_gap_neither_resolves_nor_extends_an_incident(steps: list[float], gap: int, data) -> None:
    """What is open goes on after it as if there had been no gap; what had not opened may be torn."""
    at = data.draw(st.integers(0, len(steps)))
    whole = track(np.array([steps], dtype=np.float32), 60, 900, SETTINGS)
    before = int(whole.states[0, at - 1]) if at else 0
    torn = np.array([steps[:at] + [NAN] * gap + steps[at:]], dtype=np.float32)
    found = track(torn, 60, 900, SETTINGS).states[0]
    assert [before] * gap == found[at : at + gap].tolist()
    if before == 2 or not np.any(np.array(steps[:at]) >= 1):
        assert whole.states[0, at:].tolist() == found[at + gap :].tolist()


@pytest.mark.parametrize("order", [[3, 1, 0, 2], [1, 0, 3, 2], [2, 3, 1, 0]])
def test_the_order_of_workloads_changes_no_incident(world, order: list[int]) -> None:
    history = world.history()
    scores = _scores(history)
    scores.values[0, 1, -20:] = 5.0
    scores.values[1, 2, -5:] = 5.0
    plain = sustain(_with_top(scores), history, SETTINGS)

    def pick(panel: Panel) -> Panel:
        rows = tuple(panel.workloads[i] for i in order)
        return dataclasses.replace(panel, values=panel.values[order], workloads=rows)

    moved = dataclasses.replace(history, recent=pick(history.recent), reference=pick(history.reference))
    shuffled = _scores(moved)
    shuffled.values[:] = scores.values[order]
    assert [plain[i] for i in order] == list(sustain(_with_top(shuffled), moved, SETTINGS))


def test_a_clean_signal_more_changes_nothing(world) -> None:
    history = world.history()
    scores = _scores(history)
    scores.values[1, 1, -20:] = 5.0
    found = sustain(_with_top(scores), history, SETTINGS)
    extra = Signal("more", "x", "up", 1.0)

    def wider(panel: Panel) -> Panel:
        values = np.concatenate([panel.values, panel.values[:, :1]], axis=1)
        return dataclasses.replace(panel, values=values, signals=(*panel.signals, extra))

    history = dataclasses.replace(history, recent=wider(history.recent), reference=wider(history.reference))
    more = _scores(history)
    more.values[:, :-1] = scores.values
    assert found == sustain(_with_top(more), history, SETTINGS)


def test_signals_that_take_turns_are_one_incident(world) -> None:
    history = world.history()
    scores = _scores(history)
    for turn in range(20):  # no signal is ever bad twice in a row
        scores.values[0, turn % 3, -20 + turn] = 3.0
    found = sustain(_with_top(scores), history, SETTINGS)[0]
    assert found.state == State.FIRING
    assert int(scores.times[-20]) == found.onset_s
    assert {b.signal for b in found.signals} == {"request_rate", "error_ratio", "latency_p95"}


@pytest.mark.parametrize(
    ("steps", "ended"),
    [
        ([OK] * 40, None),
        ([OK] * 10 + [BAD] * 10 + [OK] * 20, None),  # never lasted for the hold
        ([OK] * 5 + [BAD] * 20 + [OK] * 15, 28),  # four clean steps still fire
        ([OK] * 5 + [BAD] * 20 + [OK] * 11 + [BAD, OK, OK, OK], 28),
        ([OK] * 5 + [BAD] * 20 + [NAN] * 10 + [OK] * 5, 38),  # a gap ends nothing
    ],
)
def test_when_it_last_fired_is_known_afterwards(world, steps: list[float], ended: int | None) -> None:
    history = world.history()
    scores = _scores(history)
    values = scores.values.copy()
    values[0, 0, : len(steps)] = steps
    values[0, 1:, : len(steps)] = NAN
    scores = _with_top(dataclasses.replace(scores, values=values))
    found = sustain(scores, history, SETTINGS)[0]
    assert found.state is State.INACTIVE
    assert found.ended_s == (None if ended is None else int(scores.times[ended]))
