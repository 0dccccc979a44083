"""The page as text: what it holds, what it never holds, and how large it gets."""

from __future__ import annotations

from html.parser import HTMLParser

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from page import reports

from aiops.page import page

TEXT = st.text(min_size=1, max_size=40) | st.sampled_from(reports.HOSTILE)


class Tags(HTMLParser):
    """Every start tag of a page with its attributes, and the text outside the style sheet."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[tuple[str, str | None], ...]]] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def html(*workloads, text: str = "shop", prometheus: str = "") -> str:
    return page.render(reports.read(reports.report(*workloads, text=text)), prometheus)


def skeleton(markup: str) -> list[tuple[str, tuple[str, ...]]]:
    return [(tag, tuple(sorted(name for name, _ in attrs))) for tag, attrs in Tags(markup).tags]


@hypothesis_settings(max_examples=40)
@given(TEXT)
def test_no_text_of_others_adds_an_element_or_an_attribute(text):
    plain = skeleton(html(reports.workload("cart", "word"), text="word"))
    assert skeleton(html(reports.workload("cart", text), text=text)) == plain


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "https://u@evil", " "]
)
def test_only_web_addresses_become_links(url):
    given_workload = reports.workload("cart")
    given_workload["pull_request"]["url"] = url
    targets = [dict(attrs).get("href", "") for tag, attrs in Tags(html(given_workload)).tags if tag == "a"]
    assert targets
    assert [target for target in targets if not target.startswith("#")] == []


def test_what_hides_or_turns_text_around_is_shown_by_its_number():
    markup = html(reports.workload("cart", "a\u202eb\u200bc\x1b"))
    assert "a\\u{202e}b\\u{200b}c\\u{1b}" in markup
    assert "\u202e" not in markup


def test_nothing_on_the_page_could_fetch():
    tags = Tags(html(reports.workload("cart"), prometheus="https://prometheus.example.com/")).tags
    assert {tag for tag, _ in tags} & {"script", "img", "iframe", "object", "embed", "form", "base"} == set()
    fetched = [value for _, attrs in tags for name, value in attrs if name in ("src", "srcset", "style")]
    assert fetched == []
    assert [dict(attrs) for tag, attrs in tags if tag == "link"] == [{"rel": "icon", "href": "data:,"}]
    policies = [dict(attrs).get("content") or "" for tag, attrs in tags if tag == "meta"]
    assert [policy.split("; ")[0] for policy in policies if "default-src" in policy] == ["default-src 'none'"]


@pytest.mark.parametrize("incidents", [3, 100])
def test_the_page_of_100_workloads_is_below_300_kb(incidents):
    workloads = [reports.workload(f"cart-{place}", number=place) for place in range(incidents)]
    workloads += [reports.healthy(f"calm-{place}") for place in range(100 - incidents)]
    markup = html(*workloads, prometheus="https://prometheus.example.com")
    assert len(markup.encode()) < 300_000
    names = " ".join(Tags(markup).words)
    assert [place for place in range(incidents) if f"cart-{place}" not in names] == []
    assert markup.count("<article") >= min(incidents, 8)
    left = incidents - markup.count("<article")
    assert (f"{left} more incidents in the table above only" in names) == (left > 0)


@pytest.mark.parametrize("text", [text for text in reports.HOSTILE if len(text) > 100])
def test_long_texts_of_others_do_not_blow_the_page_up(text):
    workloads = [reports.workload(f"cart-{place}", text) for place in range(100)]
    assert len(html(*workloads, text=text).encode("utf-8", "replace")) < 400_000


def test_workloads_are_listed_worst_first_and_incidents_in_the_same_order():
    mild, bad = reports.workload("mild", number=900), reports.workload("bad", number=1)
    words = Tags(html(reports.healthy("calm"), mild, bad)).words
    order = [word.rsplit("/", 1)[-1] for word in words if word.startswith("prod-eu/shop/Deployment/")]
    assert order[:5] == ["bad", "mild", "calm", "bad", "mild"]


def test_the_headline_counts_what_was_proposed_and_what_was_held():
    held = reports.workload("held")
    held["decision"] = {**held["decision"], "action": "hold", "edits": []}
    found = reports.read(reports.report(reports.workload("cart"), held, reports.healthy("calm")))
    told = [one for one in found.workloads if one.incident]
    assert page.headline(found, told) == "2 incidents, 1 change proposed, 1 held"
    assert (
        page.headline(reports.read(reports.report(reports.healthy("calm"))), [])
        == "Nothing out of the ordinary"
    )
    assert page.headline(reports.read(reports.report()), []) == "Nothing could be judged"


def test_a_query_leads_to_its_window_in_prometheus_only_when_an_address_is_given():
    given_workload = reports.workload("cart")
    assert "/graph?" not in html(given_workload)
    targets = [
        dict(attrs)["href"] or ""
        for tag, attrs in Tags(html(given_workload, prometheus="https://prometheus.example.com/")).tags
        if tag == "a"
    ]
    windows = [
        target for target in targets if target.startswith("https://prometheus.example.com/graph?g0.expr=")
    ]
    assert len(windows) == 2  # two different queries, each once
    assert all(
        window.endswith("g0.range_input=3h&g0.end_input=2026-03-18+22%3A38%3A00") for window in windows
    )


def test_a_report_without_series_tells_the_signals_in_words():
    older = reports.workload("cart")
    del older["incident"]["series"]
    words = " ".join(Tags(html(older)).words)
    assert "shop: 33 %, expected 0.1 %" in words
