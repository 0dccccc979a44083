from __future__ import annotations

import numpy as np
import pytest
from diagnose.scenes import COLUMN, NOW_S, TIMES, Shop, workload

from aiops.diagnose import outlook
from aiops.domain import Answer, Drift, DriftWatch, Outlook, Query
from aiops.limits import LIMITS

HOURS = (TIMES - TIMES[-1]) / 3600.0
DAY_S = 86_400


def rising(now: float, per_hour: float) -> np.ndarray:
    """Return a level that began to rise eight hours ago."""
    return now + per_hour * np.maximum(HOURS, -8.0)


def memory(levels: np.ndarray) -> tuple[Outlook, ...]:
    shop = Shop("api")
    shop.values[0, COLUMN["memory_utilization"]] = levels
    return outlook.outlook({}, shop.panel, (), {}, LIMITS)


def answered(source: str, values: np.ndarray, **labels: str) -> dict[str, Answer]:
    place = {"cluster": "prod-eu", "namespace": "shop", **labels}
    return {source: Answer(Query(source, f"query of {source}", "", ()), (place,), values[None], TIMES)}


def test_memory_that_rises_in_a_line_is_told_with_the_time_it_is_full() -> None:
    (found,) = memory(rising(0.6, 0.05))
    assert (found.what, found.subject) == ("memory", "Deployment/api")
    assert abs(found.breach_s - (NOW_S + 8 * 3600)) <= 60


@pytest.mark.parametrize(
    "levels",
    [
        np.full(TIMES.size, 0.97),
        rising(0.5, 0.001),
        rising(0.6, -0.05),
        0.5 + 0.4 * ((TIMES // 60) % 90) / 90,
        0.6 + 0.2 * np.sin(HOURS * 2 * np.pi / 24),
        np.full(TIMES.size, np.nan),
    ],
    ids=["flat and high", "slower than a day", "falling", "a sawtooth", "a daily swing", "no samples"],
)
def test_what_is_no_trend_is_not_told(levels: np.ndarray) -> None:
    assert memory(levels) == ()


def test_a_volume_and_a_quota_that_fill_up_are_told_by_name() -> None:
    volume = answered("volume_used", rising(0.8, 0.02), persistentvolumeclaim="data-orders-db-0")
    quota = answered("quota_used", rising(0.92, 0.01), resourcequota="team", resource="limits.cpu")
    found = outlook.outlook({**volume, **quota}, Shop("api").panel, (), {}, LIMITS)
    assert [(one.what, one.subject) for one in found] == [
        ("quota", "team/limits.cpu"),
        ("volume", "data-orders-db-0"),
    ]


@pytest.mark.parametrize(("days", "told"), [(2, 1), (30, 0), (-1, 1), (-30, 0)])
def test_a_certificate_is_told_in_its_last_week_and_in_the_week_after(days: int, told: int) -> None:
    ends = answered("certificate_end", np.full(TIMES.size, float(NOW_S + days * DAY_S)), name="shop-tls")
    found = outlook.outlook(ends, Shop("api").panel, (), {}, LIMITS)
    assert [one.what for one in found] == ["certificate"] * told


@pytest.mark.parametrize(("per_day", "told"), [(0.02, 1), (0.001, 0), (-0.02, 0)])
def test_slow_growth_that_reaches_saturation_within_weeks_is_told(per_day: float, told: int) -> None:
    drift = Drift("cpu_utilization", "ratio of request", per_day, 0.5, 0.7, NOW_S - 28 * DAY_S)
    watch = DriftWatch(workload("api"), watched=True, days=28, drifts=(drift,))
    found = outlook.outlook({}, Shop("api").panel, (watch,), {}, LIMITS)
    assert [one.what for one in found] == ["capacity"] * told
