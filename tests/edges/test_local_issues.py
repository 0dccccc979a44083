from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path

import pytest
from propose import sample, storms

from aiops.domain import IssueText
from aiops.edges.local_issues import LocalIssues
from aiops.errors import ForgeRefused
from aiops.limits import LIMITS
from aiops.propose import tracking

KEY = "abcdef012345"
NOW_S = sample.NOW_S


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "gitops.git.forge"


def text(at_s: int = NOW_S) -> IssueText:
    (made,) = tracking.texts(storms.storm(at_s), (), KEY, at_s, LIMITS)
    return made


def test_an_issue_is_a_file_to_read_and_one_that_says_its_state(folder):
    made = LocalIssues(folder).write(text(), NOW_S)
    assert (folder / "issues" / "1.md").read_text() == text().body
    assert json.loads((folder / "issues" / "1.json").read_text()) == {
        "number": 1,
        "title": text().title,
        "state": "open",
        "marker": text().body.split("\n", 1)[0],
        "labels": [tracking.LABEL],
        "created_at": "2026-11-23T12:00:00Z",
        "updated_at": "2026-11-23T12:00:00Z",
        "closed_at": None,
    }
    assert LocalIssues(folder).all() == (made,)


def test_looking_writes_nothing(folder):
    assert LocalIssues(folder).all() == ()
    assert not folder.exists()


def test_who_comes_second_gets_the_one_that_is_open(folder):
    ours = LocalIssues(folder)
    assert ours.write(text(), NOW_S) == ours.write(text(NOW_S + 60), NOW_S + 60)


def test_a_person_closes_it_by_one_word_and_a_renewal_leaves_that(folder):
    ours = LocalIssues(folder)
    made = ours.write(text(), NOW_S)
    path = folder / "issues" / "1.json"
    path.write_text(path.read_text().replace('"open"', '"closed"'))
    os.utime(path, (NOW_S + 300, NOW_S + 300))
    (seen,) = ours.all()
    assert (seen.state, seen.closed_at_s) == ("closed", NOW_S + 300)
    newer = text(NOW_S + 600)
    assert ours.write(IssueText(made.number, newer.title, newer.body), NOW_S + 600).state == "closed"


def test_it_is_closed_and_opened_again(folder):
    ours = LocalIssues(folder)
    made = ours.write(text(), NOW_S)
    closed = ours.write(IssueText(1, made.title, made.body, "closed"), NOW_S + 60)
    again = ours.write(IssueText(1, made.title, made.body, "open"), NOW_S + 120)
    assert [(one.state, one.closed_at_s) for one in (closed, again)] == [
        ("closed", NOW_S + 60),
        ("open", None),
    ]


def test_a_run_that_dies_between_the_two_files_leaves_what_the_json_says(folder):
    ours = LocalIssues(folder)
    ours.write(text(), NOW_S)
    (folder / "issues" / "1.md").write_text(text(NOW_S + 600).body)
    (seen,) = ours.all()
    mark = tracking.parse(seen.body)
    assert mark is not None
    assert mark.seen_s == NOW_S


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"number": 2}',
        '{"number": 1, "state": "gone"}',
        "x" * 1_000_001,
        "[" * 100_000,
        '{"number": Infinity}',
    ],
)
def test_a_file_that_cannot_be_read_stops_us_with_its_name(folder, content):
    LocalIssues(folder).write(text(), NOW_S)
    (folder / "issues" / "1.json").write_text(content)
    with pytest.raises(ForgeRefused, match=r"issues/1\.json: not an issue of the local forge"):
        LocalIssues(folder).all()


def _open(folder: Path) -> int:
    return LocalIssues(folder).write(text(), NOW_S).number


def test_runs_at_once_open_one(folder):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert set(pool.map(_open, [folder] * 8)) == {1}
    assert sorted(path.name for path in (folder / "issues").iterdir()) == ["1.json", "1.md"]
