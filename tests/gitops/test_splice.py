"""One scalar replaced by its bytes: what is quoted, what is kept, what is refused."""

from __future__ import annotations

import dataclasses

import pytest
import yaml
from ruamel.yaml import YAML

from aiops.domain import Edit, Place
from aiops.errors import EditRefused
from aiops.gitops import splice
from aiops.gitops.snapshot import Spot, locate
from aiops.gitops.text import read

DIGEST = "sha256:" + "0a" * 32
OTHER = "sha256:" + "0b" * 32


def place(content: bytes, *path: str | int, document: int = 0) -> Place:
    return locate(*read(content, pure=True), Spot("f.yaml", document, path, "", ""))


def edited(content: bytes, new: str, *path: str | int) -> bytes:
    edit = splice.edit(content, place(content, *path), new, splice.blob_id(content))
    return splice.replace(content, [edit])


@pytest.mark.parametrize(
    ("tag", "written"),
    [
        ("1.10", '"1.10"'),
        ("1e3", '"1e3"'),
        ("1234e56", '"1234e56"'),
        ("0123456", '"0123456"'),
        ("e033527", '"e033527"'),
        ("0o17", '"0o17"'),
        ("0x1F", '"0x1F"'),
        ("1_000", '"1_000"'),
        ("on", '"on"'),
        ("No", '"No"'),
        ("y", '"y"'),
        ("null", '"null"'),
        ("true", '"true"'),
        ("2026-11-23", '"2026-11-23"'),
        ("7", '"7"'),
        ("1.", '"1."'),
        ("v1.10", "v1.10"),
        ("1.2.3", "1.2.3"),
        ("1.2.3-rc.1", "1.2.3-rc.1"),
        ("abc1234", "abc1234"),
        ("latest", "latest"),
        ("2026-11-23-nightly", "2026-11-23-nightly"),
    ],
)
def test_a_tag_that_some_reader_takes_for_something_else_is_quoted(tag: str, written: str) -> None:
    content = edited(b"images:\n- newTag: v0  # why\n", tag, "images", 0, "newTag")

    assert f"images:\n- newTag: {written}  # why\n".encode() == content
    assert (
        {"images": [{"newTag": tag}]} == yaml.safe_load(content) == YAML(typ="safe", pure=True).load(content)
    )


def test_a_time_like_digest_or_tag_is_never_read_as_base_60() -> None:
    assert [False, False, True] == [splice.reads_as_text(text) for text in ("12:30", "1:2:3", "a:30")]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b"image: 'r:5000/a:1' # x\n", "2", b"image: 'r:5000/a:2' # x\n"),
        (b'image: "r:5000/a:1"\n', "1.10", b'image: "r:5000/a:1.10"\n'),
        (b"image: a:1\r\n", "1.10", b"image: a:1.10\r\n"),
        (b"{image: a:1, x: 1}\n", "2", b"{image: a:2, x: 1}\n"),
        (b"image: a:1", "a:2", b"image: a:2"),
        (f"image: a@{DIGEST}\n".encode(), OTHER, f"image: a@{OTHER}\n".encode()),
        (f"image: a:1@{DIGEST}\n".encode(), f"2@{OTHER}", f"image: a:2@{OTHER}\n".encode()),
        ("image: a:1 # Grüße\nä: 1\n".encode(), "2", "image: a:2 # Grüße\nä: 1\n".encode()),
    ],
)
def test_of_a_whole_reference_only_the_version_changes(old: bytes, new: str, expected: bytes) -> None:
    assert expected == edited(old, new, "image")


@pytest.mark.parametrize(
    ("content", "path", "new", "reason"),
    [
        (b"replicas: 3\n", ("replicas",), "3", "is 3 already"),
        (b"replicas: 3\n", ("replicas",), "4.5", "expected an integer"),
        (b"replicas: 3\n", ("replicas",), "-1", "expected an integer"),
        (b"replicas: 3\n", ("replicas",), "1000000000", "expected an integer"),
        (b"replicas: '3'\n", ("replicas",), "4", "expected a plain integer"),
        (b"replicas: 1_000\n", ("replicas",), "4", "expected a plain integer"),
        (b"replicas: 0x3\n", ("replicas",), "4", "expected a plain integer"),
        (b"tag: v1\n", ("tag",), "a b", "expected a tag or a digest"),
        (b"tag: v1\n", ("tag",), "v1\nx: y", "expected a tag or a digest"),
        (b"tag: v1\n", ("tag",), DIGEST, "cannot stand for"),
        (b"image: a:1\n", ("image",), "b:2", "expected another version of a"),
        (f"image: a:1@{DIGEST}\n".encode(), ("image",), "2", "change together"),
        (b"tag: !!str v1\n", ("tag",), "v2", "anchor or a tag"),
        (b"tag: &t v1\n", ("tag",), "v2", "anchor or a tag"),
        (b"tag: |\n  v1\n", ("tag",), "v2", "several lines"),
        (b"image: &i {tag: v1}\nother: *i\n", ("image", "tag"), "v2", "inside the anchor &i"),
    ],
)
def test_what_does_not_fit_is_refused(content: bytes, path: tuple[str, ...], new: str, reason: str) -> None:
    with pytest.raises(EditRefused, match=reason):
        edited(content, new, *path)


def test_a_place_that_moved_is_refused() -> None:
    old = b"replicas: 3\n"
    moved = b"# new\nreplicas: 3\n"

    with pytest.raises(EditRefused, match="the file changed"):
        splice.edit(moved, place(old, "replicas"), "4", splice.blob_id(moved))


def test_several_edits_of_one_file_are_made_at_once() -> None:
    content = b"a: {tag: v1}\nb: {tag: w1} # b\n"
    blob = splice.blob_id(content)
    edits = [
        splice.edit(content, place(content, "a", "tag"), "v2-long", blob),
        splice.edit(content, place(content, "b", "tag"), "w", blob),
    ]

    assert b"a: {tag: v2-long}\nb: {tag: w} # b\n" == splice.replace(content, edits)
    assert splice.replace(content, edits) == splice.replace(content, edits[::-1])


def test_overlapping_edits_are_refused() -> None:
    content = b"tag: v1\n"
    edit = splice.edit(content, place(content, "tag"), "v2", splice.blob_id(content))

    with pytest.raises(EditRefused, match="overlap"):
        splice.replace(content, [edit, edit])


@pytest.mark.parametrize(
    "new_text",
    ["v2\nextra: 1", "v2, extra: 1", "{v: 2}", "&a v2", "*a", "3", "v2 # gone", "'v2", "v3"],
)
def test_an_edit_that_says_one_thing_and_writes_another_is_refused(new_text: str) -> None:
    content = b"tag: v1\nx: 1\n"
    honest = splice.edit(content, place(content, "tag"), "v2", splice.blob_id(content))
    forged = Edit(honest.file, 0, honest.path, "v1", "v2", new_text, honest.start, honest.end, honest.blob)

    with pytest.raises(EditRefused, match="not the new value"):
        splice.replace(content, [forged])


@pytest.mark.parametrize(
    ("content", "new", "new_text", "reason"),
    [
        (b"tag: v1\nx: 1\n", "2", "2", "becomes a int"),
        (b"tag: v1\nx: 1\n", "on", "on", "1.1 rules the value becomes a bool"),
        (b"tag: v1\nx: 1\n", "0o17", "0o17", "1.2 rules the value becomes a int"),
        (b"tag: v1\nx: 1\n", "a:", "a:", "not readable|structure|else"),
        (b"tag: v1\nx: 1\n", "-", "-", "not readable|structure|else"),
    ],
)
def test_both_readers_must_agree_that_only_the_value_changed(
    content: bytes, new: str, new_text: str, reason: str
) -> None:
    at = place(content, "tag")
    forged = Edit("f.yaml", 0, ("tag",), "v1", new, new_text, at.start, at.end, splice.blob_id(content))

    with pytest.raises(EditRefused, match=reason):
        splice.replace(content, [forged])


def test_a_span_that_is_not_the_scalar_is_refused() -> None:
    content = b"tag: v1\nx: v1\n"
    honest = splice.edit(content, place(content, "tag"), "v2", splice.blob_id(content))
    forged = Edit(honest.file, 0, honest.path, "v1", "v2", "v2", 11, 13, honest.blob)

    with pytest.raises(EditRefused, match="expected 'v1'"):
        splice.replace(content, [forged])


def test_a_sha256_repository_has_longer_ids() -> None:
    content = b"tag: v1\n"
    edit = splice.edit(content, place(content, "tag"), "v2", splice.blob_id(content, 64))

    assert b"tag: v2\n" == splice.replace(content, [edit])


def test_the_value_of_a_field_is_the_version_of_a_reference() -> None:
    assert ["1", "v1", f"1@{DIGEST}", "3"] == [
        splice.value_of(("image",), "r:5000/a:1"),
        splice.value_of(("image", "tag"), "v1"),
        splice.value_of(("image",), f"a:1@{DIGEST}"),
        splice.value_of(("spec", "replicas"), "3"),
    ]


def test_a_tag_that_flux_would_fill_in_as_a_number_is_refused() -> None:
    content = b'data:\n  TAG: "1.4.0"\n'
    alone = dataclasses.replace(place(content, "data", "TAG"), kind="Flux substitute, alone")
    blob = splice.blob_id(content)

    assert "1.4.1" == splice.edit(content, alone, "1.4.1", blob).new
    with pytest.raises(EditRefused, match=r"Flux would fill in 1\.10 without quotes"):
        splice.edit(content, alone, "1.10", blob)
