"""The page of a model in a real Chromium: fetches nothing, complains of nothing, can be read."""

from __future__ import annotations

import pytest
from page import cards, reports
from page.test_page_in_browser import CONTRASTS

from aiops.domain import Workload
from aiops.page import model_card

pytestmark = pytest.mark.real
MIXED = (*(cards.of_signal(name) for name in cards.UNITS), cards.of_signal("queue", 0.3))
NAMES = [Workload("prod-eu", "shop", "Deployment", "cart")]


def rendered(*signals, ours: float = 0.14) -> str:
    return model_card.render(cards.card(), cards.held(*(signals or MIXED), ours=ours), NAMES)


def test_it_asks_for_nothing_and_runs_nothing_that_a_label_says(opened):
    tab = opened(rendered(*(cards.of_signal(text, text=text) for text in reports.HOSTILE[:25])))
    assert [url.rsplit("/", 1)[-1] for url in tab.asked] == ["report.html"]
    assert tab.complaints == []
    assert tab.title() == "aiops model mine"


def test_every_day_and_every_bar_has_data_and_its_style(opened):
    tab = opened(rendered(), viewport={"width": 1200, "height": 900}, java_script_enabled=True)
    lines = tab.evaluate(
        """() => [...document.querySelectorAll("svg.chart:not(.bars)")].map((svg) =>
        ["observed", "expected", "band"].map((name) => {
          const path = svg.querySelector("." + name);
          return path.getTotalLength() > 100 && path.getBBox().width >= 200; }))"""
    )
    assert lines == [[True] * 3] * 4
    drawn = tab.evaluate(
        """() => [...document.querySelectorAll("svg.bars rect")].map((bar) =>
        [bar.getBBox().width > 20, getComputedStyle(bar).fill])"""
    )
    assert len(drawn) == 2 * 2 * 5  # two errors, both models, four signals and all of them
    assert all(long for long, _ in drawn)
    assert len({fill for _, fill in drawn}) == 2


@pytest.mark.parametrize("width", [320, 390, 768])
def test_a_narrow_page_does_not_scroll_sideways(opened, width):
    tab = opened(
        rendered(*MIXED, cards.of_signal("x" * 120, text="y" * 200)),
        viewport={"width": width, "height": 844},
    )
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    smallest, apart = tab.evaluate(
        """() => [Math.min(...[...document.querySelectorAll("svg.chart text")]
        .map((text) => text.getBoundingClientRect().height)),
        [...document.querySelectorAll("svg.bars .mark")].every((name) =>
        name.getBoundingClientRect().right < name.nextElementSibling.getBoundingClientRect().left)]"""
    )
    assert smallest >= 8.5
    assert apart  # a long name does not run into what is said of it


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(opened, scheme):
    tab = opened(rendered(ours=0.3), color_scheme=scheme)
    tab.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
    contrasts = tab.evaluate(CONTRASTS)
    assert len(contrasts) > 12
    assert {name: ratio for name, ratio in contrasts.items() if ratio < 4.5} == {}
