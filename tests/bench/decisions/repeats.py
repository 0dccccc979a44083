"""The same bytes, whatever the order, the schedule or the shard: `make bench-bytes REPEATS=1000`.

One scenario with two proposals is analysed again and again with its series in another order, and
with what earlier runs carried; the plans must be one. Then each half of the workloads alone must
get the scores that it gets beside the others.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from dataclasses import dataclass, replace

import numpy as np
from bench.decisions import judge, scenario
from bench.decisions.scenario import Scene
from bench.decisions.stage import stage

from aiops import pipeline
from aiops.domain import Answer, Grid, Query
from aiops.job import Earlier, Result
from aiops.ports import Metrics
from aiops.propose import plan_file

NAME, SEED = "release-and-surge-elsewhere", 101


@dataclass(frozen=True, slots=True)
class Shuffled:
    """Answers with the same series in another order."""

    metrics: Metrics
    seed: int

    def now_s(self) -> int:
        return self.metrics.now_s()

    def read(self, query: Query, grid: Grid) -> Answer:
        answer = self.metrics.read(query, grid)
        order = np.random.default_rng([self.seed, *query.name.encode()]).permutation(len(answer.labels))
        labels = tuple(answer.labels[row] for row in order)
        return replace(answer, labels=labels, values=answer.values[order])


@dataclass(frozen=True, slots=True)
class Shard:
    """Only what is about some workloads: what another process of a sharded job would read."""

    metrics: Metrics
    names: Collection[str]

    def now_s(self) -> int:
        return self.metrics.now_s()

    def read(self, query: Query, grid: Grid) -> Answer:
        answer = self.metrics.read(query, grid)
        if query.signal is None:
            return answer
        kept = [i for i, own in enumerate(answer.labels) if own[query.workload_label] in self.names]
        return replace(answer, labels=tuple(answer.labels[i] for i in kept), values=answer.values[kept])


def analysed(scene: Scene, metrics: Metrics, earlier: Earlier = None) -> Result:
    """Return one analysis."""
    files = judge.manifests(scene)
    return pipeline.analyse(judge.job(), metrics, files, scene.stage.now_s, lambda _: None, earlier)


def plans(scene: Scene, metrics: Metrics, repeats: int, carried: Earlier) -> set[bytes]:
    """Return the different plans of so many runs, every other one with what earlier runs carried."""
    found = set()
    for number in range(repeats):
        earlier = carried if number % 2 else None
        found.add(plan_file.dump(analysed(scene, Shuffled(metrics, number), earlier).plan))
        if sys.stderr.isatty():
            print(f"\r{number + 1} of {repeats}", end="", file=sys.stderr)
    return found


def shards_agree(scene: Scene, metrics: Metrics, parts: int) -> bool:
    """Tell whether every workload has the same incident in its shard as in one run for all.

    A shard lists the others as well: it knows their kinds, and has no samples of them.
    """
    whole = {one.workload: one for one in analysed(scene, metrics).incidents}
    names = sorted(workload.name for workload in whole)
    alone = {}
    for part in range(parts):
        own = set(names[part::parts])
        incidents = analysed(scene, Shard(metrics, own)).incidents
        alone.update({one.workload: one for one in incidents if one.workload.name in own})
    return alone == whole


def main() -> int:
    """Print how many plans came out; 1 when they are more than one."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("repeats", type=int, nargs="?", default=1000)
    given = parser.parse_args()
    (one,) = scenario.only(scenario.load(), [NAME])
    scene = scenario.play(one, stage(SEED))
    before = judge.calm(scene.stage)
    metrics = judge.told(scene, before)
    found = plans(scene, metrics, given.repeats, judge.carried(scene.stage, before))
    print(f"{given.repeats} runs, series shuffled, half going on from earlier runs: {len(found)} plan(s)")
    agree = [parts for parts in (2, 3, 5) if shards_agree(scene, metrics, parts)]
    print(f"incidents as in one run for all, of 2, 3 and 5 shards: {agree}")
    return int(len(found) != 1 or len(agree) != 3)


if __name__ == "__main__":
    sys.exit(main())
