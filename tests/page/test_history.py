"""What the picture of an incident shows, from the arrays of a run."""

from __future__ import annotations

import numpy as np

from aiops.domain import Breach, Incident, Panel, Scores, Signal, State, Verdict, Workload
from aiops.page import history

CART = Workload("eu", "shop", "Deployment", "cart")
RATE, ERRORS = Signal("request_rate", "req/s", "both", 1.0), Signal("error_ratio", "ratio", "up", 0.01)
TIMES = np.arange(0, 12 * 3_600, 60, dtype=np.int64) + 86_400
ONSET_S = int(TIMES[-30])


def around(onset_s=ONSET_S, names=("error_ratio",)):
    values = np.zeros((1, 2, len(TIMES)), np.float32)
    values[0, 1, -30:] = 0.5
    values[0, 1, -100] = np.nan
    panel = Panel(values, TIMES, 60, (CART,), (RATE, ERRORS))
    band = np.broadcast_to(np.float32([[[1.0], [0.01]]]), values.shape)
    scores = Scores(
        values, values[:, 0], band, band - 1, band + 1, TIMES, 60, (CART,), (RATE, ERRORS), ("lstm",), (None,)
    )
    broke = tuple(Breach(name, 0.5, 0.01, "ratio", 9.0, ONSET_S, ONSET_S) for name in names)
    seen = Incident(CART, Verdict.ANOMALOUS, State.FIRING, onset_s, broke, 9.0, "lstm", None, 1.0, 0, 0)
    return history.around((seen,), panel, scores)


def test_an_incident_shows_three_hours_before_its_onset_up_to_the_newest_step():
    (told,) = around()[CART]
    assert (told.signal, told.unit, told.step_s) == ("error_ratio", "ratio", 180)
    assert told.start_s <= ONSET_S - 3 * 3_600 + 180
    assert told.start_s + (len(told.observed) - 1) * told.step_s == TIMES[-1]
    assert told.observed[-1] == 0.5
    assert told.observed[0] == 0.0


def test_a_long_incident_is_thinned_and_every_line_has_as_many_points():
    (told,) = around(onset_s=int(TIMES[0]))[CART]
    lengths = {len(line) for line in (told.observed, told.expected, told.lower, told.upper)}
    assert lengths == {90}
    assert told.step_s == 480


def test_a_workload_without_an_onset_and_a_signal_nobody_knows_have_none():
    assert around(onset_s=None) == {}
    assert around(names=("gone", "request_rate"))[CART][0].signal == "request_rate"
