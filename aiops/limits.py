"""The numbers that decide, in one table: each with its default, meaning and source.

`docs/rules.md` is rendered from these fields, so a number has one home. Sources: "design" is the
project's design page; "guide" is the field guide and names the project the number was taken from.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any


def _number(default: float, unit: str, meaning: str, source: str) -> Any:
    return field(default=default, metadata={"unit": unit, "meaning": meaning, "source": source})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Every number that diagnosis, policy and guardrails compare with. Ratios are 0..1."""

    # What counts as harm and as enough data.
    harm_of: int = _number(5, "steps", "newest steps looked at for user-visible harm", "guide 3b, Dynatrace")
    harm_min: int = _number(3, "steps", "of them at or above the floor of one signal", "guide 3b, Dynatrace")
    traffic_min_per_min: float = _number(
        5, "requests/min", "less traffic than this proves no error ratio or latency", "guide 3b, sparse data"
    )
    counted_min: int = _number(
        20, "requests", "since the onset, before failures are counted where traffic is low", "guide G1"
    )
    chance_max: float = _number(
        0.001,
        "ratio",
        "chance of so many failures at the floor that is no chance",
        "3 sigma, as between versions",
    )
    requests_min: int = _number(
        500, "requests", "a value served this many before it counts as healthy", "judgement: 10 errors at 2 %"
    )
    coverage_min: float = _number(
        0.5, "ratio", "share of steps with a sample before anything is decided", "faults F11"
    )
    # When a change can be the cause.
    change_to_onset_s: int = _number(3600, "s", "a change older than this at onset is not blamed", "guide R1")
    change_after_onset_s: int = _number(
        120, "s", "a change this much after the first bad step still counts: a stray bad step", "judgement"
    )
    onset_slack_s: int = _number(
        300, "s", "onsets this close count as equal: rates look back 5 min, 3 of 5 steps open", "judgement"
    )
    baseline_s: int = _number(3600, "s", "time before a change or onset that is called before", "judgement")
    # How strong a claim has to be.
    explained_min: float = _number(
        0.5, "ratio", "share of a symptom that its explanation must carry", "judgement"
    )
    load_rise_min: float = _number(
        1.2,
        "ratio",
        "load over forecast or over before to be called a rise",
        "guide 3b: HPA tolerance, doubled",
    )
    saturated_cpu: float = _number(0.9, "ratio", "CPU use over request that counts as saturated", "judgement")
    saturated_throttled: float = _number(
        0.1, "ratio", "share of throttled CPU periods that counts as saturated", "guide S7, KRR"
    )
    shed_min: float = _number(
        0.02, "ratio", "errors that count as shedding once load rose", "the error floor"
    )
    worse_min: float = _number(1.5, "ratio", "after over before a release that counts as worse", "judgement")
    cpu_per_request_rise: float = _number(
        1.3, "ratio", "CPU per request after over before a release that is a regression", "judgement"
    )
    split_requests_min: int = _number(
        50, "requests", "requests of old and of new version before they are compared", "guide R2"
    )
    split_sigma: float = _number(3.0, "sigma", "two-proportion test between versions", "guide R2, Kayenta")
    known_peak: float = _number(
        0.8, "ratio", "of today's rise, had yesterday or last week at this time: a known peak", "judgement"
    )
    exposure_min: float = _number(
        0.1, "ratio", "change of a version's share of a service that is an exposure", "judgement: a tenth"
    )
    coupled_s: int = _number(
        1800, "s", "releases of neighbours this close are one set", "issue 4, coupled releases"
    )
    concentrated_max: float = _number(
        0.5,
        "ratio",
        "bad pods of all pods that are still a place and not the service",
        "judgement: at most half",
    )
    usual_deploys: int = _number(
        2,
        "deploys",
        "earlier ones that were as bad for as long, and passed: usual at each deploy",
        "guide R1c, Datadog",
    )
    leak_slope_max: float = _number(
        0.25, "ratio", "growth of memory before a release over since, at which it begins there", "judgement"
    )
    shared_min: int = _number(3, "workloads", "unexplained together at one onset: a shared cause", "guide G9")
    # What is reported before it happens.
    trend_fit: float = _number(0.9, "ratio", "R2 of a straight line through 6 h that is a trend", "judgement")
    breach_ahead_s: int = _number(
        86400, "s", "a trend that reaches its bound sooner is reported", "judgement: a day"
    )
    certificate_ahead_s: int = _number(
        604800, "s", "a certificate that ends sooner is reported", "cert-manager renews 30 days before"
    )
    capacity_ahead_days: int = _number(
        28, "days", "slow growth that reaches saturation sooner is reported", "judgement"
    )
    # Rollback.
    rollback_soak_s: int = _number(3600, "s", "a value was in place this long to be a target", "design")
    # Scale.
    scale_factor: float = _number(
        1.5, "ratio", "most that one proposal multiplies by", "design; guide 3b, Robusta"
    )
    scale_step: int = _number(10, "replicas", "most that one proposal adds", "design")
    replicas_max: int = _number(50, "replicas", "absolute maximum of replicas or HPA bounds", "design")
    minimum_days: int = _number(
        7, "days", "a raised minimum is meant for", "guide S2, with expiry; judgement"
    )
    quota_full: float = _number(0.95, "ratio", "used over hard limit of a quota that is full", "judgement")
    # Guardrails.
    new_per_run: int = _number(2, "pull requests", "new in one run", "design; Renovate prHourlyLimit")
    open_max: int = _number(5, "pull requests", "open at once", "design")
    per_day: int = _number(10, "pull requests", "new in 24 hours", "design")
    reserved: int = _number(
        1, "pull requests", "of the open and the daily limit kept for crash loops and bad releases", "design"
    )
    cool_down_s: int = _number(21600, "s", "per workload and kind after merge or close", "design")
    one_incident_s: int = _number(86400, "s", "bursts less than this apart are one incident", "issue 6")
    over_s: int = _number(
        3600, "s", "without an incident before it counts as over", "Datadog: 60 min before alerting again"
    )
    verify_s: int = _number(
        3600, "s", "after a merge before it is judged: sync, rollout, the hold and as much again", "guide V1"
    )
    verify_max_s: int = _number(86400, "s", "after a merge it is not judged any more", "judgement: a day")
    raise_lasts_s: int = _number(
        86400, "s", "a raise stays before it may be proposed back: its time box", "issue 6: the last day"
    )
    confirmed_s: int = _number(
        7200, "s", "the field set by a person so close to a close: that was no no", "issue 6"
    )
    doubted_s: int = _number(
        3600,
        "s",
        "an incident lasts before it is acted on again after `aiops/false-positive`",
        "4 x the hold",
    )
    doubt_lasts_s: int = _number(2592000, "s", "how long that label counts after the close", "issue 6")
    fresh_s: int = _number(900, "s", "data older than this is not acted on", "design; guide 3b, 20 min")
    storm_min: int = _number(10, "workloads", "unexplained incidents that are a storm, at least", "design")
    storm_share: float = _number(
        0.3, "ratio", "unexplained incidents that are a storm, of the fleet", "design"
    )
    all_red_min: int = _number(
        3, "workloads", "scored workloads before 'every one is red' says anything", "judgement"
    )
    targets_lost_max: float = _number(0.2, "ratio", "share of scrape targets lost", "design; node controller")

    def table(self) -> tuple[tuple[str, str, str, str, str], ...]:
        """Return (name, value, unit, meaning, source) per number, in order."""
        return tuple(
            (
                number.name,
                f"{getattr(self, number.name):g}",
                number.metadata["unit"],
                number.metadata["meaning"],
                number.metadata["source"],
            )
            for number in fields(self)
        )


# The defaults. A module constant, because a dataclass call is no default argument (ruff B008).
LIMITS = Limits()
