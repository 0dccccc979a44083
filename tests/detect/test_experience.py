from __future__ import annotations

import numpy as np
import pytest

from aiops.detect.experience import sustained_s
from aiops.domain import Panel, Signal, Workload

HOURS = 28 * 24
WORKLOAD = Workload("", "shop", "Deployment", "web")


def _hours(rate: np.ndarray, name: str = "request_rate") -> float:
    times = np.arange(HOURS, dtype=np.int64) * 3_600
    panel = Panel(
        rate[None, None].astype(np.float32), times, 3_600, (WORKLOAD,), (Signal(name, "req/s", "both", 0.5),)
    )
    return float(sustained_s(panel, (WORKLOAD,), int(times[-1]))[0] / 3_600)


def _used(*spans: tuple[int, int]) -> np.ndarray:
    rate = np.full(HOURS, np.nan)
    for start, end in spans:
        rate[start:end] = 5.0
    return rate


def _office() -> np.ndarray:
    """Eight to seventeen from Monday to Friday, zero otherwise; the 28 days begin on a Saturday."""
    hour, day = np.arange(HOURS) % 24, (np.arange(HOURS) // 24 + 5) % 7
    return np.where((hour >= 8) & (hour < 17) & (day < 5), 5.0, 0.0)


@pytest.mark.parametrize(
    ("name", "rate", "hours"),
    [
        ("always", _used((0, HOURS)), HOURS - 1),
        ("never", _used(), 0),
        ("zero traffic is no traffic", np.zeros(HOURS), 0),
        ("one stray sample a month ago", _used((3, 4), (HOURS - 20, HOURS)), 19),
        ("a smoke test of an hour, then silence", _used((3, 4)), 0),
        ("tried out for a day three weeks ago", _used((100, 124), (HOURS - 30, HOURS)), 29),
        ("a scrape gap of two hours", _used((100, 300), (302, HOURS)), HOURS - 101),
        ("two hours old", _used((HOURS - 2, HOURS)), 1),
        ("office hours", _office(), HOURS - 1 - 56),
        ("a long weekend off", _used((200, 500), (596, HOURS)), HOURS - 1 - 200),
        ("back after five days", _used((200, 500), (621, HOURS)), HOURS - 1 - 621),
        ("given up five days ago", _used((0, HOURS - 120)), 0),
    ],
)
def test_history_starts_with_sustained_traffic(name: str, rate: np.ndarray, hours: float) -> None:
    assert _hours(rate) == hours


def test_a_workload_without_requests_counts_its_samples() -> None:
    assert _hours(_used((HOURS - 50, HOURS)) * 0, name="memory_utilization") == 49


def test_a_workload_that_the_reference_does_not_know_has_no_history() -> None:
    times = np.arange(4, dtype=np.int64) * 3_600
    empty = Panel(np.zeros((0, 1, 4), dtype=np.float32), times, 3_600, (), (Signal("x", "", "up", 1.0),))
    assert sustained_s(empty, (WORKLOAD,), 10_000).tolist() == [0]
