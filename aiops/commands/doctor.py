"""`aiops doctor`: every prerequisite of a run, one line each: ok, or what to do.

Nothing is written anywhere. One check that fails does not stop the others; the exit code is the
one that a run would end with for the worst of them. What a run can do without is a warning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from aiops import connect, terminal
from aiops.commands import checks, times
from aiops.commands.checks import Check, Seen
from aiops.commands.run import failed
from aiops.config import Config
from aiops.config_file import load
from aiops.detect.settings import FATAL_SIGNALS
from aiops.errors import AiopsError, ModelRefused, worst
from aiops.ports import Metrics
from aiops.report import utc

DEADLINE_S = 120.0
_SHOWN = 40  # workloads with a hole, in text; JSON has all
T = TypeVar("T")


def doctor(config_file: Path, at: str | None, *, as_json: bool) -> int:
    """Check everything and print it. Returns the exit code; errors are lines, not raised."""
    try:
        config = load(config_file)
        at_s = times.parse(at, "--at") if at else None
    except AiopsError as error:
        return failed(error, None, as_json=as_json)
    found = [Check("settings", str(config_file), "ok", f"forge {config.forge}, step {config.step} s")]
    with terminal.progress(quiet=as_json) as tell:
        tell("looking at Prometheus")
        reading = _metrics(config, at_s, found)
        found += checks.sources(config.signals)
        _tried(found, "alertmanager", lambda: (checks.silences(connect.silences(config, DEADLINE_S)), None))
        tell("looking at the repository")
        files = _tried(found, "repository", lambda: checks.repository(connect.repository(config), config))
        tell("looking at the forge")
        _tried(found, "forge", lambda: (checks.access(connect.access(config, DEADLINE_S), config), None))
        tell("looking at the model")
        found.append(_model(config))
        if reading is not None:
            tell("comparing workloads with manifests")
            found += checks.workloads(reading, files, connect.clusters(config))
    code = worst([one.exit_code for one in found if one.state == "problem"])
    if as_json:
        terminal.document(_document(found, code, reading))
    else:
        _print(found, code)
    return code


def _metrics(config: Config, at_s: int | None, found: list[Check]) -> Seen | None:
    """Check every source; read the last day and weeks only when all of them answer."""
    before = len(found)
    for name, source in _sources(config, found):
        _tried(found, name, partial(_source, source, name))
    if any(one.state == "problem" for one in found[before:]):
        return None

    def read() -> tuple[Iterable[Check], Seen]:
        metrics = connect.metrics(config, DEADLINE_S)
        seen = checks.read(connect.proposing_job(config), metrics, at_s or metrics.now_s())
        return checks.history(seen), seen

    return _tried(found, "samples", read)


def _source(source: Metrics, name: str) -> tuple[list[Check], None]:
    return checks.source(source, name), None


def _sources(config: Config, found: list[Check]) -> list[tuple[str, Metrics]]:
    try:
        return connect.sources(config, DEADLINE_S)
    except AiopsError as error:
        found.append(_problem("prometheus", error))
        return []


def _tried(found: list[Check], subject: str, ask: Callable[[], tuple[Iterable[Check], T]]) -> T | None:
    """Add what a check finds, or the one line of the error it ended with."""
    try:
        checked, value = ask()
    except AiopsError as error:
        found.append(_problem(subject, error))
        return None
    found += checked
    return value


def _problem(name: str, error: AiopsError) -> Check:
    where = f"{error.where}: " if error.where else ""
    return Check(name, "", "problem", f"{where}{error.message}", error.todo, error.exit_code)


def _model(config: Config) -> Check:
    """Tell whether the model loads and knows the signals. A run without one goes on with the forest."""
    from aiops.edges import model_store

    folder, not_yet = connect.model_folder(config)
    try:
        card = model_store.load(folder).card
    except ModelRefused as error:
        todo = f"{error.todo}; until then the isolation forest scores"
        return Check("model", folder.name, "warning", error.message, todo)
    names = [one.name for one in connect.signal_queries(config) if one.name not in FATAL_SIGNALS]
    strange = [name for name in names if name not in card.signals]
    if not_yet:
        return Check("model", card.name, "warning", not_yet)
    if strange:
        todo = "train one on your own history: aiops train --model DIR"
        return Check("model", card.name, "warning", f"was not trained on {', '.join(strange)}", todo)
    return Check("model", card.name, "ok", f"knows all {len(names)} signals that are forecast")


def _print(found: list[Check], code: int) -> None:
    holes = [one for one in found if one.name == "workload" and one.state != "ok"]
    shown = [one for one in found if one.name != "workload"] + holes[:_SHOWN]
    hidden = len(found) - len(shown)
    rows = [
        (one.state, " ".join(part for part in (one.name, one.subject) if part), one.text) for one in shown
    ]
    told = [tuple(terminal.plain(cell) for cell in row) for row in rows]  # names and paths are foreign
    terminal.table(("STATE", "WHAT", "FOUND, AND WHAT TO DO"), told)
    if hidden:
        terminal.say(
            f"\n{hidden} more workloads {'have all' if len(holes) <= _SHOWN else 'are in --format json'}"
        )
    terminal.say(f"\n{checks.summary(found)}; exit code {code}")


def _document(found: list[Check], code: int, seen: Seen | None) -> dict[str, Any]:
    return {
        "schema": "aiops.doctor/1",
        "at": None if seen is None else utc(seen.now_s),
        "exit_code": code,
        "checks": [
            {
                "name": one.name,
                "subject": one.subject,
                "state": one.state,
                "found": one.found,
                "todo": one.todo,
                "exit_code": one.exit_code if one.state == "problem" else 0,
            }
            for one in found
        ],
    }
