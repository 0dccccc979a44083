"""The slice of the edit campaign that every run of the suite makes, and whether its judge can see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from bench.edits import campaign
from bench.edits.idioms import OPEN, Span
from bench.edits.judge import Change, Judge
from bench.edits.pointers import KINDS
from bench.edits.repositories import make

SLICE = 20_000  # edits, in four parts so that a failure names its seeds
BEFORE = "# röd\r\nkind: Deployment\r\nspec: {replicas: 3, tag: 'v1'} # 3\r\n".encode()


@pytest.mark.real
@pytest.mark.parametrize("part", range(4))
def test_no_edit_of_the_slice_is_wrong_and_few_are_refused(part: int) -> None:
    found = campaign.run(range(part * 10_000_000, (part + 1) * 10_000_000), SLICE // 4)

    assert [] == found.wrong
    assert SLICE // 4 <= found.asked
    assert found.refused_share <= campaign.Part.MOST_REFUSED
    assert {kind.__name__ for kind in KINDS} == set(found.by_kind)


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    made = Judge()
    yield made
    made.close()


def change(old: bytes, wanted: str, *, count: bool) -> Change:
    at = BEFORE.index(old)
    return Change(Span(at, at + len(old), old.decode()), old.decode().strip("'"), wanted, count)


@pytest.mark.real
def test_the_judge_passes_what_is_right(judge: Judge) -> None:
    five, tag = change(b"3", "5", count=True), change(b"'v1'", "1.10", count=False)
    after = BEFORE.replace(b": 3", b": 5")

    assert ["", "", ""] == judge.verdicts(
        BEFORE,
        [
            (after, [five]),
            (BEFORE.replace(b"'v1'", b'"1.10"'), [tag]),
            (after.replace(b"'v1'", b"'1.10'"), [five, tag]),
        ],
    )


@pytest.mark.real
@pytest.mark.parametrize(
    ("after", "reason"),
    [
        (BEFORE, "bytes outside"),
        (BEFORE.replace(b": 3", b": 6"), "bytes outside"),
        (BEFORE.replace(b"3", b"5"), "bytes outside"),
        (BEFORE.replace(b": 3", b": 5").replace(b"\r", b""), "bytes outside"),
        (BEFORE.replace(b": 3", b": 5")[:-2], "bytes outside"),
        (BEFORE.replace(b": 3", b": '5'"), "string 5"),
        (BEFORE.replace(b": 3", b": 5").replace(b"Deployment", b"deployment"), "bytes outside"),
    ],
)
def test_the_judge_sees_what_is_wrong(judge: Judge, after: bytes, reason: str) -> None:
    (verdict,) = judge.verdicts(BEFORE, [(after, [change(b"3", "5", count=True)])])

    assert reason in verdict


@pytest.mark.real
@pytest.mark.parametrize("written", [b"1.10", b"010", b"yes", b"~"])
def test_the_judge_sees_a_tag_that_is_no_text_any_more(judge: Judge, written: bytes) -> None:
    after = BEFORE.replace(b"'v1'", written)

    (verdict,) = judge.verdicts(BEFORE, [(after, [change(b"'v1'", written.decode(), count=False)])])

    assert verdict


def test_a_repository_is_a_function_of_its_seed() -> None:
    assert make(7) == make(7)
    assert make(7) != make(8)


def test_spans_are_where_the_values_stand_and_no_mark_is_left() -> None:
    for seed in range(200):
        case = make(seed)
        for ask in case.asks:
            span = case.spans[ask.file][ask.value]
            assert span.text.encode() == case.files[ask.file][span.start : span.end]
            assert ask.old in span.text
        assert all(OPEN.encode() not in content for content in case.files.values())
