from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.detect.windows import wanted
from aiops.errors import ConfigError

DAY = 86_400


@pytest.mark.parametrize(
    ("now_s", "days_before_newest"),
    [
        (20_000 * DAY + 20 * 3_600, 2),  # 20:00: the judged hours lie in one day
        (20_000 * DAY + 8 * 3_600, 3),  # 08:00: they began yesterday
    ],
)
def test_the_pass_starts_two_days_before_the_first_judged_day(now_s: int, days_before_newest: int) -> None:
    windows = wanted(now_s, 60)
    assert (20_000 - days_before_newest) * DAY == windows.recent.start_s


@given(st.integers(10**9, 2 * 10**9), st.sampled_from([15, 30, 60, 300]))
def test_every_grid_is_aligned_and_ends_before_now(now_s: int, step_s: int) -> None:
    windows = wanted(now_s, step_s)
    assert windows.recent.start_s % DAY == 0
    assert windows.recent.end_s % step_s == 0
    assert now_s - 120 - step_s < windows.recent.end_s <= now_s - 120
    assert windows.week_ago is not None
    assert windows.recent.start_s - 7 * DAY == windows.week_ago.start_s
    assert windows.week_ago.end_s < windows.recent.start_s
    assert windows.reference.start_s % 3_600 == 0
    assert (windows.recent.end_s - windows.judged_from_s) == 12 * 3_600 - step_s


def test_a_step_that_does_not_divide_a_day_is_refused() -> None:
    with pytest.raises(ConfigError, match="divides a day"):
        wanted(1_773_934_200, 420)


def test_runs_of_one_minute_judge_the_same_steps() -> None:
    assert wanted(1_773_934_200, 60) == wanted(1_773_934_259, 60)
