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

from aiops import deciding, sending
from aiops.decide import give_back, guardrails, standing
from aiops.detect import drift, familiar, load_ahead, scoring, sustain
from aiops.detect.carried import Carried
from aiops.detect.settings import History
from aiops.diagnose import context, diagnosis, outlook
from aiops.domain import (
    Grid,
    Guardrail,
    Incident,
    Plan,
    PlanItem,
    Quiet,
    Scores,
    State,
    Verdict,
    Workload,
)
from aiops.errors import AiopsError, DataUnusable
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
    scores, carried, incidents = _scored(job, history, earlier, scored)

    tell("asking what changed")
    answers = read_context(job, reader, incidents, now_s)
    contexts = read_silences(silences, context.assemble(answers, incidents, kinds, now_s), answers, now_s)
    queries = {query.name: query for query in (*job.signals, *job.context)}
    diagnoses = diagnosis.diagnose(incidents, contexts, history.recent, scores, queries)
    fleet = guardrails.fleet(incidents, diagnoses, answers, job.limits)

    tell("looking for the place to edit")
    sha = repository.head(job.base)
    seen = deciding.Seen(incidents, diagnoses, contexts, history.recent, history.reference, scores)
    items, unresolved = deciding.items(job, repository, sha, seen)
    known_s = [incident.history_s for incident in incidents]
    drifts = drift.watch(history.reference, scores.workloads, known_s, job.detect.calendar)
    coming = read_outlook(job, reader, now_s)  # the last read: `notices` and `samples` count it as well
    return Result(
        plan=_plan(job, sha, seen, items, fleet),
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


def _scored(
    job: Job, history: History, earlier: Earlier, scored: Scored
) -> tuple[Scores, tuple[Carried, ...], tuple[Incident, ...]]:
    """Return the scores, what later runs may go on from, and the incidents that the scores make."""
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
    return scores, carried, incidents


def _plan(
    job: Job, sha: str, seen: deciding.Seen, items: tuple[PlanItem, ...], fleet: tuple[Guardrail, ...]
) -> Plan:
    """Return the plan: what is to be done at one commit, and what it was decided from."""
    first_s, last_s = int(seen.scores.times[0]), int(seen.scores.times[-1])
    return Plan(
        base=job.base,
        base_sha=sha,
        data_time_s=last_s,
        step_s=job.step_s,
        model=job.model_id,
        items=items,
        guardrails=fleet,
        judge=marker.digest(job.model_id, repr(job.limits), repr(job.detect)),
        quiet=_quiet(seen, first_s, give_back.peaks(seen.recent, seen.reference)),
    )


def _quiet(seen: deciding.Seen, first_s: int, peaks: Mapping[Workload, float]) -> tuple[Quiet, ...]:
    """Return the workloads that were judged with whole data and have no incident, not even a young one."""
    calm = [i for i in seen.incidents if i.state is State.INACTIVE and i.verdict is Verdict.HEALTHY]
    return tuple(
        Quiet(
            workload=i.workload,
            since_s=first_s if i.ended_s is None else i.ended_s,
            ended=i.ended_s is not None,
            peak=peaks.get(i.workload),
            chart=chart.ended(i, seen.recent, seen.scores),
            load=None if i.ended_s is None else give_back.highest_since(seen.recent, i.workload, i.ended_s),
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
        known, issues = forge.pulls(), forge.issues() if job.tracking else None
        files = repository.files(repository.head(plan.base))
        pause = guardrails.paused(files.tree(), known, issues or ())
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
    tracked, untracked = sending.track(out, issues)
    return replace(
        analysed,
        plan=replace(analysed.plan, items=plan.items),
        sent=sent,
        followed=followed,
        reviews=reviews.of(pulls, plan),
        tracked=tracked,
        guardrails=(*plan.guardrails, *(checked if candidates else ())),
        errors=(*analysed.errors, *errors, *missed, *untracked),
    )


def unsent(analysed: Result, error: AiopsError) -> Result:
    """Return what was analysed, with the reason why none of it could be proposed."""
    wanted = [item.workload for item in analysed.plan.items if item.edits]
    sent = {workload: Sent("held", None, None, str(error)) for workload in wanted}
    return replace(analysed, sent=sent, errors=(*analysed.errors, error))
