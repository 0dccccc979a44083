"""`make live REPO=owner/sandbox`: the life of one pull request and one issue on GitHub itself.

Needs `GITHUB_TOKEN` with contents, pull requests and issues write on a repository that nobody needs. A
file is committed to its default branch, and stays; what is opened is closed, and the branch deleted.
Prints what each step found and how many requests it took; 1 when a step did not find what it should.
The suite runs the same on a server that this project did not write: whether GitHub does as it does is
what only this can tell.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from propose import sample, storms

from aiops.domain import IssueText, Plan, PlanItem, Proposal
from aiops.edges import github_access, github_client
from aiops.edges.github_forge import GitHubForge
from aiops.limits import LIMITS
from aiops.propose import marker, proposal, tracking

Step = tuple[str, object, object]  # what is looked at, what was found, what was expected
SAID = "<!-- aiops:1 outcome=over -->\n\nThis is a trial of aiops."


def steps(token: str, api_url: str, name: str, now_s: int) -> Iterator[Step]:
    """Go through the life of a pull request and of an issue; yield what each step found."""
    repo = github_client.repository(token, api_url, name, deadline_s=240)
    base = str(repo.default_branch)
    rights = github_access.of(repo, base)
    yield "the token may push, as far as GitHub tells", rights.may_push is not False, True
    path = f"aiops-live/{now_s}/kustomization.yaml"
    repo.create_file(path, "A trial of aiops", sample.IMAGE_CONTENT.decode(), branch=base)
    yield from _pull(repo, token, base, path, now_s)
    yield from _issue(GitHubForge(repo), now_s)


def _pull(repo: Any, token: str, base: str, path: str, now_s: int) -> Iterator[Step]:
    sha = repo.get_git_ref(f"heads/{base}").object.sha
    forge = GitHubForge(repo)
    first = _proposal(base, sha, path, "1.14.2")
    pull = forge.open(first, now_s)
    try:
        yield "it is open, and ours", (pull.state, marker.parse(pull.body) is not None), ("open", True)
        yield "a second run opens nothing", GitHubForge(repo).open(first, now_s).number, pull.number
        yield "it is in the list", pull.number in [one.number for one in GitHubForge(repo).pulls()], True
        shown = repo.get_pull(pull.number)
        changed = [one.filename for one in repo.compare(base, pull.branch).files]
        yield "it changes one file", changed, [path]
        yield "it has its label", [label.name for label in shown.labels], ["aiops"]
        newer = _proposal(base, sha, path, "1.13.0")
        yield "it is brought up to date", forge.update(pull, newer, now_s).title, newer.title
        yield "its branch has the new value", _content(repo, pull.branch, path), newer.files[path]
        current = next(one for one in GitHubForge(repo).pulls() if one.number == pull.number)
        mark = marker.parse(current.body)
        assert mark is not None
        ended = marker.rewritten(current.body, replace(mark, outcome="over"))
        done = forge.settle(current, ended, SAID, close=True, now_s=now_s)
        yield "it is closed with its outcome", (done.state, done.body), ("closed", ended)
        GitHubForge(repo).settle(done, ended, SAID, close=False, now_s=now_s)
        comments = [one.body for one in shown.get_issue_comments()]
        yield "what is said is said once", comments, [SAID]
    finally:
        repo.requester.requestJsonAndCheck("DELETE", f"{repo.url}/git/refs/heads/{pull.branch}")


def _issue(forge: GitHubForge, now_s: int) -> Iterator[Step]:
    key = marker.digest(str(now_s))

    def texts(plan: Plan) -> tuple[IssueText, ...]:
        return tracking.texts(plan, forge.issues(), key, plan.data_time_s, LIMITS)

    # The server dates by its clock, and an issue is no older than its run.
    start_s = now_s + 300
    opened = [forge.track(text, now_s) for text in texts(storms.storm(start_s))]
    yield "a storm opens one issue", [one.state for one in opened], ["open"]
    yield "with the label it is found by", [one.labels for one in opened], [(tracking.LABEL,)]
    yield "the same data writes nothing", texts(storms.storm(start_s)), ()
    renewed = [forge.track(text, now_s).number for text in texts(storms.storm(start_s + 600))]
    yield "newer data renews it", renewed, [one.number for one in opened]
    over = [forge.track(text, now_s).state for text in texts(storms.calm(start_s + 7_200))]
    yield "when it is over it is closed", over, ["closed"]


def _proposal(base: str, sha: str, path: str, new: str) -> Proposal:
    item: PlanItem = sample.rollback_item()
    edit = replace(item.edits[0], file=path, new=new, new_text=new)
    made = replace(item, decision=replace(item.decision, new=new), edits=(edit,))
    plan = replace(sample.plan(made), base=base, base_sha=sha)
    return proposal.compose(made, plan, {path: sample.IMAGE_CONTENT}, {path: "100644"})


def _content(repo: Any, branch: str, path: str) -> bytes:
    return bytes(repo.get_contents(path, ref=branch).decoded_content)


def told(found: Iterator[Step], say: Callable[[str], None]) -> int:
    """Print each step; return how many did not find what was expected."""
    wrong = 0
    for what, seen, expected in found:
        good = seen == expected
        wrong += not good
        say(f"{'ok   ' if good else 'WRONG'} {what}" + ("" if good else f": {seen!r}, expected {expected!r}"))
    return wrong


def main() -> int:
    """Run the steps on the repository that is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("repository", help="owner/name")
    name = parser.parse_args().repository
    token = os.environ.get("GITHUB_TOKEN", "")
    if not token:
        print("export GITHUB_TOKEN: contents, pull requests and issues write on a sandbox", file=sys.stderr)
        return 2
    api_url = os.environ.get("GITHUB_API_URL", "https://api.github.com")
    return int(told(steps(token, api_url, name, int(time.time())), print) > 0)


if __name__ == "__main__":
    sys.exit(main())
