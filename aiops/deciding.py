"""From one explained incident to an item of the plan: the decision, its place in the repository, the edit.

Comes in: what a run saw of the fleet, and the repository at one commit. Goes out: one `PlanItem` per
workload that something is said of, and what could not be resolved. What to decide is decided in
`decide`, where to edit in `gitops`; here the two meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiops.decide import effects, health, policy
from aiops.diagnose import diagnosis
from aiops.domain import (
    Cause,
    Context,
    Decision,
    Diagnosis,
    Edit,
    FieldName,
    Hold,
    Incident,
    Panel,
    PastValue,
    PlanItem,
    Rollback,
    Scale,
    Scores,
    State,
    Target,
    Workload,
)
from aiops.errors import EditRefused
from aiops.gitops import culprit, owners, past, where
from aiops.gitops import edits as editing
from aiops.job import Job
from aiops.ports import Repository
from aiops.propose import chart

Unresolved = tuple[Workload, str, str]  # whose, which field, why


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What one run saw. `recent`: the last days by the step; `reference`: the last weeks by the hour."""

    incidents: tuple[Incident, ...]
    diagnoses: tuple[Diagnosis, ...]
    contexts: Mapping[Workload, Context]
    recent: Panel
    reference: Panel
    scores: Scores


def items(
    job: Job, repository: Repository, sha: str, seen: Seen
) -> tuple[tuple[PlanItem, ...], tuple[Unresolved, ...]]:
    """Return what is decided for each workload, and what could not be resolved."""
    incidents = {incident.workload: incident for incident in seen.incidents}
    found: list[PlanItem] = []
    unresolved: list[Unresolved] = []
    for one in seen.diagnoses:
        item, missing = _decide(job, repository, sha, seen, incidents[one.workload], one)
        found.append(item)
        unresolved += missing
    found += _unjudged(seen.incidents, {one.workload for one in seen.diagnoses})
    return tuple(found), tuple(unresolved)


def locate(
    job: Job, repository: Repository, sha: str, workload: Workload, name: FieldName, image: str | None
) -> Target:
    """Return where one field of one workload lives at one commit, with the values it had."""
    target = where.resolve(repository.files(sha), workload, name, job.clusters, image)
    return past.values(repository, sha, target)


def _decide(
    job: Job, repository: Repository, sha: str, seen: Seen, incident: Incident, found: Diagnosis
) -> tuple[PlanItem, list[Unresolved]]:
    """Decide about one incident and splice the edit. An edit that is refused becomes a hold."""
    workload, asked = incident.workload, seen.contexts[incident.workload]
    image = found.change.new if found.change else None
    names = policy.fields(found, asked) if incident.state is State.FIRING else ()
    targets = {name: locate(job, repository, sha, workload, name, image) for name in names}
    unresolved = [(workload, str(name), target.refusal) for name, target in targets.items() if target.refusal]
    decision: Decision = policy.decide(incident, found, asked, targets, job.limits, seen.recent)
    if isinstance(decision, Hold) and found.cause in (Cause.CONFIG, Cause.EXPOSURE):
        decision = culprit.named(decision, found, repository, sha, job.clusters)
    edits: tuple[Edit, ...] = ()
    history: tuple[PastValue, ...] = ()
    after: tuple[str, ...] = ()
    if isinstance(decision, (Scale, Rollback)):
        target, files = targets[decision.field], repository.files(sha)
        history = health.told(target.history, workload, seen.reference, job.limits)
        try:
            edits = editing.of(files, target, str(decision.new), job.clusters)
            after = effects.of(decision, workload, asked, target, owners.bots(files.tree()))
        except EditRefused as error:
            unresolved.append((workload, decision.field, str(error)))
            decision = Hold("EDIT", str(error), variant="edit-refused")
    drawn = chart.sample(incident, seen.recent, seen.scores) if incident.signals else None
    gates = policy.asked(incident, found, asked, job.limits, seen.recent)
    return PlanItem(workload, decision, incident, found, edits, history, drawn, gates, after), unresolved


def _unjudged(incidents: tuple[Incident, ...], explained: set[Workload]) -> list[PlanItem]:
    """Return a hold for each workload that learns or has no data, and that no rule was asked about."""
    holds = {one: policy.unjudged(one) for one in incidents if one.workload not in explained}
    return [
        PlanItem(one.workload, held, one, diagnosis.blank(one.workload), (), (), None)
        for one, held in holds.items()
        if held is not None
    ]
