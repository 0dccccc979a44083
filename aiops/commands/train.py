"""`aiops train`: learn from historical metrics, write a model folder, print its card."""

from __future__ import annotations

from pathlib import Path

from aiops import connect, terminal
from aiops.commands import times
from aiops.commands.run import failed
from aiops.config import load
from aiops.domain import Grid
from aiops.errors import AiopsError, ConfigError, DataUnusable
from aiops.ingest import panels

DEFAULT_SPAN_S = 14 * 86_400  # two weeks: every weekday twice, the common retention
DEADLINE_S = 3_600.0


def train(config_file: Path, start: str | None, end: str | None, model: Path | None, seed: int) -> int:
    """Read history, fit, compare with seasonal-naive, save. Returns the exit code."""
    try:
        config = load(config_file)
        metrics = connect.metrics(config, DEADLINE_S)
        end_s = times.parse(end, "--to") if end else metrics.now_s()
        start_s = times.parse(start, "--from") if start else end_s - DEFAULT_SPAN_S
        grid = Grid(start_s // config.step * config.step, end_s // config.step * config.step, config.step)
        folder = model or config.model
        if folder is None:
            raise ConfigError(
                "no folder for the model", where="--model", todo="name one, for example models/mine"
            )
        from aiops.detect import training  # torch: only here
        from aiops.edges import model_store

        with terminal.progress() as tell:
            tell("reading history")
            answers = [metrics.read(query, grid) for query in connect.signal_queries(config)]
            panel = panels.assemble(answers, {})
            if not panel.workloads:
                raise DataUnusable("no workload has history in that span", todo="try another --from and --to")
            onnx, card = training.train([panel], connect.detect_settings(config), seed, tell)
            model_store.save(folder, onnx, card)
    except AiopsError as error:
        return failed(error, None, as_json=False)
    terminal.say(training.describe(card))
    terminal.say(f"written to {folder}; use it with `model: {folder}` in aiops.yaml")
    return 0
