"""What is known about one incident, in one place: levels before and now, and evidence from them.

Comes in: incident, context, panel, scores, query texts. Goes out: numbers in the unit of the
signal (None = not measured) and `Evidence` that carries the query that returns the number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from aiops.diagnose.rows import NOW_STEPS, median
from aiops.domain import (
    Breach,
    Change,
    Context,
    Evidence,
    FloatArray,
    Incident,
    Panel,
    Query,
    Scores,
    Signal,
    Workload,
)
from aiops.ingest import promql
from aiops.limits import Limits

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True, eq=False)
class Fleet:
    """All incidents with what was measured; `rows`, `columns`: places of workloads and signals."""

    incidents: Mapping[Key, Incident]
    contexts: Mapping[Key, Context]
    history: Panel
    scores: Scores
    queries: Mapping[str, Query]
    limits: Limits
    rows: Mapping[Key, int]
    columns: Mapping[str, int]

    def series(self, key: Key, signal: str) -> FloatArray | None:
        """Return [T] of one signal of one workload on the grid of the history, None when unknown."""
        if key not in self.rows or signal not in self.columns:
            return None
        row: FloatArray = self.history.values[self.rows[key], self.columns[signal]]
        return row

    def between(self, key: Key, signal: str, start_s: int, end_s: int) -> float | None:
        """Return the median of the samples in [start_s, end_s)."""
        series = self.series(key, signal)
        if series is None:
            return None
        return median(series[(self.history.times >= start_s) & (self.history.times < end_s)])

    def now(self, key: Key, signal: str) -> float | None:
        """Return the median of the newest steps."""
        series = self.series(key, signal)
        return None if series is None else median(series[-NOW_STEPS:])

    def before(self, key: Key, signal: str, onset_s: int) -> float | None:
        """Return the median of the hour before an onset, less the minutes that rates look back."""
        limits = self.limits
        return self.between(key, signal, onset_s - limits.baseline_s, onset_s - limits.onset_slack_s)

    def is_firing(self, key: Key) -> bool:
        """Tell whether a workload has an open incident (pending counts: causes come before effects)."""
        return key in self.incidents


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """One incident inside its fleet."""

    incident: Incident
    context: Context
    fleet: Fleet

    @property
    def key(self) -> Key:
        """(cluster, namespace, name)."""
        return self.incident.workload.key

    @property
    def workload(self) -> Workload:
        """The workload the incident is about."""
        return self.incident.workload

    @property
    def limits(self) -> Limits:
        """The numbers that decide."""
        return self.fleet.limits

    @property
    def onset_s(self) -> int:
        """First bad step; the newest judged step when the detector names none."""
        return self.now_s if self.incident.onset_s is None else self.incident.onset_s

    @property
    def now_s(self) -> int:
        """Time of the newest judged step."""
        return int(self.fleet.history.times[-1])

    def breach(self, signal: str) -> Breach | None:
        """Return how a signal left its band, None when it did not."""
        return next((b for b in self.incident.signals if b.signal == signal), None)

    def now(self, signal: str) -> float | None:
        """Return the level of the newest steps."""
        return self.fleet.now(self.key, signal)

    def before(self, signal: str) -> float | None:
        """Return the level before the onset."""
        return self.fleet.before(self.key, signal, self.onset_s)

    def rose(self, signal: str) -> bool:
        """Tell whether a signal left its band upwards in this incident."""
        breach = self.breach(signal)
        return breach is not None and breach.observed > breach.expected

    def harmed(self) -> tuple[str, ...]:
        """Return the signals that harm users and rose, in the order of the incident, then by name.

        A signal that is above its floor now and was below before the onset counts as well: a scorer
        may open an incident on one signal while another one hurts.
        """
        floors = {s.name for s in self.fleet.history.signals if s.floor is not None}
        broke = [b.signal for b in self.incident.signals if b.signal in floors and self.rose(b.signal)]
        crossed = sorted(name for name in floors if name not in broke and self._crossed(name))
        return (*broke, *crossed)

    def _crossed(self, signal: str) -> bool:
        now, before, floor = self.now(signal), self.before(signal), self.floor(signal)
        return now is not None and before is not None and before < floor <= now

    def recent_changes(self, *kinds: str) -> tuple[Change, ...]:
        """Return the changes of some kinds (default: all) that the onset can follow, oldest first."""
        limits = self.limits
        return tuple(
            change
            for change in self.context.changes
            if (not kinds or change.kind in kinds)
            and -limits.change_after_onset_s <= self.onset_s - change.at_s <= limits.change_to_onset_s
        )

    def signal(self, name: str) -> Signal:
        """Return what a signal is; its number is never anomalous when the panel does not have it."""
        known = {signal.name: signal for signal in self.fleet.history.signals}
        return known.get(name, Signal(name, "", "both", np.inf))

    def floor(self, name: str) -> float:
        """Return the floor of a signal that harms users, infinity for one that never does."""
        floor = self.signal(name).floor
        return np.inf if floor is None else floor

    def evidence(
        self,
        claim: str,
        query: str,
        value: float | None,
        unit: str,
        at_s: int | None = None,
        about: Workload | Literal["fleet"] | None = None,
    ) -> Evidence:
        """Return a claim with the named query, narrowed to a workload; "" when the query is not known.

        `about`: the workload the number is of, by default the one of this incident; "fleet" = of any.
        """
        known = self.fleet.queries.get(query)
        if known is None:
            text = ""
        elif about == "fleet":
            text = known.expr
        else:
            text = promql.narrowed(known, self.workload if about is None else about)
        return Evidence(claim, text, value, unit, self.now_s if at_s is None else at_s)

    def seen(self, signal: str) -> Evidence | None:
        """Return what left its band, as evidence."""
        breach = self.breach(signal)
        if breach is None:
            return None
        claim = f"{signal} left its band: expected about {_shown(breach.expected, breach.unit)}"
        return self.evidence(claim, signal, breach.observed, breach.unit, breach.at_s)


def _shown(value: float, unit: str) -> str:
    """Return a value as people say it: a ratio in percent."""
    ratio = unit == "ratio" or unit.startswith("ratio ")
    return f"{value * 100:.3g}%{unit.removeprefix('ratio')}" if ratio else f"{value:.4g} {unit}".rstrip()


def describe(change: Change) -> str:
    """Return a change as people say it: `image of container app from a:1 to a:2`."""
    if change.kind == "image":
        return f"image of container {change.subject} from {change.old} to {change.new}"
    if change.kind in ("config", "nearby") and "/" in change.subject:
        return f"an edit of {change.subject}"
    if change.kind == "certificate":
        return f"the end of {change.subject}"
    return f"{change.subject} from {change.old} to {change.new}"
