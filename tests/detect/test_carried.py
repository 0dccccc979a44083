from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.detect import carried, local_time, lstm, past, scoring
from aiops.detect.carried import ARRAYS, Carried
from aiops.detect.model import Model
from aiops.detect.settings import Calendar, DetectSettings, History
from aiops.domain import Panel, Scores

# Thursday 2026-03-19 15:32 UTC: all judged steps lie in one day. 05:02 UTC: they lie in two.
AFTERNOON, MORNING = 1_773_934_320, 1_773_896_520
HOUR, STEP = 3_600, 300
FIELDS = ("values", "workload", "expected", "lower", "upper")


def _resume(
    history: History, model: Model, earlier: Mapping[str, Carried] | None, calendar: Calendar | None = None
) -> tuple[Scores, dict[str, Carried]]:
    found = DetectSettings(calendar=calendar or Calendar())
    scores, kept = scoring.resume(history, model, found, earlier)
    return scores, {one.key: one for one in kept}


def _picked(panel: Panel, rows: list[int]) -> Panel:
    return dataclasses.replace(
        panel, values=panel.values[rows], workloads=tuple(panel.workloads[i] for i in rows)
    )


def _changed(panel: Panel, at: tuple[int, int, int] | None, value: float) -> Panel:
    values = panel.values.copy()
    if at is not None:
        values[at[0], at[1], at[2] % values.shape[2]] = value
    return dataclasses.replace(panel, values=values)


def _assert_same(one: Scores, other: Scores) -> None:
    for field in FIELDS:
        np.testing.assert_array_equal(getattr(one, field), getattr(other, field))
    assert (one.scorer, one.fallback_reason) == (other.scorer, other.fallback_reason)


def _assert_carries_the_same(one: dict[str, Carried], other: dict[str, Carried]) -> None:
    assert one.keys() == other.keys()
    for key, found in one.items():
        assert found.fed == other[key].fed
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(found, name), getattr(other[key], name))


@given(
    now_s=st.sampled_from([MORNING, AFTERNOON]),
    later_s=st.integers(0, 20 * HOUR),
    step_s=st.sampled_from([300, 900, 3_600]),
    rows=st.permutations(range(4)).flatmap(lambda all_: st.integers(1, 4).map(lambda n: list(all_[:n]))),
    late=st.none() | st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 10_000)),
    late_week=st.none() | st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(0, 10_000)),
    value=st.sampled_from([0.0, 50.0, np.nan, np.inf]),
)
@settings(max_examples=25)
def test_going_on_from_what_was_carried_changes_no_bit(
    broken_world, starter, now_s, later_s, step_s, rows, late, late_week, value
) -> None:
    """Whatever happened between two runs: late samples, other workloads, another order, a new day."""
    first, then = broken_world.history(now_s, step_s), broken_world.history(now_s + later_s, step_s)
    assert then.week_ago is not None
    then = History(
        _picked(_changed(then.recent, late, value), rows),
        _picked(_changed(then.week_ago, late_week, value), rows),
        then.reference,
        then.judged_from_s,
    )
    _, earlier = _resume(first, starter, {})

    warm, kept = _resume(then, starter, earlier)

    cold, kept_cold = _resume(then, starter, {})
    plain, nothing = _resume(then, starter, None)
    assert nothing == {}
    _assert_same(plain, cold)
    _assert_same(plain, warm)
    _assert_carries_the_same(kept_cold, kept)


@pytest.fixture(scope="module")
def broken_world(make_world):
    """Four workloads, one of them with an outage since before midnight and gaps."""
    world = make_world(4)

    def outage(values: np.ndarray, times: np.ndarray) -> None:
        values[1, 2, times >= AFTERNOON - 20 * HOUR] *= 3
        values[2, 0, times // STEP % 11 == 0] = np.nan

    world.events.append(outage)
    return world


@pytest.fixture
def counted(starter):
    """Return the starter model, and the list of the rows and buckets of each call of its network."""
    calls: list[tuple[int, int]] = []

    class Counted:
        def run(self, names: list[str], feed: dict[str, np.ndarray]) -> list[np.ndarray]:
            calls.append(feed["x"].shape[:2])
            return starter.session.run(names, feed)

    return Model(starter.card, Counted()), calls


def _fed(calls: list[tuple[int, int]]) -> int:
    return sum(rows * length for rows, length in calls)


def test_only_what_is_new_is_fed(broken_world, counted) -> None:
    model, calls = counted
    _, earlier = _resume(broken_world.history(AFTERNOON, STEP), model, {})
    series = sum(len(one.digest) for one in earlier.values())
    calls.clear()
    _resume(broken_world.history(AFTERNOON + HOUR, STEP), model, earlier)
    assert 0 < _fed(calls) <= series * (12 + lstm.BLOCK)  # 12 new buckets, and the last, open block


def test_a_late_sample_costs_one_series_its_place(broken_world, counted) -> None:
    model, calls = counted
    first = broken_world.history(AFTERNOON, STEP)
    _, earlier = _resume(first, model, {})
    then = dataclasses.replace(first, recent=_changed(first.recent, (3, 0, 100), 123.0))
    calls.clear()
    _resume(then, model, earlier)
    whole = len(first.recent.times)
    assert whole < _fed(calls) < whole + 12 * lstm.BLOCK


@pytest.mark.parametrize("what", ["model", "step", "calendar", "day", "threshold"])
def test_nothing_is_found_that_was_made_with_something_else(broken_world, starter, what: str) -> None:
    first = broken_world.history(AFTERNOON, STEP)
    model, calendar = starter, Calendar()
    _, earlier = _resume(first, starter, {})
    if what == "model":
        model = Model(starter.card.model_copy(update={"sha256": "0" * 64}), starter.session)
    if what == "threshold":
        any_signal = starter.card.any_signal.model_copy(update={"threshold": 9.0})
        model = Model(starter.card.model_copy(update={"any_signal": any_signal}), starter.session)
    if what == "calendar":
        calendar = Calendar(holidays=("2026-03-19",))
    then = broken_world.history(AFTERNOON + 86_400 * (what == "day"), 900 if what == "step" else STEP)

    _, kept = _resume(then, model, earlier, calendar)

    assert not kept.keys() & earlier.keys()


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_another_size_are_not_used(broken_world, starter, name: str) -> None:
    history = broken_world.history(AFTERNOON, STEP)
    scores, earlier = _resume(history, starter, {})
    cut = {key: dataclasses.replace(one, **{name: getattr(one, name)[:, 1:]}) for key, one in earlier.items()}
    _assert_same(scores, _resume(history, starter, cut)[0])


def test_a_run_about_an_earlier_time_starts_from_the_anchor(broken_world, starter) -> None:
    _, earlier = _resume(broken_world.history(AFTERNOON + 2 * HOUR, STEP), starter, {})
    history = broken_world.history(AFTERNOON, STEP)
    _assert_same(_resume(history, starter, None)[0], _resume(history, starter, earlier)[0])


@given(column=st.integers(0, 719), bits=st.integers(1, 2**64 - 1), row=st.integers(0, 2), week=st.booleans())
def test_any_changed_number_changes_the_digest(
    broken_world, starter, column: int, bits: int, row: int, *, week: bool
) -> None:
    history = broken_world.history(AFTERNOON, STEP)
    batch = _batch(history)
    before = carried._Weights(batch, np.zeros((len(batch.values), 2)), 1).of(0, 720)
    values = batch.week_ago if week else batch.values
    values[row : row + 1, column : column + 1].view(np.uint64)[...] ^= np.uint64(bits)
    after = carried._Weights(batch, np.zeros((len(batch.values), 2)), 1).of(0, 720)
    assert [row] == np.flatnonzero((before != after).all(axis=1)).tolist()


def _batch(history: History):
    span = next(iter(local_time.spans(history.judged_from_s // 86_400 * 86_400, Calendar())))
    week = past.aligned(history.week_ago, history.recent)
    return past.batch(history, week, span, Calendar())
