"""The chart in a real Chromium, by Mermaid itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import real
from propose import sample

from aiops.propose import chart

pytestmark = pytest.mark.real

RENDER = """async (text) => {
  mermaid.initialize({startOnLoad: false});
  await mermaid.parse(text);
  return (await mermaid.render("drawn", text)).svg;
}"""


@pytest.fixture(scope="module")
def page() -> Iterator[Any]:
    chromium, mermaid = real.chromium(), real.mermaid_js()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(chromium),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        found = browser.new_page()
        found.set_content("<!doctype html><body></body>")
        found.add_script_tag(path=str(mermaid))
        yield found
        browser.close()


def test_the_drawn_chart_has_three_lines_and_a_bar_in_our_colours(page):
    svg = page.evaluate(RENDER, chart.mermaid(sample.chart("error_ratio", "ratio")))
    for plot, colour in zip(
        ("bar-plot-0", "line-plot-1", "line-plot-2", "line-plot-3"), chart.COLOURS, strict=True
    ):
        assert f'class="{plot}"' in svg
        assert colour in svg
    assert "minutes since the onset" in svg


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
