"""The step summary: as safe as the body of a pull request, and short."""

from __future__ import annotations

import cmarkgfm
import pytest
from page import reports

from aiops.page import summary


def markdown(*workloads, text="shop"):
    return summary.markdown(reports.read(reports.report(*workloads, text=text)))


def test_only_what_is_not_healthy_is_listed_with_its_pull_request():
    text = markdown(reports.workload("cart", number=7), reports.healthy("calm"))
    assert "1 incident, 1 change proposed" in text
    assert "[rollback #7](https://github.com/acme/gitops/pull/7)" in text
    assert "calm" not in text


@pytest.mark.parametrize("text", reports.HOSTILE)
def test_no_text_of_others_acts(text):
    html = cmarkgfm.github_flavored_markdown_to_html(markdown(reports.workload("cart", text), text=text))
    plain = cmarkgfm.github_flavored_markdown_to_html(markdown(reports.workload("cart", "word"), text="word"))
    # Code spans may differ in number; nothing else may arise.
    for tag in ("<a ", "<img", "<h", "<tr", "<td", "<ul", "<li", "<em", "<strong", "<del", "<input"):
        assert html.count(tag) == plain.count(tag), tag


def test_a_storm_is_cut_and_says_so():
    text = markdown(*(reports.workload(f"cart-{place}") for place in range(50)))
    assert "20 more stand in the page." in text
    assert len(text) < 60_000
