"""Compares the old and the new version of a workload over the same minutes: a canary test for free.

Both see the same callers, callees and load, so what differs is the version (field guide R2).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

from aiops.diagnose.facts import Facts
from aiops.domain import Change, Evidence, VersionSplit


@dataclass(frozen=True, slots=True)
class Split:
    """Old against new version. `worse`: None = not enough to tell.

    `evidence`: the comparisons in which the new one is worse; all of them where there is none such.
    `refuses`: fewer requests succeed on the new version alone, though they are not errors of the
    server: 4xx, or nothing comes back. `alike`: measured well enough, and no difference.
    """

    worse: bool | None
    evidence: tuple[Evidence, ...]
    refuses: bool = False
    alike: bool = False


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
    speaks: list[Evidence] = []
    alike = False
    if new.error_ratio is not None and old.error_ratio is not None:
        sigma = two_proportions(new.error_ratio, new.requests, old.error_ratio, old.requests)
        floor = facts.floor("error_ratio")
        worse = sigma >= facts.limits.split_sigma and new.error_ratio - old.error_ratio >= floor / 2
        verdicts.add(True if worse else _both_bad(old.error_ratio, floor))
        alike = (
            not worse and sigma < facts.limits.split_sigma and min(new.requests, old.requests) * floor >= 10
        )
        pair = _pair(facts, new, old, "version_error_ratio", (new.error_ratio, old.error_ratio), "ratio")
        said += pair
        speaks += pair if worse else []
    if new.latency_p95_ms is not None and old.latency_p95_ms is not None:
        floor = facts.floor("latency_p95")
        worse = new.latency_p95_ms >= max(2 * old.latency_p95_ms, floor)
        verdicts.add(True if worse else _both_bad(old.latency_p95_ms, floor))
        pair = _pair(facts, new, old, "version_latency_p95", (new.latency_p95_ms, old.latency_p95_ms), "ms")
        said += pair
        speaks += pair if worse else []
    refuses = _refuses(facts, new, old)
    if refuses:
        values = (new.success_ratio or 0.0, old.success_ratio or 0.0)
        pair = _pair(facts, new, old, "version_success_ratio", values, "ratio")
        said += pair
        speaks += pair
    worst = True if True in verdicts or refuses else (False if False in verdicts else None)
    return Split(worst, tuple(speaks or said), refuses, alike and worst is None)


def _refuses(facts: Facts, new: VersionSplit, old: VersionSplit) -> bool:
    """Tell whether significantly fewer requests succeed on the new version, by the floor of errors."""
    if new.success_ratio is None or old.success_ratio is None:
        return False
    sigma = two_proportions(old.success_ratio, old.requests, new.success_ratio, new.requests)
    apart = old.success_ratio - new.success_ratio >= facts.floor("error_ratio")
    return sigma >= facts.limits.split_sigma and apart


def _both_bad(old: float, floor: float) -> bool | None:
    """Clear the new version when the old one is as bad; two healthy versions prove nothing."""
    return False if old >= floor else None


def _pair(
    facts: Facts, new: VersionSplit, old: VersionSplit, query: str, values: tuple[float, float], unit: str
) -> list[Evidence]:
    what = {"version_error_ratio": "error ratio", "version_success_ratio": "share that succeeds"}
    return [
        facts.evidence(
            f"{what.get(query, 'p95 latency')} of {which} version {split.version} since the release",
            query,
            value,
            unit,
        )
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
