"""`aiops backtest`: which pull requests history would have had, and what people did instead."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Any

from aiops import connect, terminal
from aiops.commands import times
from aiops.commands.run import failed
from aiops.config import load
from aiops.errors import AiopsError, ConfigError
from aiops.evaluate import people
from aiops.evaluate.backtest import Proposed, Replay, replay
from aiops.evaluate.people import Act, Answer, Reply
from aiops.report import utc

WEEK_S = 7 * 86_400
DEADLINE_S = 6 * 3_600.0  # weeks of history; a person waits and may interrupt
_ANSWERS: dict[Answer, str] = {
    "same": "did the same",
    "other": "did otherwise",
    "none": "let it be",
    "early": "have a day",
}


def backtest(config_file: Path, *, start: str | None, end: str | None, every_min: int, as_json: bool) -> int:
    """Replay, compare with git, print. Returns the exit code; errors are printed, not raised."""
    try:
        config = load(config_file)
        warnings: list[str] = []
        job = connect.job(config, warnings)
        for line in warnings:
            terminal.say(f"warning: {line}", stderr=True)
        metrics = connect.metrics(config, DEADLINE_S)
        repository = connect.repository(config, DEADLINE_S)
        end_s = times.parse(end, "--to") if end else metrics.now_s()
        start_s = times.parse(start, "--from") if start else end_s - WEEK_S
        if not start_s < end_s:
            raise ConfigError("expected --from before --to", where="--from", todo="swap them")
        with terminal.progress(quiet=as_json) as tell:
            found = replay(job, metrics, repository, (start_s, end_s, every_min * 60), tell)
            tell("reading what people did")
            replies = people.replies(
                job, repository, found.proposals, max(end_s, min(metrics.now_s(), connect.clock_s()))
            )
            acts = people.acts(job, repository, found.proposals, start_s, end_s)
    except AiopsError as error:
        return failed(error, None, as_json=as_json)
    if as_json:
        print(json.dumps(_document(found, replies, acts), indent=1, allow_nan=False))  # noqa: T201 - stdout is the contract
    else:
        _print(found, replies, acts)
    return 20 if found.looked and found.looked == found.unusable == found.runs else 0


def _print(found: Replay, replies: Sequence[Reply], acts: Sequence[Act]) -> None:
    rows = [
        (
            str(utc(one.opened_s)),
            str(one.workload),
            one.action,
            f"{one.field} {one.old} -> {one.new}",
            _minutes(one.opened_s - one.onset_s),
            _ended(one),
            _answer(one, reply),
        )
        for one, reply in zip(found.proposals, replies, strict=True)
    ]
    if rows:
        headers = ("OPENED", "WORKLOAD", "ACTION", "CHANGE", "AFTER ONSET", "ENDED", "PEOPLE")
        terminal.table(headers, [tuple(terminal.plain(cell) for cell in row) for row in rows])
        terminal.say("")
        _weeks(found)
        terminal.say("")
    for line in _summary(found, replies, acts):
        terminal.say(line)


def _weeks(found: Replay) -> None:
    counted = Counter(((one.opened_s - found.start_s) // WEEK_S, one.action) for one in found.proposals)
    rows = []
    for week in range(-(-(found.end_s - found.start_s) // WEEK_S)):
        row = [counted[week, action] for action in ("rollback", "scale")]
        rows.append((str(utc(found.start_s + week * WEEK_S)), *map(str, row), str(sum(row))))
    terminal.table(("WEEK FROM", "ROLLBACK", "SCALE", "REVIEWS"), rows)


def _summary(found: Replay, replies: Sequence[Reply], acts: Sequence[Act]) -> list[str]:
    weeks = (found.end_s - found.start_s) / WEEK_S
    count = len(found.proposals)
    lines = [
        f"{found.runs} runs from {utc(found.start_s)} to {utc(found.end_s)}, {found.looked} had to decide"
        + (f", {found.unusable} of them without usable data" if found.unusable else ""),
        f"{count} proposals, {count / weeks:.1f} a week: so many reviews it would have cost",
    ]
    if count:
        said = Counter(reply.answer for reply in replies)
        told = ", ".join(f"{said[name]} x {text}" for name, text in _ANSWERS.items() if said[name])
        known = count - said["early"]
        share = f"; precision against them {said['same'] / known:.0%} of {known}" if known else ""
        lines.append(f"people within a day: {told}{share}")
        over = [
            one.ended_s - one.opened_s for one in found.proposals if one.ended_s and one.outcome == "over"
        ]
        told = f", half of them within {_minutes(int(median(over)))}" if over else ""
        lines.append(f"{len(over)} ended by themselves while nobody merged{told}")
        lines.append(
            f"opened {_minutes(int(median([one.opened_s - one.onset_s for one in found.proposals])))}"
            " after the onset (median)"
        )
    if acts:
        met = [act.ahead_s for act in acts if act.ahead_s is not None]
        told = f", {_minutes(int(median(met)))} earlier (median)" if met else ""
        lines.append(f"people rolled back {len(acts)} times; {len(met)} had that proposal before{told}")
    return lines


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3_600 else f"{seconds / 3_600:.1f} h"


def _ended(one: Proposed) -> str:
    if one.ended_s is None:
        return "still open"
    return f"{one.outcome} after {_minutes(one.ended_s - one.opened_s)}"


def _answer(one: Proposed, reply: Reply) -> str:
    if reply.at_s is None:
        return _ANSWERS[reply.answer]
    return f"{_ANSWERS[reply.answer]} ({reply.value}) after {_minutes(reply.at_s - one.opened_s)}"


def _document(found: Replay, replies: Sequence[Reply], acts: Sequence[Act]) -> dict[str, Any]:
    return {
        "schema": "aiops.backtest/1",
        "from": utc(found.start_s),
        "to": utc(found.end_s),
        "every_s": found.every_s,
        "runs": found.runs,
        "unusable": found.unusable,
        "proposals": [
            {
                "workload": _name(one),
                "action": one.action,
                "field": one.field,
                "old": one.old,
                "new": one.new,
                "cause": one.cause,
                "rule": one.rule,
                "reason": one.reason,
                "onset": utc(one.onset_s),
                "opened": utc(one.opened_s),
                "ended": utc(one.ended_s),
                "outcome": one.outcome,
                "people": {"answer": reply.answer, "value": reply.value, "at": utc(reply.at_s)},
            }
            for one, reply in zip(found.proposals, replies, strict=True)
        ],
        "rollbacks_by_people": [
            {
                "workload": _name(act),
                "old": act.old,
                "new": act.new,
                "at": utc(act.at_s),
                "ahead_s": act.ahead_s,
            }
            for act in acts
        ],
    }


def _name(one: Proposed | Act) -> dict[str, str]:
    workload = one.workload
    return {
        "cluster": workload.cluster,
        "namespace": workload.namespace,
        "kind": workload.kind,
        "name": workload.name,
    }
