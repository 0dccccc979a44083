"""Draws what a scenario leaves open: numbers from the seed, roles and tags from the stage.

A step of a file becomes an event of the plant; every method `_<word>` makes one kind of step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from bench.decisions.stage import MINUTE, Stage

from aiops.mesh import faults
from aiops.mesh.faults import Defect, Deploy, Event

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


class Drawing:
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

    def _bad_caller(self, name: str, _: Any, start_s: int, end_s: int, step: dict[str, Any]) -> Event:
        to = self.stage.roles[step.pop("to")]
        return faults.BadCaller(name, start_s, end_s, to, self.number(step.pop("share")))

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

    def _certificate(self, name: str, _: Any, start_s: int, end_s: int, step: dict[str, Any]) -> Event:
        """Return a certificate of a service that ended `ended_min` ago or ends in `ends_days`."""
        days = float(step.pop("ends_days", 0))
        ends_s = self.stage.now_s + days * 86_400 - self.minutes(step.pop("ended_min", 0))
        labels = (("name", f"{name}-tls"), ("namespace", self.stage.mesh.namespace))
        metric = "certmanager_certificate_expiration_timestamp_seconds"
        return faults.Reading(metric, labels, start_s, end_s, ends_s, ends_s)

    def _reading(self, _: str, metric: str, start_s: int, end_s: int, step: dict[str, Any]) -> Event:
        """One more series of an exporter; labels may hold roles in braces."""
        names = {**self.stage.roles, "namespace": self.stage.mesh.namespace}
        given = {**step.pop("labels", {}), "namespace": "{namespace}"}
        labels = tuple(sorted((key, str(value).format(**names)) for key, value in given.items()))
        first = float(step.pop("first", 1))
        return faults.Reading(metric, labels, start_s, end_s, first, float(step.pop("last", first)))

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
