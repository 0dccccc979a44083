"""The peers that learn, each fitted on the history rows alone; row t is scored from rows <= t.

Runs in the peers' environment (TSB-AD 1.5, torch, stumpy). Columns are scaled by mean and standard
deviation of the history, clipped at 20 deviations; TSB-AD's own scaling by the mean of whatever
part it is given, the judged rows included, is switched off. Windows end at the judged row, where
TSB-AD centres them.
"""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
from bench.detection.measures import buffer_steps, forward_filled
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LONG_HISTORY, FEW_EPOCHS = 4_000, 10  # rows; LSTMAD alone
# Values in one window: 100 rows x 38 columns. Longer ones are thinned to every k-th row.
_WINDOW_VALUES = 4_000
_FITTED_WINDOWS = 4_000  # spread evenly over the history
_PROFILE_COLUMNS = 6
_CLIP = 20.0


def lstmad(values: Floats, train_len: int, step_s: int) -> Floats:
    """Return TSB-AD's LSTMAD: squared error one step ahead, with its tuned settings.

    At most 50 epochs as TSB-AD has it, fewer on a long history: two minutes a server otherwise.
    The table says so.
    """
    from TSB_AD.models.LSTMAD import LSTMAD

    window = 100 if values.shape[1] == 1 else 150
    make = {"window_size": window, "pred_len": 1, "lr": 0.0008, "feats": values.shape[1], "batch_size": 128}
    make["epochs"] = 50 if train_len <= LONG_HISTORY else FEW_EPOCHS
    return _forecast_error(LSTMAD, make, values, train_len)


def cnn(values: Floats, train_len: int, step_s: int) -> Floats:
    """Return TSB-AD's CNN: squared error one step ahead; its tuned settings, 50 epochs at most."""
    from TSB_AD.models.CNN import CNN

    make = {"window_size": 50, "num_channel": [32, 32, 40], "feats": values.shape[1], "batch_size": 128}
    return _forecast_error(CNN, make, values, train_len)


def forest_rows(values: Floats, train_len: int, step_s: int) -> Floats:
    """Return TSB-AD's IForest on single rows, its tuned settings, as on the board."""
    return _forest(_scaled(values, train_len), train_len, 1)


def forest_windows(values: Floats, train_len: int, step_s: int) -> Floats:
    """Return an isolation forest on windows: one period of the history, or 100 rows when several columns."""
    scaled = _scaled(values, train_len)
    return _forest(scaled, train_len, _window(scaled, train_len))


def pca_windows(values: Floats, train_len: int, step_s: int) -> Floats:
    """Return TSB-AD's PCA score on the same windows: distances to the components over their weights."""
    from scipy.spatial.distance import cdist
    from sklearn.decomposition import PCA

    scaled = _scaled(values, train_len)
    window = _window(scaled, train_len)
    fitted = _windows(scaled[:train_len], window, _spread(train_len - window + 1))
    mean, deviation = fitted.mean(axis=0), fitted.std(axis=0)
    deviation[deviation == 0] = 1.0
    several = values.shape[1] > 1
    model = PCA(n_components=0.25 if several else None, random_state=0).fit((fitted - mean) / deviation)
    weight = model.explained_variance_ratio_
    # Beyond the last real direction a weight is rounding error, and would be all of the score.
    real = weight > weight[0] * 1e-9
    components, weight = model.components_[real], weight[real]

    def score(windows: Floats) -> Floats:
        return (cdist((windows - mean) / deviation, components) / weight).sum(axis=1)

    return _each_window(scaled, window, score)


def left_profile(values: Floats, train_len: int, step_s: int) -> Floats:
    """Return the left matrix profile: distance to the nearest window of the past, by stumpy.

    Window: one period of the history. With several columns, the mean over the first six that are
    not constant in the history.
    """
    import stumpy

    filled = _filled(values)
    moving = np.flatnonzero(np.ptp(filled[:train_len], axis=0) > 0)[:_PROFILE_COLUMNS]
    window = max(8, min(buffer_steps(values[:train_len, 0]), train_len // 2))
    total = np.zeros(len(values))
    for column in filled[:, moving].T:
        nearest = np.asarray(stumpy.stump(np.ascontiguousarray(column), window).left_I_, dtype=np.int64)
        total[window - 1 :] += _distance(column, window, nearest) / len(moving)
    return total


def _distance(column: Floats, window: int, nearest: NDArray[np.int64]) -> Floats:
    """Return the z-normalised distance of each window to the one that begins at `nearest`, -1 = none."""
    windows = np.lib.stride_tricks.sliding_window_view(column, window)
    found = np.zeros(len(windows))
    for start in range(0, len(windows), 5_000):
        at = np.arange(start, min(start + 5_000, len(windows)))
        at = at[nearest[at] >= 0]
        found[at] = np.linalg.norm(_normal(windows[at]) - _normal(windows[nearest[at]]), axis=1)
    return found


def _normal(windows: Floats) -> Floats:
    deviation = windows.std(axis=1, keepdims=True)
    centred = windows - windows.mean(axis=1, keepdims=True)
    return np.divide(centred, deviation, out=np.zeros(windows.shape), where=deviation > 1e-12)


def _forecast_error(kind: Any, make: dict[str, Any], values: Floats, train_len: int) -> Floats:
    import torch
    from TSB_AD.utils import dataset

    torch.manual_seed(0)
    torch.set_num_threads(1)
    scaled = _scaled(values, train_len)
    plain = dataset.ForecastDataset.__init__

    def unscaled(self: Any, data: Floats, window_size: int, pred_len: int) -> None:
        plain(self, data, window_size, pred_len, normalize=False)

    dataset.ForecastDataset.__init__ = unscaled
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            model = kind(**make)
            model.fit(scaled[:train_len])
            found = model.decision_function(scaled)
    finally:
        dataset.ForecastDataset.__init__ = plain
    return np.asarray(found, dtype=float).ravel()


def _forest(scaled: Floats, train_len: int, window: int) -> Floats:
    from sklearn.ensemble import IsolationForest

    several = scaled.shape[1] > 1
    trees, features = (25, 0.8) if several else (200 if window == 1 else 150, 1.0)
    fitted = _windows(scaled[:train_len], window, _spread(train_len - window + 1))
    model = IsolationForest(n_estimators=trees, max_features=features, random_state=0).fit(fitted)
    return _each_window(scaled, window, lambda windows: -model.score_samples(windows))


def _filled(values: Floats) -> Floats:
    return np.stack([forward_filled(column) for column in values.T], axis=1)


def _scaled(values: Floats, train_len: int) -> Floats:
    filled = _filled(values)
    mean, deviation = filled[:train_len].mean(axis=0), filled[:train_len].std(axis=0)
    deviation[deviation < 1e-9] = 1.0
    return np.clip((filled - mean) / deviation, -_CLIP, _CLIP)


def _window(scaled: Floats, train_len: int) -> int:
    if scaled.shape[1] > 1:
        return 100
    return min(buffer_steps(scaled[:train_len, 0]), train_len // 2)


def _spread(count: int) -> NDArray[np.int64]:
    return np.unique(np.linspace(0, count - 1, min(count, _FITTED_WINDOWS)).astype(np.int64))


def _windows(scaled: Floats, window: int, first: NDArray[np.int64]) -> Floats:
    """Return the windows that begin at `first` [N, V], thinned to the usual number of values."""
    every = max(1, -(-window * scaled.shape[1] // _WINDOW_VALUES))
    steps = np.arange(window)[::-1][::every][::-1]  # the last row is always in
    return scaled[first[:, None] + steps].reshape(len(first), -1)


def _each_window(scaled: Floats, window: int, score: Any) -> Floats:
    """Return the score of the window that ends at each row; the first rows get the first score."""
    count = len(scaled) - window + 1
    parts = [
        score(_windows(scaled, window, np.arange(start, min(start + 2_000, count))))
        for start in range(0, count, 2_000)
    ]
    found = np.concatenate(parts)
    return np.concatenate([np.full(window - 1, found[0]), found])
