from __future__ import annotations

import pytest

from aiops.domain import Query
from aiops.ingest import presets
from aiops.mesh.expression import Aggregate, Apply, Binary, Matcher, Number, Selector, parse


def test_a_selector_has_its_matchers_and_range() -> None:
    expected = Selector("up", (Matcher("job", "=", "a"), Matcher("code", "=~", "5..")), 300)
    assert expected == parse('up{job="a",code=~"5.."}[5m]')


def test_operators_bind_as_prometheus_documents() -> None:
    a, b, c = (Selector(name, (), None) for name in "abc")
    product = Binary("*", b, c, truth=False, on=None, group_left=None)
    total = Binary("+", a, product, truth=False, on=None, group_left=None)
    above = Binary(">", total, Number(1.0), truth=True, on=None, group_left=None)
    assert Binary("or", above, c, truth=False, on=None, group_left=None) == parse("a + b * c > bool 1 or c")


def test_joins_and_aggregations_are_read() -> None:
    joined = Binary("*", Selector("a", (), None), Selector("b", (), None), False, ("x", "y"), ("z",))  # noqa: FBT003
    assert Aggregate("sum", ("x",), joined) == parse("sum by (x) (a * on (x, y) group_left (z) b)")
    assert Apply("rate", (Selector("a", (), 60),)) == parse("rate(a[1m])")


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [("5..", "503", True), ("5..", "1503", False), (".*", "", True), ("a|b", "b", True)],
)
def test_a_pattern_matches_the_whole_value(pattern: str, value: str, *, expected: bool) -> None:
    assert Matcher("l", "=~", pattern).matches({"l": value}) is expected
    assert Matcher("l", "!~", pattern).matches({"l": value}) is not expected


@pytest.mark.parametrize("text", ["sum(", "a b", "a{b}", "a @ 5", "rate(a[5m]) offset 1h", ""])
def test_what_is_not_known_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|cannot read"):
        parse(text)


@pytest.mark.parametrize(
    "query",
    [*presets.signal_queries(("istio", "kubernetes")), *presets.context_queries()],
    ids=lambda query: query.name,
)
def test_every_named_query_is_read(query: Query) -> None:
    assert parse(query.expr)
