from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from bench.incidents import healthy, meshes
from bench.incidents.firing import Firing
from bench.incidents.healthy import CIRCUMSTANCES, Alarm

from aiops.detect.settings import Calendar
from aiops.mesh.faults import Deploy, Surge
from aiops.mesh.graph import Batch, Call, Mesh, Service

HOUR, DAY = 3_600, 86_400
MONDAY = int(datetime(2026, 10, 19, tzinfo=UTC).timestamp())
THERE = meshes.Unseen(
    Mesh((
        Service("door", "1", 2, 10.0, (Call("back", 1.0),), entry_rps=9.0),
        Service("aside", "1", 2, 10.0, entry_rps=9.0),
        Service("back", "1", 2, 10.0, batch=Batch(3 * HOUR, HOUR, 5.0)),
    )),
    {"door": "shop", "aside": "office"},
)  # fmt: skip
NAMES = ("aside", "back", "door")
TIMES = np.arange(MONDAY, MONDAY + 14 * DAY, 60, dtype=np.int64)
CALM = np.zeros((3, len(TIMES)), dtype=bool)


def held(
    name: str, day: int, hour: float, events: tuple[Deploy | Surge, ...] = (), strained: np.ndarray = CALM
) -> str:
    calendar = Calendar("Europe/Berlin", ("2026-10-22",))
    found = healthy.circumstances(THERE, events, calendar, TIMES, NAMES, strained)
    return CIRCUMSTANCES[found[NAMES.index(name), int(day * 1_440 + hour * 60)]]


def test_days_are_told_apart_by_local_time() -> None:
    assert ["Monday", "none"] == [held("door", day, 12) for day in (0, 1)]
    near = ((2, 21.9), (2, 22.1), (4, 21.9))  # the holiday, and the day after
    assert ["none", "holiday", "holiday"] == [held("aside", day, hour) for day, hour in near]
    assert "weekend" == held("aside", 4, 22.1)
    assert "weekend" == held("aside", 5, 12)
    assert ["weekend", "clock change", "clock change", "none"] == [
        held("aside", d, h) for d, h in ((6, 0.9), (6, 1.1), (7, 23), (8, 1.1))
    ]


def test_a_batch_a_deploy_and_a_crowd_touch_whom_they_reach() -> None:
    at = MONDAY + DAY + 14 * HOUR
    events = (Deploy("aside", at, "2"), Surge("door", at, at + HOUR, 1.5))
    assert ["none", "batch", "none"] == [held(name, 1, 3.5) for name in NAMES]
    assert ["deploy", "flash crowd", "flash crowd"] == [held(name, 1, 14.5, events) for name in NAMES]
    assert ["none", "flash crowd", "flash crowd"] == [held(name, 1, 15.9, events) for name in NAMES]
    assert ["none"] * 3 == [held(name, 1, 16.1, events) for name in NAMES]


def test_a_crowd_that_saturates_somebody_is_not_absorbed() -> None:
    at = MONDAY + 14 * HOUR
    strained = CALM.copy()
    strained[NAMES.index("back"), 14 * 60 + 20] = True
    assert "crowd too big" == held("aside", 0, 14.5, (Surge("door", at, at + HOUR, 9.0),), strained)


def test_exposure_is_counted_in_workload_weeks() -> None:
    week = np.full((2, 7 * 1_440), CIRCUMSTANCES.index("none"))
    week[0, :1_440] = CIRCUMSTANCES.index("weekend")
    weeks = healthy.exposure([week, week])
    assert (pytest.approx(2 / 7), pytest.approx(4 - 2 / 7)) == (weeks["weekend"], weeks["none"])


def test_firings_of_one_workload_within_the_cool_down_count_once() -> None:
    def alarm(workload: str, hour: float) -> Alarm:
        return Alarm(1, workload, "none", "shop", Firing(0, int(hour * HOUR), 0, "request_rate", 1, 2, 3, 4))

    found = [alarm("a", 0), alarm("a", 5), alarm("a", 10), alarm("a", 17), alarm("b", 5)]
    assert 3 == healthy.joined(found, 6 * HOUR)


def test_healthy_meshes_repeat_by_seed_and_differ_in_shape() -> None:
    calendar = Calendar("Europe/Berlin", ("2026-10-29",))
    assert meshes.unseen(3, calendar) == meshes.unseen(3, calendar)
    shapes = {shape for seed in range(10) for shape in meshes.unseen(seed, calendar).shapes.values()}
    assert set(meshes.SHAPES) == shapes
