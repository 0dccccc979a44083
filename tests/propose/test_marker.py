from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from propose import sample

from aiops.domain import Cause, Workload
from aiops.propose import marker

MARK = marker.Marker(
    action="rollback",
    target="0123456789ab",
    workload="ba9876543210",
    cause=Cause.BAD_RELEASE,
    trigger="image-0123456789ab-1795434120",
    base_sha=sample.BASE_SHA,
    data_s=sample.NOW_S,
    evidence="aaaaaaaaaaaa",
    old="6",
    new="9",
    per_pod=12.5,
    judge="bbbbbbbbbbbb",
    outcome="no-help",
)


def test_a_marker_is_read_back_as_it_was_written():
    assert marker.parse(f"{MARK}\n\ntext") == MARK


@pytest.mark.parametrize(
    "body",
    ["", "text", f"text\n{MARK}", f"> {MARK}", str(MARK)[:-4], str(MARK).replace("bad-release", "magic")],
)
def test_only_a_whole_marker_in_the_first_line_counts(body):
    assert marker.parse(body) is None


def test_line_ends_that_a_forge_changed_do_not_hide_the_marker():
    assert marker.parse(f"{MARK} \r\n\r\ntext") == MARK


@given(text=st.text())
def test_parsing_never_fails(text):
    assert marker.parse(text) in {None, MARK}


def test_the_value_is_not_in_the_target():
    item = sample.rollback_item()
    other = (replace(item.edits[0], new="1.13.0", new_text="1.13.0"),)
    same = [
        marker.target_hash("main", item.workload, "rollback", "image.tag", edits)
        for edits in (item.edits, other)
    ]
    assert same[0] == same[1]


@pytest.mark.parametrize(
    ("base", "workload", "action", "field"),
    [
        ("other", sample.CHECKOUT, "rollback", "image.tag"),
        ("main", Workload("prod-us", "shop", "Deployment", "checkout"), "rollback", "image.tag"),
        ("main", sample.CHECKOUT, "scale", "image.tag"),
        ("main", sample.CHECKOUT, "rollback", "image.digest"),
    ],
)
def test_everything_else_is_in_the_target(base, workload, action, field):
    edits = sample.rollback_item().edits
    own = marker.target_hash("main", sample.CHECKOUT, "rollback", "image.tag", edits)
    assert own != marker.target_hash(base, workload, action, field, edits)


def test_the_kind_that_only_some_sources_know_is_not_in_the_workload():
    assert marker.workload_hash(sample.CHECKOUT) == marker.workload_hash(replace(sample.CHECKOUT, kind=""))


def test_a_load_onset_is_one_trigger_for_its_utc_day():
    item = sample.scale_item()
    assert marker.trigger(item.incident, item.diagnosis) == "load-2026-11-23"


def test_a_release_is_its_own_trigger():
    item = sample.rollback_item()
    other = replace(item.diagnosis, change=replace(item.diagnosis.change, new="1.14.4"))
    assert marker.trigger(item.incident, item.diagnosis) != marker.trigger(item.incident, other)


def test_evidence_with_other_numbers_is_the_same_evidence():
    found = sample.rollback_item().diagnosis
    moved = replace(found, evidence=tuple(replace(one, value=0.5, claim="now 0.5") for one in found.evidence))
    assert marker.evidence_hash(found) == marker.evidence_hash(moved)
    assert marker.evidence_hash(found) != marker.evidence_hash(replace(found, against=()))


def test_another_marker_replaces_the_first_line_alone():
    ended = replace(MARK, outcome="helped")
    assert marker.rewritten(f"{MARK}\r\n\ntext", ended) == f"{ended}\n\ntext"
    assert marker.rewritten(str(MARK), ended) == str(ended)
    assert marker.rewritten("a person's\ntext", ended) == "a person's\ntext"


def test_counts_stand_in_the_marker_and_everything_else_as_a_hash():
    assert (marker.value("12"), marker.value("1.2"), marker.value("1234567")) == (
        "12",
        marker.digest("1.2"),
        marker.digest("1234567"),
    )


DAY = 86_400
IMAGE = "image-0123456789ab-"
SAME = [
    ("the same trigger", f"{IMAGE}1000000", f"{IMAGE}1000000", 0, True),
    ("the same tag, seen a little later", f"{IMAGE}1000000", f"{IMAGE}1000600", 0, True),
    ("the same tag, again a day later", f"{IMAGE}1000000", f"{IMAGE}{1000000 + DAY}", 0, False),
    ("another tag", f"{IMAGE}1000000", "image-ba9876543210-1000000", 0, False),
    ("settings instead of an image", f"{IMAGE}1000000", "config-0123456789ab-1000000", 0, False),
    ("load, past midnight", "load-2026-11-23", "load-2026-11-24", DAY - 1, True),
    ("load, a day of rest between", "load-2026-11-23", "load-2026-11-24", DAY, False),
    ("load after a release", f"{IMAGE}1000000", "load-2026-11-24", 0, False),
    ("load after what a person asked for", marker.BY_HAND, "load-2026-11-24", 0, False),
    ("load of the same day", "load-2026-11-23", "load-2026-11-23", 3 * DAY, True),
]


@pytest.mark.parametrize(
    ("then", "now", "later_s", "expected"), [row[1:] for row in SAME], ids=[row[0] for row in SAME]
)
def test_bursts_less_than_a_day_apart_are_one_incident(then, now, later_s, expected):
    last_s = 1_795_435_200
    mark = replace(MARK, trigger=then)
    assert marker.same_incident(mark, now, last_s + later_s, last_s, DAY) is expected
