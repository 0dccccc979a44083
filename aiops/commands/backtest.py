"""`aiops backtest`: which pull requests history or kept plans would have had, and what people did instead."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from aiops import connect, terminal
from aiops.commands import backtest_document, backtest_told, kept_plans, times
from aiops.commands.backtest_told import Backtest
from aiops.commands.run import begun, failed
from aiops.config_file import load
from aiops.errors import AiopsError, ConfigError
from aiops.evaluate import alerts, budget, people, shadow
from aiops.evaluate.backtest import Replay, replay
from aiops.evaluate.budget import WEEK_S
from aiops.evaluate.people import Reply
from aiops.evaluate.verdicts import verdicts
from aiops.job import Job, Progress
from aiops.ports import Metrics, Repository

DEADLINE_S = 6 * 3_600.0  # weeks of history; a person waits and may interrupt


def backtest(
    config_file: Path,
    *,
    start: str | None,
    end: str | None,
    every_min: int,
    compare: Path | None,
    a_week: float | None,
    as_json: bool,
) -> int:
    """Replay, compare with git and alerts, print. Returns the exit code; errors are printed, not raised."""
    try:
        end_s = times.parse(end, "--to") if end else None
        start_s = times.parse(start, "--from") if start else None
        if start_s is not None and end_s is not None and not start_s < end_s:
            raise ConfigError("expected --from before --to", where="--from", todo="swap them")
        if compare is not None and a_week is not None:
            raise ConfigError("plans hold no scores over time", where="--budget", todo="leave out --compare")
        with terminal.progress(quiet=as_json) as tell:
            if compare is None:
                told = _history(config_file, (start_s, end_s, every_min * 60), tell)
            else:
                told = _shadow(config_file, compare, (start_s, end_s), tell)
    except AiopsError as error:
        return failed(error, None, as_json=as_json)
    told = replace(told, a_week=a_week)
    if as_json:
        terminal.document(backtest_document.document(told))
    else:
        backtest_told.show(told)
    return 20 if told.replay.unusable == told.replay.runs else 0


def _history(config_file: Path, span: tuple[int | None, int | None, int], tell: Progress) -> Backtest:
    """Replay what Prometheus remembers."""
    config, job = begun(config_file)
    metrics, repository = connect.metrics(config, DEADLINE_S), connect.repository(config, DEADLINE_S)
    now_s = metrics.now_s()
    end_s = now_s if span[1] is None else span[1]
    start_s = end_s - WEEK_S if span[0] is None else span[0]
    if not start_s < end_s:
        raise ConfigError("expected --from before --to", where="--from", todo="swap them")
    found = replay(
        job, metrics, repository, (start_s, end_s, span[2]), tell, doors=partial(_doors, config_file)
    )
    known_s = max(end_s, min(now_s, connect.clock_s()))
    told = _beside_people(job, repository, found, known_s, tell)
    tell("reading alerts")
    curve = budget.curve(found, job.detect.threshold)
    return replace(told, heard=_heard(job, metrics, found, told.replies), curve=curve)


def _doors(config_file: Path) -> tuple[Job, Metrics, Repository]:
    """Open job, metrics and repository once more, in another process. Warnings were told already."""
    config = load(config_file)
    job = connect.job(config, [])
    return job, connect.metrics(config, DEADLINE_S), connect.repository(config, DEADLINE_S)


def _shadow(config_file: Path, folder: Path, span: tuple[int | None, int | None], tell: Progress) -> Backtest:
    """Compare what a shadow job kept. Needs no Prometheus and no model."""
    config = load(config_file)
    repository = connect.repository(config, DEADLINE_S)
    job = connect.proposing_job(config)
    commits = shadow.Commits(repository, job.base)
    kept, refused = kept_plans.read(folder, commits, tell)
    kept_plans.told(refused)
    start_s, end_s = span[0] or 0, span[1]
    within = [
        one
        for one in kept
        if shadow.run_s(one.plan) >= start_s and (end_s is None or shadow.run_s(one.plan) <= end_s)
    ]
    if not within:
        raise ConfigError(f"none of {len(kept)} plans lies between --from and --to", where=str(folder))
    found = shadow.compare(job, commits, within, tell)
    known_s = max(found.end_s, connect.clock_s())
    return replace(_beside_people(job, repository, found, known_s, tell), refused=refused)


def _beside_people(job: Job, repository: Repository, found: Replay, known_s: int, tell: Progress) -> Backtest:
    tell("reading what people did")
    replies = people.replies(job, repository, found.proposals, known_s)
    acts = people.acts(job, repository, found.proposals, found.start_s, found.end_s)
    return Backtest(found, replies, verdicts(found.proposals, replies), acts, None)


def _heard(job: Job, metrics: Metrics, found: Replay, replies: tuple[Reply, ...]) -> alerts.Heard | None:
    """Return what Prometheus recorded of alerts. Without it the rest of a backtest is as good."""
    try:
        return alerts.heard(job, metrics, found.proposals, replies, (found.start_s, found.end_s))
    except AiopsError as error:
        terminal.line(f"warning: alerts are not compared: {error}", stderr=True)
        return None
