"""`aiops train`: learn from historical metrics, write a model folder, print its card."""

from __future__ import annotations

from pathlib import Path

from aiops import connect, terminal
from aiops.commands import times
from aiops.commands.run import failed
from aiops.config import load
from aiops.detect.model import Card
from aiops.domain import Grid
from aiops.errors import AiopsError, ConfigError, DataUnusable
from aiops.ingest import panels
from aiops.report import utc

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
        folder = model or config.model
        if folder is None:
            raise ConfigError(
                "no folder for the model", where="--model", todo="name one, for example models/mine"
            )
        from aiops.detect import cleaning, training  # torch: only here
        from aiops.edges import model_store

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
            model_store.save(folder, onnx, card)
    except AiopsError as error:
        return failed(error, None, as_json=False)
    terminal.say(_described(card))
    terminal.say(f"written to {folder}; use it with `model: {folder}` in aiops.yaml")
    return 0


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
