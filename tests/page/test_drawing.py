"""The picture of one signal: its lines say what the numbers say."""

from __future__ import annotations

import re

import pytest
from page import reports

from aiops.page import document, drawing

ONSET_S = 1773871440  # 2026-03-18T22:04:00Z


def drawn(**changes):
    made = {**reports.series(), **changes}
    series = document.Series(
        made["signal"],
        made["unit"],
        made["step_s"],
        *(tuple(made[name]) for name in ("observed", "expected", "lower", "upper")),
        made["from"],
    )
    return drawing.drawing(series, ONSET_S)


def paths(svg):
    return {path.get("class"): path.get("d") for path in svg.iter("path")}


def points(path):
    return [(float(x), float(y)) for x, y in re.findall(r"([\d.]+) ([\d.]+)", path)]


def test_the_onset_stands_where_the_observed_line_leaves_the_band():
    lines = paths(drawn())
    onset_x = float(lines["onset"].split()[0].removeprefix("M"))
    left = [x for x, y in points(lines["observed"]) if y < 100]
    assert abs(min(left) - onset_x) < 5


def test_a_missing_sample_is_a_gap_and_a_lone_one_a_dot():
    assert paths(drawn())["observed"].count("M") == 2
    alone = [None] * 96
    alone[5] = 0.5
    assert paths(drawn(observed=alone))["observed"].endswith("h0")


def test_a_band_below_zero_of_what_is_never_negative_is_cut_at_zero():
    texts = [text.text for text in drawn().iter("text")]
    assert texts[0] == "0"


@pytest.mark.parametrize(
    "changes",
    [
        {"observed": [None] * 96},
        {"observed": [1.0], "expected": [1.0], "lower": [1.0], "upper": [1.0]},
        {"expected": [1.0]},
        {"from": "yesterday"},
        {"step_s": 0},
        {"step_s": 10**12},
    ],
)
def test_what_cannot_be_drawn_is_left_out(changes):
    assert drawn(**changes) is None


@pytest.mark.parametrize("value", [0.0, 1.0, -5.0, 1e-12, 1e15, -1e300, 1e300])
def test_a_line_that_never_moves_has_a_place(value):
    same = [value] * 96
    svg = drawn(observed=same, expected=same, lower=same, upper=same, unit="ms")
    ys = {y for _, y in points(paths(svg)["observed"])}
    assert len(ys) == 1
    assert "nan" not in str(paths(svg))


def test_without_a_band_the_lines_are_drawn_alone():
    nothing = [None] * 96
    lines = paths(drawn(lower=nothing, upper=nothing, expected=nothing))
    assert (lines["band"], lines["expected"]) == ("", "")
    assert len(points(lines["observed"])) == 95
