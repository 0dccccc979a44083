from __future__ import annotations

from dataclasses import replace

import pytest
from propose import gfm, hostile, sample

from aiops.domain import Cause, Rollback, Scale
from aiops.errors import EditRefused
from aiops.propose import lifecycle, marker, proposal


def test_the_title_says_what_changes_from_what_to_what():
    rollback, scale = (sample.composed(item) for item in (sample.rollback_item(), sample.scale_item()))
    assert rollback.title == "Roll back shop/checkout image tag 1.14.3 to 1.14.2"
    assert scale.title == "Scale shop/cart autoscaler maximum 6 to 9"


def test_the_title_of_a_give_back_is_no_scale_to_be_wondered_at():
    item = sample.scale_item()
    back = Scale("hpa.max", 9, 6, "S9", "no longer needed", variant=marker.GIVE_BACK)
    made = sample.composed(replace(item, decision=back))
    assert made.title == "Give back shop/cart autoscaler maximum 9 to 6"


def test_a_digest_is_shortened_in_the_title_only():
    item = sample.rollback_item()
    old, new = "sha256:" + "a" * 64, "sha256:" + "b" * 64
    edit = sample.edit("x.yaml", f"image: {old}\n".encode(), ("image",), old, new)
    item = replace(item, decision=Rollback("image.digest", old, new, "R", "reason"), edits=(edit,))
    made = proposal.compose(
        item, sample.plan(item), {"x.yaml": f"image: {old}\n".encode()}, {"x.yaml": "100644"}
    )
    assert made.title == "Roll back shop/checkout image digest aaaaaaaaaaaa to bbbbbbbbbbbb"
    assert made.files == {"x.yaml": f"image: {new}\n".encode()}


def test_only_the_one_value_changes_and_the_mode_is_kept():
    made = sample.composed(sample.rollback_item())
    assert made.files == {sample.IMAGE_FILE: sample.IMAGE_CONTENT.replace(b"1.14.3", b"1.14.2")}
    assert made.modes == {sample.IMAGE_FILE: "100644"}


def test_the_branch_is_made_of_hashes_and_does_not_know_the_value():
    item = sample.rollback_item()
    other = replace(
        item,
        decision=replace(item.decision, new="1.13.0"),
        edits=(replace(item.edits[0], new="1.13.0", new_text="1.13.0"),),
    )
    assert lifecycle.number(sample.composed(item).branch) == 1
    assert sample.composed(item).branch == sample.composed(other).branch
    assert proposal.branch_key(item, "main") == lifecycle.key(sample.composed(item).branch)


def test_the_marker_stands_in_the_first_line_of_the_body():
    made = sample.composed(sample.rollback_item())
    assert made.body.splitlines()[0] == made.marker
    found = marker.parse(made.body)
    assert found is not None
    assert made.branch == f"aiops/rollback/{found.target}-1"
    assert (found.base_sha, found.data_s) == (sample.BASE_SHA, sample.NOW_S)


def test_the_same_item_gives_the_same_proposal():
    assert sample.composed(sample.rollback_item()) == sample.composed(sample.rollback_item())


@pytest.mark.parametrize("text", [text for text in hostile.CORPUS if text])
def test_title_and_commit_message_are_inert_as_raw_text(text):
    item = sample.rollback_item()
    workload = replace(item.workload, namespace=text, name=text)
    item = replace(
        item, workload=workload, decision=replace(item.decision, old=text, new=text), edits=item.edits
    )
    made = sample.composed(item)
    assert gfm.raw(made.title) == []
    assert gfm.raw(made.commit_message) == []
    assert len(made.title) <= 350
    assert "\n" not in made.title


def test_a_hold_has_no_proposal():
    with pytest.raises(EditRefused, match="a hold has nothing to propose"):
        sample.composed(sample.hold_item())
    with pytest.raises(EditRefused, match="a hold has no branch"):
        proposal.branch_key(sample.hold_item(), "main")


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "../x.yaml", "a/../../x", ".git/config", "a/.git/config", ".github/workflows/x.yaml",
        ".GIT/config", ".git./config", "a//b", "a/./b", "", "a\\b", "a\x00b", "c:/x", "x" * 2_000,
    ],
)  # fmt: skip
def test_paths_that_a_proposal_may_not_write_are_refused(path):
    item = sample.rollback_item()
    item = replace(item, edits=(replace(item.edits[0], file=path),))
    with pytest.raises(EditRefused, match="may not write this path"):
        proposal.compose(item, sample.plan(item), {path: b"x"}, {path: "100644"})


def test_a_file_that_is_not_in_the_base_is_refused():
    item = sample.rollback_item()
    with pytest.raises(EditRefused, match="not in the base commit"):
        proposal.compose(item, sample.plan(item), {}, {})


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Title\n\ntext\n\nAiops-Target: 0123456789ab\n", True),
        ("Title\n\nAiops-Target: 0123456789ab\n\nand more of a person", False),
        ("Title\n\nAiops-Target: ffffffffffff\n", False),
        ("", False),
    ],
)
def test_a_commit_is_ours_by_its_last_line(message, expected):
    assert expected == proposal.is_our_commit(message, "aiops/scale/0123456789ab-2")


def test_no_commit_is_ours_on_another_branch():
    assert not proposal.is_our_commit("x\n\nAiops-Target: \n", "main")


def test_what_an_open_pull_request_is_about_is_kept_when_it_is_brought_up_to_date():
    first = marker.parse(sample.composed(sample.scale_item(), judge="aaaaaaaaaaaa").body)
    item = sample.scale_item()
    later = replace(
        item,
        incident=replace(item.incident, onset_s=item.incident.onset_s + 86_400),
        diagnosis=replace(item.diagnosis, cause=Cause.UNKNOWN),
        decision=replace(item.decision, new=8),
        edits=(replace(item.edits[0], new="8", new_text="8"),),
    )
    plan = replace(sample.plan(later), judge="bbbbbbbbbbbb", data_time_s=sample.NOW_S + 86_400)
    contents = {sample.HPA_FILE: sample.HPA_CONTENT}
    made = proposal.compose(later, plan, contents, {sample.HPA_FILE: "100644"}, first)
    mark = marker.parse(made.body)
    assert (mark.cause, mark.trigger, mark.judge) == (first.cause, first.trigger, first.judge)
    assert (mark.old, mark.new, mark.data_s) == ("6", "8", sample.NOW_S + 86_400)
