from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from propose import gfm, hostile

from aiops.propose import inert

FUNCTIONS = {"label": inert.label, "place": inert.place, "prose": inert.prose}
# Letters of the dangerous alphabet more often than chance would give them.
ANY_TEXT = st.one_of(
    st.text(max_size=200), st.text(alphabet="@#`|<>[]()!/\\:*_~-.wgh1 \n&;%$\"'", max_size=60)
)


def in_a_table(text: str) -> str:
    return f"| a | b |\n|---|---|\n| {text} | b |\n\n- Ruled out: {text}\n"


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
@pytest.mark.parametrize("text", hostile.CORPUS)
def test_nothing_hostile_acts_in_a_table_or_a_list(function, text):
    assert gfm.live(in_a_table(function(text))) == []


@settings(max_examples=1_500, deadline=None)
@given(text=ANY_TEXT)
def test_no_text_acts_or_breaks_its_table(text):
    shown = "\n".join(in_a_table(function(text)) for function in FUNCTIONS.values())
    assert gfm.live(shown) == []
    assert gfm.tags(shown)["td"] == 6


@settings(max_examples=1_000, deadline=None)
@given(text=ANY_TEXT)
def test_no_query_leaves_its_code_block_or_acts_in_a_merge_commit(text):
    shown = f"Q1:\n\n```promql\n  {inert.query(text)}\n```\n"
    assert gfm.live(shown) == []
    assert gfm.tags(shown) == {"p": 1, "pre": 1, "code": 1}


@settings(max_examples=1_000, deadline=None)
@given(text=ANY_TEXT)
def test_no_name_acts_in_a_title(text):
    shown = inert.title(text)
    assert gfm.raw(f"Scale {shown} replicas") == []
    assert gfm.tags(f"Scale {shown} replicas")["a"] == 0
    assert "\n" not in shown


@given(text=st.text(max_size=2_000))
def test_label_text_keeps_to_the_measured_alphabet_and_length(text):
    shown = inert.label(text)
    assert shown == "(empty)" or re.fullmatch(r"`[A-Za-z0-9_ .=,%-]{1,160}`", shown)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "(empty)"),
        ("checkout", "`checkout`"),
        ("a|b`c@d#1", "`a%7Cb%60c%40d%231`"),
        ("é", "`%C3%A9`"),
        ("GH-1", "`GH%2D1`"),
        ("gh-pages", "`gh-pages`"),
        ("x" * 161, "`" + "x" * 157 + "...`"),
    ],
)
def test_label_escapes_bytes(text, expected):
    assert expected == inert.label(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prod-eu/shop/Deployment/checkout", "`prod-eu/shop/Deployment/checkout`"),
        ("spec.containers[0].image", "`spec.containers[0].image`"),
        ("registry:5000/x:1.2", "`registry:5000/x:1.2`"),
        ("https://x/issues/1", "`https:/%2Fx%2Fissues/1`"),
    ],
)
def test_places_stay_readable_but_are_no_address(text, expected):
    assert expected == inert.place(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("load is 1.8 times the forecast.", "load is 1.8 times the forecast."),
        ("rose by 25% (of 4 pods), at 12:03", "rose by 25% (of 4 pods), at 12:03"),
        ("shop/checkout fails", "shop/checkout fails"),
        (
            "image of app: r.example/a:1.2 -> r.example/a:1.3",
            "image of app: r.example/a:1.2 -> r.example/a:1.3",
        ),
        ("error_ratio of <b>", "`error_ratio` of `%3Cb%3E`"),
        ("built from deadbeef1", "built from `deadbeef1`"),
        ("from r:5000/a:1 to r:5000/a:2, 2 min before", "from `r:5000/a:1` to `r:5000/a:2`, 2 min before"),
        ("_,, and _ , and ,", "`_,,` and `_`, and `,`"),
        ("\u0e50 pods", "`%E0%B9%90` pods"),
        ("see www.x.example", "see `www%2Ex.example`"),
        ("", "(empty)"),
    ],
)
def test_prose_keeps_words_and_boxes_the_rest(text, expected):
    assert expected == inert.prose(text)


@given(text=st.text(max_size=3_000))
def test_prose_is_bounded(text):
    assert len(inert.prose(text)) <= inert.MAX_PROSE_OUT


def test_a_query_stays_valid_promql():
    text = 'sum by (workload) (rate(x{code=~"5..|4\\\\d", path!="/@me#1"}[5m]))\n  / 2'
    expected = 'sum by (workload) (rate(x{code=~"5..|4\\\\d", path!="/\\x40me\\x231"}[5m])) / 2'
    assert expected == inert.query(text)
