"""Finds who got another share of a service's traffic: weights, a blue-green switch, a mirror.

A route may change without any image changing: a version that nobody used is suddenly used. The
share is of the requests to one service, over all workloads and versions that serve it.
"""

from __future__ import annotations

import numpy as np

from aiops.diagnose.rows import NOW_STEPS, Sources, median
from aiops.diagnose.traffic import DESTINATION
from aiops.domain import Change, FloatArray, TimesArray, Workload
from aiops.limits import LIMITS

SERVICE = ("destination_service_namespace", "destination_service_name")


def exposure_changes(
    sources: Sources, workload: Workload, images: tuple[Change, ...], onset_s: int
) -> tuple[Change, ...]:
    """Return the versions of a workload whose share of a service moved before the onset, oldest first.

    A version whose image was rolled out in the hour before is a release, not an exposure.
    """
    answer = sources.answers.get("service_rate")
    if answer is None:
        return ()
    found = []
    fresh = {
        _tag(change.new)
        for change in images
        if onset_s - change.at_s <= LIMITS.change_to_onset_s + LIMITS.onset_slack_s
    }
    for labels, rate in sources.rows("service_rate", workload, *DESTINATION):
        version, service = labels.get("destination_version", ""), labels.get(SERVICE[1], "")
        all_of_it = Workload(workload.cluster, labels.get(SERVICE[0], ""), "", service)
        total = sum(np.nan_to_num(row) for _, row in sources.rows("service_rate", all_of_it, *SERVICE))
        moved = _moved(np.nan_to_num(rate), np.asarray(total), answer.times, onset_s)
        if moved is None or _without_v(version) in fresh:
            continue
        before, now, at_s = moved
        subject = f"share of {service} served by {workload.name} {version}".rstrip()
        found.append(Change(workload, "exposure", subject, f"{before:.0%}", f"{now:.0%}", at_s))
    return tuple(sorted(found, key=lambda change: (change.at_s, change.subject)))


def rose(change: Change) -> bool:
    """Tell whether an exposure grew."""
    return float((change.new or "0").rstrip("%")) > float((change.old or "0").rstrip("%"))


def _moved(
    rate: FloatArray, total: FloatArray, times: TimesArray, onset_s: int
) -> tuple[float, float, int] | None:
    """Return the share before, the share now and when it crossed the middle; None if it stood still."""
    known = total > 0
    share = np.full(rate.shape, np.nan)
    np.divide(rate, total, out=share, where=known)
    early = (times >= onset_s - LIMITS.baseline_s) & (times < onset_s - LIMITS.onset_slack_s)
    before, now = median(share[early]), median(share[-NOW_STEPS:])
    if before is None or now is None or abs(now - before) < LIMITS.exposure_min:
        return None
    middle = (before + now) / 2
    over = known & ((share >= middle) if now > before else (share <= middle))
    # The start of the last stretch: an experiment of an hour ago that was undone is not it.
    away = np.flatnonzero(known & ~over)
    start = int(away[-1]) + 1 if away.size else 0
    return before, now, int(times[min(start, times.size - 1)])


def _tag(image: str | None) -> str:
    name = (image or "").split("@", 1)[0].rsplit("/", 1)[-1]
    return _without_v(name.partition(":")[2])


def _without_v(version: str) -> str:
    return version.removeprefix("v")
