"""The numbers that decide when an anomaly counts, and what one scoring run is given."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from aiops.domain import Float32Array, Panel, TimesArray

DAY_S = 86_400
WEEK_S = 7 * DAY_S
# The pace of the forecaster: samples are folded into buckets of 5 minutes. A hold of 15 minutes
# spans three of them; finer buckets cost 5x the time and forecast mostly noise.
PACE_S = 300
# Recurrent state starts this long before 00:00 UTC of the judged day (law 8).
WARM_UP_S = 2 * DAY_S
# Judged again in each run. An incident that is older keeps firing; its onset is then "12 h ago".
JUDGED_S = 12 * 3_600
# Signals that are zero while all is well: no forecast, a fixed rule, and the short hold.
FATAL_SIGNALS = ("restarts", "pods_waiting")
_EPOCH = date(1970, 1, 1).toordinal()  # a Thursday
_THURSDAY, _SATURDAY = 3, 5


@dataclass(frozen=True, slots=True)
class Calendar:
    """Local time of the people who make the load.

    `timezone`: IANA name. `holidays`: local dates (YYYY-MM-DD) that behave like a Sunday.
    `excluded`: (from, to) ISO times, UTC when no offset is given, that are not learned from.
    `offset_s`: how far clocks are ahead of UTC, whatever the zone says: for times that were moved
    to one offset (`local_time`); None = as the zone says.
    """

    timezone: str = "UTC"
    holidays: tuple[str, ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()
    offset_s: int | None = None

    def ahead_s(self, times: TimesArray) -> TimesArray:
        """Return [T] how many seconds local clocks are ahead of UTC.

        Looked up once per UTC hour: every zone changes it on a quarter of an hour at the earliest,
        and the worst error is one hour a year of 45 minutes.
        """
        if self.offset_s is not None or self.timezone == "UTC":
            return np.full(len(times), self.offset_s or 0, dtype=np.int64)
        hours, inverse = np.unique(times // 3_600, return_inverse=True)
        zone = ZoneInfo(self.timezone)
        # A loop over hours, not over points: 84 for a run, the same for a million series.
        local = [datetime.fromtimestamp(int(hour) * 3_600, tz=zone) for hour in hours]
        offsets = [int((moment.utcoffset() or timedelta()).total_seconds()) for moment in local]
        return np.array(offsets, dtype=np.int64)[inverse]

    def clock(self, times: TimesArray) -> Float32Array:
        """Return [T, 3] float32: sine and cosine of the local time of day, 1 on a day off."""
        local = times + self.ahead_s(times)
        days = local // DAY_S
        free = [date.fromisoformat(day).toordinal() - _EPOCH for day in self.holidays]
        off = ((days + _THURSDAY) % 7 >= _SATURDAY) | np.isin(days, free)
        angle = (local % DAY_S) * (2 * np.pi / DAY_S)  # [T]
        return np.stack([np.sin(angle), np.cos(angle), off], axis=1).astype(np.float32)

    def learnable(self, times: TimesArray) -> np.ndarray:
        """Return [T] bool: False inside the excluded spans."""
        keep = np.ones(len(times), dtype=bool)
        for start, end in self.excluded:
            keep &= ~((times >= _seconds(start)) & (times <= _seconds(end)))
        return keep


@dataclass(frozen=True, slots=True)
class DetectSettings:
    """When bad steps become an incident. Counts are steps with a score, times are metric time.

    Dynatrace opens at 3 of 5 and closes after 5; the hold is Prometheus's `for`. `threshold`: the score
    from which a step is bad; a crash loop or an image that cannot be pulled is bad at any.
    """

    window_steps: int = 5
    bad_to_open: int = 3
    clean_to_close: int = 5
    threshold: float = 1.0
    hold_s: int = 900
    fatal_hold_s: int = 300
    learning_s: int = 26 * 3_600
    coverage: float = 0.9
    # Coverage and freshness are asked of the newest hour: a hole this morning is no news at noon.
    tail_s: int = 3_600
    stale_s: int = 600
    calendar: Calendar = field(default_factory=Calendar)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What one run reads: `windows.wanted` says which grids.

    `recent` reaches from the anchor of the first judged day to the newest complete step,
    `week_ago` holds the same time one week earlier (None = not read), `reference` the last
    28 days at one-hour steps. Steps from `judged_from_s` on are judged.
    """

    recent: Panel
    week_ago: Panel | None
    reference: Panel
    judged_from_s: int


def _seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
