"""What becomes of the pull requests that exist: closed when no longer needed, judged after a merge.

Comes in: ours as the forge shows them, what this run judged, the values of today, and the time.
Goes out: one `Step` per pull request whose end is to be written down. Pure, and recomputed in each
run: what was done before stands in the marker of the body (`outcome`), so nothing is done twice.
What was not judged, or judged on poor data, is neither over nor helped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from aiops.decide import standing
from aiops.domain import Chart, FieldName, Hold, Outcome, Plan, PlanItem, PullRequest, Quiet, State, Workload
from aiops.limits import Limits
from aiops.propose import inert, lifecycle, marker, proof, proposal, words
from aiops.propose.marker import Marker

# Rules that say the change has not arrived: a rollout goes on, or the cluster runs something else.
_NOT_THERE = ("G3", "G-DRIFT")
_CLOCKS_S = 300  # between the clock of the forge and that of whoever merged


@dataclass(frozen=True, slots=True)
class Now:
    """What a field holds at the base commit: `marker.value`, and since when (None = not known)."""

    value: str
    since_s: int | None


@dataclass(frozen=True, slots=True)
class Step:
    """One pull request gets an outcome: `body` is its body with it, `comment` is "" for none.

    `picture`: what the comment shows below its words, "" for none.
    """

    pull: PullRequest
    outcome: Outcome
    body: str
    comment: str
    close: bool
    picture: str = ""

    @property
    def said(self) -> str:
        """Return the comment as it is posted: what tells it from others first, "" for none."""
        parts = [marker.said(self.outcome), self.comment, self.picture]
        return "\n\n".join(part for part in parts if part) if self.comment else ""


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
        if asked or _awaits_verdict(pull, plan, limits):
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
            step = _verdict(pull, replace(mark, edited=_edited(pull, mark, value)), seen, plan, limits)
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


def _step(pull: PullRequest, mark: Marker, outcome: Outcome, comment: str, *, close: bool = False) -> Step:
    body = marker.rewritten(pull.body, replace(mark, outcome=outcome))
    return Step(pull, outcome, body, comment, close)


def _pictured(step: Step | None, chart: Chart | None) -> Step | None:
    """Return a verdict with the picture of the signal before and after the merge."""
    merged_s = step.pull.merged_at_s if step is not None else None
    if step is None or chart is None or merged_s is None:
        return step
    shown = proof.picture(replace(chart, onset_s=merged_s), "merge")[1:]
    return replace(step, picture="\n\n".join([*_newest(chart), *shown] if shown else []))


def _newest(chart: Chart) -> list[str]:
    """Return the newest of the picture in numbers: whoever reads mail sees no picture."""
    if len(chart.times_s) < 2 or chart.observed[-1] is None:
        return []
    over = words.duration(chart.times_s[-1] - chart.times_s[-2])
    observed, expected = (words.quantity(one[-1], chart.unit) for one in (chart.observed, chart.expected))
    told = f"{inert.label(chart.signal)} in the newest {over}: **{observed}**"
    return [told + ("." if chart.expected[-1] is None else f" where about {expected} is expected.")]


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
            found.append(_step(pull, mark, "duplicate", comment, close=True))
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
        return _step(pull, mark, "changed", f"The base branch has {what}. {_CLOSES}", close=True)
    if mark.trigger == marker.BACK and isinstance(seen, Quiet) and seen.peak is not None and not wanted:
        return _step(pull, mark, "over", f"The load may need this capacity again. {_CLOSES}", close=True)
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
    return _step(pull, mark, "over", comment if same_judge else f"{comment} {_OTHER_JUDGE}", close=True)


# --- merged -----------------------------------------------------------------------------------


def _verdict(
    pull: PullRequest, mark: Marker, seen: Quiet | PlanItem, plan: Plan, limits: Limits
) -> Step | None:
    """Return whether a merged pull request helped; None while it is too early or nobody can tell."""
    if mark.by_hand or not _awaits_verdict(pull, plan, limits):
        return None
    other = "" if mark.judge == plan.judge else f" {_OTHER_JUDGE}"
    if isinstance(seen, Quiet):
        return _pictured(_after_calm(pull, mark, seen, plan, limits, other), seen.chart)
    not_there = isinstance(seen.decision, Hold) and seen.decision.rule in _NOT_THERE
    if seen.incident.state is not State.FIRING or seen.incident.onset_s is None or not_there:
        return None
    step = _while_it_burns(pull, mark, seen, seen.incident.onset_s, plan, limits, other)
    return _pictured(step, seen.chart)


def _awaits_verdict(pull: PullRequest, plan: Plan, limits: Limits) -> bool:
    if pull.state != "merged" or pull.merged_at_s is None:
        return False
    return limits.verify_s <= plan.data_time_s - pull.merged_at_s <= limits.verify_max_s


def _edited(pull: PullRequest, mark: Marker, value: Now | None) -> bool:
    """Tell whether the merge brought another value than the one that was proposed.

    A value that was set after the merge says nothing about what was merged.
    """
    if value is None or value.since_s is None or pull.merged_at_s is None:
        return False
    return value.since_s <= pull.merged_at_s + _CLOCKS_S and value.value not in {mark.old, mark.new}


def _while_it_burns(
    pull: PullRequest, mark: Marker, seen: PlanItem, onset_s: int, plan: Plan, limits: Limits, other: str
) -> Step:
    merged_s = pull.merged_at_s or 0
    if onset_s > merged_s + limits.verify_s:
        comment = (
            f"The incident was over after this was merged; another one began at {words.utc(onset_s)}."
            f" Whether this change had a part in either cannot be told.{other}"
        )
        return _step(pull, mark, "unclear", comment)
    comment = (
        f"This did not help: {words.duration(plan.data_time_s - merged_s)} after the merge the workload is"
        f" still outside what is expected, as it was since {words.utc(onset_s)}. It reads as"
        f" {words.CAUSES[seen.diagnosis.cause]} now. The same is not proposed a second time:"
        f" a person has to look.{other}"
    )
    return _step(pull, mark, "no-help", comment)


def _after_calm(
    pull: PullRequest, mark: Marker, seen: Quiet, plan: Plan, limits: Limits, other: str
) -> Step | None:
    merged_s = pull.merged_at_s or 0
    calm_s = plan.data_time_s - seen.since_s
    if calm_s < limits.over_s:
        return None
    if not seen.ended or seen.since_s < merged_s:
        comment = f"Whether this helped cannot be told: the incident had ended before the merge.{other}"
        return _step(pull, mark, "unclear", comment)
    if seen.since_s > merged_s + limits.verify_s:
        comment = (
            f"This did not help: the incident ended at {words.utc(seen.since_s)},"
            f" {words.duration(seen.since_s - merged_s)} after the merge, too late to be its effect.{other}"
        )
        return _step(pull, mark, "no-help", comment)
    comment = (
        f"This helped, as far as metrics can tell: the incident ended at {words.utc(seen.since_s)},"
        f" {words.duration(seen.since_s - merged_s)} after the merge, and did not come back for"
        f" {words.duration(calm_s)}.{other}"
    )
    return _step(pull, mark, "helped", comment)


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
    return _step(pull, mark, "confirmed", "") if near and (same or more) else None


def _is_count(text: str) -> bool:
    return len(text) <= 6 and text.isdecimal()


_CLOSES = "aiops closes this pull request; that is no verdict about the change, and a person may reopen it."
_OTHER_JUDGE = "(Judged by another model, or by other numbers, than when this was opened.)"
