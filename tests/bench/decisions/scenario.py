"""Scenario files: what happens in the plant, and what must come out of it, or must not.

One YAML file each in scenarios/. Keys:

  kind     what sort of case it is; the tables count by it
  rules    ids of docs/rules.md or of the field guide that it is about
  story    one or two sentences for a person
  happens  a list of steps; the first key of a step says what, its value to which role
  expect   by role: {rollback: FIELD}, {scale: FIELD} or {hold: [RULES]}; with `to`, `says`, `cause`
  may      by role: actions that are not asked for and do no harm
  outlook  what must be told before it happens, in words of the report: certificate, volume, quota
  mesh     by role: what is special about the workload here: `annotations`, `autoscale`, `start_delay_s`

Numbers that vary are written `low..high` and drawn from the seed: shares and factors evenly on a
log scale, minutes evenly. A role that `expect` and `may` do not name must be left alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from bench.decisions.drawing import Drawing, Expected
from bench.decisions.stage import MINUTE, Stage

from aiops.mesh.faults import Event
from aiops.mesh.graph import Autoscale

FOLDER = Path(__file__).parent / "scenarios"


@dataclass(frozen=True, slots=True)
class Scenario:
    """One file, as it stands."""

    name: str
    kind: str
    rules: tuple[str, ...]
    story: str
    happens: tuple[Mapping[str, Any], ...]
    expect: Mapping[str, Mapping[str, Any]]
    may: Mapping[str, tuple[str, ...]]
    mesh: Mapping[str, Mapping[str, Any]]
    outlook: tuple[str, ...] = ()

    @property
    def is_actionable(self) -> bool:
        """Whether a pull request is the right answer."""
        return any("hold" not in one for one in self.expect.values())


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A scenario on one stage. `expected`, `may`: by workload name. `fork_s`: nothing differs before it."""

    scenario: Scenario
    stage: Stage
    events: tuple[Event, ...]
    fork_s: int
    expected: Mapping[str, Expected]
    may: Mapping[str, tuple[str, ...]]


def load(folder: Path = FOLDER) -> tuple[Scenario, ...]:
    """Return all scenarios by name. Raises ValueError for a key that nothing reads."""
    return tuple(_read(path) for path in sorted(folder.glob("*.yaml")))


def _read(path: Path) -> Scenario:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    known = {"kind", "rules", "story", "happens", "expect", "may", "mesh", "outlook"}
    if set(found) - known or {"kind", "rules", "story"} - set(found):
        raise ValueError(f"{path.name}: expected the keys {sorted(known)}, found {sorted(found)}")
    return Scenario(
        name=path.stem,
        kind=found["kind"],
        rules=tuple(found["rules"]),
        story=" ".join(found["story"].split()),
        happens=tuple(found.get("happens") or ()),
        expect=found.get("expect") or {},
        mesh=found.get("mesh") or {},
        outlook=tuple(found.get("outlook") or ()),
        may={role: tuple(actions) for role, actions in (found.get("may") or {}).items()},
    )


def play(scenario: Scenario, stage: Stage) -> Scene:
    """Return what a scenario is on a stage: every number drawn, every role a workload."""
    stage = _special(scenario, stage)
    seed = [stage.seed, *scenario.name.encode()]
    drawing = Drawing(stage, np.random.default_rng(seed), scenario.name)
    for step in scenario.happens:
        drawing.step(dict(step))
    starts = [_start_s(event) for event in drawing.events]
    fork_s = min([stage.now_s, *starts]) - 5 * MINUTE
    return Scene(
        scenario,
        stage,
        tuple(sorted((*stage.events, *drawing.events), key=_start_s)),
        fork_s // MINUTE * MINUTE,
        {stage.roles[role]: drawing.expected(role, dict(one)) for role, one in scenario.expect.items()},
        {stage.roles[role]: actions for role, actions in scenario.may.items()},
    )


def _special(scenario: Scenario, stage: Stage) -> Stage:
    """Return the stage with what the scenario changes about its workloads."""
    if not scenario.mesh:
        return stage
    changed = {}
    for role, fields in scenario.mesh.items():
        given = dict(fields)
        if "annotations" in given:
            given["annotations"] = tuple(sorted(given["annotations"].items()))
        if "autoscale" in given:
            given["autoscale"] = Autoscale(**given["autoscale"])
        changed[stage.roles[role]] = given
    services = tuple(replace(s, **changed.get(s.name, {})) for s in stage.mesh.services)
    return replace(stage, mesh=replace(stage.mesh, services=services))


def _start_s(event: Event) -> int:
    return int(event.start_s)


def only(scenarios: tuple[Scenario, ...], names: list[str]) -> tuple[Scenario, ...]:
    """Return the scenarios whose name starts with one of `names`; all when none is given."""
    return tuple(s for s in scenarios if not names or any(s.name.startswith(name) for name in names))
