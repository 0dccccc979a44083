"""Live through a month on a schedule, and compare what was said with what was true.

The lifecycle, the guardrails and the machine that opens and closes incidents are the real ones; the
scores are drawn (`story`), because a month of forecasts every five minutes would take days.
"""

from __future__ import annotations

import functools
import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from bench.chaos.world import JOB, workload
from bench.decisions.hosted import HeldFiles
from bench.life.story import DAY, HOUR, MINUTE, NAMES, POD_RPS, START_S, Episode, Story, about
from propose import sample

from aiops import pipeline
from aiops.decide.scale import capped
from aiops.detect.sustain import track
from aiops.domain import (
    Change,
    Decision,
    Edit,
    FieldName,
    Grid,
    Hold,
    Outcome,
    PlanItem,
    PullRequest,
    Quiet,
    Rollback,
    Scale,
    State,
)
from aiops.gitops import edits as editing
from aiops.gitops import where
from aiops.job import Result
from aiops.propose import marker

JUDGED = 720
HOLD_S = JOB.detect.hold_s
_STATES = (State.INACTIVE, State.PENDING, State.FIRING)
SCHEDULES = ("5 min", "4 h", "random")


@dataclass(slots=True)
class Life:
    """What one month on one schedule came to. `proposed`: (workload, trigger, action) that were opened."""

    story: Story
    opened_after_s: list[int] = field(default_factory=list)
    proposed: set[tuple[str, int, str]] = field(default_factory=set)
    wrong: Counter[str] = field(default_factory=Counter)
    told: list[str] = field(default_factory=list)


def times(schedule: str, days: int, seed: int) -> Iterator[int]:
    """Return when runs start. "random": 2 minutes to 13 hours apart, as a hosted runner has it."""
    rng, at_s, end_s = np.random.default_rng(seed), START_S + 12 * HOUR, START_S + days * DAY - MINUTE
    while at_s < end_s:
        yield at_s
        step_s = {"5 min": 5 * MINUTE, "4 h": 4 * HOUR}.get(schedule)
        at_s += step_s or int(math.exp(rng.uniform(math.log(2 * MINUTE), math.log(13 * HOUR))))


def live(schedule: str, days: int, seed: int) -> Life:
    """Live through it; a run that acts is done again, and must find nothing to do."""
    life = Life(Story(seed, days))
    for now_s in times(schedule, days, seed):
        at_s = now_s - now_s % MINUTE
        life.story.until(at_s)
        result = _run(life.story, at_s)
        for own, sent in result.sent.items():
            if sent.state == "opened":
                _opened(life, own.name, result, at_s)
        # Two in a run is a limit of each run: what waits for a slot is no part of the question.
        waits = any(sent.note.startswith("G-RATE") for sent in result.sent.values())
        if _acted(result) and not waits:
            again = _run(life.story, at_s)
            life.wrong["a second run acts"] += _acted(again)
    _judge(life, START_S + days * DAY)
    return life


def _acted(result: Result) -> bool:
    return bool(result.followed) or any(sent.state in {"opened", "updated"} for sent in result.sent.values())


def _opened(life: Life, name: str, result: Result, at_s: int) -> None:
    item = next(one for one in result.plan.items if one.workload.name == name)
    if item.decision.variant == marker.GIVE_BACK:
        return
    onset_s = item.incident.onset_s or 0
    episode = life.story.episode(name, onset_s)
    assert episode is not None
    life.proposed.add((name, episode.start_s, item.decision.action))
    life.opened_after_s.append(at_s - onset_s)


def _run(story: Story, at_s: int) -> Result:
    end = (at_s - START_S) // MINUTE
    first = max(end - JUDGED, 0)
    scores = story.scores[:, first:end]
    found = track(scores, MINUTE, HOLD_S, JOB.detect)
    items, quiet = [], []
    for row, name in enumerate(NAMES):
        if np.isnan(scores[row, -10:]).all():
            continue  # not judged
        state, onset = int(found.state[row]), START_S + (first + int(found.onset[row])) * MINUTE
        if state:
            items.append(_item(story, name, _STATES[state], onset, at_s))
            continue
        fired = np.flatnonzero(found.states[row] == 2)
        since_s = START_S + (first + int(fired[-1] if len(fired) else 0)) * MINUTE
        quiet.append(Quiet(workload(name), since_s, bool(len(fired)), story.peak(name, at_s)))
    plan = replace(
        sample.plan(), items=tuple(items), quiet=tuple(quiet), base_sha=story.files.head("main"),
        data_time_s=at_s, judge="abcdefabcdef",
    )  # fmt: skip
    before = Result(plan, Grid(at_s, at_s, 60), (), None, {}, (), (), ())
    return pipeline.propose(JOB, before, story.files, story.forge, at_s, lambda _: None)


def _item(story: Story, name: str, state: State, onset_s: int, at_s: int) -> PlanItem:
    episode = story.episode(name, onset_s)
    kind = episode.kind if episode else "load"
    base = sample.rollback_item() if kind == "release" else sample.scale_item()
    own, files = workload(name), story.files.files(story.files.head("main"))
    decision: Decision = Hold("G-SUSTAIN", "")
    change: Change | None = None
    edits: tuple[Edit, ...] = ()
    if episode is not None and kind == "release":
        image = f"registry.example/{name}"
        change = Change(own, "image", image, "", f"{image}:{episode.tag}", episode.start_s - 2 * MINUTE)
    if state is State.FIRING and episode is not None:
        decision = _decision(story, episode)
    if not isinstance(decision, Hold):
        edits = _edits(files, name, decision.field, str(decision.new))
    seen = replace(base.incident, workload=own, state=state, onset_s=onset_s, newest_sample_s=at_s)
    found = replace(base.diagnosis, workload=own, root=own, change=change)
    made = replace(base, workload=own, incident=seen, diagnosis=found, edits=edits, past=())
    return replace(made, decision=decision)


@functools.lru_cache(256)
def _edits(files: HeldFiles, name: str, field_name: FieldName, new: str) -> tuple[Edit, ...]:
    return editing.of(files, where.resolve(files, workload(name), field_name, ()), new, ())


def _decision(story: Story, episode: Episode) -> Decision:
    replicas, tag = story.value(episode.name)
    if episode.kind == "load":
        return Scale("replicas", replicas, capped(replicas, JOB.limits), "S3", "load", per_pod=POD_RPS)
    if tag != episode.tag:
        return Hold("R4", "the repository is back already")
    return Rollback("image.tag", tag, story.before[story.episodes.index(episode)], "R1", "ran well")


def _judge(life: Life, end_s: int) -> None:
    """Count what does not fit the truth, and how each pull request ended."""
    story = life.story
    for pull in story.forge.kept:
        name, mark = about(pull)
        life.told.append(pull.state if mark.outcome == "none" else f"{pull.state}, {mark.outcome}")
        if mark.trigger == marker.BACK:
            continue
        mine = [one for one in story.episodes if one.name == name]
        before = [one for one in mine if one.start_s <= pull.created_at_s]
        if pull.state == "merged":
            life.wrong[_verdict(before[-1], pull, mark.outcome, end_s)] += 1
        # A sparse schedule may not have looked since.
        over = not any(one.end_s > end_s - 15 * HOUR for one in mine)
        life.wrong["open although it is over"] += pull.state == "open" and over
    del life.wrong[""]
    life.wrong = +life.wrong


def _verdict(episode: Episode, pull: PullRequest, outcome: Outcome, end_s: int) -> str:
    """Return what is wrong with a verdict, "" when nothing is. "unclear" is never wrong."""
    merged_s, cured = pull.merged_at_s or 0, episode.cured_by == pull.number
    if outcome == "helped" and not cured and episode.end_s > merged_s + 75 * MINUTE:
        return "said to help, and did not"
    if outcome == "no-help" and cured:
        return "said not to help, and did"
    if outcome == "none" and cured and merged_s < end_s - 26 * HOUR:
        return "never judged"
    return ""
