"""The edits of one commit: asked twice, proved once. What they are is in the golden folders."""

from __future__ import annotations

import pytest
from gitops.test_golden import case_of, clusters_of, files_of

from aiops.domain import Workload
from aiops.errors import EditRefused
from aiops.gitops import edits, repository_map, where


def test_the_same_question_about_a_commit_is_proved_once(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "kustomize-images"
    files, clusters = files_of(name), clusters_of(name)
    target = where.resolve(files, Workload(**case_of(name)["workload"]), "image.tag", clusters)
    proved: list[frozenset[str]] = []
    changed = repository_map.changed
    monkeypatch.setattr(
        repository_map,
        "changed",
        lambda map_, now, paths: (proved.append(paths), changed(map_, now, paths))[1],
    )

    first, again = (edits.of(files, target, "1.9", clusters) for _ in range(2))
    other = edits.of(files, target, "1.8", clusters)

    assert first == again != other
    assert 2 == len(proved)


def test_a_refusal_is_given_again_with_its_reason() -> None:
    name = "kustomize-images"
    files, clusters = files_of(name), clusters_of(name)
    target = where.resolve(files, Workload(**case_of(name)["workload"]), "image.tag", clusters)

    reasons = []
    for _ in range(2):
        with pytest.raises(EditRefused) as refused:
            edits.of(files, target, "not a tag", clusters)
        reasons.append(str(refused.value))

    assert reasons[0] == reasons[1] != ""
