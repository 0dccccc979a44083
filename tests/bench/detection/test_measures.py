from __future__ import annotations

import numpy as np
import pytest
from bench.detection.measures import (
    Judged,
    buffer_steps,
    events,
    felt,
    felt_at,
    judged,
    ranking,
    vus_pr,
)
from hypothesis import given
from hypothesis import strategies as st


def _case(seed: int) -> tuple[np.ndarray, np.ndarray, int]:
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(120, 1_500))
    label = np.zeros(rows)
    for start in rng.integers(0, rows, size=int(rng.integers(1, 9))):
        label[start : start + int(rng.integers(1, 60))] = 1
    if seed == 0:
        label[[0, -1]] = 1
    return np.round(rng.random(rows) + label * 0.3, 1 + seed), label, int(rng.integers(0, 150))


def _series(score: list[float], label: list[int], step_s: float = 60) -> Judged:
    return Judged(np.array(score, float), np.array(label) > 0, step_s)


# What TSB-AD 1.5 itself gives for these: VUS-PR, AUC-PR, Standard-F1 (its F1 divides by 0.00001 more).
@pytest.mark.parametrize(
    ("seed", "vus", "auc", "f1"),
    [
        (0, 0.584218503, 0.523480003, 0.49849378),
        (1, 0.767168063, 0.590960612, 0.4871745),
        (2, 0.498045642, 0.468182297, 0.509087114),
        (3, 0.400462639, 0.376260166, 0.526311911),
        (4, 0.674788689, 0.527493687, 0.438658286),
    ],
)
def test_the_ranking_equals_the_benchmarks_own(seed: int, vus: float, auc: float, f1: float) -> None:
    score, label, window = _case(seed)
    found = ranking(judged(score, label, 0, 60), window)
    assert found.vus_pr == pytest.approx(vus, abs=2e-9)
    assert found.auc_pr == pytest.approx(auc, abs=2e-9)
    assert found.f1 == pytest.approx(f1, abs=1e-5)


# TSB-AD 1.5's find_length_rank of the same waves.
@pytest.mark.parametrize(
    ("period", "rows", "expected"), [(288, 600, 125), (24, 600, 24), (37, 30_000, 37), (900, 4_000, 125)]
)
def test_the_buffer_is_the_period_of_the_history(period: int, rows: int, expected: int) -> None:
    rng = np.random.default_rng(period)
    wave = np.sin(np.arange(rows) / period * 2 * np.pi) + rng.normal(size=rows) * 0.2
    assert expected == buffer_steps(wave)


@pytest.mark.parametrize("history", [[1.0] * 500, [np.nan] * 500, [3.0]])
def test_a_history_without_a_period_gets_the_default_buffer(history: list[float]) -> None:
    assert buffer_steps(np.array(history)) == 125


def test_a_perfect_score_has_full_marks_when_the_buffer_is_none() -> None:
    label = np.repeat([0, 1, 0], [300, 40, 300])
    found = ranking(judged(label.astype(float), label, 0, 60), 0)
    assert (found.vus_pr, found.auc_pr, found.f1, found.unscored) == (1.0, 1.0, 1.0, 0.0)


@given(st.integers(0, 2**32 - 1), st.floats(0.3, 3))
def test_only_the_order_of_the_scores_counts(seed: int, power: float) -> None:
    rng = np.random.default_rng(seed)
    score, label = np.round(rng.random(300), 2), rng.random(300) < 0.1
    label[7] = True
    assert vus_pr(score, label, 20) == pytest.approx(vus_pr(score**power * 3 + 1, label, 20), abs=1e-12)


def test_rows_before_the_history_ends_are_not_measured() -> None:
    score, label, window = _case(3)
    label[:400] = 0
    early = np.concatenate([np.full(400, 9.0), score[400:]])
    assert ranking(judged(score, label, 400, 60), window) == ranking(judged(early, label, 400, 60), window)


def test_a_row_without_a_score_ranks_last_and_is_counted() -> None:
    found = ranking(_series([0.1, np.nan, 0.2, 0.3], [0, 1, 0, 0]), 0)
    assert found.unscored == 0.25
    assert found.auc_pr == 0.25


def test_a_series_without_an_anomaly_has_no_ranking() -> None:
    found = ranking(_series([0.1, 0.2], [0, 0]), 5)
    assert np.isnan([found.vus_pr, found.auc_pr, found.f1]).all()


def test_gaps_of_five_steps_are_joined_and_of_six_are_not() -> None:
    five = [2, 0, 0, 0, 0, 0, 2, 0]
    six = [2, 0, 0, 0, 0, 0, 0, 2]
    assert events(_series(five, [0] * 8), 1.0).false == 1
    assert events(_series(six, [0] * 8), 1.0).false == 2


def test_an_event_is_true_when_it_overlaps_a_label_even_in_its_gap() -> None:
    found = events(_series([2, 0, 0, 2, 0, 0, 0, 0, 0, 0, 2], [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]), 1.0)
    assert (found.delays.tolist(), found.missed, found.false) == ([0], 0, 1)


def test_an_endless_event_finds_all_and_shows_as_time_in_alarm() -> None:
    found = felt([_series([2] * 10, [0, 0, 0, 1, 0, 0, 1, 1, 0, 0])])
    assert (found.recall, found.false_per_day, found.alarmed) == (1.0, 0.0, 1.0)


def test_the_time_in_alarm_counts_joined_gaps_and_no_labelled_row() -> None:
    found = felt([_series([0, 2, 0, 2, 2, 0], [0, 0, 0, 0, 1, 1])])
    assert found.alarmed == 3 / 4


def test_the_delay_counts_from_the_first_labelled_row() -> None:
    label = [0, 1, 1, 1, 1, 0, 0, 1, 1]
    found = events(_series([0, 0, 0, 2, 2, 2, 0, 0, 0], label), 1.0)
    assert (found.delays.tolist(), found.missed, found.false) == ([2], 1, 0)


def test_one_event_can_find_two_segments() -> None:
    found = events(_series([0, 2, 2, 2, 2, 0], [0, 0, 1, 0, 1, 0]), 1.0)
    assert (found.delays.tolist(), found.missed, found.false) == ([0, 0], 0, 0)


def test_exactly_the_threshold_is_not_above_it() -> None:
    found = events(_series([0, 1.0, 0], [0, 1, 0]), 1.0)
    assert (found.missed, found.false) == (1, 0)


def test_the_collection_pools_segments_and_days() -> None:
    day = 1_440
    quiet = _series([0] * day, [0] * day)
    noisy = _series([2, *[0] * (day - 4), 2, 2, 2], [*[0] * (day - 2), 1, 1])
    found = felt([quiet, noisy])
    assert (found.recall, found.delay_steps, found.false_per_day) == (1.0, 0.0, 0.5)


def test_the_delay_in_minutes_knows_the_step() -> None:
    slow = _series([0, 0, 2], [0, 1, 1], step_s=300)
    assert (felt([slow]).delay_steps, felt([slow]).delay_minutes) == (1.0, 5.0)


@given(st.integers(0, 2**32 - 1), st.floats(0.01, 100))
def test_equal_false_alarms_do_not_depend_on_the_scale_of_the_score(seed: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    label = rng.random(2_000) < 0.02
    one = Judged(rng.random(2_000) + label * 0.5, label, 60)
    other = Judged(one.score * scale, label, 60)
    rates = (0.0, 3.0, 20.0)
    for rate, first, second in zip(rates, felt_at([one], rates), felt_at([other], rates), strict=True):
        assert first.false_per_day <= rate
        assert (first.recall, first.false_per_day) == (second.recall, second.false_per_day)


def test_a_higher_rate_of_false_alarms_never_finds_less() -> None:
    rng = np.random.default_rng(1)
    label = np.repeat(rng.random(100) < 0.1, 50)
    one = Judged(rng.random(5_000) + label * 0.02, label, 60)
    recalls = [found.recall for found in felt_at([one], (0.0, 1.0, 5.0, 20.0))]
    assert recalls == sorted(recalls)
    assert recalls[-1] > recalls[0]
