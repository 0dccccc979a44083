from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from propose import sample

from aiops.domain import Breach, Chart, Panel, Scores, Signal
from aiops.propose import chart, proof

SIGNAL = Signal("error_ratio", "ratio", "up", 0.01, 0.02)
RATE = Signal("request_rate", "req/s", "both", 0.5)


def series(steps: int) -> tuple[Panel, Scores]:
    """Return a panel and scores of two workloads and two signals; [1, 1] counts 0, 1, 2, ..."""
    times = np.arange(sample.NOW_S - (steps - 1) * 60, sample.NOW_S + 1, 60, dtype=np.int64)
    values = np.zeros((2, 2, steps), dtype=np.float32)
    values[1, 1] = np.arange(steps)
    workloads, signals = (sample.CART, sample.CHECKOUT), (RATE, SIGNAL)
    panel = Panel(values, times, 60, workloads, signals)
    judged = (values, values[:, 0], values * 2, values, values * 3)
    scores = Scores(*judged, times, 60, workloads, signals, ("lstm", "lstm"), (None, None))
    return panel, scores


def test_the_chart_shows_the_worst_signal_from_an_hour_before_the_onset():
    made = chart.sample(sample.rollback_item().incident, *series(600))
    assert made is not None
    assert (made.signal, made.unit, made.onset_s) == ("error_ratio", "ratio", sample.ONSET_S)
    assert made.times_s[-1] == sample.NOW_S
    assert made.times_s[0] >= sample.ONSET_S - 3_600
    assert len(made.times_s) <= chart.MAX_POINTS


def test_a_point_is_the_mean_of_its_steps_and_the_lines_keep_their_order():
    made = chart.sample(sample.rollback_item().incident, *series(600))
    assert made is not None
    # 75 steps in buckets of 4: the last is the mean of 596..599.
    assert (made.observed[-1], made.expected[-1], made.upper[-1]) == (597.5, 1195.0, 1792.5)


def test_grids_that_differ_meet_at_equal_times():
    panel, scores = series(600)
    shorter = replace(panel, values=panel.values[:, :, 300:], times=panel.times[300:])
    assert chart.sample(sample.rollback_item().incident, shorter, scores) == chart.sample(
        sample.rollback_item().incident, panel, scores
    )
    early = replace(panel, values=panel.values[:, :, :300], times=panel.times[:300])
    made = chart.sample(sample.rollback_item().incident, early, scores)
    assert made is not None
    assert set(made.observed) == {None}


def test_of_an_incident_that_ended_the_signal_that_was_worst_is_drawn_until_now():
    panel, scores = series(600)
    over = replace(sample.rollback_item().incident, onset_s=None, signals=(), ended_s=sample.NOW_S - 5_400)
    made = chart.ended(over, panel, scores)
    assert made is not None
    assert (made.signal, made.onset_s, made.times_s[-1]) == ("error_ratio", over.ended_s, sample.NOW_S)
    # A merge that helped is in the picture: it came an hour before the end at most.
    assert sample.NOW_S - 12_600 <= made.times_s[0] <= sample.NOW_S - 12_000
    assert chart.ended(replace(over, ended_s=None), panel, scores) is None
    assert chart.ended(replace(over, workload=sample.hold_item().workload), panel, scores) is None
    silent = replace(scores, values=np.full_like(scores.values, np.nan))
    assert chart.ended(over, panel, silent) is None


def test_without_an_onset_or_a_row_there_is_no_chart():
    panel, scores = series(100)
    item = sample.rollback_item()
    assert chart.sample(replace(item.incident, onset_s=None), panel, scores) is None
    assert chart.sample(replace(item.incident, signals=()), panel, scores) is None
    assert chart.sample(replace(item.incident, workload=sample.hold_item().workload), panel, scores) is None


@given(
    observed=st.lists(st.floats(-1e9, 1e9) | st.just(float("nan")), min_size=1, max_size=200),
    onset=st.integers(-50, 250),
)
def test_no_missing_sample_becomes_a_number(observed, onset):
    line = np.array(observed)
    made = chart.thin("x", "ms", np.arange(len(line)) * 60, line, line, line, onset * 60)
    assert made is not None
    assert 1 <= len(made.times_s) <= chart.MAX_POINTS
    assert made.times_s[-1] == (len(line) - 1) * 60
    if np.isnan(line).all():
        assert set(made.observed) == {None}
    drawn = chart.mermaid(made)
    assert "nan" not in drawn.lower()
    assert re.search(r"\d[eE][-+]?\d", drawn) is None


def test_a_column_without_an_observation_is_left_out():
    text = chart.mermaid(sample.chart("error_ratio", "ratio"))
    labels = re.search(r"x-axis .* \[(.*)\]", text)
    assert labels is not None
    shown = labels[1].replace('"', "").split(", ")
    assert len(shown) == 23
    assert ("-43" in shown, "-40" in shown, "-37" in shown) == (True, False, True)


def test_the_onset_is_the_only_bar():
    text = chart.mermaid(sample.chart("error_ratio", "ratio"))
    bars = re.search(r"bar \[(.*)\]", text)
    assert bars is not None
    # The others end where Mermaid's axis is, below the lowest value.
    assert [place for place, bar in enumerate(bars[1].split(", ")) if float(bar) > -0.672] == [18]


def test_a_signal_that_users_notice_is_drawn_before_the_load_that_broke_worse():
    panel, scores = series(600)
    item = sample.rollback_item()
    load = Breach("request_rate", 610.0, 38.0, "req/s", 76.9, sample.ONSET_S, sample.NOW_S)
    felt, calm = (replace(item.incident.signals[0], observed=level) for level in (0.76, 0.019))
    both = replace(item.incident, signals=(load, felt))
    drawn = chart.sample(both, panel, scores)
    alone = chart.sample(replace(both, signals=(load, calm)), panel, scores)
    assert drawn is not None
    assert alone is not None
    assert (drawn.signal, alone.signal) == ("error_ratio", "request_rate")


def test_of_what_ended_a_signal_that_users_notice_is_drawn_when_it_was_out_of_its_band():
    panel, scores = series(600)
    over = replace(sample.rollback_item().incident, onset_s=None, signals=(), ended_s=sample.NOW_S - 5_400)
    for felt, expected in ((2.0, "error_ratio"), (0.9, "request_rate")):
        values = np.zeros_like(scores.values)
        values[1] = [[50.0], [felt]]  # the load broke worse
        drawn = chart.ended(over, panel, replace(scores, values=values))
        assert drawn is not None
        assert expected == drawn.signal


def test_a_rate_keeps_its_unit_without_a_slash():
    assert 'y-axis "req per s" 0 --> 0.21' in chart.mermaid(sample.chart("request_rate", "req/s"))
    used = sample.chart("cpu_utilization", "ratio of request")
    assert 'y-axis "percent of request" 0 --> 21' in chart.mermaid(used)


def test_what_is_marked_outside_of_the_picture_is_not_said_to_be_in_it():
    made = sample.chart("error_ratio", "ratio")
    for mark_s, expected in (
        (sample.ONSET_S, "The bar marks the onset, "),
        (0, "It begins after the onset, "),
    ):
        moved = replace(made, onset_s=mark_s)
        legend, drawn = proof.picture(moved)[1:]
        bars = re.search(r"bar \[(.*)\]", drawn)
        assert bars is not None
        assert expected in legend
        assert ("21" in bars[1].split(", ")) == ("bar" in legend)


def test_a_ratio_is_drawn_in_percent():
    assert 'y-axis "percent" 0 --> 21' in chart.mermaid(sample.chart("error_ratio", "ratio"))
    assert 'y-axis "ms" 0 --> 0.21' in chart.mermaid(sample.chart("latency_p95", "ms"))


@pytest.mark.parametrize("points", [0, 1])
def test_fewer_than_two_columns_are_no_picture(points):
    made = Chart("x", "ms", (0, 60), (*(1.0,) * points, *(None,) * (2 - points)), (1.0, 1.0), (1.0, 1.0), 0)
    assert chart.mermaid(made) == ""
