"""Whether a merge helped, as far as metrics tell: the words, the picture, and what nobody can tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from propose import gfm, hostile, sample
from propose.followed import (
    DIFFERENT,
    ITEM,
    MIN,
    NEW,
    NOW_S,
    OLD,
    SCALE,
    burning,
    merged,
    quiet,
)

from aiops.domain import Plan
from aiops.limits import LIMITS
from aiops.propose import follow, marker, words

RAISE = replace(SCALE, decision=replace(SCALE.decision, per_pod=10.0))  # 6 pods served 60 req/s well


@pytest.mark.parametrize(
    ("item", "load", "outcome"),
    [
        (RAISE, 60.0, "unclear"),
        (RAISE, 60.1, "helped"),
        (RAISE, None, "helped"),
        (SCALE, 60.0, "helped"),  # what a pod serves is not known
        (ITEM, 60.0, "helped"),  # a rollback has no load to fall
    ],
    ids=["the load fell", "it did not", "not measured", "capacity not known", "a rollback"],
)
def test_a_raise_gets_no_credit_for_a_load_that_fell_by_itself(item, load, outcome) -> None:
    plan = quiet(60, item)
    plan = replace(plan, quiet=(replace(plan.quiet[0], load=load),))
    (step,) = follow.steps([merged(90, item)], plan, {}, NOW_S, LIMITS)
    assert step.outcome == outcome
    told = "since then the load was at most 60 req/s, and 6 pods served 60 req/s well"
    assert (told in step.comment) == (outcome == "unclear")


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
