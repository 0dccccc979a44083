from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.detect.model import Model
from aiops.detect.wide import Table, score_table
from aiops.errors import ConfigError


def _table(values: np.ndarray, step_s: int = 300, times: np.ndarray | None = None) -> Table:
    stamps = 1_773_000_000 + np.arange(len(values)) * step_s if times is None else times
    return Table(stamps.astype(str), stamps, tuple(f"m{i}" for i in range(values.shape[1])), values)


def _waves(rows: int = 1_200, columns: int = 3, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    phase = np.arange(rows)[:, None] / 288 * 2 * np.pi
    return 10 + np.sin(phase + np.arange(columns)) * 4 + rng.normal(size=(rows, columns)) * 0.3


@pytest.mark.parametrize("with_model", [True, False])
def test_a_shift_in_one_column_is_found_in_that_column(starter: Model, *, with_model: bool) -> None:
    values = _waves()
    values[900:930, 1] += 15
    scores = score_table(_table(values), 600, starter if with_model else None)
    assert scores.scorer == ("lstm" if with_model else "forest")
    assert np.mean(scores.score[900:930] >= 1) > 0.8
    assert np.median(scores.columns[900:930, 1]) > np.median(scores.columns[900:930, 0])
    assert np.mean(scores.score[600:900] >= 1) < 0.1


@pytest.mark.parametrize("with_model", [True, False])
@pytest.mark.parametrize("step_s", [60, 300, 3_600, 14_400, 86_400])
@pytest.mark.parametrize("cut", [750, 801])
def test_cutting_off_rows_never_changes_an_earlier_score(
    starter: Model, step_s: int, cut: int, *, with_model: bool
) -> None:
    model = starter if with_model else None
    values = _waves(1_000)
    values[700:, 2] = 50
    whole = score_table(_table(values, step_s), 500, model)
    part = score_table(_table(values[:cut], step_s), 500, model)
    np.testing.assert_array_equal(whole.score[:cut], part.score)
    np.testing.assert_array_equal(whole.columns[:cut], part.columns)


@settings(max_examples=10)
@given(st.integers(0, 2**32 - 1))
def test_irregular_repeated_and_backward_timestamps_only_read_the_past(starter: Model, seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = [0, -300, 60, 290, 300, 310, 1_000, 40 * 86_400]
    jumps = rng.choice(kinds, p=[0.05, 0.03, 0.1, 0.2, 0.4, 0.2, 0.015, 0.005], size=700)
    times = 1_773_000_000 + np.cumsum(jumps)
    values = _waves(700, 2, seed % 100)
    values[rng.random(values.shape) < 0.1] = np.nan
    cut = int(rng.integers(350, 700))
    whole = score_table(_table(values, times=times), 300, starter)
    part = score_table(_table(values[:cut], times=times[:cut]), 300, starter)
    np.testing.assert_array_equal(whole.score[:cut], part.score)
    seen = np.isfinite(values).any(axis=1)
    np.testing.assert_array_equal(seen[300:], np.isfinite(whole.score[300:]))


@pytest.mark.parametrize("with_model", [True, False])
@pytest.mark.parametrize("rows", [2, 20, 200, 900])
def test_every_row_after_the_history_has_a_score(starter: Model, rows: int, *, with_model: bool) -> None:
    values = np.full((rows, 5), np.nan)
    values[:, 0] = 3.0  # constant
    values[rows // 2 :, 1] = 1e300  # empty in the history, then absurd
    values[:, 2] = _waves(rows, 1)[:, 0]
    values[:, 3] = np.where(np.arange(rows) % 7 == 0, np.inf, 1e12 + np.arange(rows))
    scores = score_table(_table(values), None, starter if with_model else None)
    assert scores.train_rows == max(1, rows // 5)
    assert np.isfinite(scores.score[scores.train_rows :]).all()
    assert np.isnan(scores.columns[:, 4]).all()


def test_a_row_without_any_sample_has_no_score(starter: Model) -> None:
    values = _waves()
    values[1_000] = np.nan
    scores = score_table(_table(values), 600, starter)
    assert np.flatnonzero(np.isnan(scores.score)).tolist() == [1_000]


def test_too_little_history_says_so(starter: Model) -> None:
    scores = score_table(_table(_waves(100)), 20, starter)
    assert scores.scorer == "baseline"
    assert "history" in str(scores.fallback_reason)


@pytest.mark.parametrize("train_rows", [100, 101])
def test_nothing_left_to_judge_is_a_usage_error(starter: Model, train_rows: int) -> None:
    with pytest.raises(ConfigError, match="fewer than the table's 100 rows"):
        score_table(_table(_waves(100)), train_rows, starter)


def test_an_empty_table_is_a_usage_error(starter: Model) -> None:
    with pytest.raises(ConfigError, match="found none"):
        score_table(_table(np.zeros((0, 2))), None, starter)


@pytest.mark.parametrize("name", ["nab", "wsd", "asd", "smd"])
def test_real_series_are_scored_from_the_past_alone(starter: Model, name: str) -> None:
    from aiops.edges import table

    folder = Path(__file__).parents[3] / "shared" / "data" / "detection" / name
    files = sorted(path for path in folder.glob("*.csv.gz") if "causes" not in path.name)
    if not files:
        pytest.skip("the development data is not beside this checkout")
    with gzip.open(files[0], "rt") as lines:
        assert next(lines).startswith("timestamp")
    found = table.read(files[0])

    def head(rows: int) -> Table:
        return Table(found.timestamps[:rows], found.times[:rows], found.columns, found.values[:rows])

    short, cut = head(4_000), head(2_777)
    whole = score_table(short, 1_500, starter)
    np.testing.assert_array_equal(whole.score[:2_777], score_table(cut, 1_500, starter).score)
    seen = np.isfinite(short.values).any(axis=1)
    assert np.isfinite(whole.score[seen][1_500:]).all()
