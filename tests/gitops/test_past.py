"""The values a field had, read back through the commits of its file."""

from __future__ import annotations

import pytest
from gitops.folders import MemoryRepository

from aiops.domain import FieldName, Place, Target, Workload
from aiops.gitops import past, where

WEB = Workload("", "shop", "Deployment", "web")


def manifest(tag: str, replicas: str = "3", first: str = "") -> bytes:
    return (
        f"{first}kind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: {replicas}\n  template:\n"
        f"    spec:\n      containers:\n        - name: web\n          image: reg:5000/web:{tag}\n"
    ).encode()


def history(versions: list[tuple[int, bytes | None]], field: FieldName = "image.tag") -> Target:
    repository = MemoryRepository("web.yaml", versions)
    sha = repository.head("main")
    return past.values(repository, sha, where.resolve(repository.files(sha), WEB, field))


def test_values_are_listed_newest_first_with_the_commit_that_set_them() -> None:
    target = history(
        [(100, manifest("1.0")), (200, manifest("1.1", "4")), (300, manifest("1.1")), (400, manifest("1.2"))]
    )

    assert [("1.2", "3", 400, None), ("1.1", "1", 200, 400), ("1.0", "0", 100, 200)] == [
        (one.value, one.commit, one.since_s, one.until_s) for one in target.history
    ]
    assert ("other.yaml",) == target.history[0].touched


def test_a_commit_that_cannot_be_read_ends_nothing() -> None:
    target = history(
        [
            (100, manifest("1.0")),
            (200, b"{{ broken"),
            (300, manifest("1.0")),
            (400, None),
            (500, manifest("1.1")),
        ]
    )

    assert [("1.1", 500), ("1.0", 100)] == [(one.value, one.since_s) for one in target.history]


def test_a_value_is_found_where_its_document_was_then() -> None:
    other = b"kind: Service\nmetadata: {name: web}\n---\n"
    target = history([(100, manifest("1.0")), (200, other + manifest("1.1"))])

    assert ["1.1", "1.0"] == [one.value for one in target.history]


def test_list_entries_are_found_by_name_because_they_move() -> None:
    def kustomization(*tags: tuple[str, str]) -> bytes:
        entries = "".join(f"- name: {name}\n  newTag: {tag}\n" for name, tag in tags)
        return b"images:\n" + entries.encode()

    place_owner = Place("web.yaml", 0, ("images", 1, "newTag"), "v2", 0, 0, "kustomization images")
    target = Target(WEB, "image.tag", (place_owner,), place_owner, None, (), None)
    repository = MemoryRepository(
        "web.yaml",
        [
            (100, kustomization(("web", "v1"), ("api", "v7"))),
            (200, kustomization(("api", "v8"), ("web", "v2"))),
        ],
    )

    found = past.values(repository, "1", target)

    assert ["v2", "v1"] == [one.value for one in found.history]


def test_replicas_have_a_history_too() -> None:
    target = history([(100, manifest("1.0", "2")), (200, manifest("1.0", "5"))], "replicas")

    assert ["5", "2"] == [one.value for one in target.history]


def test_no_more_commits_are_read_than_asked_for() -> None:
    repository = MemoryRepository("web.yaml", [(100 * n, manifest(f"1.{n}")) for n in range(9)])
    target = where.resolve(repository.files("8"), WEB, "image.tag")

    assert ["1.8", "1.7"] == [one.value for one in past.values(repository, "8", target, limit=2).history]


def test_a_refused_target_has_no_history() -> None:
    target = history([(100, manifest("1.0", "0"))], "replicas")

    assert ((), True) == (target.history, target.refusal is not None)


@pytest.mark.parametrize("field", ["image.tag", "replicas"])
def test_the_current_value_is_the_first_of_the_history(field: FieldName) -> None:
    target = history([(100, manifest("1.0", "2"))], field)

    assert target.winner is not None
    assert target.winner.value.endswith(target.history[0].value)
