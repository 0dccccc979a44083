"""What becomes of the pull requests that exist: closed when no longer needed, judged after a merge.

Comes in: ours as the forge shows them, what this run judged, the values of today, and the time.
Goes out: one `Step` per pull request whose end is to be written down. Pure, and recomputed in each
run: what was done before stands in the marker of the body (`outcome`), so nothing is done twice.
What was not judged, or judged on poor data, is neither over nor helped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from aiops.decide import standing
from aiops.domain import FieldName, Plan, PlanItem, PullRequest, Quiet, State, Workload
from aiops.limits import Limits
from aiops.propose import ending, lifecycle, marker, proposal, verdict, words
from aiops.propose.ending import Now, Step
from aiops.propose.marker import Marker


def asks(
    pulls: Sequence[PullRequest], plan: Plan, now_s: int, limits: Limits
) -> tuple[tuple[PullRequest, Workload, FieldName], ...]:
    """Return the pull requests for which `steps` wants to know what the field holds today."""
    judged = _judged(plan)
    found = []
    for pull in pulls:
        mark = marker.parse(pull.body)
        seen = judged.get(mark.workload) if mark is not None else None
        if mark is None or seen is None or mark.outcome != "none":
            continue
        asked = pull.state == "open" or _lately_declined(pull, now_s, limits)
        if asked or verdict.awaited(pull, plan, limits):
            found.append((pull, seen.workload, mark.field))
    return tuple(found)


def steps(
    pulls: Sequence[PullRequest], plan: Plan, values: Mapping[int, Now], now_s: int, limits: Limits
) -> tuple[Step, ...]:
    """Return what is to be written down now, in the order of `pulls`.

    `values`: by number, of `asks`; one that could not be read is not in it. Nothing is ended while
    our own inputs are in doubt: a tripped guardrail of the fleet, data that is too old.
    """
    in_doubt = any(guardrail.tripped for guardrail in plan.guardrails)
    if in_doubt or abs(now_s - plan.data_time_s) > limits.fresh_s:
        return ()
    judged = _judged(plan)
    wanted = {lifecycle.key(pull.branch) for pull in pulls} & _keys_of(plan)
    found = _duplicates(pulls)
    ended = {step.pull.number for step in found}
    for pull in pulls:
        mark = marker.parse(pull.body)
        seen = judged.get(mark.workload) if mark is not None else None
        if mark is None or seen is None or mark.outcome != "none" or pull.number in ended:
            continue
        value = values.get(pull.number)
        if pull.state == "open":
            step = _end(pull, mark, seen, value, plan, limits, wanted=lifecycle.key(pull.branch) in wanted)
        elif pull.state == "merged":
            mark = replace(mark, edited=verdict.edited(pull, mark, value))
            step = verdict.of(pull, mark, seen, plan, limits)
        else:
            step = _confirmation(pull, mark, value, now_s, limits)
        if step is not None:
            found.append(step)
    return tuple(found)


def _judged(plan: Plan) -> dict[str, Quiet | PlanItem]:
    """Return what this run says of each workload, by its hash; who is not in it was not judged."""
    quiet: dict[str, Quiet | PlanItem] = {marker.workload_hash(one.workload): one for one in plan.quiet}
    open_ = [item for item in plan.items if item.incident.state is not State.INACTIVE]
    return quiet | {marker.workload_hash(item.workload): item for item in open_}


def _keys_of(plan: Plan) -> set[str | None]:
    return {proposal.branch_key(item, plan.base) for item in plan.items if item.edits}


def _duplicates(pulls: Sequence[PullRequest]) -> list[Step]:
    """Return the younger of two that are open for one change: a forge let both in, unseen by each other."""
    first: dict[str | None, int] = {}
    for pull in sorted(pulls, key=lambda one: one.number):
        if pull.state == "open":
            first.setdefault(lifecycle.key(pull.branch), pull.number)
    found = []
    for pull in pulls:
        mark, oldest = marker.parse(pull.body), first.get(lifecycle.key(pull.branch), pull.number)
        if pull.state == "open" and mark is not None and oldest < pull.number:
            comment = "aiops closes this pull request: an older one makes the same change."
            found.append(ending.made(pull, mark, "duplicate", comment, close=True))
    return found


# --- open -------------------------------------------------------------------------------------


def _end(
    pull: PullRequest,
    mark: Marker,
    seen: Quiet | PlanItem,
    value: Now | None,
    plan: Plan,
    limits: Limits,
    *,
    wanted: bool,
) -> Step | None:
    """Return why an open pull request is no longer needed; None while it may be.

    `wanted`: this run proposes the same change, so it is brought up to date instead.
    """
    if value is not None and not wanted and value.value != mark.old:
        what = "the value that is proposed here" if value.value == mark.new else "another value by now"
        return ending.made(pull, mark, "changed", f"The base branch has {what}. {_CLOSES}", close=True)
    if mark.trigger == marker.BACK and isinstance(seen, Quiet) and seen.peak is not None and not wanted:
        return ending.made(
            pull, mark, "over", f"The load may need this capacity again. {_CLOSES}", close=True
        )
    if mark.by_hand or not isinstance(seen, Quiet):
        return None
    calm_s = plan.data_time_s - seen.since_s
    # Another model, or other numbers, may see nothing where the first one did: only what had no
    # incident in all that is judged counts then.
    same_judge = mark.judge == plan.judge
    if calm_s < limits.over_s or not (same_judge or not seen.ended):
        return None
    since = f"The incident ended at {words.utc(seen.since_s)}" if seen.ended else "There is no incident"
    comment = f"{since}; there was none since for {words.duration(calm_s)}. {_CLOSES}"
    return ending.made(
        pull, mark, "over", comment if same_judge else f"{comment} {ending.OTHER_JUDGE}", close=True
    )


# --- closed by a person -----------------------------------------------------------------------


def _lately_declined(pull: PullRequest, now_s: int, limits: Limits) -> bool:
    if not standing.declined(pull) or pull.closed_at_s is None:
        return False
    return now_s - pull.closed_at_s <= limits.verify_max_s


def _confirmation(
    pull: PullRequest, mark: Marker, value: Now | None, now_s: int, limits: Limits
) -> Step | None:
    """Return "confirmed" when a person closed it and set the same field the same way by hand."""
    if value is None or value.since_s is None or not _lately_declined(pull, now_s, limits):
        return None
    near = abs(value.since_s - (pull.closed_at_s or 0)) <= limits.confirmed_s
    same = value.value == mark.new
    more = _is_count(value.value) and _is_count(mark.old) and int(value.value) > int(mark.old)
    return ending.made(pull, mark, "confirmed", "") if near and (same or more) else None


def _is_count(text: str) -> bool:
    return len(text) <= 6 and text.isdecimal()


_CLOSES = "aiops closes this pull request; that is no verdict about the change, and a person may reopen it."
