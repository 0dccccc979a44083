from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from aiops.edges.git_history import write_history
from aiops.errors import ConfigError
from aiops.mesh import repository, scenarios
from aiops.mesh.repository import Revision

DEMO = scenarios.demo(3)
HISTORY = repository.history(DEMO.mesh, DEMO.events, DEMO.start_s)


def git(directory: Path, *arguments: str) -> bytes:
    return subprocess.run(
        ["git", "--git-dir", str(directory), *arguments], check=True, capture_output=True
    ).stdout


def test_the_repository_holds_every_commit_with_its_date_and_bytes(tmp_path: Path) -> None:
    directory = tmp_path / "gitops.git"
    head = write_history(directory, HISTORY)
    log = git(directory, "log", "--reverse", "--format=%ct %at %an <%ae> %s", "main").decode().splitlines()
    assert [f"{r.time_s} {r.time_s} {r.author} {r.message}" for r in HISTORY] == log
    expected = repository.latest(HISTORY)
    names = git(directory, "ls-tree", "-r", "--name-only", head).decode().splitlines()
    assert sorted(expected) == names
    for path, content in expected.items():
        assert content == git(directory, "show", f"{head}:{path}")
    assert git(directory, "fsck", "--strict") == b""


def test_the_same_history_has_the_same_ids(tmp_path: Path) -> None:
    assert write_history(tmp_path / "a.git", HISTORY) == write_history(tmp_path / "b.git", HISTORY)


def test_a_removed_file_is_gone(tmp_path: Path) -> None:
    commits = (
        Revision(1_700_000_000, "A <a@example.com>", "one", {"x": b"1\n", "y": b""}),
        Revision(1_700_000_060, "A <a@example.com>", "two", {"x": None}),
    )
    write_history(tmp_path / "r.git", commits)
    assert git(tmp_path / "r.git", "ls-tree", "--name-only", "main") == b"y\n"


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    write_history(tmp_path / "r.git", HISTORY)
    with pytest.raises(ConfigError, match="new or empty folder"):
        write_history(tmp_path / "r.git", HISTORY)


def test_settings_of_the_user_do_not_reach_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config").write_text("[init]\n\tdefaultBranch = other\n[user]\n\tname = Somebody\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    head = write_history(tmp_path / "r.git", HISTORY)
    monkeypatch.undo()
    assert head.encode() + b"\n" == git(tmp_path / "r.git", "rev-parse", "main")
    assert not (tmp_path / "elsewhere").exists()
