from __future__ import annotations

import numpy as np
from bench.incidents import recall, truth


def states(*spans: tuple[int, int]) -> np.ndarray:
    """One workload over 300 minutes: firing in the spans."""
    found = np.zeros((1, 300), dtype=np.int8)
    for start, stop in spans:
        found[0, start:stop] = 2
    return found


def bound(first: int = 0) -> truth.Bound:
    bad = np.zeros(100, dtype=bool)
    bad[first:] = True
    return truth.Bound(bad)


def test_the_delay_is_counted_from_the_onset() -> None:
    assert ([1_020], [False]) == recall.delays_s(states((117, 200)), 100, bound())


def test_an_hour_later_is_too_late_and_before_is_not_about_this_fault() -> None:
    assert ([3_600], [False]) == recall.delays_s(states((160, 200)), 100, bound())
    assert ([None], [False]) == recall.delays_s(states((161, 200)), 100, bound())
    assert ([None], [True]) == recall.delays_s(states((90, 200)), 100, bound())
    assert ([None], [False]) == recall.delays_s(states((50, 90)), 100, bound())


def test_what_breaks_later_may_be_found_later() -> None:
    assert ([5_400], [False]) == recall.delays_s(states((190, 200)), 100, bound(first=45))


def test_a_fault_that_breaks_nothing_has_an_hour() -> None:
    nothing = truth.Bound(np.zeros(100, dtype=bool))
    assert ([3_600], [False]) == recall.delays_s(states((160, 170)), 100, nothing)
    assert ([None], [False]) == recall.delays_s(states((161, 170)), 100, nothing)
