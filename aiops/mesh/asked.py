"""What is asked of a service over time: tags, replicas, autoscaler bounds.

Comes in: events and controls. Goes out: arrays per minute and the list of pod templates. A tag
keeps its defect wherever it runs, so rolling it back ends the incident.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aiops.domain import TimesArray
from aiops.mesh.faults import NEVER_READY, ConfigChange, Control, Defect, Deploy, Event
from aiops.mesh.graph import Service
from aiops.mesh.rollout import Generation, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """What one service shall be: `generations` with their `defects`, replicas and bounds [T]."""

    created: int
    generations: tuple[Generation, ...]
    defects: tuple[Defect | None, ...]
    replicas: IntArray
    minimum: IntArray
    maximum: IntArray


def asked(service: Service, times: TimesArray, events: Sequence[Event], controls: Sequence[Control]) -> Asked:
    """Return what events and controls ask of one service; `created`: its first minute, 0..T."""
    created = 0 if service.created_s is None else int(np.searchsorted(times, service.created_s))
    ours = sorted(
        (item for item in (*events, *controls) if isinstance(item, Deploy | ConfigChange | Control)
         and item.service == service.name),
        key=lambda item: item.start_s,
    )  # fmt: skip
    replicas = np.full(times.size, service.replicas, dtype=np.int64)
    scale = service.autoscale
    minimum = np.full(times.size, scale.minimum if scale else 0, dtype=np.int64)
    maximum = np.full(times.size, scale.maximum if scale else 0, dtype=np.int64)
    for item in ours:
        if isinstance(item, Control):
            begin = int(np.searchsorted(times, item.start_s))
            for array, value in ((replicas, item.replicas), (minimum, item.minimum), (maximum, item.maximum)):
                if value is not None:
                    array[begin:] = value
    generations, defects = _generations(service, times, ours, created)
    return Asked(created, generations, defects, replicas, minimum, maximum)


def _generations(
    service: Service, times: TimesArray, ours: Sequence[Event | Control], created: int
) -> tuple[tuple[Generation, ...], tuple[Defect | None, ...]]:
    """Return the pod templates in the order they were asked for, and what is wrong with each."""
    tag, revision = service.tag, ""
    found: list[Generation] = [Generation(created, tag, revision, broken=False)]
    defects: list[Defect | None] = [None]
    by_tag: dict[str, Defect | None] = {}
    by_revision: dict[str, Defect | None] = {}
    for item in ours:
        if isinstance(item, Deploy):
            tag = item.tag
            if item.defect is not None or tag not in by_tag:  # an old tag may fail only now
                by_tag[tag] = item.defect
        elif isinstance(item, ConfigChange):
            revision = item.revision
            by_revision[revision] = item.defect
        elif isinstance(item, Control) and item.tag is not None:
            tag = item.tag
        if (tag, revision) == (found[-1].tag, found[-1].revision):
            continue
        defect = by_tag.get(tag) or by_revision.get(revision)
        broken = defect is not None and defect.kind in NEVER_READY
        start = max(created, int(np.searchsorted(times, item.start_s)))
        if start == found[-1].start:  # two changes in one minute are one rollout
            found.pop()
            defects.pop()
        found.append(Generation(start, tag, revision, broken))
        defects.append(defect)
    return tuple(found), tuple(defects)
