"""Decisions against the rule book: `make bench-decisions SEEDS=20`.

Plays every scenario of scenarios/ on a stage of each seed (held-out call graphs, loads and
magnitudes) through the whole pipeline. Prints the confusion matrix, shares with intervals that
count scenarios and not seeds as independent, every kind, the worst scenarios, every harmful case,
and what precision a mix of one actionable event in fifty would see.

Stages 401 and up judge; to look at while rules change, take FIRST=101. What is simulated is kept
in .cache/bench-decisions.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

from bench.decisions import judge, scenario, tables
from bench.decisions.judge import Outcome
from bench.decisions.stage import stage

JUDGE_FROM = 401


def seed_outcomes(seed: int, names: list[str]) -> list[Outcome]:
    """Return the outcomes of all scenarios on one stage."""
    there = stage(seed)
    before = judge.calm(there)
    earlier = judge.carried(there, before)
    played = scenario.only(scenario.load(), names)
    found = []
    for number, one in enumerate(played, 1):
        made = judge.judge(one, there, before, earlier)
        found.append(made)
        if made.verdict != "right" or number % 10 == 0:
            line = f"stage {seed}: {number} of {len(played)}, {one.name} {made.verdict}"
            print(line, *made.why, sep="; ", file=sys.stderr, flush=True)
    before.keep()
    return found


def outcomes(seeds: range, names: list[str], jobs: int) -> Iterator[list[Outcome]]:
    """Yield the outcomes stage by stage."""
    if jobs < 2:
        yield from (seed_outcomes(seed, names) for seed in seeds)
        return
    with ProcessPoolExecutor(min(jobs, 2)) as pool:
        yield from pool.map(seed_outcomes, seeds, [names] * len(seeds))


def main() -> int:
    """Print the tables; 1 when anything harmful was proposed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("seeds", type=int, nargs="?", default=20)
    parser.add_argument("--first", type=int, default=JUDGE_FROM, help="the first seed")
    parser.add_argument("--only", nargs="*", default=[], help="how the names of scenarios start")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--real", action="store_true", help="through a real Prometheus, the first seed only")
    given = parser.parse_args()
    if given.real:
        from bench.decisions import through_prometheus

        return through_prometheus.report(given.first, given.only)
    started = time.monotonic()
    found: list[Outcome] = []
    for batch in outcomes(range(given.first, given.first + given.seeds), given.only, given.jobs):
        found += batch
        took = time.monotonic() - started
        print(f"stage {batch[0].seed}: {tables.counted(batch)}  ({took:.0f} s)", file=sys.stderr, flush=True)
    for line in tables.all_tables(found):
        print(line)
    return int(any(one.verdict == "harmful" for one in found))


if __name__ == "__main__":
    sys.exit(main())
