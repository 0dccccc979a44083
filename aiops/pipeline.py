"""The whole story of one scheduled run. Read this first.

    ingest -> detect -> context -> diagnose -> decide -> edit   (`analyse`, ends in a Plan)
    plan -> guardrails -> proposal -> pull request              (`propose`, needs no Prometheus)

Comes in: the settings of each stage and four ports (`Metrics`, `Repository`, `Forge`, the model).
Goes out: a `Result` that the report is made of. All I/O happens behind the ports; a dry run is a
forge that cannot write. Nothing is remembered between runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aiops import sending
from aiops.decide import effects, give_back, guardrails, health, policy, standing
from aiops.detect import drift, familiar, load_ahead, scoring, sustain
from aiops.diagnose import context, diagnosis, outlook
from aiops.domain import (
    Cause,
    Context,
    Decision,
    Diagnosis,
    Edit,
    FieldName,
    Grid,
    Hold,
    Incident,
    Panel,
    PastValue,
    Plan,
    PlanItem,
    Quiet,
    Rollback,
    Scale,
    Scores,
    State,
    Target,
    Verdict,
    Workload,
)
from aiops.errors import AiopsError, DataUnusable, EditRefused
from aiops.gitops import culprit, owners, past, where
from aiops.gitops import edits as editing
from aiops.job import Earlier, Job, Progress, Result, Scored, Sent
from aiops.page import history as pictures
from aiops.ports import Forge, Metrics, Repository, Silences
from aiops.propose import chart, marker, proposal, reviews
from aiops.reading import Reader, read_context, read_history, read_outlook, read_silences


def run_once(
    job: Job, metrics: Metrics, repository: Repository, forge: Forge, now_s: int, tell: Progress
) -> Result:
    """Do the whole job once: both halves, in one process, through the same code."""
    analysed = analyse(job, metrics, repository, now_s, tell)
    return propose(job, analysed, repository, forge, now_s, tell)


def analyse(
    job: Job,
    metrics: Metrics,
    repository: Repository,
    now_s: int,
    tell: Progress,
    earlier: Earlier = None,
    silences: Silences | None = None,
    scored: Scored = None,
) -> Result:
    """Read, score, explain and decide; end in a plan. Touches no forge.

    `earlier`: what other runs carried, which makes this one faster and not different; None = nobody
    keeps it. `silences`: None = no Alertmanager is named. `scored`: who knows the scores already, None =
    nobody. Raises DataUnusable when nothing can be judged.
    """
    tell("reading metrics")
    reader = Reader(metrics)
    history, kinds = read_history(job, reader, now_s)
    tell("scoring workloads")
    if scored is None:
        scores, carried = scoring.resume(history, job.model, job.detect, earlier)
    else:
        scores, carried = scored(history), ()
    opened = sustain.sustain(scores, history, job.detect)
    incidents = familiar.recognised(opened, scores, history, job.detect)
    if all(incident.score is None for incident in incidents):
        raise DataUnusable(
            f"none of {len(incidents)} workloads has usable samples",
            todo="check that the exporters named under `signals` are scraped",
        )

    tell("asking what changed")
    answers = read_context(job, reader, incidents, now_s)
    contexts = read_silences(silences, context.assemble(answers, incidents, kinds, now_s), answers, now_s)
    queries = {query.name: query for query in (*job.signals, *job.context)}
    diagnoses = diagnosis.diagnose(incidents, contexts, history.recent, scores, queries)
    fleet = guardrails.fleet(incidents, diagnoses, answers, job.limits)

    tell("looking for the place to edit")
    sha = repository.head(job.base)
    items, unresolved = _items(
        job, repository, sha, incidents, diagnoses, contexts, history.recent, history.reference, scores
    )
    plan = Plan(
        base=job.base,
        base_sha=sha,
        data_time_s=int(scores.times[-1]),
        step_s=job.step_s,
        model=job.model_id,
        items=items,
        guardrails=fleet,
        judge=marker.digest(job.model_id, repr(job.limits), repr(job.detect)),
        quiet=_quiet(incidents, int(scores.times[0]), give_back.peaks(history.recent, history.reference)),
    )
    known_s = [incident.history_s for incident in incidents]
    drifts = drift.watch(history.reference, scores.workloads, known_s, job.detect.calendar)
    coming = read_outlook(job, reader, now_s)  # the last read: `notices` and `samples` count it as well
    return Result(
        plan=plan,
        window=Grid(int(scores.times[0]), int(scores.times[-1]), scores.step_s),
        incidents=incidents,
        scores=scores,
        sent={},
        guardrails=fleet,
        unresolved=unresolved,
        errors=(),
        notices=reader.notices,
        samples=reader.samples,
        drift=drifts,
        carried=carried,
        outlook=outlook.outlook(coming, history.recent, drifts, queries, job.limits),
        loads=load_ahead.loads(history),
        histories=pictures.around(incidents, history.recent, scores),
    )


def _items(
    job: Job,
    repository: Repository,
    sha: str,
    incidents: tuple[Incident, ...],
    diagnoses: tuple[Diagnosis, ...],
    contexts: Mapping[Workload, Context],
    recent: Panel,
    reference: Panel,
    scores: Scores,
) -> tuple[tuple[PlanItem, ...], tuple[tuple[Workload, str, str], ...]]:
    """Return what is decided for each workload, and what could not be resolved."""
    found = {incident.workload: incident for incident in incidents}
    items, unresolved = [], []
    for one in diagnoses:
        incident, asked = found[one.workload], contexts[one.workload]
        item, missing = _decide(job, repository, sha, incident, one, asked, recent, reference, scores)
        items.append(item)
        unresolved += missing
    items += _unjudged(incidents, {one.workload for one in diagnoses})
    return tuple(items), tuple(unresolved)


def _quiet(
    incidents: tuple[Incident, ...], first_s: int, peaks: Mapping[Workload, float]
) -> tuple[Quiet, ...]:
    """Return the workloads that were judged with whole data and have no incident, not even a young one."""
    calm = [i for i in incidents if i.state is State.INACTIVE and i.verdict is Verdict.HEALTHY]
    return tuple(
        Quiet(
            workload=i.workload,
            since_s=first_s if i.ended_s is None else i.ended_s,
            ended=i.ended_s is not None,
            peak=peaks.get(i.workload),
        )
        for i in calm
    )


def propose(
    job: Job, analysed: Result, repository: Repository, forge: Forge, now_s: int, tell: Progress
) -> Result:
    """Turn a plan into pull requests: re-read the base, re-apply the guardrails, then write.

    Those that exist are followed in the same breath: closed when no longer needed, judged after a
    merge. One item that cannot be edited or sent does not stop the others; it is in `errors`, and so
    is a forge that does not answer: what was analysed is reported all the same.
    """
    plan = analysed.plan
    tell("checking what is already proposed")
    try:
        known = forge.pulls()
        files = repository.files(repository.head(plan.base))
        pause = guardrails.paused(files.tree(), known)
    except AiopsError as error:
        return unsent(analysed, error)
    pulls = tuple(standing.as_of(pull, now_s) for pull in known if pull.created_at_s <= now_s)
    plan = replace(plan, guardrails=(*plan.guardrails, pause))
    out = sending.Out(job, plan, repository, files, forge, pulls, known, now_s)
    plan = replace(plan, items=(*plan.items, *sending.given_back(out)))
    candidates = [item for item in plan.items if item.edits]
    keys = {item.workload: proposal.branch_key(item, plan.base) for item in candidates}
    admitted, checked, held = guardrails.admit(candidates, plan, keys, pulls, now_s, job.limits)
    out = replace(out, plan=plan)
    sent = {workload: Sent("held", None, None, reason) for workload, reason in held.items()}
    errors: list[AiopsError] = []
    for item in admitted:
        tell(f"proposing for {item.workload}")
        try:
            sent[item.workload] = sending.send(out, item)
        except AiopsError as error:
            errors.append(error)
            sent[item.workload] = Sent("held", None, None, str(error))
    followed, missed = sending.follow(out, tell)
    return replace(
        analysed,
        plan=replace(analysed.plan, items=plan.items),
        sent=sent,
        followed=followed,
        reviews=reviews.of(pulls, plan),
        guardrails=(*plan.guardrails, *(checked if candidates else ())),
        errors=(*analysed.errors, *errors, *missed),
    )


def unsent(analysed: Result, error: AiopsError) -> Result:
    """Return what was analysed, with the reason why none of it could be proposed."""
    wanted = [item.workload for item in analysed.plan.items if item.edits]
    sent = {workload: Sent("held", None, None, str(error)) for workload in wanted}
    return replace(analysed, sent=sent, errors=(*analysed.errors, error))


def locate(
    job: Job, repository: Repository, sha: str, workload: Workload, name: FieldName, image: str | None
) -> Target:
    """Return where one field of one workload lives at one commit, with the values it had."""
    target = where.resolve(repository.files(sha), workload, name, job.clusters, image)
    return past.values(repository, sha, target)


def _decide(
    job: Job,
    repository: Repository,
    sha: str,
    incident: Incident,
    found: Diagnosis,
    asked: Context,
    panel: Panel,
    reference: Panel,
    scores: Scores,
) -> tuple[PlanItem, list[tuple[Workload, str, str]]]:
    """Decide about one incident and splice the edit. An edit that is refused becomes a hold.

    `panel`: the last days by the step; `reference`: the last weeks by the hour, for the values of then.
    """
    image = found.change.new if found.change else None
    names = policy.fields(found, asked) if incident.state is State.FIRING else ()
    targets = {name: locate(job, repository, sha, incident.workload, name, image) for name in names}
    unresolved: list[tuple[Workload, str, str]] = [
        (incident.workload, name, target.refusal) for name, target in targets.items() if target.refusal
    ]
    decision: Decision = policy.decide(incident, found, asked, targets, job.limits, panel)
    if isinstance(decision, Hold) and found.cause in (Cause.CONFIG, Cause.EXPOSURE):
        decision = culprit.named(decision, found, repository, sha, job.clusters)
    edits: tuple[Edit, ...] = ()
    history: tuple[PastValue, ...] = ()
    if isinstance(decision, (Scale, Rollback)):
        history = health.told(targets[decision.field].history, incident.workload, reference, job.limits)
    if isinstance(decision, (Scale, Rollback)):
        try:
            target = targets[decision.field]
            edits = editing.of(repository.files(sha), target, str(decision.new), job.clusters)
        except EditRefused as error:
            unresolved.append((incident.workload, decision.field, str(error)))
            decision = Hold("EDIT", str(error), variant="edit-refused")
    drawn = chart.sample(incident, panel, scores) if incident.signals else None
    gates = policy.asked(incident, found, asked, job.limits, panel)
    after = (
        ()
        if isinstance(decision, Hold)
        else effects.of(
            decision,
            incident.workload,
            asked,
            targets[decision.field],
            owners.bots(repository.files(sha).tree()),
        )
    )
    item = PlanItem(incident.workload, decision, incident, found, edits, history, drawn, gates, after)
    return item, unresolved


def _unjudged(incidents: tuple[Incident, ...], explained: set[Workload]) -> list[PlanItem]:
    """Return a hold for each workload that learns or has no data, and that no rule was asked about."""
    holds = {one: policy.unjudged(one) for one in incidents if one.workload not in explained}
    return [
        PlanItem(one.workload, held, one, diagnosis.blank(one.workload), (), (), None)
        for one, held in holds.items()
        if held is not None
    ]
