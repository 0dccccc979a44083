from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from propose import sample

from aiops.decide import give_back
from aiops.domain import Panel, Plan, PullRequest, Quiet, Signal
from aiops.limits import LIMITS
from aiops.propose import marker

NOW_S, DAY = sample.NOW_S, 86_400
ITEM = replace(sample.scale_item(), decision=replace(sample.scale_item().decision, per_pod=10.0))
CALM = Quiet(sample.CART, NOW_S - DAY // 2, ended=False, peak=60.0)


def plan(**calm: object) -> Plan:
    return replace(sample.plan(), items=(), quiet=(replace(CALM, **calm),))


def raised(hours_ago: float = 24, **changes: object) -> PullRequest:
    made, at_s = sample.composed(ITEM), int(NOW_S - hours_ago * 3600)
    merged = PullRequest(7, "", made.branch, "merged", "t", made.body, "aiops", (), 0, at_s, at_s, None)
    return replace(merged, **changes)


def backs(*pulls: PullRequest, given: Plan | None = None) -> list[tuple[str, int, int]]:
    found = give_back.wanted(pulls, given or plan(), LIMITS)
    return [(one.back.field, one.back.old, one.back.new) for one in found]


def test_a_raise_that_nothing_needs_any_more_is_taken_back_to_what_it_was() -> None:
    assert backs(raised()) == [("hpa.max", 9, 6)]


BODY = sample.composed(ITEM).body
KEPT = [
    ("its time is not over", [raised(23.9)], plan()),
    ("a peak was higher than what was served before", [raised()], plan(peak=60.1)),
    ("a peak is not known", [raised()], plan(peak=None)),
    ("an incident ended today", [raised()], plan(ended=True)),
    ("the workload was not judged", [raised()], replace(plan(), quiet=())),
    ("it was never merged", [raised(state="closed", merged_at_s=None)], plan()),
    ("nobody knows what a pod served", [raised(body=sample.composed(sample.scale_item()).body)], plan()),
    ("a person asked for it", [raised(body=BODY.replace("load-2026-11-23", marker.BY_HAND))], plan()),
    ("it was taken back already", [raised(body=BODY.replace("load-2026-11-23", "back")), raised(48)], plan()),
    ("a newer raise is too young", [raised(1), raised(48)], plan()),
    ("it lowered something", [raised(body=BODY.replace("from=6 to=9", "from=9 to=6"))], plan()),
    ("it was a rollback", [raised(body=sample.composed(sample.rollback_item()).body)], plan()),
]  # fmt: skip


@pytest.mark.parametrize(("pulls", "given"), [row[1:] for row in KEPT], ids=[row[0] for row in KEPT])
def test_a_raise_stays_while(pulls: list[PullRequest], given: Plan) -> None:
    assert backs(*pulls, given=given) == []


def panel(values: np.ndarray, step_s: int, end_s: int = NOW_S) -> Panel:
    """Return request rates [T] of one workload that end at a time."""
    times = end_s - step_s * np.arange(len(values) - 1, -1, -1, dtype=np.int64)
    signal = Signal(give_back.RATE, "", "req/s", "both", 0.0)
    return Panel(values[None, None, :].astype(np.float32), times, step_s, (sample.CART,), (signal,))


def test_the_peak_is_the_higher_of_yesterday_and_of_the_same_day_a_week_ago() -> None:
    recent, weeks = np.full(2880, 5.0), np.full(28 * 24, 5.0)
    recent[0] = weeks[0] = 99  # two days ago, and four weeks: neither counts
    assert give_back.peaks(panel(recent, 60), panel(weeks, 3600)) == {sample.CART: 5.0}
    recent[-700] = 8
    assert give_back.peaks(panel(recent, 60), panel(weeks, 3600)) == {sample.CART: 8.0}
    weeks[-7 * 24 + 5] = 12
    assert give_back.peaks(panel(recent, 60), panel(weeks, 3600)) == {sample.CART: 12.0}


def test_a_peak_that_nobody_may_have_seen_is_not_known() -> None:
    recent, weeks = np.full(2880, 5.0), np.full(28 * 24, 5.0)
    hole = recent.copy()
    hole[-200:] = np.nan
    assert give_back.peaks(panel(hole, 60), panel(weeks, 3600)) == {}
    assert give_back.peaks(panel(recent[-1200:], 60), panel(weeks, 3600)) == {}
    assert give_back.peaks(panel(recent, 60), panel(weeks[-150:], 3600)) == {}


def test_the_load_since_a_time_is_its_highest_where_nearly_all_of_it_was_measured():
    times = np.arange(0, 6_000, 60)
    values = np.full((1, 1, 100), 20.0, dtype=np.float32)
    values[0, 0, 10], values[0, 0, 60] = 90.0, 50.0
    panel = Panel(values, times, 60, (sample.CART,), (Signal("request_rate", "req/s", "both", 0.0),))
    assert give_back.highest_since(panel, sample.CART, 1_200) == 50.0
    assert give_back.highest_since(panel, sample.CHECKOUT, 1_200) is None
    values[0, 0, 70:80] = np.nan
    assert give_back.highest_since(panel, sample.CART, 1_200) is None
