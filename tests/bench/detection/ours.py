"""Our detector on labelled series: with a given model, and trained on the history of a collection."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from bench.detection.series import Series
from numpy.typing import NDArray

from aiops.detect import training, wide
from aiops.detect.model import Model, open_session
from aiops.domain import Panel, Signal, Workload
from aiops.edges import table
from aiops.errors import DataUnusable

_LEAST_DAYS = 4  # what `training.train` needs: 48 hours, a day to learn from, a day held out


def score(one: Series, model: Model | None) -> NDArray[np.float64]:
    """Return the score of every row; history = the rows before `train_len`."""
    return wide.score_table(table.read(one.path), one.train_len, model).score


def train(collection: Sequence[Series], seed: int) -> Model:
    """Train on the history rows of the series, labels unseen, as `aiops train` would.

    One panel for each series: one workload, its columns the signals. Raises DataUnusable when
    fewer than half of the series have enough history.
    """
    panels = [panel(one) for one in collection if days(one) >= _LEAST_DAYS]
    if 2 * len(panels) < len(collection):
        raise DataUnusable(
            f"{len(panels)} of {len(collection)} series have {_LEAST_DAYS} days of history to train on",
            todo="",
        )
    settings = training.TrainSettings(seed=seed, name="history")
    onnx, card = training.train(panels, settings, lambda _: None)
    return Model(card, open_session(onnx))


def days(one: Series) -> float:
    """Return how long the history is."""
    return one.train_len * one.step_s / 86_400


def panel(one: Series) -> Panel:
    """Return the history rows as the panel of one workload, on the grid of the series' step."""
    read = table.read(one.path)
    times = np.maximum.accumulate(read.times[: one.train_len])
    cell = (times - times[0] + one.step_s // 2) // one.step_s
    values = np.full((1, len(read.columns), int(cell[-1]) + 1), np.nan, dtype=np.float32)
    values[0][:, cell] = read.values[: one.train_len].T
    start = int(times[0]) // one.step_s * one.step_s
    return Panel(
        values,
        start + np.arange(values.shape[2], dtype=np.int64) * one.step_s,
        one.step_s,
        (Workload("", one.collection, "Series", one.name),),
        tuple(Signal(name, "", "both", 0.0) for name in read.columns),
    )
