from __future__ import annotations

from dataclasses import replace

import pytest
from propose import sample

from aiops.domain import Proposal, PullRequest
from aiops.propose import lifecycle

PROPOSAL = sample.composed(sample.rollback_item())


def pull(number: int, proposal: Proposal = PROPOSAL, **changes: object) -> PullRequest:
    made = PullRequest(
        number, "", proposal.branch, "open", proposal.title, proposal.body, "aiops", (), 0, None, None, None
    )
    return replace(made, **changes)


def test_the_oldest_open_pull_request_of_the_branch_is_the_match():
    pulls = [pull(4), pull(3), pull(2, state="closed"), pull(1, state="merged")]
    assert lifecycle.match(PROPOSAL, pulls) == pulls[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "closed"},
        {"state": "merged"},
        {"branch": "aiops/rollback/000000000000-1"},
        {"branch": "aiops/scale/" + PROPOSAL.branch.split("/")[2]},
        {"branch": "main"},
        {"body": sample.composed(sample.scale_item()).body},
    ],
)
def test_what_is_closed_elsewhere_or_marked_as_another_target_is_no_match(changes):
    assert lifecycle.match(PROPOSAL, [pull(1, **changes)]) is None


def test_a_marker_that_a_person_edited_away_does_not_open_a_second_one():
    assert lifecycle.match(PROPOSAL, [pull(1, body="a person wrote this")]) is not None


def test_another_number_or_value_is_still_the_same_proposal():
    later = lifecycle.numbered(PROPOSAL, 3)
    assert lifecycle.match(PROPOSAL, [pull(1, later)]) is not None


@pytest.mark.parametrize(
    ("branch", "expected"),
    [
        ("aiops/scale/0123456789ab-1", ("aiops/scale/0123456789ab", 1)),
        ("aiops/rollback/0123456789ab-12", ("aiops/rollback/0123456789ab", 12)),
        ("aiops/rollback/0123456789ab-0", (None, 0)),
        ("aiops/rollback/0123456789ab", (None, 0)),
        ("aiops/rollback/0123456789ab-1-1", (None, 0)),
        ("aiops/other/0123456789ab-1", (None, 0)),
        ("aiops/scale/0123456789AB-1", (None, 0)),
        ("x/aiops/scale/0123456789ab-1", (None, 0)),
        ("aiops/scale/0123456789ab-1\n", (None, 0)),
    ],
)
def test_branches_of_ours_have_one_form(branch, expected):
    assert expected == (lifecycle.key(branch), lifecycle.number(branch))


def test_the_number_rises_above_every_used_one():
    used = [pull(9, lifecycle.numbered(PROPOSAL, 4), state="closed"), pull(8, state="merged")]
    assert lifecycle.next_number(PROPOSAL, used) == 5
    assert lifecycle.next_number(PROPOSAL, []) == 1


def test_newer_numbers_alone_do_not_make_a_pull_request_stale():
    item = sample.rollback_item()
    later = replace(item, incident=replace(item.incident, score=30.0))
    newer = sample.composed(later, data_time_s=sample.NOW_S + 300)
    assert newer.body != PROPOSAL.body
    assert lifecycle.is_current(pull(1), newer)


def test_another_value_cause_or_evidence_makes_it_stale():
    item = sample.rollback_item()
    value = replace(
        item,
        decision=replace(item.decision, new="1.13.0"),
        edits=(replace(item.edits[0], new="1.13.0", new_text="1.13.0"),),
    )
    evidence = replace(item, diagnosis=replace(item.diagnosis, against=()))
    assert not lifecycle.is_current(pull(1), sample.composed(value))
    assert not lifecycle.is_current(pull(1), sample.composed(evidence))


def test_a_body_that_a_person_rewrote_is_left_alone_while_the_value_holds():
    assert lifecycle.is_current(pull(1, body="mine"), PROPOSAL)
    assert not lifecycle.is_current(pull(1, body="mine", title="Scale x"), PROPOSAL)
