"""From one item of a plan to the pull request that is sent: branch, title, body, commit, files.

Comes in: a plan item and the files it edits, as they stand at the base commit. Goes out: a
`Proposal`. The same item over the same files gives the same bytes, on any forge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from aiops.domain import Hold, Plan, PlanItem, Proposal, Rollback, Scale
from aiops.errors import EditRefused
from aiops.gitops import splice
from aiops.propose import body, inert, lifecycle, marker, words
from aiops.propose.paths import refuse_path

TRAILER = "Aiops-Target: "


def compose(
    item: PlanItem,
    plan: Plan,
    contents: Mapping[str, bytes],
    modes: Mapping[str, str],
    opened: marker.Marker | None = None,
    *,
    external_url: str = "",
    templates: Mapping[str, str] | None = None,
    reviewers: tuple[str, ...] = (),
) -> Proposal:
    """Return the proposal of one item. Its branch has number 1; the forge takes the next free one.

    `opened`: the marker of the open pull request that this brings up to date: what it is about was
    written then, and no later run says otherwise. `contents`: whole files at `plan.base_sha`;
    `modes`: their git modes. `external_url`: where people reach this Prometheus, "" = no links.
    `templates`: of links to logs, traces and the like, by name.
    `reviewers`: who is asked to look. Raises EditRefused for a hold, a path outside the repository, or an
    edit that `splice.replace` cannot prove.
    """
    decision = item.decision
    if isinstance(decision, Hold) or not item.edits:
        raise EditRefused("a hold has nothing to propose", where=str(item.workload))
    paths = sorted({edit.file for edit in item.edits})
    for path in paths:
        refuse_path(path)
        if path not in contents or path not in modes:
            raise EditRefused("the file is not in the base commit", where=path)
    files = {
        path: splice.replace(contents[path], [edit for edit in item.edits if edit.file == path])
        for path in paths
    }
    mark = _mark(item, plan, decision, opened)
    name = _title(item, decision)
    return Proposal(
        branch=f"{branch_key(item, plan.base)}-1",
        title=name,
        body=body.write(item, plan, mark, external_url, templates),
        commit_message=_commit_message(name, item, mark),
        base=plan.base,
        base_sha=plan.base_sha,
        edits=item.edits,
        marker=str(mark),
        files=files,
        modes={path: modes[path] for path in paths},
        reviewers=reviewers,
    )


def _mark(
    item: PlanItem, plan: Plan, decision: Scale | Rollback, opened: marker.Marker | None
) -> marker.Marker:
    """Return the marker of this proposal; what `opened` says it is about stays."""
    mark = marker.Marker(
        action=decision.action,
        target=_target(item, plan.base, decision),
        workload=marker.workload_hash(item.workload),
        cause=item.diagnosis.cause,
        trigger=marker.trigger_of(item),
        base_sha=plan.base_sha,
        data_s=plan.data_time_s,
        evidence=marker.evidence_hash(item.diagnosis),
        field=decision.field,
        old=marker.value(str(decision.old)),
        new=marker.value(str(decision.new)),
        per_pod=decision.per_pod if isinstance(decision, Scale) else None,
        judge=plan.judge or "none",
    )
    if opened is None:
        return mark
    return replace(mark, cause=opened.cause, trigger=opened.trigger, judge=opened.judge)


def branch_key(item: PlanItem, base: str) -> str:
    """Return `aiops/<action>/<12 hex>`: what is changed, never the value.

    So a new value updates the same pull request, and nothing of a label is in a branch name.
    Raises EditRefused for a hold.
    """
    decision = item.decision
    if isinstance(decision, Hold):
        raise EditRefused("a hold has no branch", where=str(item.workload))
    return f"aiops/{decision.action}/{_target(item, base, decision)}"


def is_our_commit(message: str, branch: str) -> bool:
    """Tell whether a commit message ends with the trailer of this branch's target."""
    target = (lifecycle.key(branch) or "").rpartition("/")[2]
    lines = message.strip().splitlines()
    return bool(target) and bool(lines) and lines[-1].strip() == f"{TRAILER}{target}"


def _target(item: PlanItem, base: str, decision: Scale | Rollback) -> str:
    return marker.target_hash(base, item.workload, decision.action, decision.field, item.edits)


def _title(item: PlanItem, decision: Scale | Rollback) -> str:
    verb = "Give back" if decision.variant == marker.GIVE_BACK else "Scale"
    verb = "Roll back" if isinstance(decision, Rollback) else verb
    workload = inert.title(f"{item.workload.namespace}/{item.workload.name}")
    old, new = _short(str(decision.old)), _short(str(decision.new))
    return f"{verb} {workload} {words.FIELDS[decision.field]} {old} to {new}"


def _short(value: str) -> str:
    """Return a value for the title; of a digest the 12 digits that people compare."""
    return inert.title(value.removeprefix("sha256:")[:12] if value.startswith("sha256:") else value)


def _commit_message(name: str, item: PlanItem, mark: marker.Marker) -> str:
    """Return subject, reason and trailer: no name that was not escaped, nothing that refers or closes."""
    cause = words.CAUSES[item.diagnosis.cause]
    seen = f"Seen as {cause}" if item.diagnosis.evidence else "Asked for by a person"
    if item.decision.variant == marker.GIVE_BACK:
        seen = "The capacity seems no longer needed"
    why = f"Proposed by aiops. {seen}; the pull request has the evidence."
    return f"{name}\n\n{why}\n\n{TRAILER}{mark.target}\n"
