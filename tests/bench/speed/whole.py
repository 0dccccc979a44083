"""`aiops run` as a scheduled job runs it: a process of its own, on a recording of a fleet.

8 signals a workload every 5 minutes; the run before it was 12 points ago. What a run spends where
is read off the lines it prints on stderr while it works.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.speed import series

from aiops.config_file import load
from aiops.connect import signal_queries
from aiops.detect.settings import DAY_S, PACE_S, WARM_UP_S, WEEK_S
from aiops.domain import Answer, Grid, Query
from aiops.edges import recording
from aiops.ingest import presets
from aiops.report import utc

SETTINGS = """\
prometheus: {recording: recording}
repository: {path: gitops, base: main}
signals: [istio]
step: 5m
"""
OWN = "  own_%d: {expr: up, unit: things, direction: both, min_deviation: 0.5}\n"
PRESET_SIGNALS = 3  # of `signals: [istio]`
END_S = series.MIDNIGHT + DAY_S // 2
DELAY_S = 120  # what a run leaves to the newest samples


class Fleet:
    """A source of metrics that answers each signal for so many workloads, and knows nothing else."""

    def __init__(self, workloads: int) -> None:
        self._workloads = workloads

    def read(self, query: Query, grid: Grid) -> Answer:
        """Answer one query."""
        rows = self._workloads if query.signal is not None else 0
        seed = sum(query.name.encode())
        values = series.shaped(grid.times, rows, seed)
        if query.name == "error_ratio":
            values /= 1e4
        labels = tuple(
            dict.fromkeys(query.labels, "")
            | {query.namespace_label: "shop", query.workload_label: f"w{i:06d}"}
            for i in range(rows)
        )
        return Answer(query, labels, values, grid.times)


@dataclass(frozen=True)
class Took:
    """Seconds of one run: of the CPU, of the wall clock, reading and scoring (wall); GB at most."""

    cpu: float
    whole: float
    reading: float
    scoring: float
    gigabytes: float

    @property
    def rest(self) -> float:
        """Start, imports, explaining, cache files, printing."""
        return self.whole - self.reading - self.scoring


def build(folder: Path, workloads: int, points: int) -> None:
    """Write recording, repository and two settings, and fill the cache by a run `points` ago."""
    own = "".join(OWN % i for i in range(series.SIGNALS - PRESET_SIGNALS))
    (folder / "cold.yaml").write_text(f"{SETTINGS}queries:\n{own}")
    (folder / "warm.yaml").write_text(f"{SETTINGS}cache: warm\nqueries:\n{own}")
    queries = (*signal_queries(load(folder / "cold.yaml")), *presets.context_queries())
    grid = Grid(series.MIDNIGHT - WARM_UP_S - WEEK_S, END_S, PACE_S)
    recording.record(Fleet(workloads), queries, grid, folder / "recording", lambda _: None)
    repository = folder / "gitops"
    repository.mkdir()
    (repository / "README.md").write_text("nothing is deployed from here\n")
    git = ["git", "-c", "user.name=bench", "-c", "user.email=bench@example.com", "-C", str(repository)]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "Begin"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    once(folder, "warm", END_S - points * PACE_S)
    (folder / "warm").rename(folder / "kept")


def cold(folder: Path) -> Took:
    """Time a run without a cache."""
    return once(folder, "cold", END_S)


def warm(folder: Path) -> Took:
    """Time a run whose cache is what the run before it left."""
    shutil.rmtree(folder / "warm", ignore_errors=True)
    shutil.copytree(folder / "kept", folder / "warm")
    return once(folder, "warm", END_S)


def once(folder: Path, name: str, newest_s: int) -> Took:
    """Run `aiops run --plan` and time it."""
    at = utc(newest_s + DELAY_S)
    arguments = ["run", "--config", f"{name}.yaml", "--at", str(at), "--plan", f"{name}.json"]
    seen: dict[str, float] = {}
    said = []
    # As installed: with bytecode, which the first run writes.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "aiops", *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert process.stderr is not None
    for line in process.stderr:
        said.append(line)
        seen.setdefault(line.removeprefix("aiops: ").strip(), time.perf_counter())
    _, status, usage = os.wait4(process.pid, 0)
    whole = time.perf_counter() - start
    if status:
        raise SystemExit(f"aiops run ended with {os.waitstatus_to_exitcode(status)}: {''.join(said)}")
    begun, scored = seen["reading metrics"], seen["scoring workloads"]
    cpu = usage.ru_utime + usage.ru_stime
    return Took(cpu, whole, scored - begun, seen["asking what changed"] - scored, usage.ru_maxrss / 1e6)


def same_plan(folder: Path) -> bool:
    """Tell if the last cold and the last warm run wrote the same bytes."""
    return (folder / "cold.json").read_bytes() == (folder / "warm.json").read_bytes()


def median(of: list[Took]) -> Took:
    """Return the median of each part."""
    parts = np.array([[one.cpu, one.whole, one.reading, one.scoring, one.gigabytes] for one in of])
    return Took(*(float(part) for part in np.median(parts, axis=0)))
