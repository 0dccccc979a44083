"""The tables count scenarios, not seeds, and a mix in which hardly anything is actionable."""

from __future__ import annotations

import pytest
from bench.decisions import tables
from bench.decisions.judge import Outcome


def outcome(scenario, seed, verdict, *, actionable=False, opened=0, right=0):
    expects = "scale" if actionable else "nothing"
    why = () if verdict == "right" else ("alone: why",)
    return Outcome(scenario, "kind", seed, actionable, expects, verdict, why, opened, right)


MANY = [outcome(name, seed, "right") for name in "abcd" for seed in range(5) if (name, seed) != ("b", 3)]
MANY += [outcome("b", 3, "harmful", opened=1)]
MANY += [outcome("e", seed, "right", actionable=True, opened=1, right=1) for seed in range(5)]


def test_the_confusion_matrix_adds_up():
    rows = [line.split() for line in tables.confusion(MANY)]
    assert rows[-1] == ["all", "25", "24", "0", "0", "1"]


def test_intervals_have_as_many_trials_as_there_are_scenarios():
    right, harmful = tables.shares(MANY)
    assert "0.960 [0.522, 0.998] of 5 scenarios" in right
    assert "1 of 5 scenarios" in harmful
    assert "1 of 25 runs" in harmful


def test_one_false_pull_request_in_twenty_quiet_runs_ruins_a_mix_of_one_in_fifty():
    lines = list(tables.precision(MANY))
    assert lines[0] == "one actionable event in 50: coverage 1.000 (5 of 5)"
    assert float(lines[1].split()[1].rstrip(",")) == pytest.approx(0.02 / (0.02 + 0.98 * 0.05), abs=0.001)


def test_a_kind_below_four_fifths_is_marked():
    bad = [outcome("a", seed, "missed" if seed else "right", actionable=True) for seed in range(2)]
    assert [line for line in tables.kinds(bad) if "< 0.80" in line]
    assert [line for line in tables.kinds(MANY) if "< 0.80" in line] == []
