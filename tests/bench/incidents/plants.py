"""Simulated panels, kept in .cache/bench-incidents: a second run only scores.

A file is named by what was simulated and by the text of everything that turns a scenario into
samples, so that it is never older than the code. Delete the folder to start afresh.
"""

from __future__ import annotations

import hashlib
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


def sources() -> str:
    """Return a hash of the plant, of the queries and of how a panel is made."""
    digest = hashlib.sha256()
    folders = [ROOT / "aiops" / name for name in ("mesh", "ingest")]
    for path in [*sorted(file for folder in folders for file in folder.glob("*.py")), Path(__file__)]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def kept(what: str, make: Callable[[], Arrays]) -> Arrays:
    """Return the arrays called `what`, made only when they are not in the cache."""
    name = hashlib.sha256(f"{sources()}\n{what}".encode()).hexdigest()[:32]
    path = CACHE / f"{name}.npz"
    if path.is_file():
        with np.load(path) as file:
            return dict(file)
    made = make()
    CACHE.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, **made)
    part.replace(path)
    return made


def panel(trace: Trace, start_s: int, end_s: int) -> Panel:
    """Return the signals of a simulation at each minute from `start_s` to `end_s`."""
    metrics, grid = MeshMetrics(trace), Grid(start_s, end_s, STEP_S)
    kind = next(query for query in presets.context_queries() if query.name == "workload_kind")
    kinds = panels.workload_kinds(metrics.read(kind, grid))
    return panels.assemble([metrics.read(query, grid) for query in QUERIES], kinds)


def named(values: np.ndarray, start_s: int, names: np.ndarray, cluster: str = "prod") -> Panel:
    """Return a panel [W, S, T] of workloads `names` [W], one column a minute from `start_s` on."""
    times = start_s + STEP_S * np.arange(values.shape[2], dtype=np.int64)
    workloads = tuple(Workload(cluster, "apps", "Deployment", str(name)) for name in names)
    return Panel(values, times, STEP_S, workloads, SIGNALS)
