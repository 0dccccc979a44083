"""Carries out what was admitted: opens and updates pull requests, and ends those that exist.

Comes in: one plan, the newest base, and the pull requests as they stand. Goes out: what became of
each. What is to be done is decided elsewhere (`guardrails`, `follow`); here it meets the forge.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from aiops.decide import give_back
from aiops.diagnose import diagnosis
from aiops.domain import (
    Hold,
    Incident,
    IssueText,
    Plan,
    PlanItem,
    Proposal,
    PullRequest,
    State,
    TrackingIssue,
    Verdict,
    Workload,
)
from aiops.errors import AiopsError, EditRefused
from aiops.gitops import codeowners, past, where
from aiops.gitops import edits as editing
from aiops.job import Followed, Job, Progress, Sent, Tracked
from aiops.ports import Files, Forge, Repository
from aiops.propose import follow as following
from aiops.propose import lifecycle, marker, proposal, tracking
from aiops.propose.ending import Now


@dataclass(frozen=True, slots=True)
class Out:
    """What sending needs. `pulls`: as they stood at `now_s`; `known`: as the forge shows them today."""

    job: Job
    plan: Plan
    repository: Repository
    files: Files
    forge: Forge
    pulls: tuple[PullRequest, ...]
    known: tuple[PullRequest, ...]
    now_s: int

    def today(self, pull: PullRequest) -> PullRequest | None:
        """Return the pull request as it is today, None when it is in another state than at `now_s`."""
        found = next((one for one in self.known if one.number == pull.number), None)
        return found if found is not None and found.state == pull.state else None


def send(out: Out, item: PlanItem) -> Sent:
    """Re-resolve the field on the newest base, compose the proposal, open or update it."""
    decision = item.decision
    if isinstance(decision, Hold):
        raise EditRefused("a hold has nothing to send", where=str(item.workload))
    image = item.diagnosis.change.new if item.diagnosis.change else None
    target = where.resolve(out.files, item.workload, decision.field, out.job.clusters, image)
    fresh = editing.of(out.files, target, str(decision.new), out.job.clusters)
    if [(edit.file, edit.path, edit.old, edit.new) for edit in fresh] != [
        (edit.file, edit.path, edit.old, edit.new) for edit in item.edits
    ]:
        return Sent("held", None, None, "the repository changed since the plan was made; run again")
    item, plan = replace(item, edits=fresh), replace(out.plan, base_sha=out.files.sha)
    contents = {edit.file: out.files.read(edit.file) for edit in fresh}
    modes = {path: out.files.tree()[path].mode for path in contents}
    url = out.job.external_urls.get(item.workload.cluster) or out.job.external_urls.get("", "")
    reviewers = codeowners.of_tree(out.files, tuple(contents))
    compose = partial(proposal.compose, external_url=url, templates=out.job.links, reviewers=reviewers)
    made = compose(item, plan, contents, modes)
    existing = lifecycle.match(made, out.pulls)
    if existing is None:
        pull = out.forge.open(made, out.now_s)
        # With `--at` in the past, later events are not used to decide; the forge still opens nothing twice.
        if any(pull.number == one.number for one in out.known):
            return Sent("exists", pull, made, "already proposed")
        return Sent("opened" if pull.number else "dry-run", pull, made, "")
    if out.today(existing) is None:  # it ended later, and nothing is repeated
        return Sent("exists", existing, made, "was open at that time and has ended since")
    return _refresh(out, existing, compose(item, plan, contents, modes, _opened(out, item, existing)))


def _opened(out: Out, item: PlanItem, existing: PullRequest) -> marker.Marker | None:
    """Return the marker written at opening while it is about the same incident, which it then names."""
    mark = marker.parse(existing.body)
    trigger = marker.trigger_of(item)
    apart_s = out.job.limits.one_incident_s
    same = mark is not None and marker.same_incident(
        mark, trigger, item.incident.onset_s, mark.data_s, apart_s
    )
    return mark if same else None


def _refresh(out: Out, existing: PullRequest, made: Proposal) -> Sent:
    if lifecycle.is_current(existing, made):
        return Sent("exists", existing, made, "already proposed")
    pull = out.forge.update(existing, made, out.now_s)
    if pull == existing:  # a person pushed to the branch: it is theirs now
        return Sent("exists", existing, made, "already proposed, and changed by a person")
    return Sent("updated" if pull.number else "dry-run", pull, made, "")


def given_back(out: Out) -> list[PlanItem]:
    """Return an item for each raise of ours that is no longer needed and still in the repository."""
    items = []
    for one in give_back.wanted(out.pulls, out.plan, out.job.limits):
        workload, back = one.quiet.workload, one.back
        try:
            target = where.resolve(out.files, workload, back.field, out.job.clusters)
            if target.winner is None or target.winner.value != str(back.old):
                continue  # changed since: it is no raise of ours any more
            if back.field == "hpa.max" and not _above_minimum(out, workload, back.new):
                continue
            edits = editing.of(out.files, target, str(back.new), out.job.clusters)
        except EditRefused:
            continue
        seen = Incident(
            workload, Verdict.HEALTHY, State.INACTIVE, None, (), None, "baseline", None, 1.0, None, 0
        )
        items.append(PlanItem(workload, back, seen, diagnosis.blank(workload), edits, (), None))
    return items


def _above_minimum(out: Out, workload: Workload, most: int) -> bool:
    """Tell whether the autoscaler's minimum is known to be at most this; it may have been raised since."""
    least = where.resolve(out.files, workload, "hpa.min", out.job.clusters).winner
    return least is not None and least.value.isdecimal() and int(least.value) <= most


def follow(out: Out, tell: Progress) -> tuple[tuple[Followed, ...], list[AiopsError]]:
    """End the pull requests that are to be ended; return what was written down, and what failed."""
    followed: list[Followed] = []
    errors: list[AiopsError] = []
    limits = out.job.limits
    for step in following.steps(out.pulls, out.plan, _values(out), out.now_s, limits):
        now = out.today(step.pull)
        if now is None or now.body != step.pull.body:
            continue
        tell(f"following pull request {step.pull.number}")
        try:
            pull = out.forge.settle(now, step.body, step.said, close=step.close, now_s=out.now_s)
        except AiopsError as error:
            errors.append(error)
            continue
        mark = marker.parse(pull.body)
        if pull != now and mark is not None and mark.outcome == step.outcome:  # else somebody was faster
            followed.append(Followed(pull, step.outcome, step.comment))
    return tuple(followed), errors


def track(out: Out, known: Sequence[TrackingIssue] | None) -> tuple[Tracked | None, list[AiopsError]]:
    """Write down in the tracking issue that the fleet is held back, or no longer."""
    if known is None:
        return None, []
    done: Tracked | None = None
    try:
        for text in tracking.texts(out.plan, known, out.job.tracking, out.now_s, out.job.limits):
            issue = out.forge.track(text, out.now_s)
            # What ends a duplicate comes last, and nobody has to read that one.
            done = done or Tracked(_said(text) if issue.number else "dry-run", issue)
    except AiopsError as error:
        return None, [error]
    if done is None and any(one.tripped for one in out.plan.guardrails if one.id in tracking.FLEET):
        there = tracking.open_one(out.job.tracking, known)
        done = Tracked("exists", there) if there is not None else None
    return done, []


def _said(text: IssueText) -> Literal["opened", "updated", "reopened", "closed"]:
    if text.number is None:
        return "opened"
    return "closed" if text.state == "closed" else ("reopened" if text.state else "updated")


def _values(out: Out) -> Mapping[int, Now]:
    """Return what the fields hold at the newest base; a place that cannot be told is left out."""
    found = {}
    images = {item.workload: item.diagnosis.change for item in out.plan.items}
    for pull, workload, name in following.asks(out.pulls, out.plan, out.now_s, out.job.limits):
        change = images.get(workload)
        try:
            target = where.resolve(
                out.files, workload, name, out.job.clusters, change.new if change else None
            )
            if target.winner is None:
                continue
            history = past.values(out.repository, out.files.sha, target).history
        except AiopsError:
            continue
        value = history[0].value if history else target.winner.value
        found[pull.number] = Now(marker.value(value), history[0].since_s if history else None)
    return found
