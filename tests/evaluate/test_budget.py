"""The threshold for a wished number of proposals comes from scores, and is what a replay with it does."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from evaluate.conftest import BAD_S, END_S, SURGE_S

from aiops import connect
from aiops.commands import backtest as command
from aiops.config_file import load
from aiops.domain import Workload
from aiops.evaluate.backtest import Replay
from aiops.evaluate.backtest import replay as replayed
from aiops.evaluate.budget import WEEK_S, curve, meeting
from aiops.evaluate.ledger import Proposed
from aiops.evaluate.spans import LEVELS, Spans
from aiops.evaluate.worlds import PastMetrics

FROM_S, EVERY_S = BAD_S - 1_800, 600


def proposed(strength):
    shop = Workload("", "shop", "", "cart")
    fields = ("scale", "replicas", "2", "3", "overload", "S1", "", 0, 60, None, "none")
    return Proposed(shop, *fields, strength=strength)


def replay(*strengths, weeks=2):
    return Replay(0, weeks * WEEK_S, 600, 1, 1, 0, tuple(proposed(one) for one in strengths))


def test_each_threshold_that_leaves_fewer_is_a_row():
    rows = curve(replay(1.0, 2.0, 2.0, math.inf), 1.0)
    assert [(one.threshold, one.places, one.a_week) for one in rows] == [
        (1.0, (0, 1, 2, 3), 2.0),
        (1.1, (1, 2, 3), 1.5),
        (2.5, (3,), 0.5),
    ]


@pytest.mark.parametrize(("wished", "threshold"), [(9, 1.0), (2, 1.0), (1.9, 1.1), (1, 2.5), (0.4, None)])
def test_the_lowest_threshold_that_meets_the_wish_is_taken(wished, threshold):
    found = meeting(curve(replay(1.0, 2.0, 2.0, math.inf), 1.0), wished)
    assert (found.threshold if found else None) == threshold


def test_a_threshold_in_force_is_where_the_rows_begin():
    assert [one.threshold for one in curve(replay(2.0, 4.0), 1.25)] == [1.25, 2.5, 5.0]


@pytest.mark.parametrize("given", [replay(), replay(None, 2.0), replay(2.0, weeks=0)])
def test_without_strengths_or_time_there_are_no_rows(given):
    assert curve(given, 1.0) == ()


@pytest.fixture(scope="module")
def whole(past):
    return replayed(*past.doors(), (FROM_S, END_S, EVERY_S), lambda _: None)


def test_a_replay_with_a_threshold_opens_what_the_row_says(past, whole):
    checkout, search = whole.proposals
    weak, strong = sorted((checkout, search), key=lambda one: one.strength)
    assert 1 <= weak.strength < strong.strength < 1_000
    job, metrics, repository = past.doors()
    for level in (weak.strength, LEVELS[LEVELS.index(weak.strength) + 1]):
        (row,) = [one for one in curve(whole, 1.0) if one.threshold <= level][-1:]
        stricter = replace(job, detect=replace(job.detect, threshold=level))
        found = replayed(stricter, metrics, repository, (FROM_S, END_S, EVERY_S), lambda _: None)
        assert [one.workload for one in found.proposals] == [
            whole.proposals[place].workload for place in row.places
        ]


def test_the_days_on_which_a_score_was_held_long_enough_are_counted(past):
    job, metrics, _ = past.doors()
    spans, day_s = Spans(job, PastMetrics(metrics, END_S)), 86_400
    today = END_S // day_s * day_s
    fleet = len(spans.firing(END_S) | spans.firing(SURGE_S + 3_000)), len(spans.peaks([today // day_s]))

    before, now = spans.peaks([today // day_s - 1]), spans.peaks([today // day_s])
    assert (len(before), len(now)) == (fleet[1], fleet[1])
    assert (before >= 1).sum() == 0  # a calm day
    assert (now >= 1).sum() >= fleet[0] >= 1
    assert len(spans.peaks([])) == 0


def test_a_replay_counts_whole_days_only(past, whole):
    assert (whole.workload_days, whole.reached) == (0, ())  # eight hours
    midnight = END_S // 86_400 * 86_400
    found = replayed(*past.doors(), (midnight - 86_400, midnight + 3_600, 43_200), lambda _: None)
    assert (found.workload_days, found.proposals) == (12, ())
    assert (len(found.reached), set(found.reached)) == (len(LEVELS), {0})


def test_the_settings_carry_the_threshold_to_every_run(past, tmp_path):
    file = tmp_path / "aiops.yaml"
    file.write_text(past.config.read_text(encoding="utf-8") + "threshold: 2.5\n", encoding="utf-8")
    assert connect.detect_settings(load(file)).threshold == 2.5


def test_the_command_names_the_threshold_in_text_and_in_json(past, capsys):
    flags = {"start": str(SURGE_S), "end": str(SURGE_S + 3_000), "every_min": 10, "compare": None}
    assert command.backtest(past.config, **flags, a_week=1000.0, as_json=False) == 0
    text = capsys.readouterr().out
    assert "`threshold: 1` in aiops.yaml" in text
    assert "THRESHOLD  PROPOSALS  A WEEK  RIGHT  WRONG  UNKNOWN" in text

    assert command.backtest(past.config, **flags, a_week=0.0, as_json=True) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["budget"]["threshold"] == found["thresholds"][-1]["threshold"]
    assert found["thresholds"][-1]["proposals"] == 0
    assert found["proposals"][0]["strength"] >= 1
