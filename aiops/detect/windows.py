"""Which samples a run reads: a function of the newest complete step and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from aiops.detect.settings import DAY_S, JUDGED_S, PACE_S, WARM_UP_S, WEEK_S
from aiops.domain import Grid
from aiops.errors import ConfigError

# Two scrapes of the slowest usual interval (60 s): a step is judged once it is complete.
EVALUATION_DELAY_S = 120
# A week ago the future is known: the forecaster looks at its target and two buckets beyond, and
# where the clocks went forward in between, an hour further.
_AHEAD_S = 18 * PACE_S + 3_600
_REFERENCE_S = 28 * DAY_S


@dataclass(frozen=True, slots=True)
class Windows:
    """The grids of one run. Steps from `judged_from_s` to the end of `recent` are judged."""

    recent: Grid
    week_ago: Grid | None
    reference: Grid
    judged_from_s: int


def wanted(now_s: int, step_s: int) -> Windows:
    """Return the grids that a run at `now_s` reads, aligned to the epoch.

    The newest step lies the evaluation delay before `now_s`. `recent` starts at the anchor of the
    first judged day: 48 h before its 00:00 UTC, whatever the hour of the run (law 8). Raises
    ConfigError for a step that does not divide a day: its grids would start elsewhere every day.
    """
    if DAY_S % step_s:
        raise ConfigError(f"expected a step that divides a day, found {step_s} s", where="step")
    newest = (now_s - EVALUATION_DELAY_S) // step_s * step_s
    judged_from = newest - JUDGED_S + step_s
    anchor = judged_from // DAY_S * DAY_S - WARM_UP_S
    hour = newest // 3_600 * 3_600
    return Windows(
        recent=Grid(anchor, newest, step_s),
        week_ago=Grid(anchor - WEEK_S, newest - WEEK_S + _AHEAD_S // step_s * step_s, step_s),
        reference=Grid(hour - _REFERENCE_S, hour, 3_600),
        judged_from_s=judged_from,
    )
