"""Scenario files: what happens in the plant, and what must come out of it, or must not.

One YAML file each in scenarios/. Keys:

  kind     what sort of case it is; the tables count by it
  rules    ids of docs/rules.md or of the field guide that it is about
  story    one or two sentences for a person
  happens  a list of steps; the first key of a step says what, its value to which role
  expect   by role: {rollback: FIELD}, {scale: FIELD} or {hold: [RULES]}; with `to`, `says`, `cause`
  may      by role: actions that are not asked for and do no harm
  mesh     by role: what is special about the workload here: `annotations`, `autoscale`, `start_delay_s`

Numbers that vary are written `low..high` and drawn from the seed: shares and factors evenly on a
log scale, minutes evenly. A role that `expect` and `may` do not name must be left alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from bench.decisions.stage import MINUTE, Stage

from aiops.mesh import faults
from aiops.mesh.faults import Defect, Deploy, Event
from aiops.mesh.graph import Autoscale

FOLDER = Path(__file__).parent / "scenarios"
LONG_S = 6 * 3_600  # what has no end outlasts whoever looks


@dataclass(frozen=True, slots=True)
class Expected:
    """What must come out for one workload. `rules`: ids of which one must be named; () = any."""

    action: str
    field: str | None = None
    to: str | None = None
    rules: tuple[str, ...] = ()
    says: str = ""
    cause: str = ""


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
    known = {"kind", "rules", "story", "happens", "expect", "may", "mesh"}
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
        may={role: tuple(actions) for role, actions in (found.get("may") or {}).items()},
    )


def play(scenario: Scenario, stage: Stage) -> Scene:
    """Return what a scenario is on a stage: every number drawn, every role a workload."""
    stage = _special(scenario, stage)
    seed = [stage.seed, *scenario.name.encode()]
    drawing = _Drawing(stage, np.random.default_rng(seed), scenario.name)
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


class _Drawing:
    """Turns steps into events, in order: a release knows which one was before it."""

    def __init__(self, stage: Stage, rng: np.random.Generator, name: str) -> None:
        self.stage, self.rng, self.name = stage, rng, name
        self.events: list[Event] = []
        self.tags: dict[str, list[str]] = {}
        for service in stage.mesh.services:
            past = [e.tag for e in stage.events if isinstance(e, Deploy) and e.service == service.name]
            self.tags[service.name] = [service.tag, *past]

    def step(self, step: dict[str, Any]) -> None:
        """Add the event of one step."""
        what, role = next(iter(step.items()))
        maker = getattr(self, f"_{what}", None)
        if maker is None:
            raise ValueError(f"{self.name}: nobody knows the step {what!r}")
        del step[what]
        name = self.stage.roles.get(role, "") if isinstance(role, str) else ""
        start_s = self.stage.now_s - self.minutes(step.pop("ago_min"))
        end_s = start_s + (self.minutes(step.pop("for_min")) if "for_min" in step else LONG_S)
        self.events.append(maker(name, role, start_s, end_s, step))
        if step:
            raise ValueError(f"{self.name}: {what} has no {sorted(step)}")

    def minutes(self, text: Any) -> int:
        """Return drawn minutes in seconds."""
        low, high = _range(text)
        return round(self.rng.uniform(low, high)) * MINUTE

    def number(self, text: Any) -> float:
        """Return a drawn share or factor."""
        low, high = _range(text)
        return float(math.exp(self.rng.uniform(math.log(low), math.log(high))))

    def expected(self, role: str, given: dict[str, Any]) -> Expected:
        """Return an expectation with its words resolved: `previous`, roles in braces."""
        action = next(word for word in ("rollback", "scale", "hold") if word in given)
        value = given.pop(action)
        rules = given.pop("rule", ())
        rules = (rules,) if isinstance(rules, str) else tuple(rules)
        names = {**self.stage.roles, "new": self.tags[self.stage.roles[role]][-1]}
        made = Expected(
            action,
            None if action == "hold" else value,
            self._to(role, given.pop("to", "previous")) if action == "rollback" else None,
            tuple(value) if action == "hold" else rules,
            str(given.pop("says", "")).format(**names),
            given.pop("cause", ""),
        )
        if given:
            raise ValueError(f"{self.name}: an expectation has no {sorted(given)}")
        return made

    def _to(self, role: str, word: str) -> str:
        tags = list(dict.fromkeys(self.tags[self.stage.roles[role]]))
        return tags[{"previous": -2, "before that": -3}[word]]

    def _defect(self, role: str, step: dict[str, Any]) -> Defect | None:
        kind = step.pop("defect", None)
        if kind is None:
            return None
        if "load" in step:  # work, over what its pods can serve
            return Defect(kind, self.number(step.pop("load")) * self.stage.room[role])
        return Defect(kind, self.number(step.pop("size", 1)))

    def _release(self, name: str, role: str, start_s: int, __: int, step: dict[str, Any]) -> Event:
        tag = step.pop("tag", None) or _next_tag(self.tags[name])
        if tag == "back":
            tag = self.tags[name][-2]
        self.tags[name].append(str(tag))
        also = tuple(str(path).format(**self.stage.roles) for path in step.pop("also", ()))
        return Deploy(name, start_s, str(tag), self._defect(role, step), also)

    def _config(self, name: str, role: str, start_s: int, __: int, step: dict[str, Any]) -> Event:
        return faults.ConfigChange(name, start_s, f"r{start_s % 997}", self._defect(role, step))

    def _surge(self, name: str, role: str, start_s: int, end_s: int, step: dict[str, Any]) -> Event:
        ramp_s = self.minutes(step.pop("ramp_min", 3))
        if "load" in step:  # over what its pods can serve
            factor = self.number(step.pop("load")) * self.stage.room[role]
        else:
            factor = self.number(step.pop("factor"))
        return faults.Surge(name, start_s, end_s, factor, ramp_s)

    def _outage(self, name: str, _: Any, start_s: int, end_s: int, step: dict[str, Any]) -> Event:
        return faults.Outage(name, start_s, end_s, self.number(step.pop("share")))

    def _saturation(self, name: str, role: str, start_s: int, end_s: int, step: dict[str, Any]) -> Event:
        if "load" in step:
            factor = self.number(step.pop("load")) * self.stage.room[role]
        else:
            factor = self.number(step.pop("factor"))
        return faults.Saturation(name, start_s, end_s, factor, step.pop("waits", False))

    def _bad_node(self, name: str, _: Any, start_s: int, end_s: int, step: dict[str, Any]) -> Event:
        node = str(self.rng.choice(self.stage.mesh.nodes))
        return faults.BadNode(node, start_s, end_s, self.number(step.pop("factor")))

    def _node_lost(self, _: str, __: Any, start_s: int, end_s: int, ___: dict[str, Any]) -> Event:
        return faults.NodeLoss(str(self.rng.choice(self.stage.mesh.nodes)), start_s, end_s)

    def _no_room(self, _: str, __: Any, start_s: int, ___: int, ____: dict[str, Any]) -> Event:
        return faults.NoRoom(start_s)

    def _fan_out(self, name: str, _: Any, start_s: int, end_s: int, step: dict[str, Any]) -> Event:
        to = step.pop("to")
        if "load" in step:
            factor = self.number(step.pop("load")) * self.stage.room[to]
        else:
            factor = self.number(step.pop("factor"))
        return faults.FanOut(name, start_s, end_s, self.stage.roles[to], factor)

    def _injection(self, name: str, _: Any, start_s: int, end_s: int, step: dict[str, Any]) -> Event:
        return faults.Injection(name, start_s, end_s, self.number(step.pop("share")))

    def _crash(self, name: str, _: Any, start_s: int, end_s: int, __: dict[str, Any]) -> Event:
        return faults.Crash(name, start_s, end_s)

    def _leak(self, name: str, _: Any, start_s: int, end_s: int, step: dict[str, Any]) -> Event:
        return faults.Leak(name, start_s, end_s, self.number(step.pop("size")))

    def _proxy_upgrade(self, name: str, _: Any, start_s: int, __: int, step: dict[str, Any]) -> Event:
        return faults.ProxyUpgrade(name, start_s, str(step.pop("tag")))

    def _scrape_outage(self, _: str, job: str, start_s: int, end_s: int, step: dict[str, Any]) -> Event:
        return faults.ScrapeOutage(start_s, end_s, "" if job == "all" else job)

    def _counter_reset(self, name: str, _: Any, start_s: int, __: int, step: dict[str, Any]) -> Event:
        return faults.CounterReset(name, start_s)

    def _missing(self, name: str, _: Any, start_s: int, end_s: int, step: dict[str, Any]) -> Event:
        return faults.MissingSeries(name, start_s, end_s, step.pop("prefix"))


def _range(text: Any) -> tuple[float, float]:
    """Return both ends of `low..high`, or a number twice."""
    low, _, high = str(text).partition("..")
    return float(low), float(high or low)


def _next_tag(tags: list[str]) -> str:
    """Return a newer version that was never used."""
    major, minor = tags[-1].split("-")[0].split(".")[:2]
    return f"{major}.{int(minor) + 1}.{len(tags)}"


def only(scenarios: tuple[Scenario, ...], names: list[str]) -> tuple[Scenario, ...]:
    """Return the scenarios whose name starts with one of `names`; all when none is given."""
    return tuple(s for s in scenarios if not names or any(s.name.startswith(name) for name in names))
