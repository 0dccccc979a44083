"""Judges the releases around an onset: which one can be blamed, and which are cleared and why.

Only an image change of an application container counts (field guide R1, R1c, R2). A release is
blamed by time (at most an hour before the onset), by contrast (healthy before, bad after) and,
where both versions served, by comparing them over the same minutes.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from aiops.diagnose.changes import SIDECARS
from aiops.diagnose.facts import Facts, describe
from aiops.domain import Change, Evidence, VersionSplit


@dataclass(frozen=True, slots=True)
class Split:
    """Old against new version over the same minutes. `worse`: None = not enough to tell."""

    worse: bool | None
    evidence: tuple[Evidence, ...]


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


def healthy_before(facts: Facts, change: Change, signal: str) -> bool | None:
    """Tell whether a signal was below its floor in the hour before a release; None = no samples."""
    start_s = change.at_s - facts.limits.baseline_s
    level = facts.fleet.between(facts.key, signal, start_s, change.at_s)
    if level is None:
        return None
    after = facts.now(signal)
    # A service that was nearly as bad did not get bad by this release.
    return level < facts.floor(signal) and (after is None or after >= facts.limits.worse_min * level)


def version_split(facts: Facts, change: Change) -> Split:
    """Compare old and new version over the same minutes.

    Errors by a two-proportion test and half the floor, latency by a factor of two and the floor.
    """
    new, old = _find(facts.context.versions, change.new), _find(facts.context.versions, change.old)
    needed = facts.limits.split_requests_min
    if new is None or old is None or new.requests < needed or old.requests < needed:
        return Split(None, ())
    verdicts: set[bool | None] = set()
    said: list[Evidence] = []
    if new.error_ratio is not None and old.error_ratio is not None:
        sigma = two_proportions(new.error_ratio, new.requests, old.error_ratio, old.requests)
        floor = facts.floor("error_ratio")
        worse = sigma >= facts.limits.split_sigma and new.error_ratio - old.error_ratio >= floor / 2
        verdicts.add(True if worse else _both_bad(old.error_ratio, floor))
        said += _pair(facts, new, old, "version_error_ratio", (new.error_ratio, old.error_ratio), "ratio")
    if new.latency_p95_ms is not None and old.latency_p95_ms is not None:
        floor = facts.floor("latency_p95")
        worse = new.latency_p95_ms >= max(2 * old.latency_p95_ms, floor)
        verdicts.add(True if worse else _both_bad(old.latency_p95_ms, floor))
        said += _pair(facts, new, old, "version_latency_p95", (new.latency_p95_ms, old.latency_p95_ms), "ms")
    return Split(True if True in verdicts else (False if False in verdicts else None), tuple(said))


def _both_bad(old: float, floor: float) -> bool | None:
    """Clear the new version when the old one is as bad; two healthy versions prove nothing."""
    return False if old >= floor else None


def _pair(
    facts: Facts, new: VersionSplit, old: VersionSplit, query: str, values: tuple[float, float], unit: str
) -> list[Evidence]:
    what = "error ratio" if unit == "ratio" else "p95 latency"
    return [
        facts.evidence(f"{what} of {which} version {split.version} since the release", query, value, unit)
        for which, split, value in (("new", new, values[0]), ("old", old, values[1]))
    ]


def _find(versions: tuple[VersionSplit, ...], image: str | None) -> VersionSplit | None:
    """Return the version whose label is the tag of an image, with or without a leading "v"."""
    wanted = tag_of(image or "").removeprefix("v")
    return next((v for v in versions if wanted and v.version.removeprefix("v") == wanted), None)


def tag_of(image: str) -> str:
    """Return the tag of an image reference, "" when it has none; a registry's port is no tag."""
    name = image.split("@", 1)[0].rsplit("/", 1)[-1]
    return name.split(":", 1)[1] if ":" in name else ""


def two_proportions(first: float, first_n: float, second: float, second_n: float) -> float:
    """Return by how many standard errors the first share is above the second (pooled z).

    Both shares 0..1 of counts > 0; 0.0 when neither ever failed. Textbook two-proportion z-test.
    """
    pooled = (first * first_n + second * second_n) / (first_n + second_n)
    spread = sqrt(pooled * (1 - pooled) * (1 / first_n + 1 / second_n))
    return (first - second) / spread if spread > 0 else 0.0


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
