from __future__ import annotations

import numpy as np
import pytest
from bench.incidents import campaign, truth

from aiops.domain import Signal
from aiops.mesh.faults import Defect, Deploy
from aiops.mesh.graph import default_mesh
from aiops.mesh.plant import simulate

NONE = np.full(100, np.nan)


def facts(failed: float = 0.0, p95: float = 80.0, offered: float = 10.0) -> np.ndarray:
    return np.repeat(np.array([[offered], [failed], [failed], [p95]]), 100, axis=1)


@pytest.mark.parametrize(
    ("own", "twin", "broken"),
    [
        (facts(), facts(), False),
        (facts(failed=0.011), facts(), True),
        (facts(failed=0.009), facts(), False),
        (facts(failed=0.02), facts(failed=0.02), False),  # it always failed like that
        (facts(p95=310.0), facts(), True),
        (facts(p95=290.0), facts(), False),  # slower than ever, and still fast
        (facts(p95=400.0), facts(p95=250.0), False),  # slow as ever
        (facts(offered=100.0), facts(), False),  # load alone breaks nothing
    ],
)
def test_the_bound_is_broken_by_what_users_feel(own: np.ndarray, twin: np.ndarray, *, broken: bool) -> None:
    assert broken is truth.bound(own, twin, NONE, NONE).broken


def test_pods_that_do_not_start_or_keep_restarting_break_the_bound() -> None:
    one, three = np.full(100, 1.0), np.full(100, 3.0)
    assert truth.bound(facts(), facts(), NONE, one).broken
    assert truth.bound(facts(), facts(), three, NONE).broken
    assert not truth.bound(facts(), facts(), one, NONE).broken


def test_half_an_hour_of_the_first_hour_counts_and_no_less() -> None:
    own = facts()
    own[1, 20:49] = 0.5
    found = truth.bound(own, facts(), NONE, NONE)
    assert (False, 20) == (found.broken, found.first)
    own[1, 49] = 0.5
    assert truth.bound(own, facts(), NONE, NONE).broken


def test_who_is_affected_is_told_by_ten_minutes_of_difference_from_the_twin() -> None:
    twin = np.stack([facts()] * 4)
    own = twin.copy()
    own[1, 0, :10] *= 1.2  # load
    own[2, 3, :9] *= 3.0  # too short
    own[3, 3, 30:45] += 20.0  # latency
    assert [False, True, False, True] == truth.affected(own, twin).tolist()


def test_what_moves_to_the_good_side_is_not_shown() -> None:
    signals = (Signal("request_rate", "req/s", "both", 0.5), Signal("latency_p95", "ms", "up", 30))
    twin = np.full((1, 2, 60), 100.0)
    lower, higher, fewer = (twin + np.array(change)[None, :, None] for change in ([0, -50], [0, 40], [-1, 0]))
    assert [False, True, True] == [truth.shown(own, twin, signals) for own in (lower, higher, fewer)]


def test_the_onset_is_when_the_first_bad_pod_serves() -> None:
    start_s = 1_773_853_200
    case = campaign.Case(0, "errors", 1, 0.5, "checkout", start_s + 3_600)
    events = (Deploy("checkout", case.start_s, "bad", Defect("errors", 0.5)),)
    trace = simulate(default_mesh(), start_s, start_s + 7_200, events, (), 0)
    minute = (truth.onset_s(trace, case) - start_s) // 60
    failed = truth.facts(trace, start_s, start_s + 7_200)
    checkout = sorted(service.name for service in default_mesh().services).index("checkout")
    assert failed[checkout, 1, minute - 1] < 0.01 < failed[checkout, 1, minute]
    assert 1 <= minute - 60 <= 3


def test_p95_is_the_one_that_the_buckets_show() -> None:
    from aiops.mesh.queueing import BOUNDS_MS, bucket_shares

    service = default_mesh().service("checkout")
    mean = np.array([60.0])
    p95 = float(truth.p95_ms(service, mean, np.zeros(1))[0])
    below = np.cumsum(bucket_shares(mean, service.tail)[0])
    at = int(np.searchsorted(below, 0.95))
    assert BOUNDS_MS[at - 1] <= p95 <= BOUNDS_MS[at]
