"""`aiops init`: look at a Prometheus and a repository, write a first `aiops.yaml`, show what is missing.

Nothing that exists is replaced. The file is written last, once what it says was tried; secrets
never go into it, only the names of the environment variables that hold them.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from aiops import connect, coverage, terminal
from aiops.commands import checks, times
from aiops.commands.run import failed, write
from aiops.config import Config, load
from aiops.config_schema import schema
from aiops.domain import Grid, Workload
from aiops.errors import AiopsError, ConfigError, DataUnusable
from aiops.gitops import where as resolver
from aiops.ingest import presets, telemetry
from aiops.ingest.telemetry import Telemetry
from aiops.ports import Files, Metrics

DEADLINE_S = 120.0
SCHEMA_FILE = "aiops.schema.json"
_SHOWN = 8
_VARIABLE = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*\}")
_SECRET_NAME = re.compile(r"authorization|token|secret|passw|api-?key|cookie|credential", re.IGNORECASE)
_SECRET_VALUE = re.compile(r"(basic|bearer)\s", re.IGNORECASE)
_GITHUB = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person said, by flag, environment or prompt. `*_env`: names of variables, not secrets."""

    prometheus: str | None
    repo: str | None
    base: str
    output: Path
    bearer_env: str | None
    username: str | None
    password_env: str | None
    headers: tuple[str, ...]
    ca: Path | None
    cert: Path | None
    key: Path | None


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
        _write(asked, _text(asked, source, repo, chosen, found, rows, spare))
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
    write(draft, _text(asked, source, repo, signals, {}, ()).encode())
    try:
        yield load(draft)
    finally:
        draft.unlink()


def _telemetry(
    config: Config, at_s: int | None
) -> tuple[Mapping[Telemetry, int], tuple[str, ...], Mapping[str, int]]:
    """Return the exporters that were found, the presets to use, and the sources of requests not used.

    Of several sources of requests the one that names most workloads is used. Raises DataUnusable where
    no preset has data.
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
    best = max((name for name in named if name in presets.REQUESTS), key=named.__getitem__, default=None)
    spare = {name: count for name, count in named.items() if name in presets.REQUESTS and name != best}
    if not named:
        names = ", ".join(dict.fromkeys(one.name for one in found)) or "none of the exporters that are known"
        raise DataUnusable(
            f"no preset fits: found {names}",
            where="signals",
            todo="see docs/signals.md for the labels that each preset needs, or write `queries` of your own",
        )
    return found, tuple(name for name in named if name not in spare), spare


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


def _text(
    asked: Asked,
    source: str,
    repo: str,
    signals: Sequence[str],
    found: Mapping[Telemetry, int],
    rows: Sequence[coverage.Covered],
    spare: Mapping[str, int] | None = None,
) -> str:
    """Return the file, commented."""
    github = not Path(repo).exists() and _GITHUB.fullmatch(repo) is not None
    place = f"  github: {json.dumps(repo)}" if github else f"  path: {json.dumps(_relative(repo, asked))}"
    clusters = sorted({one.workload.cluster for one in rows} - {""})
    example = json.dumps(clusters[0] if clusters else "prod-eu")  # a label: it stays one word of one line
    folder = json.dumps(f"clusters/{clusters[0] if clusters else 'prod-eu'}")
    others = [f"{one.name} ({count} series)" for one, count in found.items() if not one.preset]
    fewer = [f"{name} ({count})" for name, count in (spare or {}).items()]
    lines = [
        f"# yaml-language-server: $schema={SCHEMA_FILE}",
        "# Written by `aiops init`. Relative paths start at the folder of this file.",
        "",
        "# Where samples are. Secrets stand here only as ${NAME}, read from the environment.",
        "prometheus:",
        *_source(asked, source),
        "",
        "# Which exporters are read. Other PromQL goes under `queries:`.",
        *([f"# Found as well, without a preset: {', '.join(others)}."] if others else []),
        *([f"# Counts requests as well, for no more workloads: {', '.join(fewer)}."] if fewer else []),
        f"signals: [{', '.join(signals)}]",
        "",
        "# Where the manifests are, and the branch that Argo CD or Flux deploys.",
        "repository:",
        place,
        f"  base: {json.dumps(asked.base)}",
        "",
        "# Only where two folders deploy one workload: which one belongs to which cluster.",
        "# clusters:",
        f"#   - {{name: {example}, match: {{cluster: {example}}}, paths: [{folder}]}}",
        "",
        "# github: pull requests there, with the token in GITHUB_TOKEN; local: branches and files.",
        f"forge: {'github' if github else 'local'}",
        "",
        "# What `aiops train` writes; the starter model scores until then.",
        "model: models/mine",
        "",
        "# Local time of the people who make the load.",
        "# calendar: {timezone: Europe/Berlin, holidays: [2026-12-25]}",
    ]
    return "\n".join(lines) + "\n"


def _source(asked: Asked, source: str) -> list[str]:
    if "://" not in source and (Path(source) / "manifest.json").is_file():
        return [f"  recording: {json.dumps(_relative(source, asked))}"]
    if "@" in source.partition("://")[2].partition("/")[0]:
        todo = "give --username and --password-env"
        raise ConfigError("expected an address without a user in it", where="--prometheus", todo=todo)
    lines = [f"  url: {json.dumps(source)}"]
    if asked.bearer_env:
        lines.append(f'  auth: {{bearer: "{_variable(asked.bearer_env, "--bearer-env")}"}}')
    elif asked.username:
        name = asked.password_env
        secret = f', password: "{_variable(name, "--password-env")}"' if name else ""
        lines.append(f"  auth: {{username: {json.dumps(asked.username)}{secret}}}")
    else:
        lines.append('  # auth: {bearer: "${PROMETHEUS_TOKEN}"}')
    if asked.headers:
        pairs = [_header(one) for one in asked.headers]
        lines.append("  headers:")
        lines += [f"    {json.dumps(name)}: {json.dumps(value)}" for name, value in pairs]
    files = {"ca": asked.ca, "cert": asked.cert, "key": asked.key}
    named = [f"{key}: {json.dumps(_relative(str(path), asked))}" for key, path in files.items() if path]
    return [*lines, f"  tls: {{{', '.join(named)}}}"] if named else lines


def _header(text: str) -> tuple[str, str]:
    """Return name and value. Raises ConfigError for what looks like a secret: it would stand in the file."""
    name, colon, value = (part.strip() for part in text.partition(":"))
    if not (name and colon):
        raise ConfigError("expected NAME:VALUE", where="--header")
    if (_SECRET_NAME.search(name) or _SECRET_VALUE.match(value)) and not _VARIABLE.search(value):
        todo = "write '${NAME}' in its place, of a variable of the environment"
        raise ConfigError(
            f"the value of {ascii(name)[1:-1]} looks like a secret", where="--header", todo=todo
        )
    return name, value


def _variable(name: str, flag: str) -> str:
    if not _VARIABLE.fullmatch(f"${{{name}}}"):
        raise ConfigError("expected the name of an environment variable, not its value", where=flag)
    return f"${{{name}}}"


def _relative(path: str, asked: Asked) -> str:
    """Return a path as seen from the folder of the file, so that both can move together."""
    return os.path.relpath(Path(path).resolve(), asked.output.resolve().parent)


def _print(
    rows: Sequence[coverage.Covered],
    found: Mapping[Telemetry, int],
    others: Sequence[Workload],
    spare: Mapping[str, int],
) -> None:
    for one, count in found.items():
        what = f"read by the preset {one.preset}" if one.preset else "no preset yet: write `queries`"
        if one.preset in spare:
            what = f"the preset {one.preset} names {spare[one.preset]} workloads, no more than the one in use"
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
    terminal.say(f"\nwritten to {output}; next: aiops doctor{flag}, then aiops run --dry-run{flag}")
