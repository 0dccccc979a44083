"""One issue while the fleet is held back: its life is a function of plan and issues, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from propose import gfm, hostile, poison, sample, storms

from aiops.domain import Familiar, Guardrail, IssueText, Plan, State, TrackingIssue
from aiops.limits import LIMITS
from aiops.propose import storm, tracking

KEY = "abcdef012345"
NOW_S = sample.NOW_S
HOUR = 3600


class Forge:
    """A forge that does what it is told, and people who may write to it as well."""

    def __init__(self) -> None:
        self.issues: list[TrackingIssue] = []
        self.written: list[IssueText] = []

    def run(self, plan: Plan, key: str = KEY, now_s: int | None = None) -> list[IssueText]:
        at_s = plan.data_time_s if now_s is None else now_s
        texts = tracking.texts(plan, self.issues, key, at_s, LIMITS)
        for text in texts:
            self.write(text, at_s)
        self.written += texts
        return list(texts)

    def write(self, text: IssueText, at_s: int) -> None:
        if text.number is None:
            made = TrackingIssue(len(self.issues) + 1, "", "open", text.title, text.body, (), at_s, None)
            self.issues.append(made)
            return
        old = self.issues[text.number - 1]
        state = text.state or old.state
        closed_at_s = (old.closed_at_s or at_s) if state == "closed" else None
        self.set(text.number, title=text.title, body=text.body, state=state, closed_at_s=closed_at_s)

    def set(self, number: int, **changes: object) -> None:
        self.issues[number - 1] = replace(self.issues[number - 1], **changes)

    @property
    def states(self) -> list[tuple[int, str, str]]:
        return [(one.number, one.state, self.mark(one.number).ended) for one in self.issues]

    def mark(self, number: int = 1) -> tracking.Mark:
        found = tracking.parse(self.issues[number - 1].body)
        assert found is not None
        return found


@pytest.fixture
def forge() -> Forge:
    return Forge()


def test_a_storm_opens_one_issue_and_the_same_data_writes_nothing_more(forge):
    forge.run(storms.storm())
    assert forge.states == [(1, "open", "no")]
    assert forge.mark() == tracking.Mark(KEY, NOW_S, NOW_S, 40)
    assert forge.run(storms.storm()) == []


def test_newer_data_renews_the_text_and_leaves_the_state_to_people(forge):
    forge.run(storms.storm())
    (text,) = forge.run(storms.storm(NOW_S + 600, red=35, quiet=5))
    assert (text.number, text.state) == (1, "")
    assert "35 of 40 workloads unexplained" in text.body
    assert forge.mark() == tracking.Mark(KEY, NOW_S, NOW_S + 600, 40)


def test_lost_scrape_targets_are_told_as_such(forge):
    forge.run(storms.storm(red=0, quiet=40, tripped="G-DATA"))
    (issue,) = forge.issues
    assert issue.title == "aiops holds back: scrape targets were lost"
    assert "60% lost in cluster prod-eu" in issue.body
    assert "Who broke first" not in issue.body


def test_an_hour_without_it_closes_the_issue_and_not_before(forge):
    forge.run(storms.storm())
    assert forge.run(storms.calm(NOW_S + HOUR - 60)) == []
    forge.run(storms.calm(NOW_S + HOUR))
    assert forge.states == [(1, "closed", "over")]
    assert "Over: it was seen from 2026-11-23 12:00 UTC to 2026-11-23 12:00 UTC" in forge.issues[0].body
    assert forge.run(storms.calm(NOW_S + 2 * HOUR)) == []


def test_a_fleet_that_lost_its_samples_is_no_end_of_a_storm(forge):
    forge.run(storms.storm())
    assert forge.run(storms.calm(NOW_S + 2 * HOUR, quiet=31)) == []
    forge.run(storms.calm(NOW_S + 2 * HOUR, quiet=32))
    assert forge.states == [(1, "closed", "over")]


def test_a_fleet_that_goes_dark_piece_by_piece_is_none_either(forge):
    forge.run(storms.storm(red=80, quiet=20))
    forge.run(storms.storm(NOW_S + HOUR, red=20, quiet=0))
    assert forge.run(storms.calm(NOW_S + 3 * HOUR, quiet=79)) == []
    forge.run(storms.calm(NOW_S + 3 * HOUR, quiet=80))
    assert forge.states == [(1, "closed", "over")]


def test_a_fleet_that_became_smaller_ends_its_storm_after_a_day(forge):
    forge.run(storms.storm())
    assert forge.run(storms.calm(NOW_S + 24 * HOUR - 60, quiet=20)) == []
    forge.run(storms.calm(NOW_S + 24 * HOUR, quiet=20))
    assert forge.states == [(1, "closed", "over")]


def test_a_run_that_looks_back_does_not_open_again_what_ended_later(forge):
    forge.run(storms.storm())
    forge.run(storms.storm(NOW_S + HOUR))
    forge.run(storms.calm(NOW_S + 3 * HOUR))
    assert forge.run(storms.storm(NOW_S + 600)) == []
    assert forge.states == [(1, "closed", "over")]


def test_a_title_that_a_person_wrote_stays(forge):
    forge.run(storms.storm())
    forge.set(1, title="INC-77: DNS is gone")
    forge.run(storms.storm(NOW_S + 600))
    assert forge.issues[0].title == "INC-77: DNS is gone"
    forge.set(1, title=storm.TITLES[0])
    forge.run(storms.storm(NOW_S + 1200, red=0, quiet=40, tripped="G-DATA"))
    assert forge.issues[0].title == storm.TITLES[1]


def test_what_is_familiar_is_no_part_of_it():
    known = storms.firing("known", NOW_S - 5 * 86_400)
    familiar = Familiar("new-level", "five days already")
    known = replace(known, incident=replace(known.incident, familiar=familiar))
    plan = replace(storms.storm(), items=(*storms.storm(red=3).items, known))
    assert "Who broke first (all 3)" in storm.body(plan, plan.guardrails, NOW_S)


def test_another_storm_within_a_day_opens_the_same_issue_again_and_a_later_one_a_new_one(forge):
    forge.run(storms.storm())
    forge.run(storms.calm(NOW_S + 2 * HOUR))
    forge.run(storms.storm(NOW_S + 23 * HOUR))
    assert forge.states == [(1, "open", "no")]
    assert "First seen at 2026-11-24 11:00 UTC" in forge.issues[0].body
    forge.run(storms.calm(NOW_S + 25 * HOUR))
    forge.run(storms.storm(NOW_S + 48 * HOUR))
    assert forge.states == [(1, "closed", "over"), (2, "open", "no")]


def test_who_closes_it_hears_no_more_of_it_for_a_day(forge):
    forge.run(storms.storm())
    forge.set(1, state="closed", closed_at_s=NOW_S + HOUR)
    for hours in (1, 5, 24):
        assert forge.run(storms.storm(NOW_S + hours * HOUR)) == []
    forge.run(storms.storm(NOW_S + 25 * HOUR))
    assert forge.states == [(1, "closed", "no"), (2, "open", "no")]


def test_reopened_by_a_person_it_stays_open(forge):
    forge.run(storms.storm())
    forge.run(storms.calm(NOW_S + 2 * HOUR))
    forge.set(1, state="open", closed_at_s=None)
    assert forge.run(storms.calm(NOW_S + 4 * HOUR)) == []
    forge.run(storms.storm(NOW_S + 5 * HOUR))
    assert forge.states == [(1, "open", "no")]


def test_of_two_that_were_opened_at_once_the_younger_is_closed(forge):
    first, second = Forge(), Forge()
    first.run(storms.storm())
    second.run(storms.storm())
    forge.issues = [first.issues[0], replace(second.issues[0], number=2)]
    forge.run(storms.storm(NOW_S + 600))
    assert forge.states == [(1, "open", "no"), (2, "closed", "duplicate")]
    assert [text.number for text in forge.written] == [1, 2]  # what ends a duplicate stops nothing else
    assert forge.run(storms.storm(NOW_S + 600)) == []
    forge.run(storms.calm(NOW_S + 2 * HOUR))
    assert forge.states == [(1, "closed", "over"), (2, "closed", "duplicate")]


def test_two_jobs_on_one_repository_have_an_issue_each(forge):
    forge.run(storms.storm())
    assert forge.run(storms.calm(NOW_S + 2 * HOUR), key="0" * 12) == []
    forge.run(storms.storm(NOW_S + 600), key="0" * 12)
    assert [forge.mark(number).key for number in (1, 2)] == [KEY, "0" * 12]


PAUSED = (*storms.storm().guardrails, Guardrail("G-PAUSE", tripped=True, value="", limit=""))


@pytest.mark.parametrize(
    ("plan", "now_s"),
    [
        (replace(storms.storm(), guardrails=()), NOW_S),
        (replace(storms.storm(), guardrails=PAUSED), NOW_S),
        (storms.storm(), NOW_S + LIMITS.fresh_s + 60),
        (storms.calm(NOW_S), NOW_S),
    ],
    ids=["asked for by a person", "paused", "old data", "nothing wrong"],
)
def test_nothing_is_written(forge, plan, now_s):
    assert forge.run(plan, now_s=now_s) == []


def test_a_run_that_looks_back_writes_nothing_where_a_later_one_did(forge):
    forge.run(storms.storm(NOW_S + HOUR))
    assert forge.run(storms.storm(NOW_S)) == []


def test_an_issue_without_its_first_line_is_a_persons_own(forge):
    forge.run(storms.storm())
    forge.set(1, body="ours\n")
    assert [text.number for text in forge.run(storms.storm(NOW_S + 600))] == [None]


def test_who_broke_first_stands_first_and_half_of_them_have_a_time():
    plan = replace(
        storms.storm(),
        items=(storms.firing("late", NOW_S - 60), storms.firing("first", NOW_S - 900, "edge")),
    )
    text = storm.body(plan, plan.guardrails, NOW_S)
    assert text.index("| `edge/first` | `prod-eu` |") < text.index("| `shop/late` | `prod-eu` |")
    assert "Half of them had broken by 2026-11-23 11:45 UTC." in text
    assert "| `prod-eu/edge` | 1 |" in text


def test_a_storm_of_thousands_is_one_screen():
    text = storm.body(storms.storm(red=5_000), storms.PASSED, NOW_S)
    assert "Who broke first (the first 12 of 5000)" in text
    assert len(text) < 4_000


@pytest.mark.parametrize("text", hostile.CORPUS)
def test_text_of_others_does_not_act(text):
    item, plan = poison.poisoned(text, 2)
    item = replace(item, incident=replace(item.incident, state=State.FIRING))
    tripped = (*plan.guardrails, replace(storms.PASSED[0], tripped=True, value=text, limit=text))
    written = tracking.texts(replace(plan, items=(item,), guardrails=tripped), (), KEY, NOW_S, LIMITS)
    (made,) = written
    assert gfm.live(made.body) == []
    assert gfm.raw(made.title) == []


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["storm", "calm", "person closes", "person opens"]), st.integers(60, 30 * HOUR)
        ),
        max_size=30,
    )
)
def test_whatever_happens_one_issue_is_open_at_most_and_a_second_run_writes_nothing(events):
    forge, at_s = Forge(), NOW_S
    for what, later_s in events:
        at_s += later_s
        if what == "person closes" and forge.issues:
            forge.set(len(forge.issues), state="closed", closed_at_s=at_s)
        elif what == "person opens" and forge.issues:
            forge.set(len(forge.issues), state="open", closed_at_s=None)
        elif what in {"storm", "calm"}:
            plan = storms.storm(at_s, red=3, quiet=1) if what == "storm" else storms.calm(at_s, quiet=4)
            forge.run(plan)
            assert forge.run(plan) == []
        assert sum(one.state == "open" for one in forge.issues) <= 1
