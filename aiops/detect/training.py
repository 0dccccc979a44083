"""Train the forecaster: read top to bottom.

Comes in: panels of (mostly healthy) history. Goes out: ONNX bytes and a card. One global network
learns from every series of every workload; a batch is one panel and one day with the 48 hours
before it, exactly what scoring will see. Seeded: the same panels and settings give the same
weights on the same machine and torch build. A GPU is used when there is one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from aiops.detect import calibrate, examples, forecaster
from aiops.detect.examples import Example
from aiops.detect.model import Card, Metrics, Model, open_session
from aiops.detect.settings import Calendar
from aiops.domain import Panel
from aiops.errors import DataUnusable

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """Everything that is chosen about a training run."""

    seed: int = 0
    name: str = "trained"
    epochs: int = 8  # the last two epochs on the plant hardly differ; early stop decides
    patience: int = 3  # epochs without a better held-out loss
    batches_per_epoch: int = 40  # days drawn per epoch: 40 x 60 series x 864 buckets = 2 M points
    rows_per_batch: int = 64  # series per batch: the state stays in cache, the gradient is calm enough
    learning_rate: float = 4e-3  # Adam's usual range, decayed to zero; other rates were not tried
    gradient_limit: float = 1.0  # gradients of an LSTM over 864 steps can explode; 1.0 is the usual limit
    held_out: float = 0.25  # the last quarter of the days: for early stop, metrics and calibration
    calendar: Calendar = field(default_factory=Calendar)


def train(
    panels: Sequence[Panel], settings: TrainSettings, progress: Progress, judged_on: Sequence[Panel] = ()
) -> tuple[bytes, Card]:
    """Fit the network on `panels` and calibrate it; return ONNX bytes and the card.

    Each panel: one step, at least 4 whole UTC days. The last quarter of the days of each is held
    out; `judged_on`, when given, are other healthy panels for calibration and metrics instead.
    Raises DataUnusable when no panel holds enough history, or the loss is not finite.
    """
    train_days, held_days = examples.split(panels, settings.held_out)
    if not train_days or not held_days:
        raise DataUnusable(
            "expected at least 4 whole days of history with samples to train on", todo="widen --from"
        )
    judged = held_days if not judged_on else examples.days(judged_on)
    network = _fit(train_days, held_days, settings, progress)
    architecture = forecaster.Architecture()
    onnx = forecaster.export(network, architecture)
    progress("calibrating on held-out days")
    session = open_session(onnx)
    blank = _card(onnx, settings, panels, architecture)
    metrics = calibrate.forecast_metrics(Model(blank, session), judged, settings.calendar)
    signals, rest = calibrate.calibrations(Model(blank, session), judged, settings.calendar)
    card = blank.model_copy(update={"metrics": metrics, "signals": signals, "any_signal": rest})
    return onnx, Card.model_validate(card.model_dump())


def _fit(train: list[Example], held: list[Example], settings: TrainSettings, progress: Progress) -> Any:
    import torch

    torch.manual_seed(settings.seed)
    # One thread: an LSTM of 40 units has nothing to share, and two spin on a busy machine.
    torch.set_num_threads(1)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    network = forecaster.build(forecaster.Architecture()).to(device)
    optimizer = torch.optim.Adam(network.parameters(), lr=settings.learning_rate)
    total = settings.epochs * settings.batches_per_epoch
    # Down to zero along a cosine: the last epochs settle into what the first found.
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, total)
    rng = np.random.default_rng(settings.seed)
    best, best_weights, waited = float("inf"), None, 0
    for epoch in range(settings.epochs):
        network.train()
        for number in range(settings.batches_per_epoch):
            example = train[int(rng.integers(len(train)))]
            batch = examples.disturbed(example, settings.rows_per_batch, settings.calendar, rng)
            loss = _loss(network, batch, device)
            optimizer.zero_grad()
            loss.backward()
            norm = torch.nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_limit)
            if not bool(torch.isfinite(norm)):
                continue  # one bad batch is skipped; a network of NaN would be the alternative
            optimizer.step()
            schedule.step()
            if number % 20 == 0:
                progress(f"epoch {epoch + 1}/{settings.epochs}, batch {number}: loss {loss.item():.4f}")
        loss_held = _held_loss(network, held, settings, device)
        progress(f"epoch {epoch + 1}/{settings.epochs}: held-out loss {loss_held:.4f}")
        if loss_held < best - 1e-4:
            best, waited = loss_held, 0
            best_weights = {key: value.detach().clone() for key, value in network.state_dict().items()}
        else:
            waited += 1
        if waited >= settings.patience:
            break
    if best_weights is None:
        raise DataUnusable("the loss of the forecaster never became finite", todo="look at the history")
    network.load_state_dict(best_weights)
    return network


def _loss(network: Any, batch: examples.Inputs, device: str) -> Any:
    import torch

    x, known, target, observed = (torch.from_numpy(part).to(device) for part in batch)
    state = torch.zeros(1, len(x), network.lstm.hidden_size, device=device)
    quantiles, _, _ = network(x, known, state, state)  # [B, L, F], [B, L, J, K] -> [B, L, J, 3]
    return forecaster.pinball(quantiles, target, observed)


def _held_loss(network: Any, held: list[Example], settings: TrainSettings, device: str) -> float:
    """Return the loss on at most 16 held-out days, spread evenly, nothing disturbed."""
    import torch

    network.eval()
    picks = held[:: max(1, len(held) // 16)][:16]
    with torch.no_grad():
        losses = [float(_loss(network, examples.inputs(one, settings.calendar), device)) for one in picks]
    return float(np.mean(losses))


def _card(
    onnx: bytes, settings: TrainSettings, panels: Sequence[Panel], architecture: forecaster.Architecture
) -> Card:
    """Return the card with everything but metrics and calibration, which need the exported graph."""
    numbers: dict[str, str | int | float] = {
        k: v for k, v in asdict(settings).items() if isinstance(v, (int, float)) and k != "name"
    }
    neutral = calibrate.NEUTRAL
    return Card(
        name=settings.name,
        sha256=hashlib.sha256(onnx).hexdigest(),
        hidden=architecture.hidden,
        head=architecture.head,
        signals={},
        any_signal=neutral,
        data={
            "panels": len(panels),
            "workloads": sum(len(panel.workloads) for panel in panels),
            "from_s": min(int(panel.times[0]) for panel in panels),
            "to_s": max(int(panel.times[-1]) for panel in panels),
            "step_s": panels[0].step_s,
        },
        training=numbers,
        metrics=Metrics(
            mae=0.0,
            mae_seasonal_naive=0.0,
            pinball=0.0,
            pinball_seasonal_naive=0.0,
            beats_seasonal_naive=False,
        ),
    )
