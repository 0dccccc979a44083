"""`aiops init`: look at a Prometheus and a repository, write a first `aiops.yaml`, show what is missing.

Nothing that exists is replaced. The file is written last, once what it says was tried; secrets
never go into it, only the names of the environment variables that hold them.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click

from aiops import connect, coverage, terminal
from aiops.commands import checks, settings_file, times
from aiops.commands.run import failed, write
from aiops.commands.settings_file import SCHEMA_FILE, Asked
from aiops.config import Config
from aiops.config_file import load
from aiops.config_schema import schema
from aiops.domain import Grid, Workload
from aiops.errors import AiopsError, ConfigError, DataUnusable
from aiops.gitops import where as resolver
from aiops.ingest import presets, telemetry
from aiops.ingest.telemetry import Telemetry
from aiops.ports import Files, Metrics

DEADLINE_S = 120.0
_SHOWN = 8


def init(asked: Asked, at: str | None) -> int:
    """Look, write, print. Returns the exit code; errors are printed, not raised."""
    try:
        if asked.output.exists() or asked.output.is_symlink():
            raise ConfigError(
                "this file exists; it is never replaced",
                where=str(asked.output),
                todo="name another: --output",
            )
        source = asked.prometheus or _prompted(
            "Prometheus (address, or folder of a recording)", "--prometheus"
        )
        repo = asked.repo or _prompted("Repository (folder, or OWNER/NAME on GitHub)", "--repo")
        at_s = times.parse(at, "--at") if at else None
        with terminal.progress() as tell:
            with _draft(asked, source, repo, presets.DEFAULT) as config:
                tell("looking at Prometheus")
                found, chosen, spare = _telemetry(config, at_s)
            with _draft(asked, source, repo, chosen) as config:
                tell("looking for workloads")
                metrics = connect.metrics(config, DEADLINE_S)
                seen = checks.read(connect.proposing_job(config), metrics, at_s or metrics.now_s())
                tell("looking for manifests")
                _, files = checks.repository(connect.repository(config), config)
                rows = coverage.covered(seen.day, seen.reference, files, ())
                others = _unmeasured(files, rows)
        _write(asked, settings_file.text(asked, source, repo, chosen, found, rows, spare))
    except AiopsError as error:
        return failed(error, None, as_json=False)
    _print(rows, found, others, spare)
    _next(asked.output)
    return 0


def _prompted(what: str, flag: str) -> str:
    if not sys.stdin.isatty():
        raise ConfigError("nothing to look at", where=flag, todo=f"give {flag}, or run on a terminal")
    return str(click.prompt(what))


@contextlib.contextmanager
def _draft(asked: Asked, source: str, repo: str, signals: Sequence[str]) -> Iterator[Config]:
    """Give the settings that the file would have, read the way every command reads them."""
    folder = asked.output.resolve().parent
    if not folder.is_dir():
        raise ConfigError("no such folder", where=str(folder), todo="make it, or name another: --output")
    draft = folder / f".{asked.output.name}.{os.getpid()}"
    write(draft, settings_file.text(asked, source, repo, signals, {}, ()).encode())
    try:
        yield load(draft)
    finally:
        draft.unlink()


def _telemetry(
    config: Config, at_s: int | None
) -> tuple[Mapping[Telemetry, int], tuple[str, ...], Mapping[str, int]]:
    """Return the exporters that were found, the presets to use, and the sources of requests not used.

    Raises DataUnusable where no preset has data.
    """
    for name, source in connect.sources(config, DEADLINE_S):
        checks.source(source, name)
    metrics = connect.metrics(config, DEADLINE_S)
    now_s = at_s or metrics.now_s()
    newest = (now_s - 120) // config.step * config.step
    grid = Grid(newest - 10 * config.step, newest, config.step)
    try:
        found = telemetry.found(metrics.read(telemetry.query(), grid))
        there = {one.preset for one in found if one.preset}
    except ConfigError:  # a recording answers its own queries only
        found, there = {}, set(presets.NAMES)
    named = {
        name: count for name in presets.NAMES if name in there and (count := _named(metrics, name, grid))
    }
    best = _best(named)
    spare = {name: count for name, count in named.items() if name in presets.REQUESTS and name != best}
    if not named:
        names = ", ".join(dict.fromkeys(one.name for one in found)) or "none of the exporters that are known"
        raise DataUnusable(
            f"no preset fits: found {names}",
            where="signals",
            todo="see docs/signals.md for the labels that each preset needs, or write `queries` of your own",
        )
    return found, tuple(name for name in named if name not in spare), spare


def _best(named: Mapping[str, int]) -> str:
    """Return the source of requests to use, of those that name workloads; "" without one.

    The first in the order of `presets.REQUESTS`, which tells most of each, that names at least half as many
    as any: a mesh of ten is worth more than twelve that count their own requests.
    """
    most = max((count for name, count in named.items() if name in presets.REQUESTS), default=0)
    return next((name for name in presets.REQUESTS if name in named and 2 * named[name] >= most), "")


def _named(metrics: Metrics, preset: str, grid: Grid) -> int:
    """Return how many workloads the first signal of a preset that has data names."""
    try:
        answers = (metrics.read(query, grid) for query in presets.signal_queries((preset,)))
        return next((len(answer.labels) for answer in answers if answer.labels), 0)
    except ConfigError:  # not in this recording
        return 0


def _unmeasured(files: Files, rows: Sequence[coverage.Covered]) -> list[Workload]:
    """Return what the repository deploys and no metric names."""
    known = {(one.workload.namespace, one.workload.name) for one in rows}
    names = {name for _, name in known}
    return [
        one
        for one, _ in resolver.named(files)
        if (one.namespace, one.name) not in known and (one.namespace or one.name not in names)
    ]


def _write(asked: Asked, text: str) -> None:
    """Write the settings where nothing is, and the schema beside them."""
    folder = asked.output.resolve().parent
    draft = folder / f".{asked.output.name}.{os.getpid()}"
    write(draft, text.encode())
    draft.chmod(0o644)  # no secret is in it
    try:
        os.link(draft, asked.output)  # fails where somebody was quicker
    except OSError as error:
        raise ConfigError(f"cannot write: {error.strerror}", where=str(asked.output)) from error
    finally:
        draft.unlink()
    beside = folder / SCHEMA_FILE
    if not beside.exists():
        write(beside, (json.dumps(schema(), indent=1) + "\n").encode())
        beside.chmod(0o644)


def _print(
    rows: Sequence[coverage.Covered],
    found: Mapping[Telemetry, int],
    others: Sequence[Workload],
    spare: Mapping[str, int],
) -> None:
    for one, count in found.items():
        what = f"read by the preset {one.preset}" if one.preset else "no preset yet: write `queries`"
        if one.preset in spare:
            what = f"not used: the preset {one.preset} names {spare[one.preset]} workloads"
        terminal.say(f"found {one.name}: {count} series of {one.metric}, {what}")
    table = []
    for row in rows:
        have = len(row.signals) - len(row.missing)
        places = [
            (target.winner.file if target.winner else f"none: {target.refusal}") if target else "-"
            for target in (row.image, row.capacity)
        ]
        cells = (str(row.workload), f"{have}/{len(row.signals)}", ", ".join(row.missing) or "-", *places)
        table.append(tuple(terminal.plain(cell) for cell in cells))
    terminal.say("")
    terminal.table(("WORKLOAD", "SIGNALS", "MISSING", "IMAGE IN", "CAPACITY IN"), table)
    holes: dict[str, int] = {}
    for row in rows:
        for name in row.missing:
            holes[name] = holes.get(name, 0) + 1
    if holes:
        terminal.say("\nWhat would close the holes")
    for name, count in holes.items():
        terminal.say(f"  {name}, missing for {count}: {coverage.closes(name)}")
    if others:
        names = ", ".join(terminal.plain(str(one)) for one in others[:_SHOWN])
        more = f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
        terminal.say(f"\nIn the repository, without a sample in the last day: {names}{more}")


def _next(output: Path) -> None:
    flag = "" if output == Path("aiops.yaml") else f" --config {output}"
    terminal.say(
        f"""
written to {output}. Next
  what is missing, and what to do about it:          aiops doctor{flag}
  what would have been proposed in the last week:    aiops backtest{flag}
  what would be proposed now:                        aiops run --dry-run{flag}"""
    )
