"""How long a replay takes: `make bench-backtest DAYS=30 CLUSTERS=8` (8 clusters: 96 workloads).

The same shop in several clusters, with a bad release every third day that people roll back after
an hour, and a surge every fourth. Samples come from a recording in memory, so the time that a
server takes to answer is not in the figures.
"""

from __future__ import annotations

import resource
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from aiops import connect
from aiops.config_file import load
from aiops.domain import Answer, Grid, Query
from aiops.edges import git_history, recording
from aiops.evaluate import spread
from aiops.evaluate.backtest import replay
from aiops.gitops.clusters import Cluster
from aiops.ingest import presets
from aiops.job import Job
from aiops.mesh import plant, repository, scenarios
from aiops.mesh.answers import MeshMetrics
from aiops.mesh.faults import Defect, Deploy, Event, Surge
from aiops.mesh.graph import default_mesh
from aiops.ports import Repository

DAY_S, HOUR_S = 86_400, 3_600
HISTORY_DAYS = 8  # before the first run: the detector's two days, and the same week a week ago
SETTINGS = "prometheus: {recording: recording}\nrepository: {path: gitops.git, base: main}\n"


class Clusters:
    """One recording, answered for several clusters."""

    def __init__(self, metrics: recording.RecordedMetrics, count: int) -> None:
        self._metrics = metrics
        self._count = count

    def now_s(self) -> int:
        return self._metrics.now_s()

    def read(self, query: Query, grid: Grid) -> Answer:
        found = self._metrics.read(query, grid)
        names = [f"prod-{number}" for number in range(self._count)]
        labels = tuple(
            {**one, **({"cluster": name} if "cluster" in one else {})}
            for name in names
            for one in found.labels
        )
        return replace(found, labels=labels, values=np.tile(found.values, (self._count, 1)))


def events(start_s: int, end_s: int) -> tuple[Event, ...]:
    """Return the bad releases and the surges of a span."""
    found: list[Event] = [Deploy("checkout", start_s - DAY_S, "1.14.3")]
    for number, day_s in enumerate(range(start_s, end_s - DAY_S, 3 * DAY_S)):
        bad_s = day_s + 10 * HOUR_S
        found.append(Deploy("checkout", bad_s, f"1.15.{number}", Defect("errors", 0.34)))
        found.append(Deploy("checkout", bad_s + HOUR_S + 1_800, "1.14.3"))
    found += [
        Surge("search", day_s, day_s + HOUR_S, 2.6)
        for day_s in range(start_s + 15 * HOUR_S, end_s, 4 * DAY_S)
    ]
    return tuple(found)


def doors(folder: Path, count: int) -> tuple[Job, Clusters, Repository]:
    """Open the recording and the repository, in whatever process."""
    config = load(folder / "aiops.yaml")
    clusters = tuple(
        Cluster(f"prod-{number}", {"cluster": f"prod-{number}"}, ("clusters/prod-eu",))
        for number in range(count)
    )
    job = replace(connect.job(config, []), clusters=clusters)
    return job, Clusters(recording.RecordedMetrics(folder / "recording"), count), connect.repository(config)


def cpu_s() -> float:
    """Return the CPU seconds of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def main(days: int, count: int) -> int:
    """Build, replay, print one line each."""
    end_s = scenarios.DEMO_END_S // DAY_S * DAY_S
    start_s = end_s - days * DAY_S
    with tempfile.TemporaryDirectory() as name:
        folder, mesh = Path(name), default_mesh()
        first_s = start_s - HISTORY_DAYS * DAY_S
        happens = events(start_s, end_s)
        trace = plant.simulate(mesh, first_s, end_s, happens, (), 7)
        git_history.write_history(folder / "gitops.git", repository.history(mesh, happens, first_s))
        queries = (*presets.signal_queries(presets.DEFAULT), *presets.context_queries())
        recording.record(
            MeshMetrics(trace), queries, Grid(first_s, end_s, 60), folder / "recording", lambda _: None
        )
        (folder / "aiops.yaml").write_text(SETTINGS, encoding="utf-8")
        opened = doors(folder, count)
        began_s, before_s = time.monotonic(), cpu_s()
        span = (start_s, end_s, 300)
        found = replay(*opened, span, lambda _: None, doors=partial(doors, folder, count))
        took_s, used_s = time.monotonic() - began_s, cpu_s() - before_s
    workloads = count * len(mesh.services)
    print(f"{days} days x {workloads} workloads, {found.runs} runs, {found.looked} had to decide")
    used = f"{used_s:.0f} s of CPU, {spread.processes()} cores"
    print(f"{took_s:.0f} s, {used}; {len(found.proposals)} proposals")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2])))
