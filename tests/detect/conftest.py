"""Synthetic workloads for the detector: daily shape, noise, and whatever a test does to them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from aiops.detect.model import Model
from aiops.detect.settings import History
from aiops.detect.windows import Windows, wanted
from aiops.domain import Grid, Panel, Signal, Workload

SIGNALS = (
    Signal("request_rate", "req/s", "both", 0.5),
    Signal("error_ratio", "ratio", "up", 0.01, 0.02),
    Signal("latency_p95", "ms", "up", 30.0, 300.0),
    Signal("restarts", "restarts per 15 min", "up", 2.0, 3.0),
)
# Thursday 2026-03-19 15:30:00 UTC; the judged 12 hours lie in one day.
NOON = 1_773_934_200
STEP = 60


class World:
    """Four healthy workloads, known at every minute; `events` change what happens from a time on."""

    def __init__(self, count: int = 4) -> None:
        self.workloads = tuple(Workload("c", "shop", "Deployment", f"w{i}") for i in range(count))
        self.events: list = []

    def values(self, times: np.ndarray) -> np.ndarray:
        """[W, S, T], the same value for the same minute whoever asks."""
        shape = (len(self.workloads), len(SIGNALS), len(times))
        values = np.zeros(shape)
        for i in range(shape[0]):
            noise = _noise(times, i)  # [4, T]
            daily = 1 + 0.5 * np.sin(2 * np.pi * (times / 86_400 + 0.1 * i))
            values[i, 0] = (20 + 10 * i) * daily * np.exp(0.04 * noise[0])
            values[i, 1] = np.clip(0.001 + 0.0005 * noise[1], 0, 1)
            values[i, 2] = 80 + 20 * daily + 3 * noise[2]
        for event in self.events:
            event(values, times)
        return values.astype(np.float32)

    def panel(self, grid: Grid) -> Panel:
        return Panel(self.values(grid.times), grid.times, grid.step_s, self.workloads, SIGNALS)

    def history(self, now_s: int = NOON + 120, step_s: int = STEP) -> History:
        windows: Windows = wanted(now_s, step_s)
        assert windows.week_ago is not None
        return History(
            self.panel(windows.recent),
            self.panel(windows.week_ago),
            self.panel(windows.reference),
            windows.judged_from_s,
        )


def _noise(times: np.ndarray, salt: int) -> np.ndarray:
    """[4, T] standard normal noise as a function of the minute: a hash, so that grids may overlap."""
    key = (times[None, :] // 60 * 8 + np.arange(4)[:, None] * 2).astype(np.uint64) + np.uint64(
        salt * 7919 << 40
    )

    def uniform(seed: int) -> np.ndarray:
        mixed = key + np.uint64(seed)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
        mixed ^= mixed >> np.uint64(31)
        return (mixed >> np.uint64(11)).astype(np.float64) / 2**53

    return np.sqrt(-2 * np.log(uniform(1) + 1e-12)) * np.cos(2 * np.pi * uniform(99_991))


def from_time(workload: int, signal: str, start_s: int, change):
    """Return an event: `change(values)` of one signal from `start_s` on."""
    row = [s.name for s in SIGNALS].index(signal)

    def event(values: np.ndarray, times: np.ndarray) -> None:
        after = times >= start_s
        values[workload, row, after] = change(values[workload, row, after])

    return event


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture(scope="session")
def make_world():
    return World


@pytest.fixture
def happens():
    return from_time


@pytest.fixture(scope="session")
def starter() -> Model:
    from aiops.edges import model_store

    return model_store.load(Path(__file__).parents[2] / "models" / "starter")
