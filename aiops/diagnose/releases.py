"""Judges the releases around an onset: which one can be blamed, and which are cleared and why.

Only an image change of an application container counts (field guide R1, R1c, R2). A release is
blamed by time (at most an hour before the onset), by contrast (healthy before, bad after) and,
where both versions served, by comparing them over the same minutes (`versions.py`).
"""

from __future__ import annotations

from aiops.diagnose import exposure
from aiops.diagnose.changes import SIDECARS
from aiops.diagnose.facts import Facts, describe
from aiops.domain import Change, Evidence


def suspect(facts: Facts) -> Change | None:
    """Return the newest application image change that the onset can follow, and that still runs."""
    limits = facts.limits
    running = set(facts.context.images)
    found = [
        change
        for change in facts.context.changes
        if change.kind == "image"
        and change.subject not in SIDECARS
        and -limits.change_after_onset_s <= facts.onset_s - change.at_s <= limits.change_to_onset_s
        and (change.subject, change.new) in running
    ]
    return max(found, key=lambda change: (change.at_s, change.subject, change.new or ""), default=None)


def cleared(facts: Facts, blamed: Change | None) -> tuple[str, ...]:
    """Return the changes that are not to blame, each with the reason."""
    limits = facts.limits
    said: list[str] = []
    for change in facts.context.changes:
        lead_s = facts.onset_s - change.at_s
        if change.kind != "image" or change == blamed:
            continue
        if change.subject in SIDECARS:
            said.append(
                f"{describe(change)}: injected by the platform, the application's tag did not cause it"
            )
        elif lead_s < -limits.change_after_onset_s:
            said.append(f"{describe(change)}: came {-lead_s // 60} min after the onset")
        elif lead_s > limits.change_to_onset_s:
            said.append(f"{describe(change)}: ran {lead_s // 60} min before the onset without harm")
    return tuple(said)


def rival(facts: Facts, change: Change, signals: list[str], *, split: bool) -> tuple[Change, bool] | None:
    """Return another change that may be to blame, and True when it came with `change` (a tie).

    Nearest before the onset wins: what came later counts once `change` had run healthy until then.
    `split`: the new version alone is worse, so what hits both versions alike is no rival: an edit
    in place, a route. Another image or pod template stands in the same new pods and stays one.
    """
    slack = facts.limits.onset_slack_s
    for other in reversed(facts.recent_changes("image", "config", "exposure", "certificate")):
        if other == change or other.subject in SIDECARS:
            continue
        if other.kind == "image" and (other.subject, other.new) not in set(facts.context.images):
            continue
        if other.kind == "exposure" and not exposure.rose(other):
            continue
        in_the_pods = other.kind == "image" or (other.kind == "config" and "/" not in other.subject)
        if abs(other.at_s - change.at_s) <= slack and (in_the_pods or not split):
            return other, True
        if other.at_s > change.at_s + slack and not split and _well_until(facts, change, other, signals):
            return other, False
    return None


def _well_until(facts: Facts, change: Change, other: Change, signals: list[str]) -> bool:
    """Tell whether every harmed signal was below its floor between two changes."""
    levels = [(facts.fleet.between(facts.key, s, change.at_s, other.at_s), facts.floor(s)) for s in signals]
    return bool(levels) and all(level is not None and level < floor for level, floor in levels)


def healthy_before(facts: Facts, change: Change, signal: str) -> bool | None:
    """Tell whether a signal was below its floor in the hour before a release; None = no samples."""
    start_s = change.at_s - facts.limits.baseline_s
    level = facts.fleet.between(facts.key, signal, start_s, change.at_s)
    if level is None:
        return None
    after = facts.now(signal)
    # A service that was nearly as bad did not get bad by this release.
    return level < facts.floor(signal) and (after is None or after >= facts.limits.worse_min * level)


def lead(lead_s: int) -> str:
    """Return how long before the onset a change came, in words."""
    minutes = abs(lead_s) // 60
    return f"{minutes} min before the onset" if lead_s >= 0 else f"{minutes} min after the first bad step"


def contrast(facts: Facts, change: Change, signals: list[str]) -> list[Evidence]:
    """Return before and after of each harmed signal around a release."""
    said: list[Evidence] = []
    for signal in signals:
        unit = facts.signal(signal).unit
        start_s = change.at_s - facts.limits.baseline_s
        before = facts.fleet.between(facts.key, signal, start_s, change.at_s)
        said.append(
            facts.evidence(f"{signal} in the hour before the release", signal, before, unit, change.at_s)
        )
        said.append(facts.evidence(f"{signal} now", signal, facts.now(signal), unit))
    return said


def both_serve(facts: Facts, change: Change) -> bool:
    """Tell whether pods of the old and of the new image run now: then they can be compared now."""
    running = set(facts.context.images)
    return {(change.subject, change.old), (change.subject, change.new)} <= running


def cpu_per_request_ratio(facts: Facts, change: Change) -> float | None:
    """Return CPU per request now over before a release; None when a part was not measured.

    CPU utilisation is per requested core, so pods count: more pods at the same share use more.
    """
    start_s = change.at_s - facts.limits.baseline_s
    levels = [
        facts.fleet.between(facts.key, "cpu_utilization", start_s, change.at_s),
        facts.fleet.between(facts.key, "request_rate", start_s, change.at_s),
        facts.now("cpu_utilization"),
        facts.now("request_rate"),
    ]
    pods_now = facts.context.capacity.replicas_desired
    if pods_now is None or any(level is None or level <= 0 for level in levels):
        return None
    cpu_before, rate_before, cpu_now, rate_now = (float(level or 0) for level in levels)
    pods_before = replicas_at(facts, change.at_s, pods_now)
    return (cpu_now * pods_now / rate_now) / (cpu_before * pods_before / rate_before)


def replicas_at(facts: Facts, at_s: int, now: int) -> float:
    """Return the desired replicas just before a time, read backwards from the changes since."""
    moves = [
        c for c in facts.context.changes if c.kind == "replicas" and c.at_s >= at_s and c.old is not None
    ]
    first = min(moves, key=lambda c: c.at_s, default=None)
    return float(now) if first is None or first.old is None else max(float(first.old), 1.0)
