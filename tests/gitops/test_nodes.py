"""YAML as nodes with positions: limits, aliases and merge keys, types."""

from __future__ import annotations

from dataclasses import replace

import pytest

from aiops.errors import EditRefused
from aiops.gitops import nodes
from aiops.gitops.nodes import Scalar


@pytest.mark.parametrize("pure", [True, False])
@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("---\na: 1\n" * 1_001, "1000 documents"),
        ("[" * 66 + "]" * 66, "64 levels of nesting"),
        ("a: &a 1\n" + "".join(f"b{n}: *a\n" for n in range(101)), "100 aliases"),
        ("- 1\n" * 100_001, "YAML nodes"),
        ("a: 1\nb: 2\n'a': 3\n", "key 'a' stands twice, in lines 1 and 3"),
        ("a: [1\n", "not readable as YAML"),
        ("a: {{ x }} y\n", "templated"),
        ("{% if x %}\na: 1\n", "templated"),
        ("a: 1\n\tb: 2\n", "not readable as YAML"),
        ("a: \x01\n", "not readable as YAML"),
        ("a: *nobody\n", None),
    ],
)
def test_what_exceeds_a_limit_or_is_no_yaml_is_refused(text: str, reason: str | None, *, pure: bool) -> None:
    if reason is None:  # an alias without its anchor: nobody asks for its value
        assert 1 == len(nodes.compose(text, pure=pure))
        return
    with pytest.raises(EditRefused, match=reason):
        nodes.compose(text, pure=pure)


@pytest.mark.parametrize("pure", [True, False])
def test_what_is_at_the_limit_is_read(*, pure: bool) -> None:
    assert 1_000 == len(nodes.compose("---\na: 1\n" * 1_000, pure=pure))
    assert 1 == len(nodes.compose("[" * 64 + "]" * 64, pure=pure))


def test_documents_are_counted_as_a_reader_counts_them() -> None:
    roots = nodes.compose("# only a comment\n---\n---\na: 1\n---\n# nothing\n", pure=True)

    assert [False, False, True, False][-len(roots) :] == [root is not None for root in roots]


@pytest.mark.parametrize(
    ("text", "path", "value", "why"),
    [
        ("a: {b: [x, y]}", ("a", "b", 1), "y", ""),
        ("a: {b: [x, y]}", ("a", "b", 2), None, ""),
        ("a: {b: [x, y]}", ("a", "c"), None, ""),
        ("a: &x 1\nb: *x\n", ("b",), None, "an alias (*x) supplies the value"),
        ("a: &x {c: 1}\nb: *x\n", ("b", "c"), None, "an alias (*x) supplies the value"),
        ("a: &x {c: 1}\nb: {<<: *x}\n", ("b", "c"), None, "a merge key (<<) may supply the value"),
        ("a: &x {c: 1}\nb: {<<: *x, c: 2}\n", ("b", "c"), "2", ""),
    ],
)
def test_a_path_is_followed_through_what_is_written_only(
    text: str, path: tuple[str | int, ...], value: str | None, why: str
) -> None:
    found, reason = nodes.look(nodes.compose(text, pure=True)[0], *path)

    assert (value, why) == (found.value if isinstance(found, Scalar) else None, reason)


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("3", "int"),
        ("'3'", "str"),
        ("3.0", "float"),
        ("on", "bool"),
        ("~", "null"),
        ("!!str 3", "str"),
        ("a", "str"),
    ],
)
def test_a_scalar_has_the_type_of_yaml_1_1(text: str, tag: str) -> None:
    root = nodes.compose(text, pure=True)[0]

    assert isinstance(root, Scalar)
    assert tag == nodes.scalar_tag(root)


@pytest.mark.parametrize(
    "text", ["a: 'é🚀x'\r\nb: \"z\" # c\r\n", "{ä: 1, b: z}", "a:\n- b: >-\n    x\n  c: z\n"]
)
def test_both_parsers_agree_and_positions_are_exact(text: str) -> None:
    pure, fast = nodes.compose(text, pure=True), nodes.compose(text, pure=False)

    assert pure == fast
    todo = [pure[0]]
    while todo:
        node = todo.pop()
        if isinstance(node, Scalar) and node.style not in {">", "|"}:
            assert node.style + node.value + node.style == text[node.start : node.end]
        todo += getattr(node, "entries", [])
        todo += [part for pair in getattr(node, "pairs", []) for part in pair]


def test_a_mapping_with_other_pairs_is_asked_for_those() -> None:
    """A filled-in copy of forty keys answered with what the original had."""
    (root,) = nodes.compose("".join(f"k{n}: a\n" for n in range(40)), pure=False)
    assert isinstance(root, nodes.Mapping)
    assert root.get("k3") is not None

    filled = [(key, replace(value, value="b")) for key, value in root.pairs if isinstance(value, Scalar)]

    assert "b" == nodes.text_at(replace(root, pairs=filled), "k3")
