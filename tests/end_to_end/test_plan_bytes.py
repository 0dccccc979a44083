"""The same data gives the same plan, byte for byte, in whatever order the series arrive."""

from __future__ import annotations

import numpy as np

from aiops import connect, pipeline
from aiops.config_file import load
from aiops.domain import Answer
from aiops.propose import plan_file

REPEATS = 20


class Shuffled:
    """Answers with the same series in another order."""

    def __init__(self, metrics, seed):
        self._metrics, self._random = metrics, np.random.default_rng(seed)

    def read(self, query, grid):
        answer = self._metrics.read(query, grid)
        order = self._random.permutation(len(answer.labels))
        labels = tuple(answer.labels[row] for row in order)
        return Answer(query, labels, answer.values[order], answer.times, answer.warnings, answer.samples)

    def now_s(self):
        return self._metrics.now_s()


def test_the_plan_is_byte_identical_over_20_repeats_with_shuffled_series(world):
    config = load(world.config)
    job = connect.job(config, [])
    metrics = connect.metrics(config, 300)
    plans = set()
    for seed in range(REPEATS):
        found = pipeline.analyse(
            job, Shuffled(metrics, seed), connect.repository(config), world.now_s, lambda _: None
        )
        plans.add(plan_file.dump(found.plan))
    assert len(plans) == 1
    assert plan_file.dump(plan_file.load(next(iter(plans)))) == next(iter(plans))
