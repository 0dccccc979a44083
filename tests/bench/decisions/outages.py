"""Outages of our inputs: `make bench-outages SEEDS=5`. No pull request may come of them.

Each row of the fault list is laid over the metrics of an ordinary hour, for windows of several
lengths and for one or all of the series, and the whole pipeline runs. Beside them stand controls:
real incidents on the same stage, which must be caught. What the network itself does (slow drips,
cut bodies, redirects) ends in `DataUnusable` at the edge (tests/edges) and is one row here.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from bench.decisions import judge, scenario
from bench.decisions.hosted import HeldForge
from bench.decisions.scenario import Scene
from bench.decisions.stage import HOUR, MINUTE, stage
from bench.incidents.intervals import wilson

from aiops.domain import Answer, Grid, Query
from aiops.edges.read_only import ReadOnlyForge
from aiops.errors import DataUnusable
from aiops.ports import Metrics

JUDGE_FROM = 401
WINDOWS_MIN = (4, 15, 45, 180)  # the newest so many minutes
ALL = "all series"
Change = Callable[[np.ndarray, np.random.Generator], np.ndarray]  # [N, n] of a window -> the same shape
CONTROLS = ("release-errors", "bad-auth", "release-crash-loop", "surge-fixed-replicas", "hpa-maxed")


def _gone(values: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.full_like(values, np.nan)


def _gaps(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return np.where(rng.random(values.shape) < 0.4, np.nan, values)


def _huge(values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """One point in fifty is no number that anything has: what a broken exporter writes."""
    odd = rng.choice([1e308, -1e308, 5e-324], size=values.shape)
    return np.where(rng.random(values.shape) < 0.02, odd, values)


def _flat(values: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.repeat(values[:, :1], values.shape[1], axis=1)


def _zero(values: np.ndarray, _: np.random.Generator) -> np.ndarray:
    return np.where(np.isnan(values), np.nan, 0.0)


def _every_other(values: np.ndarray, _: np.random.Generator) -> np.ndarray:
    found = values.copy()
    found[:, ::4] = np.nan
    return found


# Row of the fault list -> what it does to a window of an answer.
ON_VALUES: dict[str, Change] = {
    "F09 empty vector": _gone,
    "F11 gaps": _gaps,
    "F12 odd numbers": _huge,
    "F21 scrape interval": _every_other,
    "F22 flat": _flat,
    "F22 all zero": _zero,
}
# Row -> what happens in the plant: its exporters are hit, and `up` tells of it.
ON_PLANT: dict[str, list[str]] = {
    "F10 targets died": ["{scrape_outage: JOB, ago_min: MIN}"],
    "F13 counter reset": ["{counter_reset: ROLE, ago_min: MIN}"],
    "F15 labels change at deploy": ["{config: ROLE, ago_min: MIN}"],
    "F20 everything": ["{scrape_outage: all, ago_min: MIN}"],
}

HIT = (("envoy-stats", "middle"), ("kubelet", "auth"), ("kube-state-metrics", "alone"))


@dataclass(frozen=True, slots=True)
class Faulty:
    """Metrics whose newest `window_s` are changed in the answers of one query, or of all."""

    metrics: Metrics
    change: Change
    only: str
    window_s: int
    seed: int

    def now_s(self) -> int:
        return self.metrics.now_s()

    def read(self, query: Query, grid: Grid) -> Answer:
        answer = self.metrics.read(query, grid)
        if self.only not in (ALL, query.name):
            return answer
        first = int(np.searchsorted(grid.times, self.metrics.now_s() - self.window_s))
        rng = np.random.default_rng([self.seed, *query.name.encode()])
        values = answer.values.copy()
        if values.size and first < values.shape[1]:
            values[:, first:] = self.change(values[:, first:], rng)
        kept = [i for i in range(len(values)) if not np.isnan(values[i]).all()]
        return replace(answer, values=values[kept], labels=tuple(answer.labels[i] for i in kept))


@dataclass(frozen=True, slots=True)
class Broken:
    """Metrics that fail to answer one query, or say that it is partial, or know little history."""

    metrics: Metrics
    row: str
    only: str

    def now_s(self) -> int:
        return self.metrics.now_s()

    def read(self, query: Query, grid: Grid) -> Answer:
        answer = self.metrics.read(query, grid)
        if self.row.startswith("F19"):
            young = grid.times < self.metrics.now_s() - 30 * MINUTE
            values = np.where(young[None, :], np.nan, answer.values)
            return replace(answer, values=values)
        if self.only in (ALL, query.name):
            if self.row.startswith("F01"):
                raise DataUnusable("no answer", where=f"query {query.name}")
            if self.row.startswith("F06"):
                return replace(answer, warnings=("remote read failed",))
        return answer


@dataclass(frozen=True, slots=True)
class Trial:
    """One outage: `said`: pull requests that it would have opened. For a control: whether it was caught."""

    row: str
    said: tuple[str, ...]
    caught: bool | None = None


def trials(seed: int) -> list[Trial]:
    """Return every outage of one stage, then its controls."""
    there = stage(seed)
    before = judge.calm(there)
    played = {one.name: one for one in scenario.load()}
    calm = scenario.play(played["nothing"], there)
    found = [
        *(_run(row, scene, metrics) for row, scene, metrics in _answers(calm, judge.told(calm, before))),
        *(_run(row, scene, judge.told(scene, before)) for row, scene in _plants(calm)),
    ]
    for name in CONTROLS:
        made = judge.judge(played[name], there, before)
        found.append(Trial(f"control {name}", (), made.opened_right > 0 and made.verdict == "right"))
    before.keep()
    return found


def _answers(calm: Scene, metrics: Metrics) -> Iterator[tuple[str, Scene, Metrics]]:
    """Yield the outages that show in answers."""
    signals = [query.name for query in judge.job().signals]
    seed = calm.stage.seed
    for row, change in ON_VALUES.items():
        for window in WINDOWS_MIN:
            # All of them, and two of the rest in turn: over several stages everybody has had it.
            picked = {signals[(seed + window) % len(signals)], signals[(seed + window + 3) % len(signals)]}
            for only in (ALL, *sorted(picked)):
                yield row, calm, Faulty(metrics, change, only, window * MINUTE, seed)
    names = [query.name for query in (*judge.job().signals, *judge.job().context)]
    for row in ("F01 no answer", "F06 partial answer"):
        for only in (ALL, *names[seed % 5 :: 5]):
            yield row, calm, Broken(metrics, row, only)
    yield "F19 half an hour of history", calm, Broken(metrics, "F19", ALL)
    for row, skew_s in (("F17 clock ahead", HOUR), ("F17 clock behind", -HOUR)):
        yield row, replace(calm, stage=replace(calm.stage, now_s=calm.stage.now_s + skew_s)), metrics


def _plants(calm: Scene) -> Iterator[tuple[str, Scene]]:
    """Yield the outages that happen in the plant."""
    for row, steps in ON_PLANT.items():
        for window in WINDOWS_MIN:
            for job, role in (
                ("envoy-stats", "middle"),
                ("kubelet", "auth"),
                ("kube-state-metrics", "alone"),
            ):
                text = "".join(steps).replace("JOB", job).replace("ROLE", role).replace("MIN", str(window))
                step = scenario.yaml.safe_load(text)
                one = replace(calm.scenario, name=f"{row} {job} {window}", happens=(step,))
                yield row, scenario.play(one, calm.stage)


def _run(row: str, scene: Scene, metrics: Metrics) -> Trial:
    forge = ReadOnlyForge(HeldForge())
    # Nothing could be judged: the run says so and ends.
    with contextlib.suppress(DataUnusable):
        judge.run_with(scene, metrics, judge.manifests(scene), forge)
    return Trial(row, tuple(proposal.title for proposal in forge.proposals))


def table(found: list[Trial]) -> Iterator[str]:
    """Yield what came of every row."""
    yield f"{'outage':30} {'runs':>5} {'pull requests':>14}"
    outages = [one for one in found if one.caught is None]
    for row in (*dict.fromkeys(one.row for one in outages), "all"):
        of = [one for one in outages if row in (one.row, "all")]
        yield f"{row:30} {len(of):5d} {sum(len(one.said) for one in of):14d}"
    false = sum(bool(one.said) for one in outages)
    high = wilson(false, len(outages))[1]
    yield f"outages with a pull request: {false} of {len(outages)} (upper bound {high:.4f}); target 0"
    controls = [one for one in found if one.caught is not None]
    for row in (*dict.fromkeys(one.row for one in controls), "all"):
        of = [one for one in controls if row in (one.row, "all")]
        name = "controls" if row == "all" else row
        yield f"{name:30} caught {sum(bool(one.caught) for one in of)} of {len(of)}"
    for row, said in sorted({(one.row, title) for one in outages for title in one.said}):
        yield f"  {row}: {said}"


def main() -> int:
    """Print the table; 1 when an outage led to a pull request or a control was not caught."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("seeds", type=int, nargs="?", default=5)
    parser.add_argument("--first", type=int, default=JUDGE_FROM)
    parser.add_argument("--jobs", type=int, default=2)
    given = parser.parse_args()
    found: list[Trial] = []
    with ProcessPoolExecutor(min(given.jobs, 2)) as pool:
        for batch in pool.map(trials, range(given.first, given.first + given.seeds)):
            found += batch
            print(f"{len(found)} runs", file=sys.stderr, flush=True)
    for line in table(found):
        print(line)
    return int(any(one.said or one.caught is False for one in found))


if __name__ == "__main__":
    sys.exit(main())
