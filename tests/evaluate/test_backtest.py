"""A replay opens what the job would have opened then, knows nothing later, and says what people did."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from evaluate.conftest import BACK_S, BAD_S, END_S, SURGE_S

from aiops import pipeline
from aiops.commands import backtest as command
from aiops.domain import Verdict
from aiops.errors import DataUnusable
from aiops.evaluate import people
from aiops.evaluate.backtest import replay
from aiops.evaluate.spans import Spans
from aiops.evaluate.worlds import PastMetrics

FROM_S = BAD_S - 1_800
EVERY_S = 600
OPEN = {"ended_s": None, "outcome": "none", "calm_s": None, "still_s": None}


def quiet(_):
    return None


class Cut:
    """Metrics that end, or that have a hole: nothing after a time, up to another one."""

    def __init__(self, metrics, end_s, again_s=2**40):
        self.metrics, self.end_s, self.again_s = metrics, end_s, again_s

    def now_s(self):
        return self.end_s

    def read(self, query, grid):
        answer = self.metrics.read(query, grid)
        there = (answer.times <= self.end_s) | (answer.times > self.again_s)
        values = np.where(there, answer.values, np.nan)
        kept = np.flatnonzero(np.isfinite(values).any(axis=1))
        return replace(answer, values=values[kept], labels=tuple(answer.labels[row] for row in kept))


@pytest.fixture(scope="module")
def whole(past):
    """Return the replay of all eight hours, a run every ten minutes."""
    return replay(*past.doors(), (FROM_S, END_S, EVERY_S), quiet)


def test_the_bad_release_and_the_surge_are_proposed_once_each_and_end_as_they_did(whole):
    assert [(one.workload.name, one.action, one.old, one.new, one.outcome) for one in whole.proposals] == [
        ("checkout", "rollback", "1.15.0", "1.14.3", "changed"),
        ("search", "scale", "2", "3", "over"),
    ]
    checkout, search = whole.proposals
    assert BAD_S < checkout.onset_s < checkout.opened_s < BACK_S <= checkout.ended_s
    assert SURGE_S < search.onset_s < search.opened_s < search.ended_s
    assert (whole.runs, whole.unusable) == (len(range(FROM_S, END_S + 1, EVERY_S)), 0)


@pytest.mark.parametrize("cut_s", [BAD_S + 2_400, SURGE_S + 1_800])
def test_no_figure_changes_when_the_future_is_cut_off(past, whole, cut_s):
    job, metrics, repository = past.doors()
    last_s = FROM_S + (cut_s - FROM_S) // EVERY_S * EVERY_S
    found = replay(job, Cut(metrics, cut_s), repository, (FROM_S, last_s, EVERY_S), quiet)

    def then(one):
        over = one.ended_s is not None and one.ended_s <= last_s
        return one if over else replace(one, **OPEN)

    assert found.proposals == tuple(then(one) for one in whole.proposals if one.opened_s <= last_s)
    assert found.proposals


def test_a_replay_equals_the_job_run_step_by_step_with_its_own_scores(past, whole):
    last_s = BAD_S + 2_400
    stepped = replay(*past.doors(), (BAD_S + 600, last_s, EVERY_S), quiet, every_run=True)

    (expected,) = [one for one in whole.proposals if one.opened_s <= last_s]
    assert (stepped.looked, stepped.runs) == (4, 4)
    assert stepped.proposals == (replace(expected, **OPEN),)


def judged(job, metrics, repository, now_s):
    """Return whether the job itself, at that time, can say anything about any workload."""
    try:
        found = pipeline.analyse(job, metrics, repository, now_s, quiet)
    except DataUnusable:
        return False
    return any(one.verdict is not Verdict.NO_DATA for one in found.incidents)


@pytest.mark.parametrize("minutes", [4, 10, 20, 200, 786, 830, 845])
def test_a_run_of_the_past_is_usable_where_the_job_could_judge(past, minutes):
    job, metrics, repository = past.doors()
    hole = PastMetrics(Cut(metrics, BAD_S - 13 * 3_600, BAD_S), END_S)
    hole.now = BAD_S - 13 * 3_600 + minutes * 60
    spans = Spans(job, hole)

    assert spans.judged(hole.now) == judged(job, hole, repository, hole.now)


def test_runs_without_samples_are_counted_beside_those_that_had_some(past):
    job, metrics, repository = past.doors()
    hole = Cut(metrics, BAD_S - 6_000, BAD_S - 1_200)
    found = replay(job, hole, repository, (BAD_S - 7_200, BAD_S, EVERY_S), quiet)

    assert found.proposals == ()
    assert (found.runs, found.looked, found.unusable) == (13, 0, 10)


def test_a_span_without_samples_is_not_called_calm(capsys, past, monkeypatch):
    silent = Cut(past.doors()[1], 0)
    monkeypatch.setattr(command.connect, "metrics", lambda *_: silent)
    flags = {"start": str(BAD_S), "end": str(BAD_S + 3_600), "every_min": 10, "compare": None, "a_week": None}

    assert command.backtest(past.config, **flags, as_json=False) == 20
    text = capsys.readouterr().out
    assert "7 of 7 runs without usable data: nothing can be said of this span" in text
    assert "0 proposals" not in text

    assert command.backtest(past.config, **flags, as_json=True) == 20
    found = json.loads(capsys.readouterr().out)
    assert (found["runs"], found["unusable"], found["proposals"]) == (7, 7, [])


def test_the_progress_counts_the_days_of_the_span(past):
    told = []
    replay(*past.doors(), (END_S - 86_400, END_S, 86_400 // 2), told.append)

    assert told == ["day 1 of 1"]


def test_what_people_did_is_read_from_git_after_the_fact(past, whole):
    job, _, repository = past.doors()
    first, second = people.replies(job, repository, whole.proposals, END_S)
    (act,) = people.acts(job, repository, whole.proposals, FROM_S, END_S)

    assert (first.answer, first.value, second.answer) == ("same", "1.14.3", "early")
    assert BACK_S - 180 <= first.at_s <= BACK_S - 60
    assert (act.workload.name, act.old, act.new) == ("checkout", "1.15.0", "1.14.3")
    assert act.ahead_s == first.at_s - whole.proposals[0].opened_s
    late = people.replies(job, repository, whole.proposals, END_S + 2 * 86_400)
    assert [one.answer for one in late] == ["same", "none"]


def test_a_rollback_of_people_without_a_proposal_is_counted_too(past):
    job, _, repository = past.doors()
    (act,) = people.acts(job, repository, (), FROM_S, END_S)

    assert act.ahead_s is None
    assert people.acts(job, repository, (), BACK_S + 60, END_S) == ()


def test_the_command_prints_weeks_and_reviews_and_the_document_holds_the_same(capsys, past):
    flags = {
        "start": str(BAD_S + 1_200),
        "end": str(BAD_S + 3_000),
        "every_min": 15,
        "compare": None,
        "a_week": None,
    }
    assert command.backtest(past.config, **flags, as_json=False) == 0
    text = capsys.readouterr().out
    assert "1 proposals, 336.0 a week: so many reviews it would have cost" in text
    assert "people rolled back" not in text  # they did so later
    assert "1 x did the same; precision against them 100% of 1" in text

    assert command.backtest(past.config, **flags, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["schema"], found["runs"]) == ("aiops.backtest/1", 3)
    (one,) = found["proposals"]
    assert (one["action"], one["new"], one["people"]["answer"]) == ("rollback", "1.14.3", "same")


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"start": "2026-03-18", "end": "2026-03-17"}, "--from before --to"),
        ({"start": "yesterday", "end": None}, "expected a time"),
        ({"start": "2020-01-01", "end": "2020-01-02"}, "no commit of 'main' at that time"),
    ],
)
def test_a_span_that_cannot_be_replayed_is_one_line(capsys, past, flags, told):
    assert command.backtest(past.config, **flags, every_min=5, compare=None, a_week=None, as_json=False) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert told in line
