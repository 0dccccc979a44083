"""A slice of the edit fuzzer: generated manifests in every idiom, one value changed, nothing else.

Properties: the bytes outside of the span are the same, both YAML readers see exactly one scalar
differ and it has the value that was meant, and editing back restores the bytes.
"""

from __future__ import annotations

from typing import Any

import yaml
from gitops.folders import MemoryFiles
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from aiops.domain import Place, Workload
from aiops.gitops import splice, where

EXAMPLES = 700  # of each of three properties
TAGS = st.one_of(
    st.from_regex(r"v?[0-9]{1,3}(\.[0-9]{1,3}){0,2}", fullmatch=True),
    st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}", fullmatch=True),
    st.sampled_from(
        ["1e3", "1.10", "0123456", "on", "no", "null", "y", "2026-11-23", "0x1f", "1_0", "0o7", "1."]
    ),
)
SPACES = st.sampled_from(["", " ", "  "])
COMMENTS = st.sampled_from(["", " # why", " #", "   # äöü 世界 🚀", ' # {"key": "value"}', " # replicas: 9"])
QUOTES = st.sampled_from(["", "'", '"'])
FILLERS = st.lists(
    st.sampled_from(
        [
            "# a comment",
            "",
            "   ",
            "# replicas: 7",
            "annotations: {note: 'it''s', other: \"tab\\there\"}",
            "text: |\n  replicas: 3\n  image: a:1\n",
            "folded: >-\n  image: b:2\n  and more\n",
            "wide: 'ünïcode 🚀 — 世界'",
            "list: [1, 2.0, yes, ~, 0o7]",
            "? complex\n: value",
            "empty:",
            "url: http://x.example.com:80/a?b#c",
        ]
    ),
    max_size=4,
    unique=True,
)


@st.composite
def manifests(draw: st.DrawFn) -> tuple[bytes, str, str]:
    """Return (content, old replicas, old tag) of a file with one Deployment `web` among others."""
    step = " " * draw(st.sampled_from([1, 2, 2, 2, 4, 8]))
    flush = draw(st.booleans())  # list dashes at the column of their key
    quote, tag, replicas = draw(QUOTES), draw(TAGS), str(draw(st.integers(1, 9_999)))
    image = f"{quote}reg.example.com:5000/shop/web:{tag}{quote}"
    noise = "\n".join(draw(FILLERS))
    gap, comment, other = draw(SPACES), draw(COMMENTS), draw(COMMENTS)
    if draw(st.booleans()):
        body = (
            f"kind: Deployment\nmetadata:\n{step}name: web{other}\n{noise}\nspec:{other}\n"
            f"{step}replicas:{gap or ' '}{replicas}{comment}\n{step}template:\n{step * 2}spec:\n"
            f"{step * 3}containers:\n{step * 3}{'' if flush else step}- name: web\n"
            f"{step * 3}{'' if flush else step}  image: {image}{comment}\n"
        )
    else:
        body = (
            f'{{"kind": "Deployment",{gap} "metadata": {{"name": web}},'
            f" spec: {{replicas:{gap or ' '}{replicas},\n"
            f" template: {{spec: {{containers: [{{name: web, image: {image}{gap}}}]}}}}}}}}{comment}\n"
        )
    before = draw(
        st.lists(
            st.sampled_from(["kind: Service\nmetadata: {name: web}\n", "", "# only this\n", "a: 1\n"]),
            max_size=2,
        )
    )
    text = "---\n".join([*before, body])
    if draw(st.booleans()):
        text = "---\n" + text
    if draw(st.booleans()):
        text = text.rstrip("\n")
    if draw(st.booleans()):
        text = text.replace("\n", "\r\n")
    bom = b"\xef\xbb\xbf" if draw(st.booleans()) else b""
    return bom + text.encode(), replicas, tag


def change(content: bytes, field: str, new: str) -> tuple[bytes, str, Any]:
    """Return (new content, old value of the field, edit)."""
    files = MemoryFiles({"web.yaml": content})
    target = where.resolve(
        files, Workload("", "shop", "Deployment", "web"), field, image="reg.example.com:5000/shop/web:x"
    )
    assert (None, True) == (target.refusal, target.winner is not None), content
    edit = splice.edit(content, target.winner, new, splice.blob_id(content))
    return splice.replace(content, [edit]), splice.value_of(edit.path, edit.old), edit


def differences(old: bytes, new: bytes) -> tuple[list[tuple[Any, Any]], list[tuple[Any, Any]]]:
    """Return the scalars that differ as PyYAML and as ruamel load them, by a check of its own."""

    def scalars(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [leaf for key, inner in value.items() for leaf in (key, *scalars(inner))]
        if isinstance(value, list):
            return [leaf for inner in value for leaf in scalars(inner)]
        return [value]

    def differing(load: Any) -> list[tuple[Any, Any]]:
        before, after = scalars(list(load(old))), scalars(list(load(new)))
        assert len(before) == len(after)
        return [(a, b) for a, b in zip(before, after, strict=True) if (type(a), a) != (type(b), b)]

    return (
        differing(lambda raw: yaml.safe_load_all(raw.decode("utf-8-sig"))),
        differing(lambda raw: YAML(typ="safe", pure=True).load_all(raw.decode("utf-8-sig"))),
    )


FUZZ = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@FUZZ
@given(manifests(), st.integers(0, 99_999))
def test_any_replicas_change_alone_and_back(made: tuple[bytes, str, str], wanted: int) -> None:
    content, replicas, _ = made
    new = str(wanted if str(wanted) != replicas else wanted + 1)

    changed, old, edit = change(content, "replicas", new)

    assert replicas == old
    assert content[: edit.start] + new.encode() + content[edit.end :] == changed
    assert ([(int(replicas), int(new))],) * 2 == differences(content, changed)
    if new != "0":
        assert content == change(changed, "replicas", replicas)[0]


@FUZZ
@given(manifests(), TAGS)
def test_any_tag_changes_alone_and_back(made: tuple[bytes, str, str], wanted: str) -> None:
    content, _, tag = made
    new = wanted if wanted != tag else f"{wanted[:19]}x"

    changed, old, edit = change(content, "image.tag", new)

    image = "reg.example.com:5000/shop/web:"
    assert tag == old
    assert (edit.old, edit.new) == (image + tag, image + new)
    assert (content[: edit.start], content[edit.end :]) == (
        changed[: edit.start],
        changed[edit.start + len(edit.new_text.encode()) :],
    )
    assert ([(image + tag, image + new)],) * 2 == differences(content, changed)
    assert content == change(changed, "image.tag", tag)[0]


@FUZZ
@given(TAGS, TAGS, QUOTES, COMMENTS)
def test_any_bare_tag_stays_text_for_every_reader(old: str, new: str, quote: str, comment: str) -> None:
    quote = quote or ("" if splice.reads_as_text(old) else '"')
    content = f"images:\n- name: web\n  newTag: {quote}{old}{quote}{comment}\n".encode()
    start = content.index(b"newTag: ") + len(b"newTag: ")
    at = Place("k.yaml", 0, ("images", 0, "newTag"), old, start, start + len(old) + 2 * len(quote), "")
    new = new if new != old else f"{new[:19]}x"

    changed = splice.replace(content, [splice.edit(content, at, new, splice.blob_id(content))])

    assert ([(old, new)],) * 2 == differences(content, changed)
