from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from aiops.detect import training
from aiops.detect.model import Card
from aiops.domain import Grid, Panel
from aiops.errors import DataUnusable

pytest.importorskip("torch")
DAY = 86_400
QUICK = training.TrainSettings(name="quick", epochs=1, batches_per_epoch=2, rows_per_batch=4)


@pytest.fixture(autouse=True)
def one_thread() -> None:
    import torch

    torch.set_num_threads(1)


@pytest.fixture
def panel(world) -> Panel:
    start = 20_500 * DAY
    return world.panel(Grid(start, start + 5 * DAY - 300, 300))


def test_training_makes_a_model_and_its_card(panel: Panel) -> None:
    said: list[str] = []
    onnx, card = training.train([panel], QUICK, said.append)
    assert Card.model_validate_json(card.model_dump_json()) == card
    assert set(card.signals) == {"error_ratio", "latency_p95", "request_rate"}  # restarts have a fixed rule
    assert 10_000 < len(onnx) < 500_000
    assert card.metrics.mae_seasonal_naive > 0
    assert card.data["workloads"] == 4
    assert any("epoch 1/1" in line for line in said)


def test_the_same_seed_trains_the_same_network(panel: Panel) -> None:
    one, other, third = (
        training.train([panel], dataclasses.replace(QUICK, seed=seed), lambda _: None)[1]
        for seed in (3, 3, 4)
    )
    assert one == other
    assert one.sha256 != third.sha256


def test_missing_samples_and_whole_gaps_do_not_harm_training(panel: Panel) -> None:
    rng = np.random.default_rng(0)
    panel.values[rng.random(panel.values.shape) < 0.3] = np.nan
    panel.values[:, :, 300:500] = np.nan
    _, card = training.train([panel], QUICK, lambda _: None)
    assert np.isfinite(card.metrics.mae)


@pytest.mark.parametrize("days", [1, 3])
def test_too_little_history_is_refused(world, days: int) -> None:
    start = 20_500 * DAY
    short = world.panel(Grid(start, start + days * DAY - 300, 300))
    with pytest.raises(DataUnusable, match="4 whole days"):
        training.train([short], QUICK, lambda _: None)


def test_a_panel_without_samples_is_refused(panel: Panel) -> None:
    panel.values[:] = np.nan
    with pytest.raises(DataUnusable):
        training.train([panel], QUICK, lambda _: None)


def test_the_card_says_when_yesterday_is_the_better_forecast(world) -> None:
    """Days that repeat to the last digit: a network that saw two batches cannot be better."""

    def repeat(values: np.ndarray, times: np.ndarray) -> None:
        daily = np.sin(2 * np.pi * times / DAY)
        values[:, 0], values[:, 1], values[:, 2] = 100 + 50 * daily, 0.0, 80.0

    world.events.append(repeat)
    start = 20_500 * DAY
    _, card = training.train([world.panel(Grid(start, start + 5 * DAY - 300, 300))], QUICK, lambda _: None)
    assert card.metrics.mae_seasonal_naive < 1e-6
    assert not card.metrics.beats_seasonal_naive
