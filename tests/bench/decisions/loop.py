"""The closed loop: what is proposed is merged, deployed in the plant, and looked at again.

`make bench-loop SEEDS=20` plays ten kinds of incidents on a stage of each seed for two hours and a
half. A person merges every pull request at once, which is the worst reviewer there is. Counts
actions per incident and whether the plant recovers; then what a yo-yo load and a slow rise buy.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from bench.decisions import judge, scenario
from bench.decisions.hosted import HeldForge
from bench.decisions.scenario import Scenario, Scene
from bench.decisions.stage import HOUR, MINUTE, Stage, stage
from bench.decisions.told import Kept, Told
from bench.incidents.intervals import wilson

from aiops.errors import DataUnusable
from aiops.mesh import repository
from aiops.mesh.faults import Control, Surge
from aiops.mesh.plant import Trace, simulate

VARIANTS = (
    "release-errors", "release-latency", "release-heavier", "release-crash-loop", "leak-with-release",
    "surge-fixed-replicas", "hpa-maxed", "retry-storm", "database-saturated", "config-errors",
)  # fmt: skip
LOOKS, EVERY_S = 8, 20 * MINUTE
SYNC_S = 3 * MINUTE  # Argo CD polls
JUDGE_FROM = 401


@dataclass(frozen=True, slots=True)
class Loop:
    """How one loop went. `acts`: (minute of the loop, workload role, words) per merged pull request.

    `enough`: what was merged is the right value and enough by what the plant knows, None when
    nothing is right to do. `well`: no workload that should have recovered is harmed at the end.
    `pod_hours`: pods that the repository asks for, over the loop.
    """

    name: str
    seed: int
    acts: tuple[tuple[int, str, str], ...]
    most: int
    enough: bool | None
    well: bool
    pod_hours: float


def play(scene: Scene, looks: int = LOOKS) -> Loop:
    """Run, merge, deploy and look again."""
    there, end_s = scene.stage, scene.stage.now_s + looks * EVERY_S
    calm = Kept(
        f"loop {there.mesh!r} {there.events!r} {there.start_s} {end_s} {there.seed}",
        lambda: simulate(there.mesh, there.start_s, end_s, there.events, (), there.seed),
    )
    manifests, forge = judge.manifests(scene), HeldForge()
    controls: tuple[Control, ...] = ()
    acts: list[tuple[int, str, str]] = []
    roles = {name: role for role, name in there.roles.items()}
    right: set[str] = set()
    for look in range(looks + 1):
        now_s = there.now_s + look * EVERY_S
        shown = replace(scene, stage=replace(there, now_s=now_s))
        trace = _traced(shown, controls)
        if look == looks:
            break
        metrics = Told(
            calm, Kept(f"loop {look} {scene.scenario.name}", lambda t=trace: t), scene.fork_s, now_s
        )
        metrics.own._arrays = {}  # each look is another simulation: nothing is kept
        try:
            found = judge.run_with(shown, metrics, manifests, forge)
        except DataUnusable:
            continue
        for workload, sent in found.sent.items():
            if sent.state == "opened" and sent.pull is not None:
                forge.merge(sent.pull, manifests, now_s)
                acts.append((look * EVERY_S // MINUTE, roles.get(workload.name, "extra"), sent.pull.title))
                item = next(one for one in found.plan.items if one.workload == workload)
                if judge._right(item, scene.expected.get(workload.name), scene):
                    right.add(workload.name)
        files = manifests.files(manifests.head("main")).content
        controls = (*controls, *repository.controls_from(there.mesh, files, now_s + SYNC_S))
    calm.keep()
    wanted = {name for name, one in scene.expected.items() if one.action != "hold"}
    counts = Counter(role for _, role, _ in acts)
    healed = {name for name in right if _fits(scene, name, trace)}
    return Loop(
        scene.scenario.name,
        there.seed,
        tuple(acts),
        max(counts.values(), default=0),
        (wanted <= right) if wanted else None,
        not any(_harmed(trace, name) for name in healed),
        _pod_hours(trace, there.now_s),
    )


def _unkept(trace: Trace) -> Kept:
    """Return the answers of a simulation that nobody will ask for again."""
    return Kept("", lambda: trace, _arrays={})


def _traced(scene: Scene, controls: tuple[Control, ...]) -> Trace:
    there = scene.stage
    return simulate(there.mesh, there.start_s, there.now_s, scene.events, controls, there.seed)


def _fits(scene: Scene, name: str, trace: Trace) -> bool:
    """Tell whether what is asked for now is enough: a rollback is, a scale when it covers the load."""
    if scene.expected[name].action == "rollback":
        return True
    there = trace.standing[name].replicas
    scaled = scene.stage.mesh.service(name).autoscale is not None
    asked = int(there.maximum[-1] if scaled else there.wanted[-1])
    return asked >= judge.needed(scene, name)


def _harmed(trace: Trace, name: str) -> bool:
    """Tell whether more than 2 % fail at a workload in most of the last ten minutes, by the plant."""
    now, there = trace.running[name], trace.standing[name]
    failed = now.shed + (1 - now.shed) * (there.share * now.errors).sum(axis=0)
    return bool(np.median(failed[-10:]) > 0.02)


def _pod_hours(trace: Trace, from_s: int) -> float:
    """Return the pods that the repository asks for of all workloads, over the loop."""
    first = (from_s - trace.start_s) // MINUTE
    total = 0
    for service in trace.mesh.services:
        there = trace.standing[service.name].replicas
        asked = there.maximum if service.autoscale is not None else there.wanted
        total += int(asked[first:].sum())
    return total / 60


def with_load(there: Stage, name: str, surges: list[Surge]) -> Scene:
    """Return a scene of nothing but load at one door."""
    quiet = Scenario(name, "load", (), "", (), {}, {}, {})
    fork_s = min(surge.start_s for surge in surges) - 5 * MINUTE
    events = tuple(sorted((*there.events, *surges), key=lambda event: event.start_s))
    return Scene(quiet, there, events, fork_s // MINUTE * MINUTE, {}, {})


def yo_yo(there: Stage) -> tuple[float, float]:
    """Return pod hours above the ordinary: under load that comes and goes, and under honest load.

    Both are 1.6 times what the pods can serve. The attacker sends it a third of the time, so that
    it costs him a third; honest users stay.
    """
    door, factor = there.roles["alone"], 1.6 * there.room["alone"]
    begin_s, end_s = there.now_s - 60 * MINUTE, there.now_s + (LOOKS + 1) * EVERY_S
    waves = [Surge(door, t, t + 10 * MINUTE, factor, 60) for t in range(begin_s, end_s, 30 * MINUTE)]
    honest = [Surge(door, begin_s, end_s + HOUR, factor, 60)]
    quiet = [Surge(door, begin_s, end_s, 1.0)]
    calm, attacked, served = (
        play(with_load(there, name, surges)).pod_hours
        for name, surges in (("calm", quiet), ("yo-yo", waves), ("honest", honest))
    )
    return attacked - calm, served - calm


def poisoned(there: Stage) -> Loop:
    """Return the loop under load that rises slowly for three days, to three quarters of what pods can do."""
    door, factor = there.roles["alone"], 0.75 * there.room["alone"]
    begin_s = there.start_s + 20 * HOUR
    ramp_s = there.now_s - begin_s
    slow = [Surge(door, begin_s, there.now_s + 300 * HOUR, max(factor, 1.2), ramp_s)]
    return play(with_load(there, "poisoning", slow))


def seed_loops(seed: int, names: list[str]) -> tuple[list[Loop], tuple[float, float], Loop]:
    """Return the loops of one stage."""
    there = stage(seed)
    played = {one.name: one for one in scenario.load()}
    loops = []
    for name in names:
        loops.append(play(scenario.play(played[name], there)))
        print(f"stage {seed}: {name}, {len(loops[-1].acts)} actions", file=sys.stderr, flush=True)
    return loops, yo_yo(there), poisoned(there)


def table(loops: list[Loop], costs: list[tuple[float, float]], slow: list[Loop]) -> Iterator[str]:
    """Yield what became of all loops."""
    yield f"{'incident':24} {'loops':>5} {'no act':>6} {'one':>4} {'two':>4} {'more':>5} {'recovered':>10}"
    for name in (*dict.fromkeys(one.name for one in loops), "all"):
        of = [one for one in loops if name in (one.name, "all")]
        acts = [sum(one.most == n for one in of) for n in (0, 1, 2)]
        due = [one for one in of if one.enough]
        well = f"{sum(one.well for one in due)}/{len(due)}" if due else "-"
        counted = f"{acts[0]:6d} {acts[1]:4d} {acts[2]:4d} {len(of) - sum(acts):5d}"
        yield f"{name:24} {len(of):5d} {counted} {well:>10}"
    over = sum(one.most > 2 for one in loops)
    high = wilson(over, len(loops))[1]
    yield f"more than two actions on one workload: {over} of {len(loops)} (upper bound {high:.3f}); target 0"
    attacked, honest = (sum(cost[i] for cost in costs) for i in range(2))
    ratio = f"{attacked / honest:.2f}" if honest else "-"
    yield (
        f"a yo-yo load bought {attacked:.1f} pod hours, the same load that stays {honest:.1f}: "
        f"{ratio} times; target 1.2"
    )
    bought = sum(bool(one.acts) for one in slow)
    yield f"slow rises that bought replicas: {bought} of {len(slow)}; target 0"


def main() -> int:
    """Print the table; 1 when a target is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("seeds", type=int, nargs="?", default=20)
    parser.add_argument("--first", type=int, default=JUDGE_FROM)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", nargs="*", default=list(VARIANTS), help="these incidents")
    given = parser.parse_args()
    loops: list[Loop] = []
    costs, slow = [], []
    seeds = range(given.first, given.first + given.seeds)
    with ProcessPoolExecutor(min(given.jobs, 2)) as pool:
        for played, cost, slowly in pool.map(seed_loops, seeds, [given.only] * given.seeds):
            loops += played
            costs.append(cost)
            slow.append(slowly)
    for line in table(loops, costs, slow):
        print(line)
    return int(any(one.most > 2 for one in loops) or any(one.acts for one in slow))


if __name__ == "__main__":
    sys.exit(main())
