"""Two readers that must agree: what each of them alone would have let through."""

from __future__ import annotations

import pytest

from aiops.domain import Edit
from aiops.errors import EditRefused
from aiops.gitops.proof import prove, type_12


def edit(old: str, new: str, *path: str | int) -> Edit:
    return Edit("f.yaml", 0, path, old, new, new, 0, 0, "")


def test_one_scalar_that_differs_is_proved() -> None:
    prove(b"a: {tag: v1}\nb: 1 # v1\n", b"a: {tag: v2}\nb: 1 # v1\n", [edit("v1", "v2", "a", "tag")])


@pytest.mark.parametrize(
    ("old", "new", "one", "reason"),
    [
        (b"a: 1\nb: 1\n", b"a: 2\nb: 2\n", edit("1", "2", "a"), "1.1 rules something else changes"),
        (b"a: v1\n", b"a: v1\nb: 1\n", edit("v1", "v2", "a"), "1.1 rules the edit changes the structure"),
        (b"a: v1\n", b"b: v1\n", edit("v1", "v2", "a"), "1.1 rules the edit changes the structure"),
        (b"a: v1\n", b"a: [v2\n", edit("v1", "v2", "a"), "not readable as YAML"),
        (b"a: v1\n", b"a: yes\n", edit("v1", "yes", "a"), "1.1 rules the value becomes a bool"),
        (b"a: v1\n", b"a: 0o7\n", edit("v1", "0o7", "a"), "1.2 rules the value becomes a int"),
        # YAML 1.1 ends a line, and with it a comment, where YAML 1.2 knows no line break.
        (
            "b: 1 # \u2028a: v1\n".encode(),
            "b: 1 # \u2028a: v2\n".encode(),
            edit("v1", "v2", "a"),
            "YAML 1.2",
        ),
        (
            "s:\n  x: 1 # \x85a: v1\n".encode(),
            "s:\n  x: 1 # \x85a: v2\n".encode(),
            edit("v1", "v2", "a"),
            "YAML 1.2",
        ),
        # Both see `v2`, but at another path.
        (
            "s: # \u2028  x: 1\n  a: v1\n".encode(),
            "s: # \u2028  x: 1\n  a: v2\n".encode(),
            edit("v1", "v2", "s", "b"),
            "something else changes",
        ),
    ],
)
def test_what_one_reader_sees_differ_is_refused(old: bytes, new: bytes, one: Edit, reason: str) -> None:
    with pytest.raises(EditRefused, match=reason):
        prove(old, new, [one])


def test_a_tab_that_only_one_reader_of_yaml_1_1_takes_is_refused() -> None:
    with pytest.raises(EditRefused, match="not readable as YAML"):
        prove(b"a:\tv1\nb: [1,\t\n\t2]\n", b"a:\tv2\nb: [1,\t\n\t2]\n", [edit("v1", "v2", "a")])


def test_types_of_yaml_1_2_are_not_those_of_1_1() -> None:
    assert ["str", "int", "bool", "int"] == [type_12(text) for text in ("yes", "0o7", "true", "010")]
