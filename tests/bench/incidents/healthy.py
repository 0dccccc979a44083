"""Two weeks in which nothing breaks, for many meshes: every firing is false.

Half of the meshes live through a clock change in autumn, half in spring; each has a holiday on a
weekday, two weekends, releases without harm and flash crowds. What a firing came from is the first
circumstance of `CIRCUMSTANCES` that held for the workload at that minute; exposure is counted the
same way, so the lines of the table add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from bench.incidents import firing, meshes, plants
from bench.incidents.firing import Firing
from bench.incidents.meshes import DAY, HOUR, MINUTE, ZONE, Unseen

from aiops.detect.model import Model
from aiops.detect.settings import Calendar, DetectSettings
from aiops.domain import Panel, Scores
from aiops.mesh.faults import Deploy, Surge
from aiops.mesh.plant import Trace, simulate

CIRCUMSTANCES = (
    "crowd too big", "flash crowd", "deploy", "batch", "clock change", "holiday", "weekend", "Monday", "none",
)  # fmt: skip
JUDGED_DAYS, HISTORY_DAYS = 14, 10
# Monday 00:00 UTC of the first judged week, the clock change in it, holidays: on weekdays.
AUTUMN = (datetime(2026, 10, 19, tzinfo=UTC), ("2026-10-29",))
SPRING = (datetime(2026, 3, 23, tzinfo=UTC), ("2026-04-03",))
AFTER_S = HOUR  # a firing within an hour of the end of a circumstance still belongs to it


@dataclass(frozen=True, slots=True, eq=False)
class Weeks:
    """One healthy mesh: samples from ten days before `from_s`, and what held when.

    `held`: int8 [W, T] index into CIRCUMSTANCES for each judged minute. `shapes`: load shapes of
    the front doors whose requests reach each of the W workloads.
    """

    seed: int
    panel: Panel
    from_s: int
    held: np.ndarray
    settings: DetectSettings
    shapes: tuple[str, ...]
    crowds: tuple[Surge, ...]
    reached: dict[str, set[str]]


@dataclass(frozen=True, slots=True)
class Alarm:
    """A firing while nothing was broken."""

    seed: int
    workload: str
    circumstance: str
    shapes: str
    firing: Firing


def weeks(seed: int) -> Weeks:
    """Return the healthy weeks of one mesh, simulated once and kept."""
    first, holidays = AUTUMN if seed % 2 else SPRING
    calendar = Calendar(ZONE, holidays)
    there, from_s = meshes.unseen(seed, calendar), int(first.timestamp())
    start_s, end_s = from_s - HISTORY_DAYS * DAY, from_s + JUDGED_DAYS * DAY - MINUTE
    rng = np.random.default_rng([seed, 79])
    crowds = meshes.crowds(there.mesh, rng, from_s, end_s)
    events = (*meshes.deploys(there.mesh, rng, start_s + DAY, end_s, 0.7), *crowds)

    def make() -> plants.Arrays:
        trace = simulate(there.mesh, start_s, end_s, events, (), seed)
        found = plants.panel(trace, start_s + 10 * MINUTE, end_s)
        names = [workload.name for workload in found.workloads]
        return {
            "values": found.values,
            "names": np.array(names),
            "strained": np.array([_strained(trace, name) for name in names]),
        }

    kept = plants.kept(f"healthy {there.mesh!r} {events!r} {start_s} {end_s} {seed}", make)
    panel = plants.named(kept["values"], start_s + 10 * MINUTE, kept["names"])
    minutes = panel.times[panel.times >= from_s]
    strained = kept["strained"][:, -len(minutes) :]
    names = tuple(map(str, kept["names"]))
    held = circumstances(there, events, calendar, minutes, names, strained)
    reached = {service.name: downstream(there, service.name) for service in there.mesh.services}
    shapes = tuple(
        "+".join(sorted({there.shapes[d] for d in there.shapes if n in reached[d]})) for n in names
    )
    settings = DetectSettings(calendar=calendar)
    return Weeks(seed, panel, from_s, held, settings, shapes, tuple(crowds), reached)


def _strained(trace: Trace, name: str) -> np.ndarray:
    """Return [T] whether a service sheds, or works above 85 % of what its pods can do."""
    now = trace.running[name]
    return (now.shed > 0.001) | (now.rho > 0.85)


def circumstances(
    there: Unseen,
    events: Sequence[Deploy | Surge],
    calendar: Calendar,
    times: np.ndarray,
    names: Sequence[str],
    strained: np.ndarray,
) -> np.ndarray:
    """Return [W, T] the index of the first circumstance that holds; `strained`: bool [W, T]."""
    held = np.full((len(names), len(times)), CIRCUMSTANCES.index("none"), dtype=np.int8)
    zone = ZoneInfo(calendar.timezone)
    local = [datetime.fromtimestamp(int(t), tz=zone) for t in times[::60]]
    weekend = np.repeat([moment.weekday() >= 5 for moment in local], 60)[: len(times)]
    free = {date.fromisoformat(day) for day in calendar.holidays}
    # The day after a holiday is odd as well: it is nothing like yesterday.
    near = [moment.date() in free or moment.date() - timedelta(days=1) in free for moment in local]
    holiday = np.repeat(near, 60)[: len(times)]
    monday = np.repeat([moment.weekday() == 0 for moment in local], 60)[: len(times)]
    held[:, monday] = CIRCUMSTANCES.index("Monday")
    held[:, weekend] = CIRCUMSTANCES.index("weekend")
    held[:, holiday] = CIRCUMSTANCES.index("holiday")
    held[:, _after_clock_change(zone, times)] = CIRCUMSTANCES.index("clock change")
    reached = {name: downstream(there, name) for name in names}
    for service in there.mesh.services:
        if service.batch is not None:
            since = (times - service.batch.start_s) % DAY
            inside = since <= service.batch.length_s + AFTER_S
            rows = [i for i, name in enumerate(names) if name in reached[service.name]]
            held[np.ix_(rows, inside)] = CIRCUMSTANCES.index("batch")
    for event in events:
        if isinstance(event, Deploy):
            inside = (times >= event.start_s) & (times <= event.start_s + AFTER_S)
            held[names.index(event.service), inside] = CIRCUMSTANCES.index("deploy")
    for event in events:
        if isinstance(event, Surge):
            inside = (times >= event.start_s) & (times <= event.end_s + AFTER_S)
            rows = [i for i, name in enumerate(names) if name in reached[event.service]]
            during = (times >= event.start_s) & (times <= event.end_s)
            big = bool(strained[np.ix_(rows, during)].any())
            label = "crowd too big" if big else "flash crowd"
            # Whoever calls what is strained suffers with it.
            touched = range(len(names)) if big else rows
            held[np.ix_(list(touched), inside)] = CIRCUMSTANCES.index(label)
    return held


def _after_clock_change(zone: ZoneInfo, times: np.ndarray) -> np.ndarray:
    """Return [T] the two days that begin with a clock change."""
    hours = times[::60]
    offsets = np.array([datetime.fromtimestamp(int(t), tz=zone).utcoffset() for t in hours])
    found = np.zeros(len(times), dtype=bool)
    for at in np.flatnonzero(offsets[1:] != offsets[:-1]) + 1:
        found |= (times >= hours[at]) & (times < hours[at] + timedelta(days=2).total_seconds())
    return found


def downstream(there: Unseen, name: str) -> set[str]:
    """Return a service and everything its requests reach."""
    found = {name}
    for service in there.mesh.services:  # callers stand before the services they call
        if service.name in found:
            found |= {call.to for call in service.calls}
    return found


def judge(one: Weeks, model: Model | None) -> list[Alarm]:
    """Return the firings of one mesh."""
    return alarms(one, firing.score_days(one.panel, one.from_s, model, one.settings))


def alarms(one: Weeks, scores: Scores) -> list[Alarm]:
    """Return the firings of one mesh by its scores."""
    found = []
    for fired in firing.firings(one.panel, scores, one.settings):
        at = (fired.at_s - one.from_s) // MINUTE
        name = one.panel.workloads[fired.row].name
        circumstance = CIRCUMSTANCES[one.held[fired.row, at]]
        found.append(Alarm(one.seed, name, circumstance, one.shapes[fired.row], fired))
    return found


def crowds_noticed(one: Weeks, alarms: Sequence[Alarm]) -> int:
    """Return how many flash crowds made anybody fire whom they reach, too big ones included."""
    return sum(
        any(
            crowd.start_s <= alarm.firing.at_s <= crowd.end_s + AFTER_S
            and alarm.workload in one.reached[crowd.service]
            for alarm in alarms
        )
        for crowd in one.crowds
    )


def joined(alarms: Sequence[Alarm], apart_s: int) -> int:
    """Return how many are left when those of one workload less than `apart_s` apart count once."""
    last: dict[tuple[int, str], int] = {}
    count = 0
    for alarm in sorted(alarms, key=lambda alarm: alarm.firing.at_s):
        key = (alarm.seed, alarm.workload)
        count += alarm.firing.at_s - last.get(key, -apart_s) >= apart_s
        last[key] = alarm.firing.at_s
    return count


def exposure(every: Sequence[np.ndarray]) -> dict[str, float]:
    """Return workload-weeks per circumstance, from the `held` of all meshes."""
    counts = sum(np.bincount(held.ravel(), minlength=len(CIRCUMSTANCES)) for held in every)
    return {name: float(counts[i]) * MINUTE / (7 * DAY) for i, name in enumerate(CIRCUMSTANCES)}
