"""Holes and reach of samples, on panels small enough to count by hand."""

from __future__ import annotations

import numpy as np

from aiops import coverage
from aiops.domain import Panel, Signal, Workload

NAN = np.nan
ONE = Workload("", "shop", "Deployment", "web")


def panel(values, step_s=60):
    found = np.array([[values]], dtype=np.float32) if np.ndim(values) == 1 else np.array(values, np.float32)
    signals = tuple(Signal(f"s{i}", "", "up", 0) for i in range(found.shape[1]))
    workloads = tuple(Workload("", "shop", "Deployment", f"w{i}") for i in range(len(found)))
    return Panel(found, np.arange(found.shape[2]) * step_s, step_s, workloads, signals)


def test_a_hole_is_a_step_at_which_nothing_at_all_was_sampled():
    day = panel([[[1, NAN, NAN, 1, NAN, 1]], [[1, NAN, NAN, NAN, NAN, NAN]]])

    assert coverage.holes(day) == (3, 2)
    assert coverage.holes(panel([1.0, 1.0])) == (0, 0)


def test_the_reach_is_that_of_the_oldest_sample_and_0_without_any():
    assert coverage.reach_s(panel([[[NAN, NAN, 1]], [[NAN, 1, 1]]], 3_600)) == 3_600
    assert coverage.reach_s(panel([NAN, NAN])) == 0


def test_a_signal_without_a_sample_is_missing_and_has_a_way_to_close_it():
    (one,) = coverage.covered(panel([[[1, NAN], [NAN, NAN]]]), panel([[[NAN, 1], [NAN, 1]]], 3_600), None, ())

    assert (one.missing, one.gap, one.known_s, one.image) == (("s1",), 0.5, 60 - 3_600, None)
    assert "queries.s1" in coverage.closes("s1")
    assert "CPU request" in coverage.closes("cpu_utilization")
