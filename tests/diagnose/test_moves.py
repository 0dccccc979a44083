from __future__ import annotations

import numpy as np

from aiops.diagnose.moves import locate, moves

HOUR = 60
NONE = np.zeros(1)


def noise(seed: int, steps: int = 600, series: int = 1) -> np.ndarray:
    """Return [series, 1, steps] around 100."""
    return 100 + np.random.default_rng(seed).normal(0, 2, (series, 1, steps))


def test_a_jump_is_many_usual_moves_and_noise_is_about_one() -> None:
    values = noise(1, series=2)
    values[0, 0, -4:] += 40
    found = moves(values, 596, HOUR, NONE)
    jumped, calm = found.sizes(found.moved)[:, 0]
    assert jumped > 15
    assert calm < 3


def test_a_series_that_jumps_every_hour_needs_a_larger_jump() -> None:
    restless = noise(2)
    restless[0, 0, (np.arange(600) // 30) % 2 == 1] += 40
    restless[0, 0, -4:] = restless[0, 0, 530] + 40
    found = moves(restless, 596, HOUR, NONE)
    assert found.sizes(found.moved)[0, 0] < 3


def test_one_wild_sample_is_no_move() -> None:
    values = noise(3)
    values[0, 0, -2] = 1e9
    found = moves(values, 596, HOUR, NONE)
    assert found.sizes(found.moved)[0, 0] < 3


def test_a_move_smaller_than_what_matters_is_small() -> None:
    values = np.full((1, 1, 600), 0.001)
    values[0, 0, -4:] = 0.003
    found = moves(values, 596, HOUR, np.array([0.01]))
    assert found.sizes(found.moved)[0, 0] < 1


def test_what_was_never_measured_has_no_size() -> None:
    values = noise(4, series=3)
    values[0] = np.nan  # never
    values[1, 0, -4:] = np.nan  # gone
    values[2, 0, :596] = np.nan  # new
    found = moves(values, 596, HOUR, NONE)
    assert found.sizes(found.moved)[:, 0].tolist() == [0, 0, 0]


def test_what_comes_after_the_last_step_that_is_given_changes_nothing() -> None:
    values = noise(5)
    values[0, 0, 500:] += 30
    cut = moves(values[:, :, :510], 500, HOUR, NONE)
    values[0, 0, 510:] = -1e6
    again = moves(values[:, :, :510], 500, HOUR, NONE)
    np.testing.assert_array_equal(cut.usual, again.usual)
    np.testing.assert_array_equal(cut.moved, again.moved)


def test_the_step_is_found_at_which_most_moved_inside_an_older_smaller_trouble() -> None:
    values = noise(6, series=5)
    values[0, 0, 580:] += 15
    values[1:, 0, 594:] += 40
    assert locate(values, 580, HOUR, NONE, 3.0) == 594


def test_a_step_is_named_even_where_nothing_moved() -> None:
    assert locate(np.full((2, 1, 100), 7.0), 95, HOUR, NONE, 3.0) == 95


def test_a_first_step_too_near_the_end_is_moved_before_it() -> None:
    assert locate(noise(7, steps=100), 99, HOUR, NONE, 3.0) == 98
