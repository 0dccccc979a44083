"""The peers, in a Python of their own: train once, then score whenever a line asks for it.

    PEERS_PYTHON tests/bench/speed/peers.py SERIES.npy      SERIES: [n, 4032], 5-minute buckets

Trains on the first half of each series, prints `ready`; then for each line with a peer's name on
stdin scores the second half and prints how many points it scored and the CPU seconds it took.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import sys
import time
import warnings
from collections.abc import Callable

import numpy as np

WINDOW = 100  # TSB-AD's default for LSTMAD; the same for the other LSTM


def main() -> None:
    """Train, then answer."""
    warnings.filterwarnings("ignore")
    logging.disable(logging.CRITICAL)
    values = np.load(sys.argv[1])
    half = values.shape[1] // 2
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        made = {
            "TSB-AD LSTMAD": lstmad(values, half),
            "darts RNNModel (LSTM)": darts(values, half),
            "Prophet": prophet(values, half),
        }
    print(json.dumps(sorted(made)), flush=True)
    for line in sys.stdin:
        score = made[line.strip()]
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            start = time.process_time()
            points = score()
            took = time.process_time() - start
        print(json.dumps([points, took]), flush=True)


def lstmad(values: np.ndarray, half: int) -> Callable[[], int]:
    """TSB-AD 1.5 as it comes (hidden 20, two layers, window 100); one epoch: more costs no less to score."""
    import torch
    from TSB_AD.models.LSTMAD import LSTMAD

    torch.set_num_threads(1)
    models = []
    for row in values:
        model = LSTMAD(window_size=WINDOW, epochs=1)
        model.fit(row[:half, None])
        models.append(model)

    def score() -> int:
        for model, row in zip(models, values, strict=True):
            model.decision_function(row[half:, None])
        return values.shape[0] * half

    return score


def darts(values: np.ndarray, half: int) -> Callable[[], int]:
    """One step ahead over the second half of the first series, without training again."""
    from darts import TimeSeries
    from darts.models import RNNModel

    series = TimeSeries.from_values(((values[0] - values[0].mean()) / values[0].std()).astype(np.float32))
    model = RNNModel(
        input_chunk_length=WINDOW,
        training_length=WINDOW + 1,
        model="LSTM",
        hidden_dim=20,
        n_rnn_layers=2,
        n_epochs=1,
        random_state=0,
        pl_trainer_kwargs={"accelerator": "cpu", "enable_progress_bar": False, "logger": False},
    )
    model.fit(series[:half])

    def score() -> int:
        model.historical_forecasts(series, start=half, forecast_horizon=1, retrain=False, verbose=False)
        return half

    return score


def prophet(values: np.ndarray, half: int) -> Callable[[], int]:
    """Prophet as it comes, with its uncertainty intervals: without them there is no band."""
    import pandas as pd
    from prophet import Prophet

    stamps = pd.date_range("2026-03-05", periods=values.shape[1], freq="5min")
    models = []
    for row in values:
        model = Prophet()
        model.fit(pd.DataFrame({"ds": stamps[:half], "y": row[:half]}))
        models.append(model)
    ahead = pd.DataFrame({"ds": stamps[half:]})

    def score() -> int:
        for model in models:
            model.predict(ahead)
        return values.shape[0] * half

    return score


if __name__ == "__main__":
    main()
