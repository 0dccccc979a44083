"""Nothing of a world of the past lies after its time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from evaluate.conftest import END_S

from aiops.domain import Commit, Grid
from aiops.errors import ConfigError
from aiops.evaluate.worlds import PastMetrics, PastRepository
from aiops.ingest import presets

QUERIES = {one.name: one for one in (*presets.signal_queries(presets.DEFAULT), *presets.context_queries())}
HOUR_S = 3_600


@dataclass
class Log:
    """A repository that has only commits: (id, time) oldest first."""

    entries: tuple[tuple[str, int], ...]
    shallow: bool = False

    def head(self, base):
        return self.entries[-1][0]

    def commits(self, sha, path, limit):
        return tuple(Commit(name, time_s, "", ()) for name, time_s in reversed(self.entries))[:limit]


def heads(entries, times):
    past = PastRepository(Log(entries), "main")
    found = []
    for past.now in times:
        found.append(past.head("main"))
    return found


def test_the_branch_points_to_its_newest_commit_of_then():
    assert heads((("a", 10), ("b", 20), ("c", 30)), (10, 19, 20, 99)) == ["a", "a", "b", "c"]


def test_a_clock_that_went_back_hides_nothing_that_came_after():
    assert heads((("a", 10), ("b", 30), ("c", 20)), (10, 29, 30)) == ["a", "a", "c"]


def test_before_the_first_commit_there_is_nothing_to_replay():
    with pytest.raises(ConfigError, match="no commit"):
        heads((("a", 10),), (9,))


@pytest.mark.parametrize("name", ["request_rate", "call_rate", "replicas_desired", "image"])
def test_an_answer_of_then_is_the_recorded_one_without_what_came_later(past, name):
    _, metrics, _ = past.doors()
    world = PastMetrics(metrics, END_S)
    for back_s, length_s in ((5 * HOUR_S, HOUR_S), (5 * HOUR_S - 300, 26 * HOUR_S), (HOUR_S, 3 * HOUR_S)):
        world.now = END_S - back_s
        grid = Grid(world.now - length_s, world.now + 1_200, 60)  # asks 20 minutes too far
        found, real = world.read(QUERIES[name], grid), metrics.read(QUERIES[name], grid)
        expected = np.where(real.times <= world.now, real.values, np.nan)
        kept = np.isfinite(expected).any(axis=1)
        np.testing.assert_array_equal(found.values, expected[kept])
        assert list(found.labels) == [one for one, keep in zip(real.labels, kept, strict=True) if keep]
