"""The forecaster: one global LSTM over all series, three horizons, three quantiles.

Comes in: what `features.block` makes of a series. Goes out: quantiles of the bucket 30, 45 and 60
minutes ahead, in squashed units. The network does not predict the value from nothing: it mixes
five simple forecasts (same time yesterday, a week ago, ...) by weights it learns, and adds a
correction. So a series it has never seen still gets a seasonal forecast, and a missing day or
week simply has weight zero.

Sources: quantile loss, Koenker & Bassett 1978, and multi-horizon heads on an LSTM as in
https://arxiv.org/abs/1711.11053 (MQ-RNN); mixing candidate forecasts is our own. Why a horizon
of twice the hold: a better one-step forecaster is a worse detector of sustained shifts.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any

from aiops.detect.features import INPUTS, KNOWN, LEADS

# The band of the model: 5 % and 95 %. Further out there are too few samples to learn from; the
# tail beyond is modelled once, on held-out data (`calibration.py`).
QUANTILES = (0.05, 0.5, 0.95)
_CANDIDATES = 6
_NARROWEST = 0.02  # squashed units: a band of zero would make every residual infinite


@dataclass(frozen=True, slots=True)
class Architecture:
    """The sizes of the network."""

    hidden: int = 40  # small enough to score a fleet in seconds; other widths were not tried
    head: int = 24  # one hidden layer per horizon, shared by all horizons


def build(architecture: Architecture) -> Any:
    """Return the untrained network, a torch module; set torch's seed before."""
    import torch
    from torch import nn

    class Forecaster(nn.Module):  # type: ignore[misc]  # torch is not followed by mypy
        """[B, L, F], [B, L, J, K], state [1, B, H] x 2 -> quantiles [B, L, J, 3], state x 2."""

        def __init__(self) -> None:
            super().__init__()
            self.lstm = nn.LSTM(INPUTS, architecture.hidden, batch_first=True)
            self.inner = nn.Linear(architecture.hidden + KNOWN, architecture.head)
            self.outer = nn.Linear(architecture.head, _CANDIDATES + 3)

        def forward(self, x: Any, known: Any, h0: Any, c0: Any) -> tuple[Any, Any, Any]:
            out, (h1, c1) = self.lstm(x, (h0, c0))  # [B, L, F] -> [B, L, H]
            ahead = out.unsqueeze(2).expand(-1, -1, len(LEADS), -1)  # [B, L, H] -> [B, L, J, H]
            inner = torch.tanh(self.inner(torch.cat([ahead, known], dim=3)))  # -> [B, L, J, head]
            raw = self.outer(inner)  # -> [B, L, J, 6 + 3]

            # Columns of x: value, seen, level, seen, day, seen, week, seen, clock x 3.
            level, level_on, day_now, day_now_on, week_now, week_now_on = (
                x[:, :, i : i + 1].expand(-1, -1, len(LEADS)) for i in range(2, 8)
            )  # each [B, L, J]
            day, day_on, week, week_on = (known[:, :, :, i] for i in (0, 1, 4, 5))
            always = torch.ones_like(day_on)
            candidates = torch.stack(
                [
                    torch.zeros_like(day),  # the median of the series
                    level,  # as now
                    day,  # as yesterday
                    week,  # as a week ago
                    level + day - day_now,  # as now, moving as it moved yesterday
                    level + week - week_now,
                ],
                dim=3,
            )  # [B, L, J, 6]
            usable = torch.stack(
                [
                    always,
                    level_on,
                    day_on,
                    week_on,
                    level_on * day_on * day_now_on,
                    level_on * week_on * week_now_on,
                ],
                dim=3,
            )
            weight = torch.softmax(raw[..., :_CANDIDATES] - 1e4 * (1 - usable), dim=3)
            middle = (weight * candidates).sum(dim=3) + raw[..., _CANDIDATES]  # [B, L, J]
            width = nn.functional.softplus(raw[..., _CANDIDATES + 1 :]) + _NARROWEST  # [B, L, J, 2]
            quantiles = torch.stack([middle - width[..., 0], middle, middle + width[..., 1]], dim=3)
            return quantiles, h1, c1

    return Forecaster()


def pinball(quantiles: Any, target: Any, observed: Any) -> Any:
    """Return the quantile loss, a scalar: [B, L, J, 3], [B, L, J], bool [B, L, J].

    A missing target has weight 0; it is set to 0 first, since 0 x NaN would still be NaN and one
    NaN target turns every weight into NaN.
    """
    import torch

    level = torch.tensor(QUANTILES, device=target.device)
    error = torch.where(observed, target, torch.zeros_like(target)).unsqueeze(3) - quantiles
    loss = torch.maximum(level * error, (level - 1) * error).sum(dim=3)  # [B, L, J]
    return (loss * observed).sum() / observed.sum().clamp(min=1)


def export(network: Any, architecture: Architecture) -> bytes:
    """Return the network as ONNX bytes; B and L stay free. Graph names: see `model.py`."""
    import torch

    network = network.cpu().eval()
    rows, length = 3, 4
    state = torch.zeros(1, rows, architecture.hidden)
    example = (torch.zeros(rows, length, INPUTS), torch.zeros(rows, length, len(LEADS), KNOWN), state, state)
    out = io.BytesIO()
    with warnings.catch_warnings():
        # torch warns that this exporter is the older one and that the LSTM's batch size is fixed
        # by its initial state. The newer exporter unrolls the LSTM for one length; and the state
        # is an input here, so the batch is free: the tests run other sizes.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network,
            example,
            out,
            dynamo=False,
            opset_version=17,
            input_names=["x", "known", "h0", "c0"],
            output_names=["quantiles", "h1", "c1"],
            dynamic_axes={
                "x": {0: "B", 1: "L"},
                "known": {0: "B", 1: "L"},
                "h0": {1: "B"},
                "c0": {1: "B"},
                "quantiles": {0: "B", 1: "L"},
                "h1": {1: "B"},
                "c1": {1: "B"},
            },
        )
    return out.getvalue()
