from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from propose import hostile

from aiops.propose import links

BASE = "https://prometheus.example.com/prefix"
ALLOWED = re.compile(re.escape(BASE) + r"/graph\?[A-Za-z0-9%&=._]+")


def test_a_link_opens_the_query_at_its_window():
    found = links.graph(BASE + "/", 'sum(rate(x{a="b"}[5m]))', 1_795_430_000, 1_795_435_200)
    assert parse_qs(urlsplit(found).query) == {
        "g0.expr": ['sum(rate(x{a="b"}[5m]))'],
        "g0.tab": ["0"],
        "g0.range_input": ["86m"],
        "g0.end_input": ["2026-11-23 12:00:00"],
    }


@given(text=st.text(min_size=1, max_size=200))
def test_nothing_of_a_query_is_left_that_could_end_a_link(text):
    assert ALLOWED.fullmatch(links.graph(BASE, text, 0, 60))


@pytest.mark.parametrize("text", [one for one in hostile.CORPUS if one and len(one) < 300])
def test_a_hostile_query_comes_back_as_it_was(text):
    found = links.graph(BASE, text, 0, 60)
    expected = text.encode("utf-8", "replace").decode()
    assert not found or parse_qs(urlsplit(found).query)["g0.expr"] == [expected]


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "https://user:pw@prometheus.example.com",
        "https://prometheus.example.com/?x=1",
        "https://github.com/acme/gitops/issues/1",
        "https://prometheus.example.com/a)b",
        "https://prometheus.example.com/a b",
        "//prometheus.example.com",
    ],
)
def test_an_address_that_is_not_one_of_a_server_gives_no_link(url):
    assert links.graph(url, "up", 0, 60) == ""


def test_a_link_that_is_too_long_is_none():
    assert links.graph(BASE, "x" * 5_000, 0, 60) == ""
