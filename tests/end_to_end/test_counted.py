"""What a run touches is counted, to the last query."""

from __future__ import annotations

from dataclasses import replace

from aiops import connect, pipeline
from aiops.config_file import load


class OneSampleEach:
    """Answers as the recording does, and says that each answer touched one sample."""

    def __init__(self, metrics):
        self._metrics, self.asked = metrics, 0

    def read(self, query, grid):
        self.asked += 1
        return replace(self._metrics.read(query, grid), samples=1)

    def now_s(self):
        return self._metrics.now_s()


def test_every_query_of_a_run_is_in_the_samples_that_it_tells(world):
    config = load(world.config)
    metrics = OneSampleEach(connect.metrics(config, 300))
    repository = connect.repository(config)
    found = pipeline.analyse(connect.job(config, []), metrics, repository, world.now_s, lambda _: None)
    assert metrics.asked == found.samples
