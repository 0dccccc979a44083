"""The load that is coming, against days whose shape is known."""

from __future__ import annotations

import numpy as np

from aiops.detect import load_ahead
from aiops.detect.settings import DAY_S, WEEK_S, History
from aiops.domain import Panel, Signal, Workload

CART = Workload("eu", "shop", "Deployment", "cart")
RATE = Signal("request_rate", "req/s", "both", 0.5)
END_S = 20_000 * DAY_S + 9 * 3_600  # nine in the morning: load is rising


def shape(times, scale=1.0):
    return scale * (100.0 - 80.0 * np.cos(2 * np.pi * (times % DAY_S) / DAY_S))


def panel(times, values):
    return Panel(values[None, None].astype(np.float32), times, 60, (CART,), (RATE,))


def history(*, today=1.0, noise=0.0, week=True):
    times = np.arange(END_S - 2 * DAY_S, END_S + 60, 60, dtype=np.int64)
    rng = np.random.default_rng(5)
    scale = np.where(times > END_S - 6 * 3_600, today, 1.0)
    recent = panel(times, shape(times, scale) * (1 + noise * rng.standard_normal(len(times))))
    then = np.arange(END_S - WEEK_S - DAY_S, END_S - WEEK_S + 7_200, 60, dtype=np.int64)
    whole = panel(times[:1], np.array([1.0]))
    return History(recent, panel(then, shape(then)) if week else None, whole, END_S)


def test_a_rising_morning_is_seen_coming_and_beats_staying_where_it_is():
    coming = np.arange(END_S + 60, END_S + load_ahead.LEAD_S + 60, 60)
    for week in (True, False):
        for today in (1.0, 1.4, 0.7):
            truth = float(shape(coming, today).max())
            given = history(today=today, noise=0.05, week=week)
            (found,) = load_ahead.predicted(given)
            now = float(shape(np.array([END_S]), today)[0])
            assert abs(found - truth) < 0.05 * truth
            assert abs(found - truth) < abs(now - truth)


def test_nothing_is_predicted_of_what_was_not_there_yesterday_or_is_silent_now():
    given = history(week=False)
    given.recent.values[..., given.recent.times < END_S - DAY_S + 3_600] = np.nan
    assert load_ahead.loads(given) == {}
    silent = history()
    silent.recent.values[..., -30:] = np.nan
    assert load_ahead.loads(silent) == {}


def test_a_day_unlike_others_is_not_blown_up():
    (found,) = load_ahead.predicted(history(today=20.0))
    level = float(shape(np.array([END_S - 900]), 20.0)[0])
    assert found < 1.05 * level


def test_without_a_request_rate_nothing_is_predicted():
    given = history()
    other = Panel(given.recent.values, given.recent.times, 60, (CART,), (Signal("cpu", "cores", "up", 0.1),))
    assert load_ahead.loads(History(other, None, given.reference, END_S)) == {}
