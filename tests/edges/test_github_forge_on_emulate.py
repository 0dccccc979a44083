"""The happy path through PyGithub on `emulate`, a GitHub API server that this project did not write.

It accepts a second pull request from one branch and knows no wrong token, so refusals and races are
in `test_github_forge_faults.py`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import github
import pytest
import real
from edges import github_api
from propose import sample, storms

from aiops.domain import Proposal
from aiops.edges import github_client
from aiops.edges.github_forge import GitHubForge
from aiops.errors import ForgeBusy, ForgeRefused
from aiops.limits import LIMITS
from aiops.propose import lifecycle, tracking

pytestmark = pytest.mark.real

TOKEN, OTHER = "token-of-the-bot", "token-of-a-person"


@pytest.fixture(scope="module")
def server() -> Iterator[real.Emulator]:
    repos = [{"owner": "bot", "name": f"gitops{place}", "auto_init": True} for place in range(20)]
    seed = {
        "tokens": {TOKEN: {"login": "bot", "scopes": ["repo"]}, OTHER: {"login": "jo", "scopes": ["repo"]}},
        "github": {"users": [{"login": "bot"}, {"login": "jo"}], "repos": repos},
    }
    with real.running_emulate(seed) as running:
        yield running


@pytest.fixture(autouse=True)
def described(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fail for a request that is not as GitHub describes it, whatever this server accepts."""
    exchange, wrong = github_client.Connection._exchange, []

    def checked(self: Any, verb: str, url: str, body: str | None, *more: Any) -> Any:
        parts = urlsplit(url)
        sent = json.loads(body) if body else None
        wrong.extend(github_api.asked(verb, unquote(parts.path), parse_qs(parts.query), sent))
        return exchange(self, verb, url, body, *more)

    monkeypatch.setattr(github_client.Connection, "_exchange", checked)
    yield
    assert [] == wrong


@pytest.fixture
def name(server: real.Emulator, request: pytest.FixtureRequest) -> str:
    """Return a repository nobody used yet, with the sample files on its main branch."""
    used = getattr(request.config, "emulate_used", 0)
    request.config.emulate_used = used + 1
    found = f"bot/gitops{used}"
    repo = person(server, TOKEN).get_repo(found)
    for path, content in ((sample.IMAGE_FILE, sample.IMAGE_CONTENT), (sample.HPA_FILE, sample.HPA_CONTENT)):
        repo.create_file(path, "add", content.decode(), branch="main")
    return found


def person(server: real.Emulator, token: str) -> github.Github:
    return github.Github(
        base_url=server.base_url, auth=github.Auth.Token(token), retry=None,
        seconds_between_requests=None, seconds_between_writes=None,
    )  # fmt: skip


def forge(server: real.Emulator, name: str) -> GitHubForge:
    return GitHubForge(github_client.repository(TOKEN, server.base_url, name, deadline_s=60))


def proposal(repo: Any, item: Any = sample.rollback_item, new: str = "") -> Proposal:
    made = item()
    if new:
        edit = replace(made.edits[0], new=new, new_text=new)
        made = replace(made, decision=replace(made.decision, new=new), edits=(edit,))
    return sample.composed(made, base_sha=repo.get_git_ref("heads/main").object.sha)


def changed(repo: Any, branch: str) -> dict[str, bytes]:
    """Return path -> content of every file that differs from main."""
    files = repo.compare("main", branch).files
    return {one.filename: repo.get_contents(one.filename, ref=branch).decoded_content for one in files}


def test_a_proposal_becomes_one_pull_request_with_one_commit_on_one_file(server, name):
    repo = person(server, TOKEN).get_repo(name)
    made = proposal(repo)
    pull = forge(server, name).open(made, sample.NOW_S)
    there = repo.get_pull(pull.number)
    assert (there.title, there.body, there.base.ref, there.head.ref) == (
        made.title,
        made.body,
        "main",
        made.branch,
    )
    assert changed(repo, made.branch) == {sample.IMAGE_FILE: made.files[sample.IMAGE_FILE]}
    commit = repo.get_git_commit(repo.get_git_ref(f"heads/{made.branch}").object.sha)
    assert (commit.message, [one.sha for one in commit.parents]) == (made.commit_message, [made.base_sha])
    assert [label.name for label in there.labels] == ["aiops"]
    assert (pull.state, pull.author, pull.branch) == ("open", "bot", made.branch)


def test_a_second_run_opens_nothing(server, name):
    repo = person(server, TOKEN).get_repo(name)
    first = forge(server, name).open(proposal(repo), sample.NOW_S)
    again = forge(server, name).open(proposal(repo), sample.NOW_S + 300)
    assert again.number == first.number
    assert repo.get_pulls(state="all").totalCount == 1
    assert [pull.number for pull in forge(server, name).pulls()] == [first.number]


def test_two_proposals_stand_beside_each_other_newest_first(server, name):
    repo = person(server, TOKEN).get_repo(name)
    ours = forge(server, name)
    numbers = [
        ours.open(proposal(repo, item), 0).number for item in (sample.rollback_item, sample.scale_item)
    ]
    assert [pull.number for pull in ours.pulls()] == numbers[::-1]


def test_an_update_moves_branch_and_text_and_never_forces(server, name):
    repo = person(server, TOKEN).get_repo(name)
    pull = forge(server, name).open(proposal(repo), 0)
    before = repo.get_git_ref(f"heads/{pull.branch}").object.sha
    repo.create_file("other.yaml", "a person's work", "x: 1\n", branch="main")
    made = proposal(repo, new="1.13.0")
    updated = forge(server, name).update(pull, made, 0)
    tip = repo.get_git_commit(repo.get_git_ref(f"heads/{pull.branch}").object.sha)
    assert [parent.sha for parent in tip.parents] == [before, made.base_sha]
    assert changed(repo, pull.branch) == {sample.IMAGE_FILE: made.files[sample.IMAGE_FILE]}
    assert (updated.number, updated.title, updated.body) == (pull.number, made.title, made.body)


def test_a_branch_that_a_person_pushed_to_is_left_alone(server, name):
    repo = person(server, TOKEN).get_repo(name)
    pull = forge(server, name).open(proposal(repo), 0)
    repo.create_file("theirs.yaml", "a person's work", "x: 1\n", branch=pull.branch)
    tip = repo.get_git_ref(f"heads/{pull.branch}").object.sha
    assert forge(server, name).update(pull, proposal(repo, new="1.13.0"), 0) == pull
    assert repo.get_git_ref(f"heads/{pull.branch}").object.sha == tip


def test_an_orphan_branch_of_ours_is_adopted_without_another_commit(server, name):
    repo = person(server, TOKEN).get_repo(name)
    ours = forge(server, name)
    made = proposal(repo)
    assert ours._branches.carry(made)
    tip = repo.get_git_ref(f"heads/{made.branch}").object.sha
    pull = forge(server, name).open(made, 0)
    assert pull.branch == made.branch
    assert repo.get_git_ref(f"heads/{made.branch}").object.sha == tip


def test_an_orphan_branch_from_an_older_base_is_brought_up_to_date(server, name):
    repo = person(server, TOKEN).get_repo(name)
    assert forge(server, name)._branches.carry(proposal(repo))
    repo.create_file("other.yaml", "a person's work", "x: 1\n", branch="main")
    made = proposal(repo)
    pull = forge(server, name).open(made, 0)
    assert pull.branch == made.branch
    assert changed(repo, pull.branch) == {sample.IMAGE_FILE: made.files[sample.IMAGE_FILE]}


def test_a_branch_of_a_person_with_our_name_is_left_alone(server, name):
    repo = person(server, TOKEN).get_repo(name)
    made = proposal(repo)
    repo.create_git_ref(f"refs/heads/{made.branch}", made.base_sha)
    pull = forge(server, name).open(made, 0)
    assert lifecycle.number(pull.branch) == 2
    assert repo.get_git_ref(f"heads/{made.branch}").object.sha == made.base_sha


def test_after_a_close_the_next_branch_has_the_next_number(server, name):
    repo = person(server, TOKEN).get_repo(name)
    first = forge(server, name).open(proposal(repo), 0)
    repo.get_pull(first.number).edit(state="closed")
    second = forge(server, name).open(proposal(repo), 0)
    assert (lifecycle.number(first.branch), lifecycle.number(second.branch)) == (1, 2)
    assert [(pull.number, pull.state) for pull in forge(server, name).pulls()] == [
        (second.number, "open"), (first.number, "closed"),
    ]  # fmt: skip


def test_a_merge_is_seen_as_a_merge(server, name):
    repo = person(server, TOKEN).get_repo(name)
    pull = forge(server, name).open(proposal(repo), 0)
    repo.get_pull(pull.number).merge()
    (found,) = forge(server, name).pulls()
    assert found.state == "merged"
    assert found.merged_at_s is not None
    assert b"newTag: 1.14.2" in repo.get_contents(sample.IMAGE_FILE).decoded_content


def test_a_pull_request_of_another_author_is_not_ours_even_with_our_branch_and_marker(server, name):
    repo = person(server, TOKEN).get_repo(name)
    repo.add_to_collaborators("jo", "push")
    made = proposal(repo)
    assert forge(server, name)._branches.carry(made)
    forged = person(server, OTHER).get_repo(name).create_pull(
        base="main", head=made.branch, title=made.title, body=made.body
    )  # fmt: skip
    assert forge(server, name).pulls() == ()
    pull = forge(server, name).open(made, 0)
    assert pull.number != forged.number
    assert lifecycle.number(pull.branch) == 2


def test_a_base_that_changed_where_we_edit_is_not_proposed_on(server, name):
    repo = person(server, TOKEN).get_repo(name)
    made = proposal(repo)
    there = repo.get_contents(sample.IMAGE_FILE)
    repo.update_file(sample.IMAGE_FILE, "a person's work", "images: []\n", there.sha, branch="main")
    with pytest.raises(ForgeBusy, match="the base changed while we were proposing"):
        forge(server, name).open(made, 0)
    assert repo.get_pulls(state="all").totalCount == 0


def test_a_repository_that_is_not_there_is_refused(server):
    with pytest.raises(ForgeRefused, match=r"not found \(404\)"):
        github_client.repository(TOKEN, server.base_url, "bot/nothing")


def test_a_storm_has_one_issue_until_it_is_over(server, name):
    ours, repo = forge(server, name), person(server, TOKEN).get_repo(name)
    now_s = int(time.time()) + 60  # the server dates by the clock, and an issue is no older than its run
    plans = [
        storms.storm(now_s),
        storms.storm(now_s),
        storms.storm(now_s + 600, red=20, quiet=20),
        storms.calm(now_s + 7_200),
    ]
    done = []
    for plan in plans:
        texts = tracking.texts(plan, ours.issues(), "abcdef012345", plan.data_time_s, LIMITS)
        done += [(text.number is None, ours.track(text, 0).state) for text in texts]
    assert done == [(True, "open"), (False, "open"), (False, "closed")]
    (issue,) = [one for one in repo.get_issues(state="all") if one.pull_request is None]
    assert (issue.state, [one.name for one in issue.labels]) == ("closed", [tracking.LABEL])
    assert "Over: it was seen from" in issue.body
