from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from propose import gfm, hostile, sample
from propose.poison import poisoned

from aiops.domain import Cause, Evidence, Plan, PlanItem, Scale
from aiops.propose import body, marker

GOLDEN = Path(__file__).parent / "golden"


URL = "https://prometheus.example.com/prefix"


TRACES = {"traces": "https://jaeger.example.com/search?service={workload}.{namespace}&start={from_us}"}


def written(
    item: PlanItem, plan: Plan, external_url: str = "", templates: Mapping[str, str] | None = None
) -> str:
    mark = marker.parse(sample.composed(sample.rollback_item()).body)
    assert mark is not None
    return body.write(item, plan, mark, external_url, templates)


@pytest.mark.parametrize("name", ["rollback", "scale"])
def test_the_body_is_the_golden_one(name):
    item = sample.rollback_item() if name == "rollback" else sample.scale_item()
    expected = (GOLDEN / f"{name}.md").read_text(encoding="ascii")
    assert expected == sample.composed(item).body


def test_the_first_screen_answers_what_since_when_for_whom_what_changes_and_what_speaks_against():
    first = sample.composed(sample.rollback_item()).body.split("## Observed against")[0]
    for expected in (
        "`shop/checkout`",
        "2026-11-23 11:46 UTC",
        "about 21 % of its requests fail",
        "called by `shop/frontend`",
        "`1.14.3` -> **`1.14.2`** in `clusters/prod-eu/kustomization.yaml`, at `images[0].newTag`",
        "request rate rose by a tenth",
    ):
        assert expected in first


def test_the_body_proposes_and_never_claims_a_cure():
    text = (sample.composed(sample.rollback_item()).body + sample.composed(sample.scale_item()).body).lower()
    assert not {word for word in ("fixes", "heals", "certain", "guarantee", "definitely") if word in text}


def test_the_template_itself_is_inert():
    assert gfm.live(sample.composed(sample.rollback_item()).body) == []
    assert gfm.live(sample.composed(sample.scale_item()).body) == []


@pytest.mark.parametrize("text", hostile.CORPUS)
def test_nothing_hostile_acts_anywhere_in_a_body(text):
    assert gfm.live(written(*poisoned(text))) == []
    assert gfm.live(written(*poisoned(text), URL), URL) == []
    elsewhere = written(*poisoned(text), "", TRACES)
    ours = r"elsewhere: \[traces\]\(https://jaeger\.example\.com/search\?service=[A-Za-z0-9%.]*&start=\d+\)"
    assert gfm.live(re.sub(ours, "elsewhere", elsewhere, count=1)) == []


def test_logs_and_traces_of_the_workload_and_its_hour_are_one_click_away():
    item = sample.rollback_item()
    plan = sample.plan(item)
    start_s = item.incident.onset_s - 3_600
    expected = (
        "The same workload and time elsewhere: "
        f"[traces](https://jaeger.example.com/search?service=checkout.shop&start={start_s * 1_000_000})."
    )
    assert expected in written(item, plan, "", TRACES)
    assert "elsewhere" not in written(item, plan)


PLAIN_CELLS = gfm.tags(written(*poisoned("plain")))["td"]


@settings(max_examples=200, deadline=None)
@given(text=st.text(alphabet="@#`|<>[]()!/\\:*_~-.wgh1 \n&;%$\"'\u202e\U0001f600é", max_size=300))
def test_no_text_acts_or_changes_the_shape_of_a_body(text):
    made = written(*poisoned(text))
    shape = gfm.tags(made)
    assert gfm.live(made) == []
    assert shape["td"] == PLAIN_CELLS
    assert shape["h2"] == 12


@pytest.mark.parametrize("text", ["x" * 5_000, "\U0001f600" * 5_000, "a é " * 2_000, "`" * 9_000])
def test_a_body_is_never_too_long(text):
    made = written(*poisoned(text, copies=60))
    assert len(made) <= body.MAX_BODY
    assert "## What you can do" in made


def test_a_change_that_a_person_asked_for_claims_no_measurement():
    item = sample.scale_item()
    bare = replace(item.diagnosis, evidence=(), against=())
    asked = replace(item, incident=replace(item.incident, onset_s=None, signals=()), diagnosis=bare)
    made = sample.composed(asked).body
    assert "a person asked for this change" in made
    assert "No measurement stands behind this change" in made
    assert "Data: base `main` at `1f1f1f1f1f1f`.\n" in made


def given_back() -> PlanItem:
    item = sample.scale_item()
    bare = replace(item.diagnosis, cause=Cause.UNKNOWN, evidence=(), against=())
    calm = replace(item.incident, onset_s=None, signals=())
    down = Scale(
        "hpa.max", 6, 9, "S9", "the peak is 63.3 req/s; 4 served 111 req/s well", variant="give-back"
    )
    return replace(item, incident=calm, diagnosis=bare, decision=down)


def test_capacity_that_is_given_back_speaks_of_no_incident_no_verdict_and_no_person():
    made = sample.composed(given_back())
    assert "The capacity seems no longer needed" in made.commit_message
    assert "closed with the reason when the load may need this capacity again" in made.body
    assert "newest judged step 2026-11-23 12:00 UTC" in made.body
    for wrong in ("whether it helped", "the incident is over", "false-positive", "a person asked"):
        assert wrong not in made.body
    assert made.body.count("63.3 req/s") == 1
    assert gfm.live(made.body) == []


def test_the_first_screen_says_why_this_value_and_when_it_may_not_be_enough():
    item = sample.scale_item()  # 91 req/s arrive
    assert isinstance(item.decision, Scale)
    why = "Why this value: load above forecast and the autoscaler is limited."
    short = " **This step alone may not be enough.**"
    for per_pod, expected in ((None, why), (10.2, why), (10.0, why + short)):
        made = written(replace(item, decision=replace(item.decision, per_pod=per_pod)), sample.plan())
        assert f"Nothing else in the repository changes. {expected}\n" in made


def test_what_is_wrong_is_what_the_chart_shows():
    item = sample.rollback_item()
    slow = replace(item, chart=sample.chart("latency_p95", "ms"))
    assert "`latency_p95` reached **812 ms** where about 143 ms is expected" in written(slow, sample.plan())


def test_a_harm_that_nobody_feels_yet_says_so():
    item = sample.rollback_item()
    for share, expected in ((0.0, True), (0.02, False), (None, False)):
        impact = replace(item.diagnosis.impact, share_failing=share, share_slow=0.0)
        made = written(replace(item, diagnosis=replace(item.diagnosis, impact=impact)), sample.plan())
        assert expected == ("hardly anybody so far" in made)


def first_screen(evidence: tuple[Evidence, ...]) -> list[str]:
    """Return the lines of the first screen that speak for a change."""
    item = sample.scale_item()
    made = written(replace(item, diagnosis=replace(item.diagnosis, evidence=evidence)), sample.plan())
    return [line for line in made.splitlines() if line.startswith("- For it: ")]


def test_the_first_observations_do_not_repeat_the_table_and_keep_answers_to_one_question_together():
    load, most = sample.scale_item().diagnosis.evidence
    banded = replace(most, claim="latency_p95 left its band: expected about 143 ms", query="latency")
    before = replace(load, claim="load in the hour before", value=50.0, at_s=load.at_s - 1_200)
    assert first_screen((before, load, banded, most)) == [
        f"- For it: load in the hour before: **50 req/s**; {load.claim}: **91 req/s** (12:00 UTC)",
        "- For it: the autoscaler is at its maximum of 6 (12:00 UTC)",
    ]


def test_of_two_versions_the_comparison_is_told_in_which_the_new_one_is_worse():
    load = sample.scale_item().diagnosis.evidence[0]

    def pair(what: str, new: float, old: float, unit: str) -> tuple[Evidence, ...]:
        return tuple(
            replace(load, claim=f"{what} of {which} version 2", query=what, value=value, unit=unit)
            for which, value in (("new", new), ("old", old))
        )

    fine = pair("error ratio", 0.0, 0.0006, "ratio")
    slow = pair("p95 latency", 2_400.0, 75.0, "ms")
    less = pair("share that succeeds", 0.6, 0.99, "ratio")
    new, old = "p95 latency of new version 2: **2400 ms**", "p95 latency of old version 2: **75 ms**"
    told = f"- For it: {new}; {old} (12:00 UTC)"
    assert first_screen((*fine, *slow, *less)) == [told]
    assert [line.split(" of ")[0] for line in first_screen((*fine, *less))] == [
        "- For it: share that succeeds"
    ]
    assert first_screen(fine) == []


def test_what_makes_a_rollback_stick_is_said_with_how_to_lift_it():
    item = sample.rollback_item()
    marked = replace(
        item.edits[0], old='# {"$imagepolicy": "flux-system:web:tag"}', new="", change="remove", role="pin"
    )
    path = ("metadata", "annotations", "argocd-image-updater.argoproj.io/web.ignore-tags")
    ignored = replace(item.edits[0], path=path, old="", new="1.14.3", change="insert", role="pin")

    text = written(replace(item, edits=(*item.edits, marked, ignored)), sample.plan())

    assert "so that it stays: the image automation's marker is removed in" in text
    assert "To lift it, put that comment, which the diff shows, back" in text
    assert "so that it stays: ignored tags **`1.14.3`** in" in text
    assert "stays so until a person lifts that" in text
    assert "would do so at once" not in text


def test_what_else_the_release_commit_changed_is_named():
    item = sample.rollback_item()
    past = (replace(item.past[0], touched=("apps/web/migration.sql",)), *item.past[1:])

    assert "also changed `apps/web/migration.sql`; that stays as it is." in written(
        replace(item, past=past), sample.plan()
    )
