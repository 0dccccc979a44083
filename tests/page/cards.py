"""Models as the page of a model is given them, of any quality and with any text in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from aiops.detect.held_out import Day, HeldOut, OfSignal
from aiops.detect.model import Card, Metrics
from aiops.domain import Signal, Workload
from aiops.edges import model_store

STARTER = Path(__file__).parents[2] / "models" / "starter"
START_S = 20_530 * 86_400  # 2026-03-18
UNITS = {"request_rate": "req/s", "error_ratio": "ratio", "latency_p95": "ms"}


def card(**data: str | float) -> Card:
    """Return the card of the starter with the data of a training on somebody's history."""
    given = {"workloads": 12, "from_s": START_S - 13 * 86_400, "to_s": START_S + 86_400, "step_s": 60}
    starter = model_store.load(STARTER).card
    return starter.model_copy(
        update={"name": "mine", "data": {"panels": 1, **given, "flagged_share": 0.0021, **data}}
    )


def errors(ours: float, naive: float) -> Metrics:
    return Metrics(
        mae=ours,
        mae_seasonal_naive=naive,
        pinball=0.8 * ours,
        pinball_seasonal_naive=0.9 * naive,
        beats_seasonal_naive=ours < naive,
    )


def day(text: str = "shop", *, points: int = 288) -> Day:
    """Return a day with a gap of an hour before noon."""
    wave = 20 + 8 * np.sin(np.arange(points) * 2 * np.pi / points)
    observed = wave + np.cos(np.arange(points) * 1.7)
    observed[130:142] = np.nan
    named = Workload("prod-eu", text, "Deployment", text)
    return Day(named, START_S, 86_400 // points, 0.12, observed, wave, wave - 2, wave + 2)


def of_signal(name: str, ours: float = 0.13, *, text: str = "shop", shown: bool = True) -> OfSignal:
    signal = Signal(name, UNITS.get(name, text), "both", 0.5)
    return OfSignal(signal, errors(ours, 0.2), 0.91, 36 if shown else 0, day(text) if shown else None)


def held(*signals: OfSignal, ours: float = 0.14) -> HeldOut:
    found = signals or tuple(of_signal(name) for name in UNITS)
    return HeldOut(START_S - 2 * 86_400, START_S + 86_400, 3, errors(ours, 0.2), found)
