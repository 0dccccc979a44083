"""A key or list entry is inserted in the style of its neighbours, and nothing else changes.

The oracle loads both files with PyYAML and with ruamel: the new tree is the old one plus the entry.
"""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from aiops.domain import Insertion
from aiops.errors import EditRefused
from aiops.gitops import splice

TAGS = st.sampled_from(["1.4.0", "1.10", "on", "0123", "v3", "1e3", "e033527", "sha-1f"])
TAILS = st.sampled_from(["", "\n", "\n\n", "\n# last words\n", "\n---\nkind: Other\n"])
HEADS = st.sampled_from(["", "# head\n", "---\n", "\ufeff"])
BEFORE = st.sampled_from(
    [
        "resources: [../base]",
        "resources:\n- ../base  # shared",
        "resources:\n    -   ../base",
        "note: |\n  a\n\n  b",
        "note: >-\n  folded\n  text",
        "labels:\n    a: {b: 'c'}",
        "'quoted key': \"v # no comment\"",
    ]
)
ENTRIES = st.sampled_from(
    [
        "",
        "images:\n- name: other\n  newTag: v1 # pinned",
        "images:\n  -   name: other\n      newTag: v1",
        "images: [{name: other, newTag: v1}]",
        "images: []",
        'images: [\n    {"name": "other", "newTag": "v1"}\n  ]',
    ]
)


def inserted(content: bytes, path: tuple[str | int, ...], new: str, entry: str = "") -> bytes:
    at = Insertion("k.yaml", 0, path, entry, "kustomization")
    edit = splice.insert(content, at, "v0", new, splice.blob_id(content))
    changed = splice.replace(content, [edit])
    assert content == changed[: edit.start] + changed[edit.start + len(edit.new_text.encode()) :]
    return changed


def loaded(content: bytes) -> tuple[list[Any], list[Any]]:
    text = content.decode("utf-8-sig")
    return list(yaml.safe_load_all(text)), list(YAML(typ="safe", pure=True).load_all(text))


@settings(
    max_examples=400, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck)
)
@given(
    HEADS,
    st.lists(BEFORE, min_size=1, max_size=3, unique=True),
    ENTRIES,
    TAILS,
    TAGS,
    st.sampled_from(["\n", "\r\n"]),
)
def test_an_images_entry_is_all_that_is_added(
    head: str, before: list[str], entries: str, tail: str, tag: str, line_end: str
) -> None:
    keys = {text.partition(":")[0]: text for text in before}
    body = "\n".join([*keys.values(), *([entries] if entries else [])])
    text = head + body + tail
    content = (text.replace("\n", line_end)).encode()
    expected_11, expected_12 = (copy.deepcopy(each) for each in loaded(content))
    count = len(expected_11[0].get("images") or [])
    if not entries and not tail and body.endswith("  b"):
        # A block at the very end has no final line break; one more key would give it one.
        with pytest.raises(EditRefused):
            inserted(content, ("images", count, "newTag"), tag, "web")
        return

    changed = inserted(content, ("images", count, "newTag"), tag, "reg.example.com:5000/shop/web")

    for expected in (expected_11, expected_12):
        expected[0].setdefault("images", []).append({"name": "reg.example.com:5000/shop/web", "newTag": tag})
    assert (expected_11, expected_12) == loaded(changed)
    if b"\r\n" in content:
        assert not re.search(rb"[^\r]\n", changed)


@pytest.mark.parametrize(
    ("text", "path", "new", "expected"),
    [
        ("a:\n    b: 1\n", ("a", "replicas"), "3", "a:\n    b: 1\n    replicas: 3\n"),
        ("a: {b: 1}\n", ("a", "replicas"), "3", "a: {b: 1, replicas: 3}\n"),
        ("a: {}\n", ("a", "image", "tag"), "v1", "a: {image: {tag: v1}}\n"),
        ("a:\n  b:\n    c: 1\n", ("a", "i", "tag"), "on", 'a:\n  b:\n    c: 1\n  i:\n    tag: "on"\n'),
        ("a:\n- b: |\n    x\n\n\nd: 2\n", ("a", 0, "t"), "v1", "a:\n- b: |\n    x\n  t: v1\n\n\nd: 2\n"),
        ("a: 1\nb:\n# - c\n", ("tag",), "v1", "a: 1\ntag: v1\nb:\n# - c\n"),
        ("a: |\n  b: 1\nd: 2\n", ("a", "|", "tag"), "v1", "a: |\n  b: 1\n  tag: v1\nd: 2\n"),
    ],
)  # fmt: skip
def test_a_key_follows_the_last_one_of_its_parent(
    text: str, path: tuple[str | int, ...], new: str, expected: str
) -> None:
    assert expected == inserted(text.encode(), path, new).decode()


@pytest.mark.parametrize(
    ("text", "path", "why"),
    [
        ("a: &x {b: 1}\nc: *x\n", ("c", "tag"), "alias"),
        ("a: {<<: *x}\nb: &x {}\n", ("a", "tag"), "not readable|alias or a merge key"),
        ("a:\n", ("a", "tag"), "no keys stand there"),
        ("a: text\n", ("a", "tag"), "no keys stand there"),
        ("a: {tag: v0}\n", ("a", "tag"), "written there already"),
        ("a: &x\n  b: 1\n", ("a", "tag"), "anchor"),
        ("a:\n  b:\n", ("a", "tag"), "no key there has a value"),
        ("a: >\n  b: 1\n", ("a", "|", "tag"), "not a literal block"),
        ("a: 'b: 1'\n", ("a", "|", "tag"), "not a literal block"),
    ],
)
def test_what_has_no_certain_place_is_refused(text: str, path: tuple[str | int, ...], why: str) -> None:
    with pytest.raises(EditRefused, match=why):
        inserted(text.encode(), path, "v1")


def test_an_insertion_writes_its_own_text_whatever_the_plan_says() -> None:
    content = b"images: []\n"
    at = Insertion("k.yaml", 0, ("images", 0, "newTag"), "web", "kustomization")
    honest = splice.insert(content, at, "v0", "v1", splice.blob_id(content))
    from dataclasses import replace

    for forged in (
        replace(honest, new_text="{name: web, newTag: v1}, {name: other, newTag: v9}"),
        replace(honest, start=0, end=0),
        replace(honest, entry="web\n- evil"),
        replace(honest, new="v1\nevil: true"),
    ):
        with pytest.raises(EditRefused):
            splice.replace(content, [forged])


MARKED = b'images:\n- name: web\n  newTag: v2 # {"$imagepolicy": "flux-system:web:tag"}\nx: 1 # keep\n'


def test_only_the_marker_behind_the_value_can_be_removed() -> None:
    from dataclasses import replace

    from aiops.gitops.snapshot import Spot

    place = splice.located(MARKED, Spot("k.yaml", 0, ("images", 0, "newTag"), "v2", ""))
    honest = splice.remove_marker(MARKED, place, splice.blob_id(MARKED))

    assert b"images:\n- name: web\n  newTag: v2\nx: 1 # keep\n" == splice.replace(MARKED, [honest])
    other = splice.located(MARKED, Spot("k.yaml", 0, ("x",), "1", ""))
    with pytest.raises(EditRefused, match="no image policy marker"):
        splice.remove_marker(MARKED, other, splice.blob_id(MARKED))
    for forged in (
        replace(honest, end=honest.end + 4),
        replace(honest, path=("x",)),
        replace(honest, new_text="#"),
    ):
        with pytest.raises(EditRefused):
            splice.replace(MARKED, [forged])
