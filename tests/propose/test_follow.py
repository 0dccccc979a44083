"""What becomes of the pull requests that exist: every outcome, and every reason to leave one alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from propose import gfm, hostile, sample

from aiops.domain import Guardrail, Hold, Plan, PlanItem, PullRequest, Quiet, State
from aiops.limits import LIMITS
from aiops.propose import follow, marker, words

NOW_S, HOUR, MIN = sample.NOW_S, 3600, 60
JUDGE = "abcdefabcdef"
ITEM = sample.rollback_item()
SCALE = sample.scale_item()
OLD, NEW = marker.value("1.14.3"), marker.value("1.14.2")


def pull(item: PlanItem = ITEM, *, number: int = 1, judge: str = JUDGE, **changes: object) -> PullRequest:
    made = sample.composed(item, judge=judge)
    opened = PullRequest(
        number,
        "u",
        made.branch,
        "open",
        made.title,
        made.body,
        "aiops",
        (),
        NOW_S - 9 * HOUR,
        None,
        None,
        None,
    )
    return replace(opened, **changes)


def merged(minutes_ago: int, item: PlanItem = ITEM, **changes: object) -> PullRequest:
    at_s = NOW_S - minutes_ago * MIN
    return pull(item, state="merged", merged_at_s=at_s, closed_at_s=at_s, **changes)


def closed(minutes_ago: int, item: PlanItem = ITEM, **changes: object) -> PullRequest:
    return pull(item, state="closed", closed_at_s=NOW_S - minutes_ago * MIN, closed_by=None, **changes)


def quiet(minutes: int, item: PlanItem = ITEM, *, ended: bool = True) -> Plan:
    """Return what a run says that saw the workload without an incident for so long."""
    calm = Quiet(item.workload, NOW_S - minutes * MIN, ended)
    return replace(sample.plan(), items=(), judge=JUDGE, quiet=(calm,))


def burning(
    item: PlanItem = ITEM, *, onset_min: int = 200, rule: str = "G-TRIED", **incident: object
) -> Plan:
    """Return what a run says that sees the incident and holds back."""
    seen = replace(item.incident, **{"onset_s": NOW_S - onset_min * MIN, **incident})
    held = replace(item, decision=Hold(rule, ""), edits=(), incident=seen)
    return replace(sample.plan(), items=(held,), judge=JUDGE)


def steps(one: PullRequest, plan: Plan, value: str | None = OLD, since_s: int | None = None) -> list[str]:
    values = {one.number: follow.Now(value, since_s)} if value is not None else {}
    found = follow.steps([one], plan, values, NOW_S, LIMITS)
    return [f"{'close ' if step.close else ''}{step.outcome}" for step in found]


DIFFERENT = "0" * 12
ENDED = {name: pull().body.replace("outcome=none", f"outcome={name}") for name in ("over", "helped")}

ENDS = [
    ("it is over for an hour", pull(), quiet(60), OLD, "close over"),
    ("there was no incident at all", pull(), quiet(720, ended=False), OLD, "close over"),
    ("the repository has the value", pull(), burning(), NEW, "close changed"),
    ("the repository has another value", pull(), quiet(1), marker.value("1.15.0"), "close changed"),
    ("it ended after the merge", merged(120), quiet(90), OLD, "helped"),
    ("it had ended before the merge", merged(120), quiet(150), OLD, "unclear"),
    ("nothing was wrong for half a day", merged(120), quiet(720, ended=False), OLD, "unclear"),
    ("it burns an hour after", merged(60), burning(), OLD, "no-help"),
    ("it ended more than an hour after", merged(180), quiet(119), OLD, "no-help"),
    ("another one began after", merged(180), burning(onset_min=60), OLD, "unclear"),
    ("another model saw nothing at all", pull(judge=DIFFERENT), quiet(720, ended=False), OLD, "close over"),
]  # fmt: skip
ENDINGS = pytest.mark.parametrize(
    ("one", "plan", "value", "expected"), [row[1:] for row in ENDS], ids=[row[0] for row in ENDS]
)


@ENDINGS
def test_a_pull_request_ends_when(one: PullRequest, plan: Plan, value: str, expected: str) -> None:
    assert steps(one, plan, value) == [expected]


def storm(plan: Plan) -> Plan:
    return replace(plan, guardrails=(Guardrail("G-STORM", tripped=True, value="", limit=""),))


LEFT = [
    ("it is quiet for less than an hour", pull(), quiet(59), OLD),
    ("it still burns", pull(), burning(), OLD),
    ("it is pending again", pull(), burning(state=State.PENDING), OLD),
    ("it was not judged", pull(), replace(quiet(60), quiet=()), OLD),
    ("the workload learns or has no data", pull(), burning(state=State.INACTIVE, onset_s=None), OLD),
    ("the fleet is in a storm", pull(), storm(quiet(60)), OLD),
    ("the data is old", pull(), replace(quiet(60), data_time_s=NOW_S - 901), OLD),
    ("a person removed the marker", pull(body="mine"), quiet(60), OLD),
    ("a person reopened what we closed", pull(body=ENDED["over"]), quiet(60), OLD),
    ("the place of the value cannot be told", pull(), burning(), None),
    ("another model sees nothing", pull(judge=DIFFERENT), quiet(60), OLD),
    ("it was merged just now", merged(59), burning(), OLD),
    ("the rollout goes on", merged(60), burning(rule="G3"), OLD),
    ("the cluster runs something else", merged(60), burning(rule="G-DRIFT"), OLD),
    ("it is pending after the merge", merged(60), burning(state=State.PENDING), OLD),
    ("it is not quiet for long after the merge", merged(120), quiet(30), OLD),
    ("it was merged two days ago", merged(2 * 24 * 60), burning(), OLD),
    ("it was judged already", merged(60, body=ENDED["helped"]), burning(), OLD),
    ("a person closed it", closed(10), quiet(60), OLD),
]  # fmt: skip


@pytest.mark.parametrize(("one", "plan", "value"), [r[1:] for r in LEFT], ids=[r[0] for r in LEFT])
def test_a_pull_request_is_left_alone_while(one: PullRequest, plan: Plan, value: str | None) -> None:
    assert steps(one, plan, value) == []


def test_what_this_run_proposes_again_is_brought_up_to_date_and_not_closed() -> None:
    plan = replace(sample.plan(), judge=JUDGE)
    assert steps(pull(), plan, marker.value("1.14.4")) == []


def test_what_a_person_asked_for_is_ended_by_no_measurement() -> None:
    asked = replace(
        ITEM, incident=replace(ITEM.incident, onset_s=None), diagnosis=replace(ITEM.diagnosis, change=None)
    )
    assert steps(pull(asked), quiet(720)) == []
    assert steps(pull(asked), quiet(720), NEW) == ["close changed"]
    assert steps(merged(60, asked), burning()) == []


@pytest.mark.parametrize(
    ("value", "since_min", "expected"),
    [
        (NEW, 130, ["confirmed"]),
        (NEW, 131, []),
        (NEW, -1, ["confirmed"]),
        (OLD, 10, []),
        (marker.value("1.14.1"), 10, []),
        (NEW, None, []),
    ],
    ids=["two hours before", "longer before", "after", "it stayed", "to another value", "at an unknown time"],
)
def test_a_close_is_no_no_when_the_same_field_was_set_by_hand(value, since_min, expected) -> None:
    since_s = None if since_min is None else NOW_S - since_min * MIN
    assert steps(closed(10), quiet(1), value, since_s) == expected


def test_more_than_was_asked_for_confirms_a_scale_and_less_does_not() -> None:
    assert steps(closed(10, SCALE), quiet(1, SCALE), "8", NOW_S) == ["confirmed"]
    assert steps(closed(10, SCALE), quiet(1, SCALE), "5", NOW_S) == []


def test_the_outcome_is_in_the_body_and_nothing_else_of_it_changes() -> None:
    one = pull()
    (step,) = follow.steps([one], quiet(60), {}, NOW_S, LIMITS)
    assert step.body == one.body.replace("outcome=none", "outcome=over", 1)
    assert follow.steps([replace(one, body=step.body)], quiet(60), {}, NOW_S, LIMITS) == ()


@ENDINGS
def test_what_is_said_names_nobody_and_nothing_of_others(one, plan, value, expected) -> None:
    del expected
    (step,) = follow.steps([one], plan, {1: follow.Now(value, None)}, NOW_S, LIMITS)
    assert step.comment.isascii()
    assert not set("@#`<>[]|*_") & set(step.comment)


def test_only_what_a_decision_needs_is_asked_for() -> None:
    pulls = [pull(number=1), merged(60, number=2), closed(10, number=3), closed(3000, number=4)]
    found = follow.asks([*pulls, pull(SCALE, number=5)], quiet(60), NOW_S, LIMITS)
    assert [(one.number, name) for one, _, name in found] == [(n, "image.tag") for n in (1, 2, 3)]
    assert follow.asks([merged(59), merged(24 * 60 + 1)], quiet(60), NOW_S, LIMITS) == ()


def test_the_younger_of_two_for_one_change_is_closed_whatever_was_judged() -> None:
    plan = replace(quiet(60), quiet=())
    found = follow.steps([pull(number=3), pull(number=2), pull(SCALE, number=4)], plan, {}, NOW_S, LIMITS)
    assert [(step.pull.number, step.outcome, step.close) for step in found] == [(3, "duplicate", True)]
    assert follow.steps([pull(number=3), closed(9, number=2)], plan, {}, NOW_S, LIMITS) == ()


@pytest.mark.parametrize(
    ("value", "minutes_ago", "edited"),
    [
        (NEW, 90, False),
        (DIFFERENT, 90, True),  # the merge brought it
        (DIFFERENT, 300, True),  # committed to the branch, and merged without a commit of its own
        (DIFFERENT, 30, False),  # set after the merge
        (OLD, 90, False),  # reverted, or never there
    ],
)
def test_a_value_that_a_person_changed_before_merging_is_remembered(value, minutes_ago, edited) -> None:
    now = follow.Now(value, NOW_S - minutes_ago * MIN)
    (step,) = follow.steps([merged(90)], quiet(60), {1: now}, NOW_S, LIMITS)
    mark = marker.parse(step.body)
    assert mark is not None
    assert (mark.outcome, mark.edited) == ("helped", edited)


VERDICTS = [
    ("helped", merged(90), quiet(60)),
    ("no-help", merged(90), burning()),
]


def drawn(plan: Plan) -> Plan:
    """Return a plan with a chart of everybody, from before the merge."""
    made = sample.chart("error_ratio", "ratio")
    made = replace(made, times_s=tuple(NOW_S - place * 6 * MIN for place in range(23, -1, -1)))
    return replace(
        plan,
        quiet=tuple(replace(calm, chart=made) for calm in plan.quiet),
        items=tuple(replace(item, chart=made) for item in plan.items),
    )


@pytest.mark.parametrize(("outcome", "one", "plan"), VERDICTS, ids=[row[0] for row in VERDICTS])
def test_a_verdict_shows_the_signal_before_and_after_the_merge(outcome, one, plan):
    (step,) = follow.steps([one], drawn(plan), {}, NOW_S, LIMITS)
    first, *rest = step.said.split("\n\n")
    assert first == f"<!-- aiops:1 outcome={outcome} -->"
    assert rest[0] == step.comment
    assert "minutes since the merge" in rest[-1]
    assert rest[1] == "`error_ratio` in the newest 6 min: **21 %** where about 0.2 % is expected."
    assert f"The bar marks the merge, {words.utc(one.merged_at_s)}." in rest[2]
    assert gfm.live(step.said.replace(first, "", 1)) == []


def test_a_verdict_does_not_say_what_is_expected_where_nobody_knows():
    plan = drawn(quiet(60))
    calm = plan.quiet[0]
    unknown = replace(calm.chart, expected=(*calm.chart.expected[:-1], None))
    (step,) = follow.steps(
        [merged(90)], replace(plan, quiet=(replace(calm, chart=unknown),)), {}, NOW_S, LIMITS
    )
    assert "`error_ratio` in the newest 6 min: **21 %**." in step.said


def test_a_verdict_without_a_picture_is_a_verdict():
    (step,) = follow.steps([merged(90)], quiet(60), {}, NOW_S, LIMITS)
    assert step.said == f"<!-- aiops:1 outcome=helped -->\n\n{step.comment}"


@pytest.mark.parametrize("text", hostile.CORPUS)
def test_no_name_in_the_picture_of_a_verdict_acts(text):
    drawn = replace(sample.chart("x", "ms"), signal=text, unit=text)
    plan = quiet(60)
    plan = replace(plan, quiet=(replace(plan.quiet[0], chart=drawn),))
    (step,) = follow.steps([merged(90)], plan, {}, NOW_S, LIMITS)
    assert "mermaid" in step.said
    assert gfm.live(step.said.split("\n", 1)[1]) == []
