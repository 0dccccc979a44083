"""`aiops run`: one scheduled run, whole or only its analysing half."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path

from aiops import connect, pipeline, report, terminal
from aiops.commands import exporting, notice, targets, times
from aiops.config import Config
from aiops.config_file import load
from aiops.domain import PlanItem
from aiops.edges import bundle_writing, carried_store
from aiops.errors import AiopsError, ConfigError
from aiops.job import Job, Result
from aiops.propose import plan_file


def run(
    config_file: Path,
    *,
    at: str | None,
    dry_run: bool,
    plan_out: Path | None,
    bundle_out: Path | None,
    explain: str | None,
    deadline_s: float,
    detailed: bool,
    export: str | None,
    as_json: bool,
) -> int:
    """Do one run and print it. Returns the exit code; errors are printed, not raised."""
    now_s: int | None = None
    told = exporting.Telling(export, "whole" if plan_out is None else "analyse")
    witness: bundle_writing.Writer | None = None
    try:
        config, job = begun(config_file)
        metrics = connect.metrics(config, deadline_s)
        now_s = times.parse(at, "--at") if at else metrics.now_s()
        silences = connect.silences(config, deadline_s)
        repository = connect.repository(config, deadline_s)
        if bundle_out is not None:
            witness = bundle_writing.Writer(bundle_out)
            metrics, silences = witness.metrics(metrics), witness.silences(silences)
            repository = witness.repository(repository)
        with terminal.progress() as tell:
            earlier = carried_store.read(config.cache) if config.cache else None
            found = pipeline.analyse(job, metrics, repository, now_s, tell, earlier, silences)
            _keep(config.cache, found)
            if witness is not None:
                _testify(witness, config, now_s, found)
            if plan_out is None:
                try:
                    forge = connect.forge(config, dry_run=dry_run, deadline_s=deadline_s)
                except AiopsError as error:  # the analysis is worth telling all the same
                    found = pipeline.unsent(found, error)
                else:
                    found = pipeline.propose(job, found, repository, forge, now_s, tell)
        if plan_out is not None:
            write(plan_out, plan_file.dump(found.plan))
    except AiopsError as error:
        told.failed(error)
        return failed(error, now_s, as_json=as_json)
    finally:
        if witness is not None:
            witness.close()
    told.ended(found, report.exit_code(found, detailed=detailed))
    return show(found, detailed=detailed, as_json=as_json, explain=explain, dry_run=dry_run)


def begun(config_file: Path) -> tuple[Config, Job]:
    """Return the settings, and those of every stage; say what was refused and is done without."""
    config = load(config_file)
    warnings: list[str] = []
    job = connect.job(config, warnings)
    for line in warnings:
        terminal.line(f"warning: {line}", stderr=True)
    return config, job


def _keep(cache: Path | None, found: Result) -> None:
    if cache is None:
        return
    try:
        carried_store.write(cache, found.carried)
    except OSError as error:  # the next run is slower, this one is as good
        terminal.say(f"warning: cache: cannot write {cache}: {error.strerror}", stderr=True)


def _testify(witness: bundle_writing.Writer, config: Config, now_s: int, found: Result) -> None:
    """Finish the evidence bundle and say what became of it."""
    model = (config.model or connect.starter()) if found.plan.model else None
    plan = plan_file.dump(found.plan)
    line = witness.finish(connect.deciding(config), now_s, found.plan.model, model, plan)
    terminal.say(line, stderr=True)


def show(found: Result, *, detailed: bool, as_json: bool, explain: str | None, dry_run: bool) -> int:
    """Print a result as a table or as one JSON document; return the exit code."""
    items: list[PlanItem] = []
    if explain:
        try:
            picked = targets.pick(explain, [incident.workload for incident in found.incidents])
            items = [item for item in found.plan.items if item.workload == picked]
        except ConfigError as unknown:  # the run itself is worth telling all the same
            found, explain = replace(found, errors=(*found.errors, unknown)), None
    code = report.exit_code(found, detailed=detailed)
    if as_json:
        terminal.document(report.document(found, code))
        for error in found.errors:
            terminal.line(f"error: {error}", stderr=True)
    else:
        terminal.result(found)
        terminal.pulls(found, bodies=dry_run)
    notice.tell(found)
    for item in items:
        terminal.explain(item, stderr=as_json)
    if explain and not items:
        terminal.say(f"\n{picked}: no incident, so no rule was asked", stderr=as_json)
    return code


def failed(error: AiopsError, at_s: int | None, *, as_json: bool) -> int:
    """Print one clear line (and the JSON document, if asked for); return the exit code."""
    terminal.line(f"error: {error}", stderr=True)
    if as_json:
        terminal.document(report.failure(error, at_s))
    return error.exit_code


def write(path: Path, data: bytes) -> None:
    """Write a whole file or nothing. Raises ConfigError when the folder does not let us."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as handle:
            handle.write(data)
        os.replace(handle.name, path)  # noqa: PTH105 - replaces atomically
    except OSError as error:
        raise ConfigError(f"cannot write: {error.strerror}", where=str(path)) from error
