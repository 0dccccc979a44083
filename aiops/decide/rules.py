"""Every rule that can be named in a trace, a hold or a guardrail: one line of meaning, one source.

`docs/rules.md` is rendered from here and from `Limits`; a test holds that it is up to date. Ids
follow the field guide (G gates, S scale, R rollback) where it has the rule; words where it has not.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """`numbers`: names of the fields of `Limits` that the rule compares with."""

    id: str
    meaning: str
    source: str
    numbers: tuple[str, ...] = ()


GATES = (
    Rule(
        "G1",
        "Without fresh, complete samples or enough requests (failures are counted where they are few).",
        "guide G1; faults F09, F11",
        ("coverage_min", "traffic_min_per_min", "counted_min", "chance_max"),
    ),
    Rule("G2", "Too little history: only pods that cannot start (R1b) are acted on.", "guide G2"),
    Rule("G-SUSTAIN", "An anomaly that is not sustained yet is watched, not acted on.", "guide 3b"),
    Rule("G7", "Nothing is proposed for what is over.", "guide G7"),
    Rule(
        "G-FAMILIAR",
        "A day old, or as on most days and not worse: reported, for a person. Not for crash loops, nor S2.",
        "issue 3, sustain; Dynatrace",
    ),
    Rule(
        "G-SILENCE", "Somebody silenced it in Alertmanager, or that one does not answer.", "issue 4, context"
    ),
    Rule(
        "G-HARM",
        "A strange number alone is not enough: users must notice it.",
        "issue 4, gate of harm",
        ("harm_min", "harm_of"),
    ),
    Rule("G10", "The autoscaler cannot read its metric: that comes before any bound.", "guide G10"),
    Rule(
        "G3",
        "While a rollout goes on, wait; not past its deadline, and not for R1b, which is stuck.",
        "guide G3",
    ),
    Rule(
        "G9",
        "Several unexplained incidents that began together are one shared cause for a person.",
        "guide G9",
        ("shared_min", "onset_slack_s"),
    ),
    Rule(
        "G-DRIFT", "What runs is not what the repository says: an edit would not do what it says.", "guide G4"
    ),
    Rule(
        "EDIT",
        "The field cannot be edited safely: ambiguous, templated, owned by somebody, or not found.",
        "faults F28-F41",
    ),
)
CAUSES = (
    Rule(
        "G-CHAOS",
        "A chaos experiment runs in the namespace: what breaks is what it is for.",
        "issue 4; Chaos Mesh",
    ),
    Rule(
        "G5",
        "A proxy is told to fail or delay requests: injected, reported and no error of the server.",
        "guide G5; Envoy response flags",
    ),
    Rule("R1b", "New pods of a new image cannot start: roll back.", "guide R1b", ("change_to_onset_s",)),
    Rule(
        "S2",
        "A daily peak that hurts until the autoscaler has followed: raise its minimum, for a week.",
        "guide S2; issue 4, policy; llm-d-autoscaling",
        ("load_rise_min", "known_peak", "saturated_cpu", "minimum_days"),
    ),
    Rule(
        "S-KNOWN",
        "It was as high at this time yesterday or a week ago: a known peak, nothing to do.",
        "issue 2, a peak that history knows",
        ("known_peak",),
    ),
    Rule(
        "S6",
        "A callee that began no later explains what rose, and no release here drowned it: a victim.",
        "guide S6",
        ("explained_min", "onset_slack_s", "load_rise_min", "worse_min"),
    ),
    Rule("R14", "Calls find no route or no cluster (Envoy NR, NC): a route was changed.", "guide R14"),
    Rule(
        "G-PLACE",
        "The bad pods share a node, a zone or nothing but themselves, and not a version: infrastructure.",
        "guide G9; issue 4, drill-down",
        ("concentrated_max",),
    ),
    Rule(
        "R1",
        "The image changed shortly before, it was healthy before and is bad after: roll back.",
        "guide R1",
        ("change_to_onset_s", "change_after_onset_s", "baseline_s", "cpu_per_request_rise"),
    ),
    Rule(
        "R1c",
        "As bad before it, no difference between versions, or usual at each deploy: it is cleared.",
        "guide R1c; Datadog",
        ("worse_min", "split_sigma", "usual_deploys"),
    ),
    Rule(
        "R1d",
        "On the new version alone fewer requests succeed (4xx, or nothing comes back): roll back.",
        "issue 4, diagnosis; Kayenta",
        ("split_requests_min", "split_sigma"),
    ),
    Rule(
        "R2",
        "The old version is as bad in the same minutes: the release is cleared.",
        "guide R2; Kayenta",
        ("split_requests_min", "split_sigma"),
    ),
    Rule(
        "R-TIE",
        "Two changes, or a release and a rise of load, came together and nothing tells them apart.",
        "issue 4, a tie holds naming both",
        ("onset_slack_s",),
    ),
    Rule(
        "R6",
        "Settings or the pod template changed and the image did not: name the commit to revert.",
        "guide R6; Kubernaut",
        ("change_to_onset_s",),
    ),
    Rule(
        "R-EXPOSE",
        "A version got another share of the traffic without a new image: name the change of the route.",
        "issue 4, exposure",
        ("exposure_min",),
    ),
    Rule(
        "R-CERT",
        "A certificate of the namespace ended shortly before: named, for a person to renew.",
        "issue 4, what changed",
    ),
    Rule("S-CALLER", "It fails for one caller and serves all others well.", "issue 4, drill-down by caller"),
    Rule(
        "S3",
        "Load above forecast, from outside, and saturated with it: more capacity.",
        "guide S3",
        ("load_rise_min", "saturated_cpu", "saturated_throttled", "shed_min"),
    ),
    Rule("S-SPARE", "Load rose, and nothing is short: more replicas would idle.", "guide S3"),
    Rule(
        "S-RETRY",
        "Callers send more than they get: retries, a cache miss storm or a loop are never scaled on.",
        "issue 4, policy",
        ("load_rise_min",),
    ),
    Rule(
        "R13",
        "Memory rises while load does not: roll back when that began with a release, else a person.",
        "guide R13",
        ("leak_slope_max",),
    ),
    Rule("R15", "Traffic fell without harm here: the caller that sends less has the incident.", "guide R15"),
    Rule("R0", "No rule explains it: unknown, for a person.", "issue 4, unknown instead of a guess"),
)
ACTIONS = (
    Rule(
        "R3",
        "Target: the value before, if it was in place long enough and healthy; further back by opt-in.",
        "issue 4, policy; guide R3, Kargo",
        ("rollback_soak_s", "requests_min"),
    ),
    Rule("R4", "A rollback is never rolled back.", "guide R4; Kargo"),
    Rule(
        "G4",
        "Argo Rollouts or Flagger went back already: the repository is brought up to what runs.",
        "guide G4; Flagger",
    ),
    Rule("R-NEVER", "The manifest carries `aiops/rollback: never`.", "issue 4, policy"),
    Rule(
        "R-PAIR",
        "A caller or callee was released within half an hour: one set, for a person. Not for R1b.",
        "issue 4, coupled releases",
        ("coupled_s",),
    ),
    Rule("R5", "The release carries a migration: going back is unsafe.", "guide R5"),
    Rule(
        "R7",
        "The release commit changed more of this workload than the tag: revert the commit instead.",
        "guide R7",
    ),
    Rule(
        "R9",
        "A tag that can move (latest, a branch) names no past version; a digest does.",
        "guide R9",
    ),
    Rule("S1", "An autoscaler owns the replicas: only its bounds may be edited.", "guide S1"),
    Rule(
        "S1b", "The upper bound is raised only when the autoscaler is at it and limited by it.", "guide S1b"
    ),
    Rule(
        "S4",
        "Pods cannot be placed, or a quota is used up: more of them cannot start.",
        "guide S4",
        ("quota_full",),
    ),
    Rule("S6b", "A VerticalPodAutoscaler moves the requests: it is not combined.", "guide S6b"),
    Rule(
        "S8",
        "Only Deployments and Rollouts are scaled; DaemonSets are rolled back as well, nothing else is.",
        "guide S8",
    ),
    Rule(
        "S5",
        "More pods would open more connections than the manifest declares the database to have.",
        "guide S5; issue 4, downstream arithmetic",
    ),
    Rule("S-OFF", "Replicas 0 means switched off on purpose.", "faults F39"),
    Rule(
        "S-CAP",
        "One proposal adds little at a time, and never passes the absolute maximum.",
        "design; faults T20",
        ("scale_factor", "scale_step", "replicas_max"),
    ),
    Rule(
        "S-BLIND", "A source that could speak against the action is missing.", "issue 4, each missing source"
    ),
    Rule("S9", "Down only to undo a raise of ours that is no longer needed.", "guide S9", ("raise_lasts_s",)),
)
GUARDRAILS = (
    Rule(
        "G-STORM",
        "Many unexplained incidents, or everything red: no pull request at all.",
        "design; faults 5.3, F20",
        ("storm_min", "storm_share", "all_red_min"),
    ),
    Rule(
        "G-DATA",
        "Many scrape targets were lost: what is missing is not healthy.",
        "design; faults F20",
        ("targets_lost_max",),
    ),
    Rule("G-FRESH", "A plan or evidence that is too old is dropped.", "design; faults 5.3", ("fresh_s",)),
    Rule("G-ONE", "One open pull request per workload.", "design; faults 5.3"),
    Rule(
        "G-VETO",
        "A person closed it unmerged: silent until something else sets it off.",
        "faults F57; Renovate",
    ),
    Rule(
        "G-COOL",
        "After a merge or a close the same workload and action rest.",
        "design; faults 5.3",
        ("cool_down_s",),
    ),
    Rule(
        "G-TRIED",
        "Merged for this incident, so not tried twice.",
        "guide V1; faults F57",
        ("one_incident_s",),
    ),
    Rule(
        "G-DOUBT",
        "After the label `aiops/false-positive` the same workload and cause wait longer; not for R1b.",
        "issue 6",
        ("doubted_s", "doubt_lasts_s"),
    ),
    Rule("G-PAUSE", "File `.aiops/pause` or label `aiops/pause`: nothing is written.", "faults G-KILL"),
    Rule(
        "G-RATE",
        "At most so many new per run and day, and open at once; one is kept for bad releases.",
        "design; faults T23",
        ("new_per_run", "open_max", "per_day", "reserved"),
    ),
)
CHAPTERS = (
    ("Gates", GATES),
    ("Causes, in the order they are asked", CAUSES),
    ("Actions", ACTIONS),
    ("Guardrails of the fleet", GUARDRAILS),
)
RULES: dict[str, Rule] = {rule.id: rule for _, chapter in CHAPTERS for rule in chapter}
