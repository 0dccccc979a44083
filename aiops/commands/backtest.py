"""`aiops backtest`: which pull requests history would have had, and what people did instead."""

from __future__ import annotations

import json
from pathlib import Path

from aiops import connect, terminal
from aiops.commands import backtest_told, times
from aiops.commands.backtest_told import WEEK_S, Backtest
from aiops.commands.run import begun, failed
from aiops.errors import AiopsError, ConfigError
from aiops.evaluate import alerts, people
from aiops.evaluate.backtest import Replay, replay
from aiops.evaluate.people import Reply
from aiops.job import Job
from aiops.ports import Metrics

DEADLINE_S = 6 * 3_600.0  # weeks of history; a person waits and may interrupt


def backtest(config_file: Path, *, start: str | None, end: str | None, every_min: int, as_json: bool) -> int:
    """Replay, compare with git and alerts, print. Returns the exit code; errors are printed, not raised."""
    try:
        config, job = begun(config_file)
        metrics = connect.metrics(config, DEADLINE_S)
        repository = connect.repository(config, DEADLINE_S)
        end_s = times.parse(end, "--to") if end else metrics.now_s()
        start_s = times.parse(start, "--from") if start else end_s - WEEK_S
        if not start_s < end_s:
            raise ConfigError("expected --from before --to", where="--from", todo="swap them")
        with terminal.progress(quiet=as_json) as tell:
            found = replay(job, metrics, repository, (start_s, end_s, every_min * 60), tell)
            tell("reading what people did")
            known_s = max(end_s, min(metrics.now_s(), connect.clock_s()))
            replies = people.replies(job, repository, found.proposals, known_s)
            acts = people.acts(job, repository, found.proposals, start_s, end_s)
            tell("reading alerts")
            heard = _heard(job, metrics, found, replies)
    except AiopsError as error:
        return failed(error, None, as_json=as_json)
    told = Backtest(found, replies, acts, heard)
    if as_json:
        print(json.dumps(backtest_told.document(told), indent=1, allow_nan=False))  # noqa: T201 - stdout is the contract
    else:
        backtest_told.show(told)
    return 20 if found.unusable == found.runs else 0


def _heard(job: Job, metrics: Metrics, found: Replay, replies: tuple[Reply, ...]) -> alerts.Heard | None:
    """Return what Prometheus recorded of alerts. Without it the rest of a backtest is as good."""
    try:
        return alerts.heard(job, metrics, found.proposals, replies, (found.start_s, found.end_s))
    except AiopsError as error:
        terminal.say(f"warning: alerts are not compared: {error}", stderr=True)
        return None
