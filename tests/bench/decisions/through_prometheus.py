"""Every scenario once through a real Prometheus: `make bench-decisions REAL=1`.

The history of a stage is back-filled once; each scenario adds its last hours as blocks of its own.
The pipeline reads over HTTP as it does for a user. Prints the verdicts, and every decision that is
not the one of the route that the other seeds take (`told.py`): there must be none.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import real
from bench.decisions import judge, scenario, tables
from bench.decisions.hosted import HeldForge
from bench.decisions.scenario import Scene
from bench.decisions.stage import HOUR, stage

from aiops.domain import Decision, Hold
from aiops.edges.prometheus import PrometheusMetrics, PrometheusSettings
from aiops.edges.read_only import ReadOnlyForge
from aiops.errors import DataUnusable
from aiops.job import Result
from aiops.mesh import openmetrics
from aiops.mesh.plant import simulate
from aiops.ports import Metrics

LAST_S = 9 * HOUR  # most scenarios begin within it, and share one history


def played(seed: int, names: list[str]) -> Iterator[tuple[judge.Outcome, str]]:
    """Yield the outcome of each scenario and what differs from the other route, "" = nothing."""
    there = stage(seed)
    before = judge.calm(there)
    with tempfile.TemporaryDirectory() as folder:
        histories: dict[str, Path] = {}
        for one in scenario.only(scenario.load(), names):
            scene = scenario.play(one, there)
            bare = tuple(replace(service, annotations=()) for service in scene.stage.mesh.services)
            key = f"{_cut_s(scene)} {bare!r}"
            if key not in histories:
                histories[key] = Path(folder) / f"history{len(histories)}"
                _write_history(scene, histories[key])
            own = Path(folder) / "own"
            shutil.copytree(histories[key], own, copy_function=_linked)
            real.backfill(openmetrics.text(judge.simulation(scene)(), _cut_s(scene)), own)
            with real.running_prometheus(own) as url:
                live = _run(scene, PrometheusMetrics(_settings(url)))
            shutil.rmtree(own)
            calm = before if scene.stage is there else judge.calm(scene.stage)
            other = _run(scene, judge.told(scene, calm))
            yield judge.outcome(scene, live), _differs(live, other)
    before.keep()


def _linked(source: str, target: str) -> str:
    Path(target).hardlink_to(source)
    return target


def _cut_s(scene: Scene) -> int:
    """Return where the shared history ends: before anything that this scenario has of its own."""
    return min(scene.stage.now_s - LAST_S, scene.fork_s)


def _write_history(scene: Scene, folder: Path) -> None:
    there = scene.stage
    trace = simulate(there.mesh, there.start_s, _cut_s(scene) - 60, there.events, (), there.seed)
    real.backfill(openmetrics.text(trace), folder)


def _settings(url: str) -> PrometheusSettings:
    return PrometheusSettings(url, timeout_s=120.0)


def _run(scene: Scene, metrics: Metrics) -> Result | None:
    try:
        return judge.run_with(scene, metrics, judge.manifests(scene), ReadOnlyForge(HeldForge()))
    except DataUnusable:
        return None


def _differs(live: Result | None, other: Result | None) -> str:
    """Say which workloads are decided differently on the two routes."""
    ours, theirs = (
        {} if one is None else {item.workload.name: _words(item.decision) for item in one.plan.items}
        for one in (live, other)
    )
    return "; ".join(
        f"{name}: {ours.get(name, 'nothing')} by Prometheus, {theirs.get(name, 'nothing')} else"
        for name in sorted({*ours, *theirs})
        if ours.get(name) != theirs.get(name)
    )


def _words(decision: Decision) -> str:
    if isinstance(decision, Hold):
        return f"hold {decision.rule}"
    return f"{decision.action} {decision.field} {decision.old} -> {decision.new}"


def report(seed: int, names: list[str]) -> int:
    """Print the tables of the real route; 1 when any decision differs."""
    found, apart = [], 0
    for outcome, differs in played(seed, names):
        found.append(outcome)
        apart += bool(differs)
        words = f"{outcome.scenario}: {outcome.verdict}"
        print(len(found), words, differs, flush=True)
    for line in tables.all_tables(found):
        print(line)
    print(f"\ndecided differently by a real Prometheus: {apart} of {len(found)} scenarios")
    return int(apart > 0)
