"""The values a field had, read back through the commits of its file."""

from __future__ import annotations

import pytest
from gitops.folders import MemoryFiles, MemoryRepository

from aiops.domain import Commit, FieldName, Place, Target, Workload
from aiops.gitops import past, where

WEB = Workload("", "shop", "Deployment", "web")


class Several:
    """A history of whole commits in memory, 100 s apart, oldest first."""

    shallow = False

    def __init__(self, commits: list[dict[str, bytes]]) -> None:
        self._files = [MemoryFiles(files) for files in commits]

    def head(self, base: str) -> str:
        return str(len(self._files) - 1)

    def files(self, sha: str) -> MemoryFiles:
        return self._files[int(sha)]

    def commits(self, sha: str, path: str, limit: int) -> tuple[Commit, ...]:
        found = []
        for n in range(int(sha), -1, -1):
            before = self._files[n - 1].read(path) if n else None
            if self._files[n].read(path) != before:
                found.append(Commit(str(n), 100 * n, f"change {n}", (path,)))
        return tuple(found)[:limit]


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


def test_before_a_place_was_written_the_one_below_it_counts() -> None:
    base = (
        "kind: Deployment\nmetadata: {{name: web}}\n"
        "spec: {{template: {{spec: {{containers: [{{name: web, image: 'web:{}'}}]}}}}}}\n"
    )
    plain = b"resources: [web.yaml]\n"
    files = [
        {"web.yaml": base.format("1.0").encode(), "kustomization.yaml": plain},
        {"web.yaml": base.format("1.1").encode(), "kustomization.yaml": plain},
        {
            "web.yaml": base.format("1.1").encode(),
            "kustomization.yaml": plain + b"images: [{name: web, newTag: '1.0'}]\n",
        },
    ]
    repository = Several(files)

    target = past.values(repository, "2", where.resolve(repository.files("2"), WEB, "image.tag"))

    assert [("1.0", 200, None), ("1.1", 100, 200), ("1.0", 0, 100)] == [
        (one.value, one.since_s, one.until_s) for one in target.history
    ]


def test_a_value_inside_of_a_string_has_a_history() -> None:
    application = (
        "kind: Application\nmetadata: {{name: web}}\nspec:\n  source:\n    chart: web\n    helm:\n"
        "      values: |\n        image:\n          repository: shop/web\n          tag: {}\n"
    )
    versions = [(100, application.format("v1").encode()), (200, application.format("v2").encode())]
    repository = MemoryRepository("web.yaml", versions)
    target = where.resolve(repository.files("1"), WEB, "image.tag")

    assert ["v2", "v1"] == [one.value for one in past.values(repository, "1", target).history]


def test_a_tag_and_its_digest_are_one_value() -> None:
    def kustomization(tag: str, digest: str) -> bytes:
        return f"images:\n- name: web\n  newTag: {tag}\n  digest: sha256:{digest * 64}\n".encode()

    digest = Place("k", 0, ("images", 0, "digest"), "sha256:" + "b" * 64, 0, 0, "")
    tag = Place("k", 0, ("images", 0, "newTag"), "v2", 0, 0, "")
    repository = MemoryRepository("k", [(100, kustomization("v1", "a")), (200, kustomization("v2", "b"))])
    target = Target(WEB, "image.digest", (digest,), digest, None, (), None, beside=tag)

    assert ["v2@sha256:" + "b" * 64, "v1@sha256:" + "a" * 64] == [
        one.value for one in past.values(repository, "1", target).history
    ]
