"""Whether a merged pull request helped: the incident ended by it, or not, or nobody can tell.

Comes in: one pull request with its marker, and what this run says of its workload. Goes out: a `Step`
with the words and the picture of the comment, None while it is too early.
"""

from __future__ import annotations

from dataclasses import replace

from aiops.domain import Chart, Hold, Plan, PlanItem, PullRequest, Quiet, State
from aiops.limits import Limits
from aiops.propose import ending, inert, proof, words
from aiops.propose.ending import Now, Step
from aiops.propose.marker import Marker

# Rules that say the change has not arrived: a rollout goes on, or the cluster runs something else.
_NOT_THERE = ("G3", "G-DRIFT")
_CLOCKS_S = 300  # between the clock of the forge and that of whoever merged


def of(pull: PullRequest, mark: Marker, seen: Quiet | PlanItem, plan: Plan, limits: Limits) -> Step | None:
    """Return whether a merged pull request helped; None while it is too early or nobody can tell."""
    if mark.by_hand or not awaited(pull, plan, limits):
        return None
    other = "" if mark.judge == plan.judge else f" {ending.OTHER_JUDGE}"
    if isinstance(seen, Quiet):
        return _pictured(_after_calm(pull, mark, seen, plan, limits, other), seen.chart)
    not_there = isinstance(seen.decision, Hold) and seen.decision.rule in _NOT_THERE
    if seen.incident.state is not State.FIRING or seen.incident.onset_s is None or not_there:
        return None
    step = _while_it_burns(pull, mark, seen, seen.incident.onset_s, plan, limits, other)
    return _pictured(step, seen.chart)


def awaited(pull: PullRequest, plan: Plan, limits: Limits) -> bool:
    """Tell whether a merge is old enough to be judged, and not too old."""
    if pull.state != "merged" or pull.merged_at_s is None:
        return False
    return limits.verify_s <= plan.data_time_s - pull.merged_at_s <= limits.verify_max_s


def edited(pull: PullRequest, mark: Marker, value: Now | None) -> bool:
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
        return ending.made(pull, mark, "unclear", comment)
    comment = (
        f"This did not help: {words.duration(plan.data_time_s - merged_s)} after the merge the workload is"
        f" still outside what is expected, as it was since {words.utc(onset_s)}. It reads as"
        f" {words.CAUSES[seen.diagnosis.cause]} now. The same is not proposed a second time:"
        f" a person has to look.{other}"
    )
    return ending.made(pull, mark, "no-help", comment)


def _after_calm(
    pull: PullRequest, mark: Marker, seen: Quiet, plan: Plan, limits: Limits, other: str
) -> Step | None:
    merged_s = pull.merged_at_s or 0
    calm_s = plan.data_time_s - seen.since_s
    if calm_s < limits.over_s:
        return None
    if not seen.ended or seen.since_s < merged_s:
        comment = f"Whether this helped cannot be told: the incident had ended before the merge.{other}"
        return ending.made(pull, mark, "unclear", comment)
    if seen.since_s > merged_s + limits.verify_s:
        comment = (
            f"This did not help: the incident ended at {words.utc(seen.since_s)},"
            f" {words.duration(seen.since_s - merged_s)} after the merge, too late to be its effect.{other}"
        )
        return ending.made(pull, mark, "no-help", comment)
    enough = _old_was_enough(mark, seen)
    if enough:
        ended = f"the incident ended {words.duration(seen.since_s - merged_s)} after the merge"
        comment = f"Whether this helped cannot be told: {ended}, but {enough}.{other}"
        return ending.made(pull, mark, "unclear", comment)
    comment = (
        f"This helped, as far as metrics can tell: the incident ended at {words.utc(seen.since_s)},"
        f" {words.duration(seen.since_s - merged_s)} after the merge, and did not come back for"
        f" {words.duration(calm_s)}.{other}"
    )
    return ending.made(pull, mark, "helped", comment)


def _old_was_enough(mark: Marker, seen: Quiet) -> str:
    """Say that the load has fallen to what the old count served well, "" where it has not.

    Then the incident may have ended by itself, and a raise that gets the credit would be proposed with
    more belief the next time.
    """
    if mark.action != "scale" or mark.per_pod is None or seen.load is None or not mark.old.isdecimal():
        return ""
    most = mark.per_pod * int(mark.old)
    if seen.load > most:
        return ""
    return (
        f"since then the load was at most {words.quantity(seen.load, 'req/s')}, and {mark.old} pods served"
        f" {words.quantity(most, 'req/s')} well"
    )


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
