"""One scenario on one stage through the whole pipeline, and what to make of its decisions.

Verdicts, the worst of all workloads counts:

- harmful: a scale or rollback of a workload for which none is right, or the other one of the two;
- wrong: the right action with another field or value, or a hold for another reason;
- missed: no action where one is right, no reason where one must be told;
- right: everything that must come out, and nothing else.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from bench.decisions.drawing import Expected
from bench.decisions.hosted import HeldForge, HeldRepository, held
from bench.decisions.scenario import Scenario, Scene, play
from bench.decisions.stage import HOUR, Stage
from bench.decisions.told import Kept, Told

from aiops import connect, pipeline
from aiops.config_file import load
from aiops.decide.scale import capped
from aiops.domain import Hold, PlanItem
from aiops.edges.read_only import ReadOnlyForge
from aiops.errors import DataUnusable
from aiops.job import Earlier, Job, Result
from aiops.mesh import repository
from aiops.mesh.plant import Trace, simulate
from aiops.ports import Forge, Metrics

VERDICTS = ("right", "wrong", "missed", "harmful")
_SETTINGS = """\
prometheus: {recording: nowhere}
repository: {path: nowhere, base: main}
forge: local
calendar: {timezone: Europe/Berlin}
clusters:
  - {name: prod-eu, match: {cluster: prod-eu}, paths: [clusters/prod-eu]}
  - {name: prod-us, match: {cluster: prod-us}, paths: [clusters/prod-us]}
"""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one scenario on one stage. `why`: one line per workload that is not right.

    `opened`: pull requests that a dry run would have opened, and how many of these were right.
    """

    scenario: str
    kind: str
    seed: int
    actionable: bool
    expects: str
    verdict: str
    why: tuple[str, ...]
    opened: int
    opened_right: int


@cache
def job() -> Job:
    """Return the settings of every run: the defaults, the starter model, two clusters."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "aiops.yaml"
        path.write_text(_SETTINGS, encoding="utf-8")
        return connect.job(load(path), [])


def simulation(scene: Scene) -> Callable[[], Trace]:
    """Return how to simulate a scene."""
    stage = scene.stage
    return lambda: simulate(stage.mesh, stage.start_s, stage.now_s, scene.events, (), stage.seed)


def calm(stage: Stage) -> Kept:
    """Return the answers of a stage on which nothing happens."""
    what = f"{stage.mesh!r} {stage.events!r} {stage.start_s} {stage.now_s} {stage.seed}"
    return Kept(what, lambda: simulate(stage.mesh, stage.start_s, stage.now_s, stage.events, (), stage.seed))


def told(scene: Scene, before: Kept) -> Told:
    """Return the metrics of a scene, given those of its stage."""
    stage = scene.stage
    what = f"{stage.mesh!r} {scene.events!r} {stage.start_s} {stage.now_s} {stage.seed} {scene.fork_s}"
    return Told(before, Kept(what, simulation(scene)), scene.fork_s, stage.now_s)


def manifests(scene: Scene) -> HeldRepository:
    """Return the repository of a scene."""
    return held(repository.history(scene.stage.mesh, scene.events, scene.stage.start_s))


def run(scene: Scene, metrics: Told, earlier: Earlier = None) -> Result:
    """Run once, as a dry run does; what a person would have got to review is in `sent`."""
    return run_with(scene, metrics, manifests(scene), ReadOnlyForge(HeldForge()), earlier)


def run_with(
    scene: Scene, metrics: Metrics, files: HeldRepository, forge: Forge, earlier: Earlier = None
) -> Result:
    """Run once on given ports. `earlier`: what a run before the scenario carried; it only saves time."""
    now_s = scene.stage.now_s
    analysed = pipeline.analyse(job(), metrics, files, now_s, lambda _: None, earlier)
    return pipeline.propose(job(), analysed, files, forge, now_s, lambda _: None)


def carried(stage: Stage, before: Kept) -> Earlier:
    """Return what a run carries that saw the stage two hours earlier."""
    then = replace(stage, now_s=stage.now_s - 2 * HOUR)
    quiet = Scenario("before", "quiet", (), "", (), {}, {}, {})
    scene = play(quiet, then)
    metrics = Told(before, before, then.now_s, stage.now_s)
    found = pipeline.analyse(job(), metrics, manifests(scene), then.now_s, lambda _: None, {})
    return {one.key: one for one in found.carried}


def judge(scenario: Scenario, stage: Stage, before: Kept, earlier: Earlier = None) -> Outcome:
    """Play, run and judge."""
    scene = play(scenario, stage)
    metrics = told(scene, before if scene.stage is stage else calm(scene.stage))
    try:
        found = run(scene, metrics, earlier)
    except DataUnusable:  # nothing could be judged, so nothing was proposed
        found = None
    metrics.own.keep()
    return outcome(scene, found)


def outcome(scene: Scene, found: Result | None) -> Outcome:
    """Return the verdict on what one run decided; None = it ended because nothing could be judged."""
    items = {} if found is None else {item.workload.name: item for item in found.plan.items}
    sent = {} if found is None else found.sent
    names = sorted({*items, *scene.expected})
    verdicts = [_of(items.get(name), scene.expected.get(name), scene, name) for name in names]
    verdicts += _of_outlook(scene, [] if found is None else [one.what for one in found.outlook])
    worst = max((verdict for verdict, _ in verdicts), key=VERDICTS.index, default="right")
    why = tuple(text for verdict, text in verdicts if verdict != "right")
    opened = [workload.name for workload, one in sent.items() if one.state == "dry-run"]
    right = [name for name in opened if _right(items[name], scene.expected.get(name), scene)]
    rails = () if found is None else found.guardrails
    stopped = [f"guardrail {g.id}: {g.value}" for g in rails if g.tripped]
    return Outcome(
        scene.scenario.name,
        scene.scenario.kind,
        scene.stage.seed,
        scene.scenario.is_actionable,
        _expects(scene.scenario),
        worst,
        (*why, *(stopped if why else ())),
        len(opened),
        len(right),
    )


def _expects(scenario: Scenario) -> str:
    words = ("rollback", "scale")
    actions = [word for word in words if any(word in one for one in scenario.expect.values())]
    return "+".join(actions) or ("a reason" if scenario.expect or scenario.outlook else "nothing")


def _of_outlook(scene: Scene, told: Iterable[str]) -> list[tuple[str, str]]:
    """Return the verdicts on what a run told to come: what was not told, and what does not come."""
    comes, coming = scene.scenario.outlook, set(told)
    missed = [("missed", f"nobody was told of the {what}") for what in comes if what not in coming]
    return missed + [("wrong", f"a {what} was told to run out") for what in sorted(coming - set(comes))]


def _of(item: PlanItem | None, expected: Expected | None, scene: Scene, name: str) -> tuple[str, str]:
    """Return the verdict on one workload with a line that says why."""
    role = next((role for role, own in scene.stage.roles.items() if own == name), "extra")
    if item is None:
        return ("missed", f"{role}: no incident") if expected else ("right", "")
    decision = item.decision
    said = f"{decision.rule} {decision.reason}"
    if isinstance(decision, Hold):
        verdict = _of_hold(item, decision, expected)
    else:
        said = f"{decision.action} {decision.field} {decision.old} -> {decision.new} ({said})"
        verdict = _of_action(item, expected, scene, allowed=decision.action in scene.may.get(name, ()))
    return verdict, "" if verdict == "right" else f"{role}: {said}"


def _of_action(item: PlanItem, expected: Expected | None, scene: Scene, *, allowed: bool) -> str:
    """Return the verdict on a scale or rollback. `allowed`: it was not asked for and does no harm."""
    if expected is None or expected.action == "hold":
        return "harmful" if not allowed else "wrong" if expected else "right"
    if expected.action != item.decision.action:
        return "harmful"
    return "right" if _right(item, expected, scene) else "wrong"


def _of_hold(item: PlanItem, decision: Hold, expected: Expected | None) -> str:
    if expected is None:
        return "right"
    if expected.action != "hold":
        return "missed"
    return "right" if _told(item, decision, expected) else "wrong"


def _told(item: PlanItem, decision: Hold, expected: Expected) -> bool:
    """Tell whether a hold names the rule, the cause and the words that it should."""
    text = " ".join(
        (decision.reason, *item.diagnosis.ruled_out, *(e.claim for e in item.diagnosis.evidence),
         *(asked.answer for asked in item.diagnosis.trace), str(item.diagnosis.root))
    )  # fmt: skip
    by_rule = not expected.rules or decision.rule in expected.rules
    by_cause = not expected.cause or item.diagnosis.cause.value == expected.cause
    return by_rule and by_cause and expected.says in text


def _right(item: PlanItem, expected: Expected | None, scene: Scene) -> bool:
    """Tell whether an action is the one that is asked for, value included."""
    decision = item.decision
    if isinstance(decision, Hold) or expected is None or decision.action != expected.action:
        return False
    if decision.field != expected.field or (expected.rules and decision.rule not in expected.rules):
        return False
    if decision.action == "rollback":
        return str(decision.new) == expected.to
    return _enough(int(decision.old), int(decision.new), scene, item.workload.name)


def _enough(old: int, new: int, scene: Scene, name: str) -> bool:
    """Tell whether a number of pods serves what users send, as far as one proposal may go.

    What they send is read from the plant: entering load that is not short of pods, on healthy pods.
    """
    most = capped(old, job().limits)
    return old < new <= most and new >= min(most, needed(scene, name))


def needed(scene: Scene, name: str) -> int:
    """Return the pods that serve what enters at a workload now, none of them full."""
    service = scene.stage.mesh.service(name)
    factor = math.prod(
        event.factor for event in scene.events
        if type(event).__name__ == "Surge" and event.service == name
        and event.start_s <= scene.stage.now_s < event.end_s
    )  # fmt: skip
    role = next(role for role, own in scene.stage.roles.items() if own == name)
    pods = service.autoscale.maximum if service.autoscale else service.replicas
    return math.ceil(0.95 * pods * factor / scene.stage.room[role])
