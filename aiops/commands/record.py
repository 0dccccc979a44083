"""`aiops record`: save what Prometheus answers to all named queries."""

from __future__ import annotations

from pathlib import Path

from aiops import connect, terminal
from aiops.commands import times
from aiops.commands.run import failed
from aiops.config_file import load
from aiops.domain import Grid
from aiops.edges import recording
from aiops.errors import AiopsError, ConfigError
from aiops.ingest import presets

DEADLINE_S = 3_600.0  # weeks of samples take minutes; a person is watching


def record(directory: Path, start: str, end: str, config_file: Path) -> int:
    """Write the recording and say how to replay it. Returns the exit code."""
    try:
        config = load(config_file)
        metrics = connect.metrics(config, DEADLINE_S, patient=True)
        grid = _grid(times.parse(start, "--from"), times.parse(end, "--to"), config.step)
        queries = (*connect.signal_queries(config), *presets.context_queries(config.signals))
        with terminal.progress() as tell:
            recording.record(metrics, queries, grid, directory, tell)
    except AiopsError as error:
        return failed(error, None, as_json=False)
    terminal.say(f"recorded {len(queries)} queries x {len(grid.times)} steps in {directory}")
    terminal.say(f"replay it with `prometheus: {{recording: {directory}}}` in aiops.yaml")
    return 0


def _grid(start_s: int, end_s: int, step_s: int) -> Grid:
    """Return the steps between two times, aligned to the epoch as every run aligns them."""
    first, last = -(-start_s // step_s) * step_s, end_s // step_s * step_s
    if last < first:
        raise ConfigError("expected --from before --to", where="--from", todo="swap them")
    return Grid(first, last, step_s)
