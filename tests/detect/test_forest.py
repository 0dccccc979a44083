from __future__ import annotations

import numpy as np

from aiops.detect import forest
from aiops.detect.bands import Batch
from aiops.detect.settings import Calendar
from aiops.domain import Workload


def _batch(seed: int = 0) -> Batch:
    rng = np.random.default_rng(seed)
    times = np.arange(3 * 1_440, dtype=np.int64) * 60
    daily = np.sin(times / 86_400 * 2 * np.pi)
    values = np.stack([50 + 20 * daily, 100 + 10 * daily]) + rng.normal(size=(2, len(times)))
    return Batch(values, None, times, 60, 2_880, np.array([0.5, 5.0]), np.array([0, 1]), Calendar())


def test_the_seed_belongs_to_workload_and_day() -> None:
    seeds = {
        forest.seed(Workload("c", "n", kind, name), day)
        for kind in ("", "Deployment")
        for name in ("a", "b")
        for day in (0, 86_400)
    }
    assert len(seeds) == 4  # the kind is not part of a workload's identity


def test_the_same_seed_gives_the_same_bits() -> None:
    one, other = forest.judge(_batch(), 7, 15)[0], forest.judge(_batch(), 7, 15)[0]
    np.testing.assert_array_equal(one, other)


def test_a_shift_is_odd_and_the_signal_that_moved_is_named() -> None:
    batch = _batch()
    batch.values[0, 4_000:4_060] *= 3
    scores, _ = forest.judge(batch, 7, 15)
    assert np.mean(scores[0, 4_005:4_060] >= 1) > 0.9
    assert np.mean(scores[1, 4_005:4_060] >= 1) == 0
    assert np.mean(scores[:, 2_880:4_000] >= 1) < 0.05


def test_a_move_to_the_good_side_is_no_anomaly() -> None:
    batch = _batch()
    batch.values[1, 4_000:4_060] *= 0.3  # latency: only up is bad
    assert np.mean(forest.judge(batch, 7, 15)[0][1] >= 1) < 0.02


def test_missing_stays_missing() -> None:
    batch = _batch()
    batch.values[0, 4_000:4_010] = np.nan
    batch.values[:, 4_100] = np.nan
    scores, _ = forest.judge(batch, 7, 15)
    np.testing.assert_array_equal(np.isnan(batch.values), np.isnan(scores))
