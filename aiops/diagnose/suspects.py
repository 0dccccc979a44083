"""Says where to look when no rule names a cause: the workloads whose own state moved at that time.

A suspect is evidence and no root: a rule that names a cause has a change to point at, a ranking
has only amounts, and nothing is proposed on amounts alone.
"""

from __future__ import annotations

import numpy as np

from aiops.diagnose import roots
from aiops.diagnose.facts import Facts, Fleet, Key
from aiops.diagnose.moves import locate
from aiops.diagnose.roots import Graph, Kind, Measure, Suspect
from aiops.domain import Evidence

KINDS = {
    "request_rate": Kind.LOAD,
    "error_ratio": Kind.ERRORS,
    "latency_p95": Kind.LATENCY,
    "cpu_utilization": Kind.CPU,
    "memory_utilization": Kind.MEMORY,
    "restarts": Kind.INSTANCE,
    "pods_waiting": Kind.INSTANCE,
}
# A report names few; a neighbourhood of more workloads than this is no longer one incident's.
_TOLD, _NEAR = 3, 50


def named(facts: Facts) -> tuple[Evidence, ...]:
    """Return the strongest suspects along the known calls around an incident, one line each."""
    fleet = facts.fleet
    calls = _calls(fleet)
    near = [key for key in _near(facts.key, calls) if key in fleet.rows]
    columns = [column for name, column in fleet.columns.items() if name in KINDS]
    if not near or not columns:
        return ()
    found, at_s = _ranked(facts, near, columns, calls)
    return tuple(_evidence(facts, near[suspect.row], suspect, at_s) for suspect in found[:_TOLD])


def _ranked(
    facts: Facts, near: list[Key], columns: list[int], calls: set[tuple[Key, Key]]
) -> tuple[tuple[Suspect, ...], int]:
    """Return the suspects by their place in `near`, and when most of what is near moved."""
    panel, limits = facts.fleet.history, facts.limits
    hour = max(limits.baseline_s // panel.step_s, 1)
    first = int(np.searchsorted(panel.times, facts.onset_s))
    rows = [facts.fleet.rows[key] for key in near]
    # What began the incident is in its first hour; later moves are its effects.
    values = panel.values[np.ix_(rows, columns)][:, :, : first + hour].astype(np.float64)
    signals = [panel.signals[column] for column in columns]
    least = np.array([signal.min_deviation for signal in signals]) / limits.split_sigma
    if first == 0 or values.shape[2] - first < 2:
        return (), facts.onset_s
    at = locate(values, first, hour, least, limits.split_sigma)
    place = {key: row for row, key in enumerate(near)}
    inside = [(place[a], place[b]) for a, b in sorted(calls) if a in place and b in place]
    measures = [Measure(signal.name, KINDS[signal.name]) for signal in signals]
    graph = Graph(measures, inside, limits.split_sigma)
    return roots.named(values, at, first, hour, least, graph), int(panel.times[at])


def _evidence(facts: Facts, key: Key, suspect: Suspect, at_s: int) -> Evidence:
    trace = suspect.traces[0]
    workload = facts.fleet.history.workloads[facts.fleet.rows[key]]
    claim = (
        f"a place to look: {trace.signal} of {workload} moved {trace.size:.0f} times as far as usual, "
        "and neither its load nor who it calls explains that"
    )
    return facts.evidence(claim, trace.signal, trace.moved, facts.signal(trace.signal).unit, at_s, workload)


def _calls(fleet: Fleet) -> set[tuple[Key, Key]]:
    """Return the calls that were read for any incident, as (caller, callee)."""
    edges = [edge for context in fleet.contexts.values() for edge in (*context.callees, *context.callers)]
    return {(edge.source.key, edge.destination.key) for edge in edges}


def _near(key: Key, calls: set[tuple[Key, Key]]) -> list[Key]:
    """Return a workload and whom calls connect it with, nearest first, at most `_NEAR`."""
    found, edge = [key], [key]
    while edge and len(found) < _NEAR:
        ring = {b for a, b in calls if a in edge} | {a for a, b in calls if b in edge}
        edge = sorted(ring - set(found))
        found += edge
    return found[:_NEAR]
