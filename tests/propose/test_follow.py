"""What becomes of the pull requests that exist: every outcome, and every reason to leave one alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from propose import sample
from propose.followed import (
    DIFFERENT,
    ITEM,
    JUDGE,
    MIN,
    NEW,
    NOW_S,
    OLD,
    SCALE,
    burning,
    closed,
    merged,
    pull,
    quiet,
    steps,
)

from aiops.domain import Guardrail, Plan, PullRequest, State
from aiops.limits import LIMITS
from aiops.propose import follow, marker

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
