"""Alerts are held against proposals of the same workload and time, and of nothing else."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from aiops.commands import backtest_document, backtest_told
from aiops.commands.backtest_told import Backtest
from aiops.domain import Answer, Query, Workload
from aiops.evaluate.alerts import QUERY, heard
from aiops.evaluate.backtest import Replay
from aiops.evaluate.ledger import Proposed
from aiops.evaluate.people import Reply
from aiops.evaluate.verdicts import Verdict

FROM_S, TO_S, STEP_S = 172_800, 187_200, 60
ASKED = Query(QUERY, "ALERTS", "", ("cluster", "namespace", "workload", "alertname", "severity"))
JOB = SimpleNamespace(context=(ASKED,), step_s=STEP_S)
FOLLOWED, LEFT = Reply("same", "1", FROM_S + 9_000), Reply("none", "2", None)

MET = (
    "2 alerts named a workload; 1 had a proposal, 10 min earlier (median),"
    " 1 had one that people followed; 1 more name no workload"
)


class Recorded:
    """A server that recorded alerts: (namespace, workload, severity, first, last) from the span's start."""

    def __init__(self, *alerts):
        self.alerts = alerts

    def read(self, query, grid):
        assert query is ASKED
        labels, rows = [], []
        for namespace, workload, severity, first_s, last_s in self.alerts:
            times = grid.times - FROM_S
            named = {"namespace": namespace, "workload": workload, "alertname": "Errors"}
            labels.append({**named, "severity": severity})
            rows.append(np.where((times >= first_s) & (times <= last_s), 1.0, np.nan))
        values = np.array(rows).reshape(-1, len(grid.times))
        return Answer(query, tuple(labels), values, grid.times)


def proposed(name, onset_s, opened_s, ended_s):
    named = Workload("prod-eu", "shop", "Deployment", name)
    times = (FROM_S + onset_s, FROM_S + opened_s, None if ended_s is None else FROM_S + ended_s)
    return Proposed(named, "rollback", "image.tag", "2", "1", "bad-release", "R1", "why", *times, "over")


CART = proposed("cart", 3_000, 3_600, 7_200)


def compared(alerts, proposals=(CART,), replies=(FOLLOWED,)):
    return heard(JOB, Recorded(*alerts), proposals, replies, (FROM_S, TO_S))


@pytest.mark.parametrize(
    ("first_s", "last_s", "ahead_s"),
    [
        (4_200, 6_000, 600),  # the proposal was ten minutes earlier
        (3_060, 6_000, -540),  # nine minutes later
        (1_200, 3_000, -2_400),  # over when the onset was seen
        (7_200, 9_000, 3_600),  # began as the proposal ended
        (1_200, 2_940, None),  # over before the onset
        (7_260, 9_000, None),  # after the end
    ],
)
def test_an_alert_belongs_to_a_proposal_whose_time_it_shares(first_s, last_s, ahead_s):
    found = compared([("shop", "cart", "critical", first_s, last_s)])
    (alert,) = found.alerts
    assert (alert.start_s, alert.end_s) == (FROM_S + first_s, FROM_S + last_s)
    assert (alert.ahead_s, alert.right) == (ahead_s, ahead_s is not None)
    assert found.unheard == (() if ahead_s is not None else (0,))


@pytest.mark.parametrize(("namespace", "name"), [("shop", "search"), ("bank", "cart")])
def test_an_alert_of_another_workload_belongs_to_none(namespace, name):
    found = compared([(namespace, name, "critical", 4_200, 6_000)])
    assert ([one.proposal for one in found.alerts], found.unheard) == ([None], (0,))


def test_an_alert_that_names_no_workload_is_counted_and_not_compared():
    found = compared([("shop", "", "critical", 4_200, 6_000)])
    assert (found.alerts, found.unplaced, found.unheard) == ((), 1, (0,))


def test_an_alert_of_the_day_before_is_not_counted_but_its_proposal_was_heard():
    found = compared([("shop", "cart", "critical", -600, 6_000)])
    assert (found.alerts, found.unheard) == ((), ())


@pytest.mark.parametrize(("pause_s", "times"), [(300, 1), (360, 2)])
def test_a_short_pause_is_the_same_alert(pause_s, times):
    series = Recorded(("shop", "cart", "", 4_200, 6_000), ("shop", "cart", "", 6_000 + pause_s, TO_S))

    class Paused:
        def read(self, query, grid):
            both = series.read(query, grid)
            joined = np.fmax(both.values[:1], both.values[1:])
            return Answer(query, both.labels[:1], joined, grid.times)

    found = heard(JOB, Paused(), (CART,), (FOLLOWED,), (FROM_S, TO_S))
    assert len(found.alerts) == times
    assert found.alerts[-1].end_s is None  # it still fires


def test_a_proposal_that_people_followed_comes_before_one_that_they_did_not():
    again = proposed("cart", 3_000, 4_000, None)
    found = compared([("shop", "cart", "page", 4_200, 6_000)], (CART, again), (LEFT, FOLLOWED))
    assert [(one.proposal, one.right, one.ahead_s) for one in found.alerts] == [(1, True, 200)]


def test_the_text_and_the_document_hold_the_same_alerts(capsys):
    alerts = [("shop", "cart", "critical", 4_200, 6_000), ("shop", "web", "warning", 60, 120)]
    found = compared([*alerts, ("shop", "", "info", 60, 120)])
    past = Replay(FROM_S, TO_S, 300, 49, 3, 0, (CART,))
    told = Backtest(past, (FOLLOWED,), (Verdict("unknown", ""),), (), found)
    backtest_told.show(told)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split() for line in lines if line.startswith(("critical", "warning"))] == [
        ["critical", "1", "1", "1", "10", "min", "earlier"],
        ["warning", "1", "0", "0", "-"],
    ]
    assert lines[-2:] == [
        MET,
        "0 of 1 proposals were about a time without such an alert",
    ]
    document = backtest_document.document(told)["alerts"]
    assert [(one["severity"], one["proposal"], one["ahead_s"]) for one in document["fired"]] == [
        ("warning", None, None),
        ("critical", 0, 600),
    ]
    assert (document["without_workload"], document["proposals_without"]) == (1, [])
