"""The chart in a real Chromium, by Mermaid itself."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import real
from propose import sample, test_verdict

from aiops.limits import LIMITS
from aiops.propose import chart, follow

pytestmark = pytest.mark.real

RENDER = """async (text) => {
  mermaid.initialize({startOnLoad: false});
  await mermaid.parse(text);
  return (await mermaid.render("drawn", text)).svg;
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    mermaid = real.mermaid_js()
    with real.running_chromium() as browser:
        found = browser.new_page()
        found.set_content("<!doctype html><body></body>")
        found.add_script_tag(path=str(mermaid))
        yield found


def test_the_drawn_chart_has_three_lines_and_a_bar_in_our_colours(page):
    svg = page.evaluate(RENDER, chart.mermaid(sample.chart("error_ratio", "ratio")))
    for plot, colour in zip(
        ("bar-plot-0", "line-plot-1", "line-plot-2", "line-plot-3"), chart.COLOURS, strict=True
    ):
        assert f'class="{plot}"' in svg
        assert colour in svg
    assert "minutes since the onset" in svg
    assert "background-color" not in svg or "transparent" in svg


BARS = "(svg) => { document.body.innerHTML = svg; return [...document.querySelectorAll('.bar-plot-0 rect')]\
.map(one => Number(one.getAttribute('height'))); }"
LABELS = "() => [...document.querySelectorAll('.bottom-axis .label text')]\
.map(one => { const at = one.getBoundingClientRect(); return [at.left, at.right]; })"


@pytest.mark.parametrize("low", [0.0, -40.0])
def test_the_mark_is_the_only_bar_that_is_seen_and_no_label_touches_another(page, low):
    hours = tuple(range(-9_840, 4_320, 600))[-24:]  # minutes of four characters, as after a merge
    times = tuple(sample.ONSET_S + at for at in hours)
    made = replace(sample.chart("error_ratio", "ms"), times_s=times, observed=(low, *(0.2,) * 23))
    heights = page.evaluate(BARS, page.evaluate(RENDER, chart.mermaid(made)))
    assert len(heights) == 24
    assert [height > 100 for height in heights].count(True) == 1
    assert all(0 <= height < 1 for height in heights if height <= 100)
    spans = page.evaluate(LABELS)
    assert len(spans) == 24
    assert all(right < left for (_, right), (left, _) in itertools.pairwise(spans))


def test_the_picture_of_a_verdict_is_one_that_mermaid_reads(page):
    for outcome, one, plan in test_verdict.VERDICTS:
        (step,) = follow.steps([one], test_verdict.drawn(plan), {}, sample.NOW_S, LIMITS)
        assert outcome == step.outcome
        drawn = step.picture.split("```mermaid\n")[1].removesuffix("\n```")
        svg = page.evaluate(RENDER, drawn)
        assert "minutes since the merge" in svg
        assert 'class="line-plot-3"' in svg
        assert [height > 100 for height in page.evaluate(BARS, svg)].count(True) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"signal": '"] --> evil', "unit": "%%{init: {}}%%"},
        {"signal": "", "unit": ""},
        {"observed": (-5.0,) * 24},
        {"observed": (0.0,) * 24, "expected": (0.0,) * 24, "upper": (0.0,) * 24},
        {"observed": (1e15,) * 24},
        {"upper": (None,) * 24},
        {"observed": (1e-9,) * 24, "expected": (1e-9,) * 24, "upper": (1e-9,) * 24},
    ],
)
def test_every_chart_is_one_that_mermaid_reads(page, changes):
    made = replace(sample.chart("error_ratio", "ratio"), **changes)
    assert "<svg" in page.evaluate(RENDER, chart.mermaid(made))


def test_a_chart_that_mermaid_cannot_read_would_be_noticed(page):
    from playwright.sync_api import Error

    with pytest.raises(Error, match=r"(?i)lexical error|parse error"):
        page.evaluate(RENDER, chart.mermaid(sample.chart("x", "ms")).replace("-->", "<--"))
