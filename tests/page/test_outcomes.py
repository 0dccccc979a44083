from __future__ import annotations

import pytest
from page import reports

from aiops.page import outcomes
from aiops.page.tree import el, html

NAMED = {"cluster": "", "namespace": "shop", "kind": "Deployment", "name": "cart"}


def shown(**changes: object) -> str:
    found = reports.read({**reports.report(), **changes})
    return html(el("div", *(part for part in outcomes.sections(found) if part is not None)))


def test_what_was_ended_and_how_earlier_proposals_fared_stand_on_the_page():
    told = shown()
    assert "pull request 12</span></b> over. shop" in told
    assert "6 proposals in 30 days; of 4 that a person decided about 2 were accepted" in told
    assert "(50%)" in told
    assert ": 6 proposed, 3 merged, 1 declined, 2 closed by aiops, 2 helped, 1 did not help</li>" in told
    assert "says that the whole fleet is held back (opened)." in told


def test_an_address_is_a_link_and_anything_else_is_none():
    one = {"number": 4, "url": "https://x/4", "state": "exists"}
    assert '<a href="https://x/4" rel="noreferrer noopener">issue 4</a>' in shown(tracking_issue=one)
    assert "<a" not in shown(tracking_issue={**one, "url": "javascript:alert(1)"})


def test_nothing_to_tell_is_no_section():
    assert shown(followed=[], reviews=[], tracking_issue=None) == "<div></div>"


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ({"proposed": 1}, "1 proposal in 30 days, none decided yet"),
        ({"proposed": 2, "merged": 1, "confirmed": 1}, "(100%)"),
        ({"proposed": 2, "merged": 1, "no_help": 1, "declined": 1}, "(0%)"),
    ],
)
def test_right_counts_only_what_a_person_decided_about(counts, expected):
    found = reports.read({**reports.report(), "reviews": [reports.reviewed(NAMED, **counts)]})
    assert expected in outcomes.right(found.reviews)
