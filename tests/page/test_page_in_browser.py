"""The page in a real Chromium: it fetches nothing, complains of nothing, and can be read."""

from __future__ import annotations

from typing import Any

import pytest
from page import reports

from aiops.page import page

pytestmark = pytest.mark.real

# Every text on the page with its colour and the background behind it, as contrast by WCAG 2.
CONTRASTS = """() => {
  const parse = (c) => (c.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = (c) => { const [r, g, b] = c.slice(0, 3).map((v) => { v /= 255;
    return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (e) => { for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  const found = {};
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) { const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || e.tagName === "title") continue;
    const style = getComputedStyle(e);
    const front = light(parse(e.namespaceURI.endsWith("svg") ? style.fill : style.color));
    const back = light(behind(e));
    const ratio = (Math.max(front, back) + 0.05) / (Math.min(front, back) + 0.05);
    const name = e.tagName + "." + (e.getAttribute("class") || "");
    found[name] = Math.min(found[name] ?? 99, ratio); }
  return found; }"""

FULL = [reports.workload("cart", number=1), reports.workload("search", number=2)]
FULL += [reports.healthy("calm"), {**reports.healthy("new"), "verdict": "learning"}]
FULL += [{**reports.healthy("gone"), "verdict": "no-data", "score": None}]
FULL += [{**reports.healthy("odd"), "verdict": "error"}]


def rendered(*workloads: dict[str, Any], text: str = "shop") -> str:
    given = reports.read(reports.report(*(workloads or FULL), text=text))
    return page.render(given, "https://prometheus.example.com")


def test_the_page_asks_for_nothing_but_itself_and_complains_of_nothing(opened):
    tab = opened(rendered(), viewport={"width": 1200, "height": 900})
    assert [url.rsplit("/", 1)[-1] for url in tab.asked] == ["report.html"]
    assert tab.complaints == []


def test_what_the_page_must_not_fetch_would_be_noticed(opened):
    leaky = rendered().replace("<h1>", '<img src="http://127.0.0.1:9/x.png"><h1>', 1)
    tab = opened(leaky)
    assert any("Content Security Policy" in complaint for complaint in tab.complaints)


def test_hostile_label_values_run_nothing_and_fetch_nothing(opened):
    workloads = [reports.workload(f"w{place}", text) for place, text in enumerate(reports.HOSTILE)]
    tab = opened(
        rendered(*workloads, text="<script>document.title='owned'</script><img src=x onerror=alert(1)>")
    )
    assert tab.title() == "aiops, 2026-03-18 22:28 UTC"
    assert (len(tab.asked), tab.complaints) == (1, [])


def test_every_chart_has_data_and_its_style(opened):
    tab = opened(rendered())
    charts = tab.locator("svg.chart")
    assert charts.count() == 6
    lines = tab.evaluate(
        """() => [...document.querySelectorAll("svg.chart")].map((svg) =>
        ["observed", "expected", "band", "onset"].map((name) => {
          const path = svg.querySelector("." + name); const box = path.getBBox();
          return path.getTotalLength() > 100 && box.width >= (name === "onset" ? 0 : 200); }))"""
    )
    assert lines == [[True] * 4] * 6
    assert tab.locator("svg.chart .observed").first.evaluate("e => getComputedStyle(e).strokeWidth") == "2px"


@pytest.mark.parametrize("width", [320, 390, 768])
def test_a_narrow_page_does_not_scroll_sideways(opened, width):
    long = reports.workload("x" * 120, "y" * 200)
    tab = opened(rendered(*FULL, long), viewport={"width": width, "height": 844})
    assert tab.evaluate("document.documentElement.scrollWidth") == width
    smallest = tab.evaluate(
        """() => Math.min(...[...document.querySelectorAll("svg.chart text")]
        .map((text) => text.getBoundingClientRect().height))"""
    )
    assert smallest >= 9


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(opened, scheme):
    tab = opened(rendered(), color_scheme=scheme)
    tab.evaluate("document.querySelectorAll('details').forEach((one) => one.open = true)")
    contrasts = tab.evaluate(CONTRASTS)
    assert len(contrasts) > 15
    assert {name: ratio for name, ratio in contrasts.items() if ratio < 4.5} == {}
    assert (
        tab.evaluate("getComputedStyle(document.body).backgroundColor")
        == {
            "light": "rgb(255, 255, 255)",
            "dark": "rgb(15, 19, 24)",
        }[scheme]
    )


def test_on_paper_the_rules_are_unfolded_and_the_background_is_white(opened):
    tab = opened(rendered(), color_scheme="dark")
    rule = tab.locator("details table").first
    assert rule.evaluate("e => e.checkVisibility({contentVisibilityAuto: true})") is False
    tab.emulate_media(media="print")
    assert rule.evaluate("e => e.checkVisibility({contentVisibilityAuto: true})") is True
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.pdf(format="A4").startswith(b"%PDF")


def test_a_link_of_the_table_leads_to_the_incident(opened):
    tab = opened(rendered(), viewport={"width": 390, "height": 844})
    tab.locator(".fleet a").first.click()
    assert tab.locator("article").first.evaluate("e => Math.abs(e.getBoundingClientRect().top) < 40")
