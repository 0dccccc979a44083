"""The tracking issue on GitHub: opened once whatever fails, and a clear line for what is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from edges import github_server
from edges.double_issues import FIRST
from edges.github_double import REPO, Double, Fault
from propose import sample, storms

from aiops.domain import IssueText, Plan
from aiops.edges import github_client
from aiops.edges.github_forge import GitHubForge
from aiops.errors import AiopsError, ForgeRefused
from aiops.limits import LIMITS
from aiops.propose import tracking

TOKEN = "ghp_canary0123456789abcdefghij"
KEY = "abcdef012345"
PULL = dict.fromkeys(("url", "html_url", "diff_url", "patch_url"), "https://x/pulls/1")
NOW_S = sample.NOW_S


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _: None)


@pytest.fixture
def double() -> Iterator[Double]:
    with github_server.running(Double()) as running:
        running.now = "2026-11-23T12:00:00Z"
        yield running


def forge(double: Double) -> GitHubForge:
    return GitHubForge(github_client.repository(TOKEN, double.base_url, "acme/gitops", deadline_s=30))


def text(plan: Plan | None = None) -> IssueText:
    (made,) = tracking.texts(plan or storms.storm(), (), KEY, NOW_S, LIMITS)
    return made


def states(double: Double) -> list[str]:
    return [one["state"] for one in double.issues.issues]


def once(verb: str, path: str, fault: Fault) -> Callable[[str, str], Fault | None]:
    left = [1]

    def found(sent: str, to: str) -> Fault | None:
        if sent == verb and to == REPO + path and left[0]:
            left[0] = 0
            return fault
        return None

    return found


def test_it_is_opened_with_its_label_and_found_by_it(double):
    made = forge(double).track(text(), NOW_S)
    assert (made.number, made.state, made.labels) == (FIRST, "open", (tracking.LABEL,))
    assert forge(double).issues() == (made,)
    assert double.issues.issues[0]["body"] == text().body


def test_it_is_written_to_without_touching_what_a_person_did_to_its_state(double):
    made = forge(double).track(text(), NOW_S)
    double.issues.changed(made.number, {"state": "closed"}, double.now)
    (newer,) = tracking.texts(storms.storm(NOW_S + 600), (made,), KEY, NOW_S + 600, LIMITS)
    written = forge(double).track(newer, NOW_S + 600)
    assert (written.state, written.body) == ("closed", newer.body)


def test_it_is_closed_and_opened_again(double):
    made = forge(double).track(text(), NOW_S)
    for state in ("closed", "open"):
        done = forge(double).track(IssueText(made.number, made.title, made.body, state), NOW_S)
        assert (done.state, states(double)) == (state, [state])


@pytest.mark.parametrize("applied", [True, False])
@pytest.mark.parametrize("kind", ["reset", "status", "truncate", "html"])
def test_an_answer_that_is_lost_does_not_open_a_second_one(double, kind, applied):
    double.fault = once("POST", "/issues", Fault(kind, 502 if kind == "status" else 201, applied=applied))
    made = forge(double).track(text(), NOW_S)
    assert (made.number, states(double)) == (FIRST, ["open"])


def test_runs_at_once_leave_one_open(double):
    start, made, failed = threading.Barrier(8), [], []

    def run() -> None:
        ours = forge(double)
        start.wait()
        try:
            made.append(ours.track(text(), NOW_S).number)
        except AiopsError as error:
            failed.append(error)

    threads = [threading.Thread(target=run) for _ in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert (failed, set(made)) == ([], {FIRST})
    assert states(double) == ["open", *["closed"] * (len(double.issues.issues) - 1)]


def test_a_label_that_github_drops_is_asked_for(double):
    double.issues.labels_kept = False
    assert forge(double).track(text(), NOW_S).labels == (tracking.LABEL,)
    assert (states(double), double.labels) == (["open"], [(FIRST, tracking.LABEL)])


def test_without_its_label_the_issue_is_closed_and_the_reason_told(double):
    double.issues.labels_kept = False
    double.fault = once("POST", f"/issues/{FIRST}/labels", Fault("status", 403, body={"message": "no"}))
    with pytest.raises(ForgeRefused, match=r"labelling issue 1001: the forge says no \(403\)"):
        forge(double).track(text(), NOW_S)
    assert states(double) == ["closed"]


def test_a_list_that_is_late_makes_no_second_issue(double):
    double.issues.lag = 3
    made = forge(double).track(text(), NOW_S)
    assert (made.number, states(double)) == (FIRST, ["open"])


def test_only_our_own_issues_count_and_no_pull_request(double):
    given = {"title": "t", "body": text().body, "labels": [tracking.LABEL]}
    url = double.base_url
    double.issues.add(given, "mallory", double.now, url)
    double.issues.add(given, "bot", double.now, url, pull_request=PULL)
    double.issues.add(given, "bot", double.now, url, user=None)
    assert forge(double).issues() == ()


@pytest.mark.parametrize(
    ("status", "message"),
    [(404, "Not Found"), (403, "Resource not accessible by integration")],
)
def test_a_missing_permission_is_named(double, status, message):
    double.fault = once("POST", "/issues", Fault("status", status, body={"message": message}))
    with pytest.raises(ForgeRefused) as told:
        forge(double).track(text(), NOW_S)
    assert told.value.todo == "give the token issues write as well, or take `issues: true` out of aiops.yaml"


def test_a_repository_without_issues_is_told_as_such(double):
    message = "Issues are disabled for this repo"
    double.fault = once("GET", "/issues", Fault("status", 410, body={"message": message}))
    with pytest.raises(ForgeRefused, match="Issues are disabled for this repo"):
        forge(double).issues()


def test_a_page_that_is_no_list_of_issues_is_no_empty_list(double):
    double.fault = once("GET", "/issues", Fault("status", 200, body={"message": "hello"}))
    with pytest.raises(AiopsError, match="the answer is not GitHub's"):
        forge(double).issues()
