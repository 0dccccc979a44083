"""`aiops train`: learn from historical metrics, write a model folder, print its card.

A model that is there and forecasts the same recent days better is never replaced, so that training can
run on a schedule.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from aiops import connect, terminal
from aiops.commands import times
from aiops.commands.run import failed
from aiops.config import Config, load
from aiops.detect.model import Card
from aiops.domain import Grid, Panel
from aiops.errors import AiopsError, ConfigError, DataUnusable, ModelRefused
from aiops.ingest import panels
from aiops.report import utc

if TYPE_CHECKING:
    from aiops.detect import training

DEFAULT_SPAN_S = 14 * 86_400  # two weeks: every weekday twice, the common retention
DEADLINE_S = 3_600.0


def train(config_file: Path, start: str | None, end: str | None, model: Path | None, seed: int) -> int:
    """Read history, fit, compare with seasonal-naive, save. Returns the exit code."""
    try:
        config = load(config_file)
        metrics = connect.metrics(config, DEADLINE_S, patient=True)
        end_s = times.parse(end, "--to") if end else metrics.now_s()
        start_s = times.parse(start, "--from") if start else end_s - DEFAULT_SPAN_S
        grid = Grid(start_s // config.step * config.step, end_s // config.step * config.step, config.step)
        folder = _folder(model, config)
        from aiops.detect import cleaning, training  # torch: only here

        with terminal.progress() as tell:
            tell("reading history")
            settings = connect.detect_settings(config)
            answers = [metrics.read(query, grid) for query in connect.signal_queries(config)]
            panel = panels.assemble(answers, {})
            if not panel.workloads:
                raise DataUnusable("no workload has history in that span", todo="try another --from and --to")
            tell("taking out past incidents")
            clean, flagged = cleaning.cleaned(panel, settings)
            chosen = training.TrainSettings(seed=seed, name=folder.name, calendar=settings.calendar)
            onnx, card = training.train([clean], chosen, tell)
            card = card.model_copy(update={"data": {**card.data, "flagged_share": round(flagged, 6)}})
            tell("comparing with the model that is there")
            verdict = _saved(folder, onnx, card, [clean], chosen)
    except AiopsError as error:
        return failed(error, None, as_json=False)
    terminal.say(_described(card))
    terminal.say(verdict)
    if folder != config.model:
        terminal.say(f"use it with `model: {folder}` in aiops.yaml")
    return 0


def _folder(model: Path | None, config: Config) -> Path:
    """Return where the model goes. Raises ConfigError without a folder, or without torch."""
    folder = model or config.model
    if folder is None:
        raise ConfigError(
            "no folder for the model", where="--model", todo="name one, for example models/mine"
        )
    if importlib.util.find_spec("torch") is None:
        raise ConfigError("training needs torch", where="aiops train", todo="pip install 'aiops[train]'")
    return folder


def _saved(folder: Path, onnx: bytes, card: Card, panels: list[Panel], chosen: training.TrainSettings) -> str:
    """Write the model unless a better one is there; say which, and by how much.

    A model that is refused when it is loaded is no better one. Beside the starter a new model is only
    measured: it was asked for, and takes nobody's place.
    """
    from aiops.detect import succession
    from aiops.detect.model import Model, open_session
    from aiops.edges import model_store

    there = (folder / model_store.CARD).exists()
    try:
        old = model_store.load(folder if there else connect.starter())
    except ModelRefused as error:
        model_store.save(folder, onnx, card)
        return f"written to {folder}; what was there is not usable: {error.message}"
    new = Model(card, open_session(onnx))
    found = succession.compare(old, new, panels, chosen.held_out, chosen.calendar)
    if found is None:
        model_store.save(folder, onnx, card)
        return f"written to {folder}"
    days = f"the same {found.days} held-out days" if found.days > 1 else "the same held-out day"
    name = f"{old.card.name} of {folder}" if there else "the starter model"
    seen = "" if found.unseen else f", which {name} may have learned from"
    losses = f"on {days}{seen}: loss {found.new:.4g}, {name} {found.old:.4g}"
    if there and found.keeps_old:
        return f"kept {folder}, which is better {losses}; to have the new one, name another folder: --model"
    model_store.save(folder, onnx, card)
    return f"written to {folder}; {'worse' if found.keeps_old else 'better'} {losses}"


def _described(card: Card) -> str:
    """Say what was learned from and whether it beats the same minute of the day before."""
    data, metrics = card.data, card.metrics
    ratio = metrics.mae / metrics.mae_seasonal_naive if metrics.mae_seasonal_naive else float("nan")
    verdict = "beats" if metrics.beats_seasonal_naive else "does NOT beat"
    start, end = (utc(int(str(data[key]))) for key in ("from_s", "to_s"))
    return (
        f"model {card.name}: {data['workloads']} workloads, {start} to {end}; "
        f"{100 * float(str(data['flagged_share'])):.2g} % of the samples looked like incidents: left out\n"
        f"on held-out days it {verdict} seasonal-naive: "
        f"absolute error {metrics.mae:.4g} against {metrics.mae_seasonal_naive:.4g} (x{ratio:.2f})"
    )
