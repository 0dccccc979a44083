from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from propose import sample

from aiops.domain import Proposal, PullRequest
from aiops.edges.local_forge import LocalForge
from aiops.errors import ForgeRefused
from aiops.propose import lifecycle

NOW_S = sample.NOW_S


def git(repository: Path, *args: str, given: bytes = b"") -> str:
    """Run git as a person would, without the machine's settings."""
    person = {
        "GIT_AUTHOR_NAME": "P",
        "GIT_AUTHOR_EMAIL": "p@x",
        "GIT_COMMITTER_NAME": "P",
        "GIT_COMMITTER_EMAIL": "p@x",
    }
    clean = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", **person}
    done = subprocess.run(
        ["git", "-C", str(repository), *args],
        input=given,
        capture_output=True,
        check=True,
        env={**os.environ, **clean},
    )
    return done.stdout.decode().strip()


@pytest.fixture(params=["ordinary", "bare"])
def repository(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a repository with the two sample files on `main`, an ordinary one and a bare one."""
    work = tmp_path / "gitops"
    work.mkdir()
    git(work, "init", "-q", "-b", "main")
    for name, content in ((sample.IMAGE_FILE, sample.IMAGE_CONTENT), (sample.HPA_FILE, sample.HPA_CONTENT)):
        (work / name).parent.mkdir(parents=True)
        (work / name).write_bytes(content)
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "first")
    if request.param == "ordinary":
        return work
    bare = tmp_path / "gitops.git"
    git(tmp_path, "clone", "-q", "--bare", str(work), str(bare))
    return bare


@pytest.fixture
def forge(repository: Path) -> LocalForge:
    return LocalForge(repository, "main")


def proposal(repository: Path, item: Callable[[], object] = sample.rollback_item, new: str = "") -> Proposal:
    """Return the proposal of an item on the present base; `new` is another value."""
    made = item()
    if new:
        edit = replace(made.edits[0], new=new, new_text=new)
        made = replace(made, decision=replace(made.decision, new=new), edits=(edit,))
    return sample.composed(made, base_sha=git(repository, "rev-parse", "main"))


def state_file(repository: Path, number: int = 1) -> Path:
    return repository.with_name(f"{repository.name}.forge") / "pulls" / f"{number}.json"


def said(repository: Path, number: int = 1, **changes: object) -> None:
    """Change the JSON of a pull request, as a person does."""
    path = state_file(repository, number)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def person_commits(repository: Path, branch: str, path: str, content: bytes) -> str:
    """Put a commit of a person on a branch, without a work tree."""
    index = repository.parent / "index-of-a-person"
    env_git = ["env", f"GIT_INDEX_FILE={index}", "git", "-C", str(repository)]
    blob = git(repository, "hash-object", "-w", "--stdin", given=content)
    subprocess.run([*env_git, "read-tree", branch], check=True)
    subprocess.run([*env_git, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}"], check=True)
    tree = subprocess.run([*env_git, "write-tree"], check=True, capture_output=True).stdout.decode().strip()
    commit = git(repository, "commit-tree", tree, "-p", branch, "-m", "a person's work")
    git(repository, "update-ref", f"refs/heads/{branch}", commit)
    return commit


def merge(repository: Path, branch: str) -> None:
    """Merge a branch into main with a merge commit, as a person or a server does."""
    tree = git(repository, "rev-parse", f"{branch}^{{tree}}")
    commit = git(repository, "commit-tree", tree, "-p", "main", "-p", branch, "-m", "merge")
    git(repository, "update-ref", "refs/heads/main", commit)


def test_a_proposal_is_a_branch_with_one_commit_that_changes_one_line(repository, forge):
    before = git(repository, "for-each-ref", "refs/heads/main")
    pull = forge.open(proposal(repository), NOW_S)
    assert git(repository, "diff", "--numstat", "main", pull.branch) == f"1\t1\t{sample.IMAGE_FILE}"
    assert git(repository, "rev-list", "--count", f"main..{pull.branch}") == "1"
    assert git(repository, "log", "-1", "--format=%an %cn %ct", pull.branch) == f"aiops aiops {NOW_S}"
    assert git(repository, "for-each-ref", "refs/heads/main") == before


def test_index_and_work_tree_of_an_ordinary_repository_are_untouched(tmp_path, repository, forge):
    if repository.suffix == ".git":
        assert git(repository, "rev-parse", "--is-bare-repository") == "true"
        return
    index = (repository / ".git" / "index").read_bytes()
    (repository / sample.HPA_FILE).write_bytes(b"half an edit of a person")
    forge.open(proposal(repository), NOW_S)
    assert (repository / ".git" / "index").read_bytes() == index
    assert git(repository, "status", "--porcelain") == f"M {sample.HPA_FILE}"
    assert git(repository, "rev-parse", "--abbrev-ref", "HEAD") == "main"


def test_the_files_of_a_pull_request_are_as_the_design_page_says(repository, forge):
    made = proposal(repository)
    pull = forge.open(made, NOW_S)
    path = state_file(repository)
    expected = {
        "number": 1,
        "title": made.title,
        "branch": made.branch,
        "base": "main",
        "base_sha": made.base_sha,
        "head_sha": git(repository, "rev-parse", made.branch),
        "state": "open",
        "author": "aiops",
        "marker": made.marker,
        "labels": [],
        "created_at": "2026-11-23T12:00:00Z",
        "updated_at": "2026-11-23T12:00:00Z",
        "closed_at": None,
        "merged_at": None,
        "closed_by": None,
        "comments": [],
    }
    assert expected == json.loads(path.read_text())
    assert path.with_suffix(".md").read_text() == made.body
    assert sorted(one.name for one in path.parent.iterdir()) == ["1.json", "1.md"]
    assert (pull.number, pull.url, pull.body) == (1, str(path.with_suffix(".md")), made.body)
    assert forge.pulls() == (pull,)


def test_the_same_proposal_opens_once_and_another_one_beside_it(repository, forge):
    first = forge.open(proposal(repository), NOW_S)
    assert forge.open(proposal(repository), NOW_S + 300) == first
    assert forge.open(proposal(repository, new="1.13.0"), NOW_S + 600) == first
    second = forge.open(proposal(repository, sample.scale_item), NOW_S)
    assert [pull.number for pull in forge.pulls()] == [second.number, first.number] == [2, 1]


def test_nothing_is_written_before_the_first_proposal(repository, forge):
    assert forge.pulls() == ()
    assert not repository.with_name(f"{repository.name}.forge").exists()


def test_the_same_proposal_at_the_same_time_is_the_same_commit(repository, forge):
    made = proposal(repository)
    first = git(repository, "rev-parse", forge.open(made, NOW_S).branch)
    git(repository, "update-ref", "-d", f"refs/heads/{made.branch}")
    state_file(repository).unlink()
    assert git(repository, "rev-parse", forge.open(made, NOW_S).branch) == first


@pytest.mark.parametrize("moved", [False, True], ids=["base as it was", "base moved"])
def test_a_merged_branch_is_merged_whatever_the_file_says(repository, forge, moved):
    pull = forge.open(proposal(repository), NOW_S)
    if moved:
        person_commits(repository, "main", "other.yaml", b"x: 1\n")
    merge(repository, pull.branch)
    (found,) = forge.pulls()
    assert (found.state, found.closed_by) == ("merged", None)
    assert found.merged_at_s == int(git(repository, "log", "-1", "--format=%ct", "main"))
    assert json.loads(state_file(repository).read_text())["state"] == "open"


def test_a_fast_forward_is_a_merge_too(repository, forge):
    pull = forge.open(proposal(repository), NOW_S)
    git(repository, "update-ref", "refs/heads/main", pull.branch)
    assert [(one.state, one.merged_at_s) for one in forge.pulls()] == [("merged", NOW_S)]


def test_a_branch_that_a_person_completed_and_merged_is_merged(repository, forge):
    pull = forge.open(proposal(repository), NOW_S)
    person_commits(repository, pull.branch, sample.HPA_FILE, b"kind: X\n")
    assert forge.pulls()[0].state == "open"
    merge(repository, pull.branch)
    assert forge.pulls()[0].state == "merged"


def test_a_person_declines_with_one_word(repository, forge):
    forge.open(proposal(repository), NOW_S)
    said(repository, state="closed")
    os.utime(state_file(repository), (NOW_S + 900, NOW_S + 900))
    (found,) = forge.pulls()
    assert (found.state, found.closed_at_s) == ("closed", NOW_S + 900)


def test_a_closing_time_that_a_person_wrote_counts(repository, forge):
    forge.open(proposal(repository), NOW_S)
    said(
        repository,
        state="closed",
        closed_at="2026-11-23T13:00:00Z",
        closed_by="jo",
        labels=["aiops/false-positive"],
    )
    (found,) = forge.pulls()
    assert (found.closed_at_s, found.closed_by, found.labels) == (
        NOW_S + 3_600,
        "jo",
        ("aiops/false-positive",),
    )


def test_after_a_close_the_next_one_has_the_next_number_on_its_branch(repository, forge):
    first = forge.open(proposal(repository), NOW_S)
    said(repository, state="closed")
    second = forge.open(proposal(repository), NOW_S + 86_400)
    assert (lifecycle.number(first.branch), lifecycle.number(second.branch)) == (1, 2)
    assert [(pull.number, pull.state) for pull in forge.pulls()] == [(2, "open"), (1, "closed")]


def test_a_branch_that_a_killed_run_left_behind_is_adopted(repository, forge):
    made = proposal(repository)
    forge.open(made, NOW_S)
    tip = git(repository, "rev-parse", made.branch)
    state_file(repository).unlink()
    pull = forge.open(made, NOW_S + 300)
    assert (pull.number, pull.branch) == (1, made.branch)
    assert git(repository, "rev-parse", made.branch) == tip


def test_an_adopted_branch_is_brought_onto_the_base_of_now(repository, forge):
    made = proposal(repository)
    forge.open(made, NOW_S)
    state_file(repository).unlink()
    person_commits(repository, "main", "other.yaml", b"x: 1\n")
    pull = forge.open(proposal(repository), NOW_S + 300)
    assert pull.branch == made.branch
    assert git(repository, "diff", "--numstat", "main", pull.branch) == f"1\t1\t{sample.IMAGE_FILE}"


def test_a_branch_of_a_person_with_our_name_is_left_alone(repository, forge):
    made = proposal(repository)
    git(repository, "update-ref", f"refs/heads/{made.branch}", "main")
    theirs = person_commits(repository, made.branch, "x.yaml", b"x: 1\n")
    pull = forge.open(made, NOW_S)
    assert lifecycle.number(pull.branch) == 2
    assert git(repository, "rev-parse", made.branch) == theirs


def test_an_update_changes_value_and_text_and_keeps_what_people_added(repository, forge):
    pull = forge.open(proposal(repository), NOW_S)
    comments = [{"author": "jo", "at": "2026-11-23T12:05:00Z", "body": "hm"}]
    said(repository, comments=comments, labels=["later"])
    made = proposal(repository, new="1.13.0")
    updated = forge.update(pull, made, NOW_S + 600)
    content = git(repository, "show", f"{pull.branch}:{sample.IMAGE_FILE}")
    assert "newTag: 1.13.0  # set by CI" in content
    assert (updated.number, updated.title, updated.body) == (1, made.title, made.body)
    stored = json.loads(state_file(repository).read_text())
    assert (stored["comments"], stored["labels"], stored["updated_at"]) == (
        comments,
        ["later"],
        "2026-11-23T12:10:00Z",
    )
    assert stored["head_sha"] == git(repository, "rev-parse", pull.branch)
    assert git(repository, "rev-list", "--count", f"main..{pull.branch}") == "2"


def test_an_update_after_the_base_moved_still_differs_from_it_by_one_line(repository, forge):
    pull = forge.open(proposal(repository), NOW_S)
    person_commits(repository, "main", "other.yaml", b"x: 1\n")
    forge.update(pull, proposal(repository, new="1.13.0"), NOW_S + 600)
    assert git(repository, "diff", "--numstat", "main", pull.branch) == f"1\t1\t{sample.IMAGE_FILE}"
    assert git(repository, "merge-base", "main", pull.branch) == git(repository, "rev-parse", "main")


def test_a_branch_that_a_person_pushed_to_is_not_touched_again(repository, forge):
    pull = forge.open(proposal(repository), NOW_S)
    theirs = person_commits(repository, pull.branch, "x.yaml", b"x: 1\n")
    before = state_file(repository).read_text()
    assert forge.update(pull, proposal(repository, new="1.13.0"), NOW_S + 600) == pull
    assert git(repository, "rev-parse", pull.branch) == theirs
    assert state_file(repository).read_text() == before


def test_a_pull_request_that_was_closed_meanwhile_is_not_updated(repository, forge):
    pull = forge.open(proposal(repository), NOW_S)
    said(repository, state="closed")
    assert forge.update(pull, proposal(repository, new="1.13.0"), NOW_S) == pull


def test_a_marker_that_a_person_deleted_is_still_known(repository, forge):
    made = proposal(repository)
    forge.open(made, NOW_S)
    state_file(repository).with_suffix(".md").write_text("rewritten by a person")
    assert forge.pulls()[0].body == f"{made.marker}\n\nrewritten by a person"
    state_file(repository).with_suffix(".md").unlink()
    assert lifecycle.match(made, forge.pulls()) is not None


@pytest.mark.parametrize("changes", [{"author": "mallory"}, {"branch": "feature/x"}])
def test_what_others_put_there_is_not_ours(repository, forge, changes):
    forge.open(proposal(repository), NOW_S)
    said(repository, **changes)
    assert forge.pulls() == ()


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "{}", '{"number": 2}', "x" * 2_000_000],
    ids=["empty", "cut", "list", "no keys", "other number", "huge"],
)
def test_a_file_that_cannot_be_read_stops_us_because_counts_would_be_wrong(repository, forge, text):
    forge.open(proposal(repository), NOW_S)
    state_file(repository).write_text(text)
    with pytest.raises(ForgeRefused, match=r"pulls/1.json: not a pull request of the local forge"):
        forge.pulls()


def test_no_hook_filter_or_signature_program_of_the_repository_runs(repository, forge, tmp_path):
    canary = tmp_path / "canary"
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {canary}\nexit 1\n")
    program.chmod(0o755)
    hooks = Path(git(repository, "rev-parse", "--absolute-git-dir")) / "hooks"
    for name in ("reference-transaction", "pre-commit", "post-commit", "update", "post-index-change"):
        (hooks / name).parent.mkdir(exist_ok=True)
        (hooks / name).symlink_to(program)
    for key, value in (
        ("filter.x.clean", program), ("core.fsmonitor", program), ("gpg.program", program),
        ("log.showSignature", "true"), ("commit.gpgSign", "true"), ("core.pager", program),
    ):  # fmt: skip
        git(repository, "config", key, str(value))
    pull = forge.open(proposal(repository), NOW_S)
    forge.update(pull, proposal(repository, new="1.13.0"), NOW_S)
    assert forge.pulls()[0].number == 1
    assert not canary.exists()


def test_a_folder_that_is_no_repository_is_refused_in_one_line(tmp_path, repository):
    forge = LocalForge(tmp_path, "main")
    with pytest.raises(ForgeRefused, match="git read-tree: fatal: not a git repository"):
        forge.open(proposal(repository), NOW_S)


def _open_in_a_process(
    repository: Path, made: Proposal, start: multiprocessing.Barrier, found: object
) -> None:
    forge = LocalForge(repository, "main")
    start.wait()
    found.put(forge.open(made, NOW_S))


@pytest.mark.parametrize("same", [True, False], ids=["one proposal", "two proposals"])
def test_runs_at_the_same_time_open_each_proposal_once(repository, forge, same):
    items = [sample.rollback_item, sample.rollback_item if same else sample.scale_item]
    fresh = multiprocessing.get_context("fork")
    for _ in range(3):
        start, queue = fresh.Barrier(4), fresh.Queue()
        made = [proposal(repository, items[place % 2]) for place in range(4)]
        runs = [
            fresh.Process(target=_open_in_a_process, args=(repository, one, start, queue)) for one in made
        ]
        for run in runs:
            run.start()
        opened: set[PullRequest] = {queue.get(timeout=60) for _ in runs}
        for run in runs:
            run.join(60)
        assert [run.exitcode for run in runs] == [0] * 4
        expected = 1 if same else 2
        assert len(opened) == len([pull for pull in forge.pulls() if pull.state == "open"]) == expected
        for pull in opened:
            said(repository, pull.number, state="closed")


# --- how it ended -----------------------------------------------------------------------------

SAID = "The incident ended. aiops closes this pull request."


def ended(pull: PullRequest, outcome: str = "over") -> str:
    return pull.body.replace("outcome=none", f"outcome={outcome}")


def test_a_pull_request_is_ended_with_the_reason_in_body_and_comment(repository, forge):
    pull = forge.open(proposal(repository), NOW_S)
    found = forge.settle(pull, ended(pull), SAID, close=True, now_s=NOW_S + 60)
    assert (found.state, found.body, found.closed_at_s, found.closed_by) == (
        "closed",
        ended(pull),
        NOW_S + 60,
        "aiops",
    )
    said = json.loads(state_file(repository).read_text())["comments"]
    assert said == [{"author": "aiops", "at": "2026-11-23T12:01:00Z", "body": SAID}]
    assert forge.pulls() == (found,)


def test_what_ended_is_not_ended_again(repository, forge):
    pull = forge.open(proposal(repository), NOW_S)
    forge.settle(pull, ended(pull), SAID, close=True, now_s=NOW_S)
    assert forge.settle(pull, ended(pull), "another", close=True, now_s=NOW_S) == pull
    assert len(json.loads(state_file(repository).read_text())["comments"]) == 1


def test_a_verdict_after_the_merge_leaves_it_merged_and_is_said_once(repository, forge):
    pull = forge.open(proposal(repository), NOW_S)
    merge(repository, pull.branch)
    (merged,) = forge.pulls()
    for _ in range(2):
        found = forge.settle(merged, ended(merged, "helped"), SAID, close=False, now_s=NOW_S)
    assert (found.state, found.body) == ("merged", ended(merged, "helped"))
    assert len(json.loads(state_file(repository).read_text())["comments"]) == 1


def test_one_outcome_is_said_once_whatever_its_numbers_are_by_now(repository, forge):
    pull = forge.open(proposal(repository), NOW_S)
    merge(repository, pull.branch)
    (merged,) = forge.pulls()
    for minutes in (60, 70):
        said = f"<!-- aiops:1 outcome=helped -->\n\nIt did not come back for {minutes} min."
        forge.settle(merged, ended(merged, "helped"), said, close=False, now_s=NOW_S)
    assert len(json.loads(state_file(repository).read_text())["comments"]) == 1


def test_what_a_person_pushed_to_is_not_closed(repository, forge):
    pull = forge.open(proposal(repository), NOW_S)
    person_commits(repository, pull.branch, "x.yaml", b"x: 1\n")
    assert forge.settle(pull, ended(pull), SAID, close=True, now_s=NOW_S) == pull
    assert [one.state for one in forge.pulls()] == ["open"]


def test_an_end_that_was_cut_off_before_the_body_was_written_still_shows_it(repository, forge):
    pull = forge.open(proposal(repository), NOW_S)
    path = state_file(repository).with_suffix(".md")
    old = path.read_text()
    forge.settle(pull, ended(pull), SAID, close=True, now_s=NOW_S)
    path.write_text(old)
    assert [one.body for one in forge.pulls()] == [ended(pull)]
