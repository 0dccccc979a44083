from __future__ import annotations

from dataclasses import dataclass, field

from aiops.domain import Change, Commit, Place, Target, TreeFile, Workload
from aiops.gitops import culprit

AT_S = 1_773_846_000
API = Workload("prod-eu", "shop", "Deployment", "api")
CHANGE = Change(API, "config", "pod template", "api-1", "api-2", AT_S)
PLACE = Place("clusters/prod-eu/kustomization.yaml", 0, ("images", 0, "newTag"), "1", 0, 1, "Kustomization")
TARGET = Target(API, "image.tag", (PLACE,), PLACE, None, (), None)


@dataclass
class History:
    """A repository of commits: (sha, minutes before the change, subject, path)."""

    made: list[tuple[str, int, str, str]]
    sha: str = "head"
    asked: list[str] = field(default_factory=list)

    def head(self, base: str) -> str:
        return self.sha

    def files(self, sha: str) -> History:
        return self

    def tree(self) -> dict[str, TreeFile]:
        return {path: TreeFile(path, "100644", "b", 1) for _, _, _, path in self.made}

    def read(self, path: str) -> bytes:
        return b""

    def commits(self, sha: str, path: str, limit: int) -> tuple[Commit, ...]:
        self.asked.append(path)
        return tuple(
            Commit(one, AT_S - minutes * 60, subject, (file,))
            for one, minutes, subject, file in self.made
            if file == path or file.startswith(f"{path}/")
        )


def named(*made: tuple[str, int, str, str]) -> str | None:
    found = culprit.commit(History(list(made)), "head", TARGET, CHANGE)
    return found.sha if found else None


def test_the_newest_commit_to_the_files_before_the_change_is_named() -> None:
    folder = "clusters/prod-eu"
    assert named(("old", 50, "x", f"{folder}/a.yaml"), ("new", 3, "y", f"{folder}/b.yaml")) == "new"


def test_a_commit_that_names_the_workload_comes_before_a_newer_one_that_does_not() -> None:
    shared = "clusters/prod-eu/kustomization.yaml"
    assert named(("ours", 9, "api: settings 2", shared), ("theirs", 2, "cart: 1.2", shared)) == "ours"


def test_a_commit_after_the_change_or_an_hour_earlier_is_not_named() -> None:
    shared = "clusters/prod-eu/kustomization.yaml"
    assert named(("late", -5, "api", shared), ("early", 90, "api", shared)) is None


def test_a_file_that_is_called_like_the_workload_counts_wherever_it_stands() -> None:
    assert named(("route", 4, "more weight", "mesh/api/virtualservice.yaml")) == "route"
    assert named(("route", 4, "more weight", "mesh/apiary/virtualservice.yaml")) is None
