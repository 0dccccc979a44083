"""Simulated panels, kept in .cache/bench-incidents: a second run only scores.

A file is named by what was simulated and by the text of everything that turns a scenario into
samples, so that it is never older than the code. Delete the folder to start afresh.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from pathlib import Path

import numpy as np

from aiops.domain import Grid, Panel, Workload
from aiops.ingest import panels, presets
from aiops.mesh.answers import MeshMetrics
from aiops.mesh.plant import STEP_S, Trace

Arrays = dict[str, np.ndarray]
ROOT = Path(__file__).parents[3]
CACHE = ROOT / ".cache" / "bench-incidents"
QUERIES = presets.signal_queries(("istio", "kubernetes"))
SIGNALS = tuple(query.signal for query in QUERIES if query.signal is not None)


def panel(trace: Trace, start_s: int, end_s: int) -> Panel:
    """Return the signals of a simulation at each minute from `start_s` to `end_s`."""
    metrics, grid = MeshMetrics(trace), Grid(start_s, end_s, STEP_S)
    kind = next(query for query in presets.context_queries() if query.name == "workload_kind")
    kinds = panels.workload_kinds(metrics.read(kind, grid))
    return panels.assemble([metrics.read(query, grid) for query in QUERIES], kinds)


def _sources() -> str:
    """Return a hash of the plant, of the queries' text and of how a panel is made of their answers."""
    digest = hashlib.sha256()
    for path in [*sorted((ROOT / "aiops" / "mesh").glob("*.py")), ROOT / "aiops" / "ingest" / "panels.py"]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    # Not how far a signal may stray: that is read from the code of today.
    asked = [(query.name, query.expr) for query in QUERIES]
    return digest.hexdigest() + repr(asked) + inspect.getsource(panel)


# Once: somebody may edit a file while this runs, and what was imported is what simulates.
SOURCES = _sources()


def kept(what: str, make: Callable[[], Arrays]) -> Arrays:
    """Return the arrays called `what`, made only when they are not in the cache."""
    name = hashlib.sha256(f"{SOURCES}\n{what}".encode()).hexdigest()[:32]
    path = CACHE / f"{name}.npz"
    if path.is_file():
        with np.load(path) as file:
            return dict(file)
    made = make()
    CACHE.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez_compressed(part, **made)
    part.replace(path)
    return made


def named(values: np.ndarray, start_s: int, names: np.ndarray, cluster: str = "prod") -> Panel:
    """Return a panel [W, S, T] of workloads `names` [W], one column a minute from `start_s` on."""
    times = start_s + STEP_S * np.arange(values.shape[2], dtype=np.int64)
    workloads = tuple(Workload(cluster, "apps", "Deployment", str(name)) for name in names)
    return Panel(values, times, STEP_S, workloads, SIGNALS)
