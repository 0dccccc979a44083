"""Incidents of the plant, and weeks in which nothing breaks: `make bench-incidents SEEDS=20`.

Prints recall and delay by kind of fault, recall against magnitude, and false firings by
circumstance, each with its interval; then every miss and every false firing. What is simulated is
kept in .cache/bench-incidents, so a second run only scores.

Meshes 401 and up judge; to look at while the detector changes, take FIRST=101.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from bench.incidents import healthy, plants, recall, tables

from aiops.detect.model import Model
from aiops.edges import model_store

JUDGE_FROM = 401


def faults(seeds: range, model: Model) -> None:
    """Print what becomes of the faults of the seeds."""
    outcomes = []
    for seed in seeds:
        outcomes += recall.judge(seed, model)
        _progress(f"faults: mesh {seed}, {len(outcomes)} so far")
    _print(
        f"\n{len(outcomes)} faults on {len(seeds)} meshes; the bound is broken by", tables.broken(outcomes)
    )
    _print("\nCaught of all by magnitude (* of them broke the bound)", tables.magnitudes(outcomes))
    _print("\nBroken and missed", tables.missed(outcomes))


def quiet(seeds: range, model: Model) -> None:
    """Print how often workloads fire while nothing is broken."""
    alarms: list[healthy.Alarm] = []
    held, crowds, noticed = [], 0, 0
    for seed in seeds:
        weeks = healthy.weeks(seed)
        found = healthy.judge(weeks, model)
        alarms += found
        held.append(weeks.held)
        crowds += len(weeks.crowds)
        noticed += healthy.crowds_noticed(weeks, found)
        _progress(f"healthy: mesh {seed}, {len(alarms)} firings so far")
    exposure = healthy.exposure(held)
    title = f"\nHealthy weeks of {len(seeds)} meshes: false firings"
    _print(title, tables.healthy(alarms, exposure, crowds, noticed))
    _print("\nEvery false firing", tables.alarms(alarms))


def _print(title: str, lines: Iterable[str]) -> None:
    print(title)
    for line in lines:
        print(f"  {line}")
    sys.stdout.flush()


def _progress(text: str) -> None:
    if sys.stderr.isatty():
        print(f"\r{text:60}", end="", file=sys.stderr, flush=True)


def main() -> None:
    """Run one or both halves."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "seeds", type=int, nargs="?", default=20, help="meshes with faults; twice as many healthy"
    )
    parser.add_argument("--first", type=int, default=JUDGE_FROM, help="the first seed")
    parser.add_argument("--only", choices=("faults", "healthy"))
    parser.add_argument("--model", type=Path, default=plants.ROOT / "models" / "starter")
    given = parser.parse_args()
    model = model_store.load(given.model)
    print(f"{model.id}; what is simulated is kept in {plants.CACHE.relative_to(plants.ROOT)}")
    started, cpu = time.monotonic(), time.process_time()
    if given.only != "faults":
        quiet(range(given.first, given.first + 2 * given.seeds), model)
    if given.only != "healthy":
        faults(range(given.first, given.first + given.seeds), model)
    print(f"\ntook {time.monotonic() - started:.0f} s, {time.process_time() - cpu:.0f} s of CPU")


if __name__ == "__main__":
    main()
