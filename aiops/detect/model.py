"""A trained model: the card that describes it, and the session that runs it.

The graph has inputs x [B, L, F], known [B, L, J, K], h0 and c0 [1, B, H], and outputs quantiles
[B, L, J, 3], h1 and c1 [1, B, H]; B and L are free. `edges/model_store.py` reads and checks files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from aiops.detect.features import INPUTS, KNOWN, LEADS
from aiops.detect.settings import PACE_S
from aiops.domain import Float32Array

# Series per call of the network: state and gates stay in the L2 cache (performance.md, section 1).
BLOCK_ROWS = 256
OUTPUTS = ("quantiles", "h1", "c1")

_Number = Annotated[float, Field(allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Calibration(_Strict):
    """How far out of its band one signal may be, in widths of the model's 5 %..95 % band.

    `threshold`: the score 1.0, at the false-alarm budget. `typical`: the 95 % quantile of the
    sustained statistic on healthy series; a series that is noisier gets a wider band by the ratio.
    """

    threshold: Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)]
    typical: Annotated[float, Field(gt=0, le=1_000, allow_inf_nan=False)]


class Metrics(_Strict):
    """Errors on held-out days, in scales of each series, 30 to 60 minutes ahead."""

    mae: _Number
    mae_seasonal_naive: _Number
    pinball: _Number
    pinball_seasonal_naive: _Number
    beats_seasonal_naive: bool


class Card(_Strict):
    """What a model is: everything scoring needs beside the network, and where it came from."""

    format: Literal["aiops.model/1"] = "aiops.model/1"
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    hidden: Annotated[int, Field(ge=1, le=1_024)]
    head: Annotated[int, Field(ge=1, le=1_024)]
    inputs: Literal[INPUTS] = INPUTS  # type: ignore[valid-type]  # another number is another model
    known: Literal[KNOWN] = KNOWN  # type: ignore[valid-type]
    leads: Annotated[list[int], Field(min_length=1)] = list(LEADS)
    pace_s: Literal[PACE_S] = PACE_S  # type: ignore[valid-type]
    signals: dict[str, Calibration]
    any_signal: Calibration  # for a signal that the model was not trained on
    data: dict[str, str | int | float | list[int]]
    training: dict[str, str | int | float]
    metrics: Metrics

    def calibration(self, signal: str) -> Calibration:
        """Return the calibration of a signal, or the one for signals nobody trained on."""
        return self.signals.get(signal, self.any_signal)


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """A model that passed every check. `session`: an onnxruntime.InferenceSession, one thread."""

    card: Card
    session: Any

    @property
    def id(self) -> str:
        """The name people see and the plan records: `starter@0123456789ab`."""
        return f"{self.card.name}@{self.card.sha256[:12]}"

    def state(self, rows: int) -> tuple[Float32Array, Float32Array]:
        """Return the state at the anchor: zeros [1, B, H] twice."""
        zeros = np.zeros((1, rows, self.card.hidden), dtype=np.float32)
        return zeros, zeros

    def run(
        self, inputs: Float32Array, known: Float32Array, state: tuple[Float32Array, Float32Array]
    ) -> tuple[Float32Array, tuple[Float32Array, Float32Array]]:
        """Return quantiles [B, L, J, 3] and the state after the block.

        The same row gives the same bits in any company: a test holds ONNX Runtime to it.
        """
        feed = {"x": inputs, "known": known, "h0": state[0], "c0": state[1]}
        quantiles, h1, c1 = self.session.run(list(OUTPUTS), feed)
        return quantiles, (h1, c1)


def open_session(onnx: bytes) -> Any:
    """Return an ONNX Runtime session of checked bytes, on one thread.

    One thread: two spin against each other on a busy runner and are 2-20 times slower.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
