"""The page of a backtest in a real Chromium: fetches nothing, complains of nothing, can be read."""

from __future__ import annotations

import pytest
from page import backtests, reports
from page.test_page_in_browser import CONTRASTS

from aiops.page import backtest

pytestmark = pytest.mark.real


def rendered(*proposals) -> str:
    return backtest.render(backtests.read(backtests.document(*proposals) if proposals else backtests.month()))


def test_it_asks_for_nothing_and_runs_nothing_that_a_label_says(opened):
    found = [backtests.proposal(2 + place, text=text) for place, text in enumerate(reports.HOSTILE[:25])]
    tab = opened(rendered(*found), java_script_enabled=True)
    assert [url.rsplit("/", 1)[-1] for url in tab.asked] == ["report.html"]
    assert tab.complaints == []


def test_it_can_be_read_without_script(opened):
    tab = opened(rendered(), java_script_enabled=False)
    assert tab.locator("svg.calendar a").count() == 11
    assert tab.locator(".proposals tbody tr").count() == 15


def test_both_pictures_have_data_and_their_style(opened):
    tab = opened(rendered(), viewport={"width": 1200, "height": 900})
    line = tab.locator("svg.calibration .observed")
    assert line.evaluate("e => e.getTotalLength() > 100 && getComputedStyle(e).strokeWidth === '2px'")
    fills = tab.evaluate(
        """() => ["good", "bad", "unsure"].map((name) =>
        getComputedStyle(document.querySelector(`svg.calendar rect.${name}`)).fill)"""
    )
    assert len(set(fills)) == 3
    assert tab.locator("svg.calendar").evaluate("e => e.getBoundingClientRect().width > 340")


@pytest.mark.parametrize("width", [320, 390, 768])
def test_a_narrow_page_does_not_scroll_sideways(opened, width):
    tab = opened(rendered(backtests.proposal(4, text="x" * 200)), viewport={"width": width, "height": 844})
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    smallest = tab.evaluate(
        """() => Math.min(...[...document.querySelectorAll("svg.chart:not(.square) text")]
        .map((text) => text.getBoundingClientRect().height))"""
    )
    assert smallest >= 9
    narrow = tab.evaluate(
        """() => Math.min(...[...document.querySelectorAll(".figures td")]
        .map((cell) => cell.getBoundingClientRect().width))"""
    )
    assert narrow >= 20  # a word is not broken into a column of letters


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(opened, scheme):
    tab = opened(rendered(), color_scheme=scheme)
    contrasts = tab.evaluate(CONTRASTS)
    assert len(contrasts) > 15
    assert {name: ratio for name, ratio in contrasts.items() if ratio < 4.5} == {}


def test_a_square_of_the_calendar_leads_to_its_row(opened):
    tab = opened(rendered(), viewport={"width": 390, "height": 844})
    tab.locator("svg.calendar a").nth(5).click()
    assert tab.evaluate("location.hash") == "#p6"
    top = tab.locator("#p6").evaluate("e => e.getBoundingClientRect().top")
    assert 0 <= top < 844
