from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from propose import hostile

from aiops.domain import Workload
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


TRACES = "https://jaeger.example.com/search?service={workload}.{namespace}&start={from_us}&end={to_us}"
CART = Workload("eu", "shop", "Deployment", "cart")


def test_a_template_is_filled_with_the_workload_and_the_window():
    logs = "https://logs.example.com/x?c={cluster}&k={kind}&f={from_ms}&t={to_s}"
    assert links.elsewhere({"traces": TRACES, "logs": logs}, CART, 60, 120) == (
        ("logs", "https://logs.example.com/x?c=eu&k=Deployment&f=60000&t=120"),
        ("traces", "https://jaeger.example.com/search?service=cart.shop&start=60000000&end=120000000"),
    )


@given(name=st.text(min_size=1, max_size=200), namespace=st.text(max_size=50))
def test_nothing_of_a_name_is_left_that_could_end_a_link_or_add_a_parameter(name, namespace):
    workload = Workload("", namespace, "Deployment", name)
    for _, url in links.elsewhere({"traces": TRACES}, workload, 0, 60):
        assert re.fullmatch(
            r"https://jaeger\.example\.com/search\?service=[A-Za-z0-9%.]*&start=0&end=60000000", url
        )
        (found,) = parse_qs(urlsplit(url).query)["service"]
        assert found == f"{name}.{namespace}".encode("utf-8", "replace").decode()


@pytest.mark.parametrize(
    "template",
    [
        "javascript:alert(1)",
        "https://user:secret@x.example.com/?a={workload}",
        "https://x.example.com/?a={workload}) [b](https://y",
        "https://x.example.com/?a={workload} b",
        "https://x.example.com/?a={password}",
        "https://x.example.com/?a={workload",
        "https://{workload}.example.com/",
        "https://x.example.com/{workload}",
        "https://x.example.com/?a=<img>",
        "https://x.example.com/?a=@somebody",
        "https://github.com/acme/shop/issues/7?a={workload}",
    ],
)
def test_a_template_that_could_do_more_than_link_gives_nothing(template):
    assert links.elsewhere({"x": template}, CART, 0, 60) == ()


def test_a_link_that_would_be_too_long_is_left_out():
    template = "https://x.example.com/?a=" + "{workload}" * 400
    long = Workload("eu", "shop", "Deployment", "a" * 63)
    assert links.elsewhere({"x": template}, CART, 0, 60) != ()
    assert links.elsewhere({"x": template}, long, 0, 60) == ()
