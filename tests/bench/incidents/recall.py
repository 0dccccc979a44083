"""Simulate every fault of a campaign beside its healthy twin, score it, and see who fires when."""

from __future__ import annotations

import inspect
from dataclasses import dataclass

import numpy as np
from bench.incidents import campaign, firing, plants, truth
from bench.incidents.campaign import Case, Stage
from bench.incidents.meshes import DAY, MINUTE

from aiops.detect.model import Model
from aiops.detect.settings import DetectSettings
from aiops.domain import Panel, Scores, Workload
from aiops.mesh.plant import Trace, simulate

IN_TIME_S = 3_600


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one fault. Delays in seconds from the onset; None = nobody fired in time.

    `faulty_s`: the faulty workload itself, `any_s`: it or one that the fault visibly changed.
    `shown`: whether any scored signal of these moved by its smallest deviation that matters, on
    average over the first hour against the twin. `rps`: mean requests per second at the faulty one
    in the hour before. `early`: it was firing when the fault began, which counts as missed.
    `peaks`: the highest score per signal of the faulty one in the first hour.
    """

    case: Case
    broken: bool
    affected: int
    faulty_s: int | None
    any_s: int | None
    shown: bool
    rps: float
    early: bool
    peaks: dict[str, float]


def simulated(seed: int) -> tuple[Stage, tuple[Case, ...], plants.Arrays]:
    """Return the healthy days of one mesh, and of every fault what differs; simulated once and kept."""
    there, cases = campaign.stage(seed), campaign.cases(seed)
    faults = [campaign.event(case, "") for case in cases]
    what = f"recall {there.there.mesh!r} {there.events!r} {there.day_s} {cases!r} {faults!r} {_NOTED}"
    return there, cases, plants.kept(what, lambda: _simulate(there, cases))


def _simulate(there: Stage, cases: tuple[Case, ...]) -> plants.Arrays:
    mesh, seed = there.there.mesh, cases[0].seed
    last_s = there.day_s + DAY - MINUTE
    twin = simulate(mesh, there.start_s, last_s, there.events, (), seed)
    healthy = plants.panel(twin, there.start_s + 10 * MINUTE, last_s)
    names = [workload.name for workload in healthy.workloads]
    found: plants.Arrays = {"values": healthy.values, "names": np.array(names)}
    for number, case in enumerate(cases):
        end_s = min(case.end_s, last_s)
        fault = campaign.event(case, node_of(twin, case))
        trace = simulate(mesh, there.start_s, end_s, (*there.events, fault), (), seed)
        tail = plants.panel(trace, case.start_s, end_s)
        if [workload.name for workload in tail.workloads] != names:
            raise AssertionError(f"{case}: expected the workloads of the twin")
        found[f"tail{number}"] = tail.values
        found[f"onset{number}"] = np.array(truth.onset_s(trace, case))
        found[f"own{number}"] = truth.facts(trace, case.start_s, end_s)
        found[f"twin{number}"] = truth.facts(twin, case.start_s, end_s)
    return found


def node_of(trace: Trace, case: Case) -> str:
    """Return the node of the first pod of the case's service when the fault begins."""
    minute = (case.start_s - trace.start_s) // MINUTE
    pods = trace.standing[case.service].replicas.pods
    return next(pod.node for pod in pods if pod.born <= minute < pod.died)


# The text of what is noted of a fault while it is simulated: another text, another file in the cache.
_NOTED = "".join(inspect.getsource(part) for part in (truth.facts, truth.p95_ms, truth.onset_s, node_of))


@dataclass(frozen=True, slots=True, eq=False)
class _Scene:
    """One fault, cut out: `rows` are the faulty workload and the affected ones."""

    case: Case
    bound: truth.Bound
    onset: int  # step of the judged day
    rows: tuple[int, ...]
    values: np.ndarray  # [rows, S, T] with the fault, NaN after it was watched
    shown: bool
    rps: float


def _scene(there: Stage, case: Case, number: int, kept: plants.Arrays) -> _Scene:
    begin_s, at = there.start_s + 10 * MINUTE, list(map(str, kept["names"])).index(case.service)
    skip = (int(kept[f"onset{number}"]) - case.start_s) // MINUTE
    own, twin = (kept[f"{name}{number}"][:, :, skip:] for name in ("own", "twin"))
    tail = kept[f"tail{number}"]
    column = {signal.name: tail[at, i, skip:] for i, signal in enumerate(plants.SIGNALS)}
    bound = truth.bound(own[at], twin[at], column["restarts"], column["pods_waiting"])
    rows = (at, *(int(i) for i in np.flatnonzero(truth.affected(own, twin)) if i != at))
    values = kept["values"][list(rows)].copy()
    first = (case.start_s - begin_s) // MINUTE
    watched = slice(first, first + tail.shape[2])
    hour = slice(skip, skip + truth.ONE_HOUR)
    shown = truth.shown(tail[list(rows), :, hour], values[:, :, watched][:, :, hour], plants.SIGNALS)
    values[:, :, watched] = tail[list(rows)]
    values[:, :, watched.stop :] = np.nan
    rate = [signal.name for signal in plants.SIGNALS].index("request_rate")
    rps = float(np.nanmean(kept["values"][at, rate, first - 60 : first]))
    return _Scene(case, bound, (case.start_s - there.day_s) // MINUTE + skip, rows, values, shown, rps)


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """The faults of one mesh and their scores: all in one panel, apart by cluster."""

    scenes: tuple[_Scene, ...]
    panel: Panel
    scores: Scores
    settings: DetectSettings


def scored(seed: int, model: Model | None) -> Scored:
    """Return the faults of one mesh, scored."""
    there, cases, kept = simulated(seed)
    scenes = tuple(_scene(there, case, number, kept) for number, case in enumerate(cases))
    workloads = tuple(
        Workload(f"case{number}", "apps", "Deployment", str(kept["names"][row]))
        for number, scene in enumerate(scenes)
        for row in scene.rows
    )
    values = np.concatenate([scene.values for scene in scenes])
    times = there.start_s + 10 * MINUTE + MINUTE * np.arange(values.shape[2], dtype=np.int64)
    panel = Panel(values, times, MINUTE, workloads, plants.SIGNALS)
    settings = DetectSettings(calendar=there.calendar)
    return Scored(scenes, panel, firing.score_days(panel, there.day_s, model, settings), settings)


def judge(seed: int, model: Model | None) -> list[Outcome]:
    """Return what became of every fault of one mesh."""
    return outcomes(scored(seed, model))


def outcomes(of: Scored) -> list[Outcome]:
    """Return what became of every fault by its scores."""
    states, odd = firing.states(of.panel, of.scores, of.settings), np.nan_to_num(of.scores.values)
    found, row = [], 0
    for scene in of.scenes:
        delays, early = delays_s(states[row : row + len(scene.rows)], scene.onset, scene.bound)
        after = odd[row, :, scene.onset : scene.onset + truth.ONE_HOUR].max(axis=1)
        row += len(scene.rows)
        fired = [delay for delay in delays if delay is not None]
        peaks = {signal.name: float(after[i]) for i, signal in enumerate(plants.SIGNALS)}
        found.append(
            Outcome(
                scene.case,
                scene.bound.broken,
                len(scene.rows),
                delays[0],
                min(fired, default=None),
                scene.shown,
                scene.rps,
                early[0],
                peaks,
            )
        )
    return found


def delays_s(states: np.ndarray, onset: int, bound: truth.Bound) -> tuple[list[int | None], list[bool]]:
    """Return seconds from `onset` (a step) to the first step that fires, and who fired before.

    `states`: [W, T]. In time is an hour after the onset, or after the bound was first broken: a
    leak that kills nothing for two hours need not be known in one.
    """
    last = onset + (bound.first if bound.bad.any() else 0) + IN_TIME_S // MINUTE
    found: list[int | None] = []
    early = []
    for row in states:
        before = bool(row[max(onset - 1, 0)] == firing.FIRING)
        hits = np.flatnonzero(row[onset : last + 1] == firing.FIRING)
        early.append(before)
        found.append(int(hits[0]) * MINUTE if len(hits) and not before else None)
    return found, early
