"""What a Prometheus would answer, put together from a history that is shared and its last hours.

Comes in: a simulation without the scenario's events, and how to simulate it with them. Goes out:
the port `Metrics`, whose answers are those of the whole simulation (test_told.py): up to the first
event both are the same, so only what follows is evaluated again.

What was evaluated is kept in .cache/bench-decisions, named by the text of everything that turns a
scenario into samples: a second run neither simulates nor evaluates.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from bench.incidents.plants import ROOT

from aiops.domain import Answer, Grid, Query
from aiops.mesh.answers import MeshMetrics
from aiops.mesh.plant import STEP_S, Trace

CACHE = ROOT / ".cache" / "bench-decisions"
WIDE_S = 27 * 3_600  # the longest window of a context query, and an hour


def sources() -> str:
    """Return a hash of the plant: an older file of the cache is never read."""
    digest = hashlib.sha256()
    for path in [*sorted((ROOT / "aiops" / "mesh").glob("*.py")), Path(__file__)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


SOURCES = sources()  # once: somebody may edit a file while this runs


@dataclass(slots=True)
class Kept:
    """Answers of one simulation, kept in one file; `make` simulates it when something is missing."""

    what: str
    make: Callable[[], Trace]
    _trace: Trace | None = None
    _metrics: MeshMetrics | None = None
    _arrays: dict[str, np.ndarray] | None = None
    _new: bool = False

    @property
    def trace(self) -> Trace:
        """The simulation."""
        if self._trace is None:
            self._trace = self.make()
        return self._trace

    def read(self, query: Query, grid: Grid) -> Answer:
        """Return the answer on a grid."""
        arrays = self._load()
        name = hashlib.sha256(f"{query.expr} {query.labels} {grid}".encode()).hexdigest()[:24]
        if name not in arrays:
            if self._metrics is None:
                self._metrics = MeshMetrics(self.trace)
            answer = self._metrics.read(query, grid)
            arrays[name] = answer.values
            arrays[f"{name}.labels"] = np.array(json.dumps([dict(one) for one in answer.labels]))
            self._new = True
        labels = tuple(json.loads(str(arrays[f"{name}.labels"])))
        return Answer(query, labels, arrays[name], grid.times)

    @property
    def _path(self) -> Path:
        return CACHE / f"{hashlib.sha256(f'{SOURCES} {self.what}'.encode()).hexdigest()[:32]}.npz"

    def _load(self) -> dict[str, np.ndarray]:
        if self._arrays is None:
            self._arrays = {}
            if self._path.is_file():
                with np.load(self._path) as file:
                    self._arrays = dict(file)
        return self._arrays

    def keep(self) -> None:
        """Write what was evaluated anew."""
        if self._new and self._arrays is not None:
            CACHE.mkdir(parents=True, exist_ok=True)
            part = self._path.with_suffix(f".{id(self)}.npz")
            np.savez_compressed(part, **self._arrays)
            part.replace(self._path)
            self._new = False


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """The metrics of a scenario. Before `fork_s` the `calm` simulation answers, from there on `own`."""

    calm: Kept
    own: Kept
    fork_s: int
    end_s: int
    _wide: dict[str, Answer] = field(default_factory=dict)

    def now_s(self) -> int:
        """Return the time of the newest scrape."""
        return self.end_s

    def read(self, query: Query, grid: Grid) -> Answer:
        """Return the answer of the whole simulation."""
        before = int(np.searchsorted(grid.times, self.fork_s))
        parts: list[Answer] = []
        if before:
            parts.append(self._past(query, grid, before))
        if before < grid.times.size:
            last = int(grid.times[-1])
            parts.append(self._recent(query, Grid(int(grid.times[before]), last, grid.step_s)))
        return _joined(query, grid, parts)

    def _past(self, query: Query, grid: Grid, before: int) -> Answer:
        """Return the columns before the fork, from a grid that does not depend on the scenario."""
        shared = grid
        if query.signal is None:
            # Windows of context follow the onset; a wide one is asked for once.
            end_s = self.end_s // grid.step_s * grid.step_s
            steps = max(WIDE_S, end_s - grid.start_s) // grid.step_s
            shared = Grid(end_s - steps * grid.step_s, end_s, grid.step_s)
        wanted = Grid(grid.start_s, int(grid.times[before - 1]), grid.step_s)
        return _cut(self.calm.read(query, shared), wanted)

    def _recent(self, query: Query, grid: Grid) -> Answer:
        """Return the columns from the fork on, evaluated once from the fork to the end."""
        if grid.step_s != STEP_S:
            return self.own.read(query, grid)
        first_s = self.fork_s // STEP_S * STEP_S
        end_s = max(self.end_s, int(grid.times[-1]))  # a clock ahead asks for more than there is
        return _cut(self.own.read(query, Grid(first_s, end_s, STEP_S)), grid)


def _cut(answer: Answer, grid: Grid) -> Answer:
    """Return the columns of a grid that lies within the answer's."""
    first = int(np.searchsorted(answer.times, grid.start_s))
    values = answer.values[:, first : first + grid.times.size]
    return Answer(answer.query, answer.labels, values, grid.times)


def _joined(query: Query, grid: Grid, parts: list[Answer]) -> Answer:
    """Return consecutive parts as one answer: rows by their labels, without those that are all empty."""
    rows: dict[tuple[tuple[str, str], ...], np.ndarray] = {}
    names: dict[tuple[tuple[str, str], ...], Mapping[str, str]] = {}
    column = 0
    for part in parts:
        for labels, values in zip(part.labels, part.values, strict=True):
            key = tuple(sorted(labels.items()))
            row = rows.setdefault(key, np.full(grid.times.size, np.nan))
            row[column : column + part.times.size] = values
            names.setdefault(key, labels)
        column += part.times.size
    kept = sorted(key for key, row in rows.items() if not np.isnan(row).all())
    values = np.array([rows[key] for key in kept]) if kept else np.empty((0, grid.times.size))
    return Answer(query, tuple(names[key] for key in kept), values, grid.times)
