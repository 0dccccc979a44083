"""A repository on disk, read as objects: real git, ordinary, bare, shallow and hostile."""

from __future__ import annotations

import contextlib
import os
import subprocess
from pathlib import Path

import pytest

from aiops.domain import Checkout, Workload
from aiops.edges.git import GitRepository
from aiops.errors import ConfigError, EditRefused
from aiops.gitops import past, where

WEB = Workload("", "shop", "Deployment", "web")


def git(folder: Path, *arguments: str, time_s: int = 1_700_000_000) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.com",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.com",
        "GIT_AUTHOR_DATE": f"{time_s} +0000",
        "GIT_COMMITTER_DATE": f"{time_s} +0000",
    }
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def manifest(tag: str, replicas: int = 3) -> str:
    return (
        f"kind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: {replicas}\n  template:\n    spec:\n"
        f"      containers:\n        - name: web\n          image: shop/web:{tag}\n"
    )


def commit(folder: Path, files: dict[str, str], time_s: int, message: str = "change") -> str:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    git(folder, "add", "-A", time_s=time_s)
    git(folder, "commit", "-q", "--allow-empty-message", "-m", message, time_s=time_s)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    folder = tmp_path / "repo"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, {"deploy/web.yaml": manifest("1.0"), "README.md": "hello\n"}, 1_700_000_000, "Deploy 1.0")
    commit(folder, {"README.md": "hello again\n"}, 1_700_000_100, "Say hello")
    commit(
        folder, {"deploy/web.yaml": manifest("1.1"), "migrations/1.sql": "x\n"}, 1_700_000_200, "Deploy 1.1"
    )
    return folder


def test_a_workload_is_found_with_the_history_of_its_tag(repo: Path) -> None:
    repository = GitRepository(repo)
    sha = repository.head("main")

    found = past.values(repository, sha, where.resolve(repository.files(sha), WEB, "image.tag"))

    assert [("1.1", 1_700_000_200, None), ("1.0", 1_700_000_000, 1_700_000_200)] == [
        (one.value, one.since_s, one.until_s) for one in found.history
    ]
    assert ("migrations/1.sql",) == found.history[0].touched
    assert False is repository.shallow


def test_a_bare_repository_reads_the_same(repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "-q", "--bare", str(repo), "bare.git")
    ordinary, bare = GitRepository(repo), GitRepository(tmp_path / "bare.git")
    sha = ordinary.head("main")

    assert sha == bare.head("main")
    assert ordinary.files(sha).tree() == bare.files(sha).tree()
    assert ordinary.commits(sha, "deploy/web.yaml", 9) == bare.commits(sha, "deploy/web.yaml", 9)


def test_what_lies_in_the_working_tree_is_not_read(repo: Path) -> None:
    (repo / "deploy" / "web.yaml").write_text("not committed", encoding="utf-8")
    repository = GitRepository(repo)

    assert manifest("1.1").encode() == repository.files(repository.head("main")).read("deploy/web.yaml")


def test_a_linked_work_tree_is_a_repository_too(repo: Path, tmp_path: Path) -> None:
    git(repo, "worktree", "add", "-q", str(tmp_path / "linked"), "-b", "other")

    assert GitRepository(repo).head("main") == GitRepository(tmp_path / "linked").head("other")


def test_files_of_a_past_commit_are_read_without_listing_it(repo: Path) -> None:
    repository = GitRepository(repo)
    first = repository.commits(repository.head("main"), "deploy/web.yaml", 9)[-1]
    listed, unlisted = repository.files(first.sha), GitRepository(repo).files(first.sha)
    listed.tree()

    assert manifest("1.0").encode() == listed.read("deploy/web.yaml") == unlisted.read("deploy/web.yaml")
    for path in ("migrations/1.sql", "deploy", "deploy/web.yaml/x", "", "a\nb"):
        with pytest.raises(EditRefused, match=r"not in this commit|not a regular file"):
            unlisted.read(path)


def test_commits_follow_the_first_parent_and_name_all_files(repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "side", "HEAD~1")
    commit(repo, {"deploy/api.yaml": "a: 1\n"}, 1_700_000_300, "Side one")
    commit(repo, {"deploy/api.yaml": "a: 2\n", "b.yaml": "b: 1\n"}, 1_700_000_400, "")
    git(repo, "checkout", "-q", "main")
    git(repo, "merge", "-q", "--no-ff", "side", "-m", "Merge side", time_s=1_700_000_500)
    repository = GitRepository(repo)

    found = repository.commits(repository.head("main"), "deploy/api.yaml", 9)

    assert [("Merge side", 1_700_000_500, ("b.yaml", "deploy/api.yaml"))] == [
        (one.subject, one.time_s, one.paths) for one in found
    ]


def test_hostile_names_and_subjects_do_not_forge_commits(repo: Path) -> None:
    parent = git(repo, "rev-parse", "HEAD")
    names = {parent: "x\n", "1700000000": "x\n", "we ird\tnäme.yaml": "x\n"}
    sha = commit(repo, {**names, "deploy/web.yaml": manifest("1.2")}, 1_700_000_600, f"{parent} 1 2")
    repository = GitRepository(repo)

    found = repository.commits(sha, "deploy/web.yaml", 9)

    assert [sha, parent] == [one.sha for one in found[:2]]
    assert tuple(sorted([*names, "deploy/web.yaml"])) == found[0].paths
    assert f"{parent} 1 2" == found[0].subject


def test_no_more_commits_than_asked_for_are_listed(repo: Path) -> None:
    repository = GitRepository(repo)

    assert ["Deploy 1.1"] == [
        one.subject for one in repository.commits(repository.head("main"), "deploy/web.yaml", 1)
    ]


def test_a_shallow_clone_says_where_its_history_ends(repo: Path, tmp_path: Path) -> None:
    commit(repo, {"deploy/web.yaml": manifest("1.2")}, 1_700_000_700, "Deploy 1.2")
    git(tmp_path, "clone", "-q", "--depth", "2", f"file://{repo}", "shallow")
    repository = GitRepository(tmp_path / "shallow")
    sha = repository.head("main")

    found = past.values(repository, sha, where.resolve(repository.files(sha), WEB, "image.tag"))

    assert repository.shallow
    assert [("1.2", ()), ("1.1", ())] == [(one.value, one.touched) for one in found.history]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: folder / "absent", "no such folder"),
        (lambda folder: folder, "not a git repository"),
        (lambda folder: folder / "repo" / "deploy", "not a git repository"),
    ],
)
def test_a_path_that_is_no_repository_says_what_to_do(repo: Path, tmp_path: Path, make, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as caught:
        GitRepository(make(tmp_path))
    assert "repository.path" in caught.value.todo


@pytest.mark.parametrize("base", ["nope", "--help", "main:deploy", "HEAD~1"])
def test_a_branch_that_is_not_there_says_what_to_do(repo: Path, base: str) -> None:
    with pytest.raises(ConfigError, match="branch"):
        GitRepository(repo).head(base)


def test_a_commit_that_is_not_there_says_what_to_do(repo: Path) -> None:
    repository = GitRepository(repo)

    with pytest.raises(ConfigError, match="fetch the base branch"):
        repository.files("f" * 40).tree()
    with pytest.raises(ConfigError, match="fetch the base branch"):
        repository.commits("f" * 40, "deploy/web.yaml", 9)


def test_the_environment_of_the_caller_changes_nothing(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = GitRepository(repo).head("main")
    for name in ("GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_NAMESPACE"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))

    assert expected == GitRepository(repo).head("main")
    assert not (tmp_path / "trace").exists()


def hostile(repo: Path, canary: Path) -> None:
    """Make everything in a repository that can run a command write a canary file."""
    trap = repo.parent / "trap.sh"
    trap.write_text(f"#!/bin/sh\necho ran >> {canary}\n", encoding="utf-8")
    trap.chmod(0o755)
    hooks = repo / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in (
        "post-checkout",
        "pre-commit",
        "post-index-change",
        "reference-transaction",
        "fsmonitor-watchman",
    ):
        (hooks / name).write_text(trap.read_text(encoding="utf-8"), encoding="utf-8")
        (hooks / name).chmod(0o755)
    for key in (
        "core.fsmonitor",
        "core.pager",
        "core.editor",
        "core.sshCommand",
        "core.askPass",
        "core.gitProxy",
        "core.alternateRefsCommand",
        "gpg.program",
        "diff.external",
        "diff.x.textconv",
        "filter.x.smudge",
        "filter.x.clean",
        "filter.x.process",
        "credential.helper",
        "uploadpack.packObjectsHook",
        "pager.log",
        "alias.log",
    ):
        git(repo, "config", key, str(trap))
    git(repo, "config", "log.showSignature", "true")
    git(repo, "config", "core.hooksPath", str(hooks))
    (repo / ".git" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "info" / "attributes").write_text("* filter=x diff=x\n", encoding="utf-8")


def test_nothing_that_a_repository_brings_along_is_run(repo: Path, tmp_path: Path) -> None:
    commit(repo, {".gitattributes": "* filter=x diff=x\n"}, 1_700_000_300)
    canary = tmp_path / "canary"
    hostile(repo, canary)
    repository = GitRepository(repo)
    sha = repository.head("main")

    found = past.values(repository, sha, where.resolve(repository.files(sha), WEB, "image.tag"))

    assert ["1.1", "1.0"] == [one.value for one in found.history]
    assert not canary.exists()
    with contextlib.suppress(subprocess.CalledProcessError):
        git(repo, "log", "-p", "-1")
    assert canary.exists()  # the trap works when git is asked in the ordinary way


def test_a_link_on_the_disk_is_never_followed_and_its_text_is_read(repo: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text(manifest("6.6.6"), encoding="utf-8")
    (repo / "out-web.yaml").symlink_to(secret)
    (repo / "in.yaml").symlink_to("deploy/web.yaml")
    (repo / "loop.yaml").symlink_to("loop.yaml")
    git(repo, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},web-module")
    git(repo, "rm", "-q", "--cached", "deploy/web.yaml")
    git(repo, "add", "out-web.yaml", "in.yaml", "loop.yaml")
    git(repo, "commit", "-q", "-m", "links")
    repository = GitRepository(repo)
    files = repository.files(repository.head("main"))

    for path, reason in (
        ("out-web.yaml", "a symbolic link"),
        ("in.yaml", "a symbolic link"),
        ("loop.yaml", "a symbolic link"),
        ("web-module", "a submodule"),
        ("out-web.yaml/x", "not in this commit"),
    ):
        with pytest.raises(EditRefused, match=reason):
            files.read(path)
    assert ["deploy/web.yaml", "loop.yaml"] == [files.link("in.yaml"), files.link("loop.yaml")]
    with pytest.raises(EditRefused, match="not a symbolic link"):
        files.link("README.md")
    target = where.resolve(files, WEB, "replicas")
    assert (None, True) == (target.winner, "out-web.yaml: a symbolic link" in (target.refusal or ""))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "laughs",
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(
                f"{chr(98 + n)}: &{chr(98 + n)} [{','.join(['*' + chr(97 + n)] * 9)}]\n" for n in range(20)
            ),
        ),
        (
            "merges",
            "a: &a {x: 1}\n"
            + "".join(
                f"{chr(98 + n)}: &{chr(98 + n)}\n  <<: [{','.join(['*' + chr(97 + n)] * 9)}]\n"
                for n in range(20)
            ),
        ),
        ("deep-flow", "[" * 5_000),
        ("deep-maps", "{a: " * 5_000),
        ("deep-block", "".join(" " * n + "a:\n" for n in range(3_000))),
        ("deep-dashes", "- " * 5_000 + "x\n"),
        ("documents", "---\na: 1\n" * 100_000),
        ("many-keys", "".join(f"k{n}: 1\n" for n in range(300_000))),
        ("anchors", "".join(f"- &a{n} x\n- *a{n}\n" for n in range(50_000))),
        ("huge", "# x\n" * 2_000_000),
        ("binary", "\0\1\2" * 1_000),
        ("quotes", '"' + "\\x41" * 300_000),
    ],
)
@pytest.mark.timeout(60)  # without its cap a bomb takes hours or all memory; seconds depend on the machine
def test_a_bomb_is_refused_and_not_unfolded(repo: Path, name: str, text: str) -> None:
    bomb = f"kind: Deployment\nmetadata: {{name: web}}\nspec:\n  replicas: 3\n---\n{text}"
    (repo / f"{name}-web.yaml").write_text(bomb, encoding="utf-8")
    git(repo, "rm", "-q", "deploy/web.yaml")
    commit(repo, {}, 1_700_000_300)
    repository = GitRepository(repo)
    files = repository.files(repository.head("main"))

    target = where.resolve(files, WEB, "replicas")

    assert (None, True) == (target.winner, f"{name}-web.yaml" in (target.refusal or ""))


def test_a_partial_clone_is_not_completed_over_the_network(repo: Path, tmp_path: Path) -> None:
    git(repo, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--bare", "--filter=blob:none", f"file://{repo}", "partial.git")
    repository = GitRepository(tmp_path / "partial.git")
    sha = repository.head("main")

    def asked() -> None:
        where.resolve(repository.files(sha), WEB, "replicas")
        repository.files(sha).read("deploy/web.yaml")

    with pytest.raises((ConfigError, EditRefused), match=r"partial clone|missing in this clone"):
        asked()
    for _ in range(2):
        with pytest.raises(EditRefused, match="missing in this clone"):
            GitRepository(tmp_path / "partial.git").files(sha).read("deploy/web.yaml")


def test_a_commit_knows_the_branch_it_is_the_head_of_and_whether_that_is_the_default(repo: Path) -> None:
    git(repo, "branch", "env/prod")
    local = checkout(repo, "main")
    git(repo, "clone", "-q", "--bare", ".", "bare.git")
    git(repo / "bare.git", "remote", "remove", "origin")
    bare = checkout(repo / "bare.git", "env/prod")
    git(repo, "remote", "add", "origin", "git@git.example.com:acme/gitops.git")
    cloned = checkout(repo, "env/prod")
    git(repo, "update-ref", "refs/remotes/origin/trunk", "HEAD")
    git(repo, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/trunk")
    told = checkout(repo, "main")

    assert Checkout("main", default=None, addresses=()) == local
    assert Checkout("env/prod", default=False, addresses=()) == bare
    address = ("git@git.example.com:acme/gitops.git",)
    assert Checkout("env/prod", default=None, addresses=address) == cloned
    assert Checkout("main", default=False, addresses=address) == told
    assert Checkout() == GitRepository(repo).files(git(repo, "rev-parse", "HEAD~1")).checkout


def checkout(folder: Path, base: str) -> Checkout:
    repository = GitRepository(folder)
    return repository.files(repository.head(base)).checkout
