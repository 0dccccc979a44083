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
