from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from diagnose.scenes import NOW_S, workload
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.decide import guardrails
from aiops.domain import (
    Answer,
    Asked,
    Cause,
    Change,
    Diagnosis,
    Edit,
    Evidence,
    Familiar,
    Guardrail,
    Impact,
    Incident,
    Outcome,
    Plan,
    PlanItem,
    PullRequest,
    PullState,
    Query,
    Rollback,
    Scale,
    State,
    Verdict,
    Workload,
)
from aiops.limits import LIMITS, Limits
from aiops.propose import marker

HOUR = 3600


def incident(name: str, state: State = State.FIRING) -> Incident:
    return Incident(
        workload(name), Verdict.ANOMALOUS, state, NOW_S - 1800, (), 2.0, "lstm", None, 1.0, NOW_S, 10**6
    )


def diagnosis(name: str, root: str | None, cause: Cause = Cause.UNKNOWN) -> Diagnosis:
    change = (
        Change(workload(name), "image", name, "a:1", "a:2", NOW_S - 2000)
        if cause is Cause.BAD_RELEASE
        else None
    )
    blamed = workload(root) if root else None
    return Diagnosis(workload(name), cause, blamed, change, (), (), (), Impact(0.3, None, (), None), ())


def item(name: str, *, urgent: bool = True, failing: float = 0.3) -> PlanItem:
    """Return a rollback (urgent) or a scale of one workload."""
    cause = Cause.BAD_RELEASE if urgent else Cause.OVERLOAD
    found = replace(diagnosis(name, name, cause), impact=Impact(failing, None, (), None))
    decision = Rollback("image.tag", "2", "1", "R1", "") if urgent else Scale("replicas", 2, 3, "S3", "")
    edit = Edit(f"{name}.yaml", 0, ("x",), "2", "1", "1", 0, 1, "b")
    return PlanItem(workload(name), decision, incident(name), found, (edit,), (), None)


def plan(items: Sequence[PlanItem], *, data_s: int = NOW_S, checks: tuple[Guardrail, ...] = ()) -> Plan:
    return Plan("main", "0" * 40, data_s, 60, "", tuple(items), checks)


def key(one: PlanItem) -> str:
    return f"aiops/{one.decision.action}/{marker.digest(one.workload.name)}"


def pull(
    one: PlanItem,
    number: int = 1,
    *,
    state: PullState = "open",
    ended_h: float | None = None,
    created_h: float = 30,
    closed_by: str | None = None,
    trigger: str | None = None,
    branch: str | None = None,
    marked: bool = True,
    outcome: Outcome = "none",
) -> PullRequest:
    """Return a pull request of ours about an item; hours count backwards."""
    ended_s = None if ended_h is None else int(NOW_S - ended_h * HOUR)
    mark = marker.Marker(
        one.decision.action,
        marker.digest(one.workload.name),
        marker.workload_hash(one.workload),
        one.diagnosis.cause,
        trigger or marker.trigger(one.incident, one.diagnosis),
        "0" * 40,
        int(NOW_S - created_h * HOUR),
        "0" * 12,
        outcome=outcome,
    )
    return PullRequest(
        number=number,
        url=f"local:{number}",
        branch=branch or f"{key(one)}-1",
        state=state,
        title="t",
        body=f"{mark}\n" if marked else "no marker",
        author="aiops",
        labels=(),
        created_at_s=int(NOW_S - created_h * HOUR),
        closed_at_s=ended_s if state == "closed" else None,
        merged_at_s=ended_s if state == "merged" else None,
        closed_by=closed_by,
    )


def admit(
    items: Sequence[PlanItem],
    pulls: Sequence[PullRequest] = (),
    *,
    now_s: int = NOW_S,
    limits: Limits = LIMITS,
    made: Plan | None = None,
) -> tuple[list[str], dict[str, str]]:
    """Return (names admitted, in order; guardrail per name held)."""
    keys = {one.workload: key(one) for one in items}
    admitted, _, held = guardrails.admit(items, made or plan(items), keys, pulls, now_s, limits)
    return (
        [one.workload.name for one in admitted],
        {one.name: reason.split(":")[0] for one, reason in held.items()},
    )


def test_a_quiet_repository_gets_what_was_decided() -> None:
    assert admit([item("api"), item("search", urgent=False)]) == (["api", "search"], {})


A = item("api")
SCALE_A = item("api", urgent=False)
HELD: list[tuple[str, PlanItem, list[PullRequest], str]] = [
    ("another kind is open for it", A, [pull(SCALE_A)], "G-ONE"),
    ("a person closed it unmerged", A, [pull(A, state="closed", ended_h=90, closed_by="ann")], "G-VETO"),
    ("it was closed by nobody in particular", A, [pull(A, state="closed", ended_h=90)], "G-VETO"),
    (
        "a person closed it and removed the marker",
        A,
        [pull(A, state="closed", ended_h=90, closed_by="ann", marked=False)],
        "G-VETO",
    ),
    ("it was merged five hours ago", A, [pull(A, state="merged", ended_h=5)], "G-COOL"),
    ("it was closed by us an hour ago", A, [pull(A, state="closed", ended_h=1, closed_by="aiops")], "G-COOL"),
    (
        "another place of it was merged an hour ago",
        A,
        [pull(A, state="merged", ended_h=1, branch="aiops/rollback/0123456789ab-1")],
        "G-COOL",
    ),
    ("the same was merged a day ago", A, [pull(A, state="merged", ended_h=24)], "G-TRIED"),
    (
        "a person closed it and made the change",
        A,
        [pull(A, state="closed", ended_h=24, outcome="confirmed")],
        "G-TRIED",
    ),
    (
        "load rose again within a day of a merge",
        SCALE_A,
        [pull(SCALE_A, state="merged", ended_h=20, trigger="load-2020-01-01")],
        "G-TRIED",
    ),
    (
        "load rose again within a day of a no",
        SCALE_A,
        [pull(SCALE_A, state="closed", ended_h=20, trigger="load-2020-01-01")],
        "G-VETO",
    ),
    ("it ended, and the forge does not say when", A, [pull(A, state="merged", ended_h=None)], "G-COOL"),
]


@pytest.mark.parametrize(("one", "pulls", "rule"), [row[1:] for row in HELD], ids=[row[0] for row in HELD])
def test_an_existing_pull_request_holds_a_proposal_back(
    one: PlanItem, pulls: list[PullRequest], rule: str
) -> None:
    assert admit([one], pulls) == ([], {"api": rule})


FREE: list[tuple[str, list[PullRequest]]] = [
    ("its own open pull request is updated", [pull(A)]),
    (
        "another release was merged a day ago",
        [pull(A, state="merged", ended_h=24, trigger="image-0123456789ab-1")],
    ),
    ("we closed it seven hours ago, as over", [pull(A, state="closed", ended_h=7, outcome="over")]),
    (
        "a younger one that made the same change was closed by us a minute ago",
        [pull(A, 1), pull(A, 2, state="closed", ended_h=1 / 60, outcome="duplicate")],
    ),
    ("another kind was merged an hour ago", [pull(SCALE_A, state="merged", ended_h=1)]),
    (
        "a person declined another release",
        [pull(A, state="closed", ended_h=90, closed_by="ann", trigger="image-x-1")],
    ),
    ("another workload was declined", [pull(item("web"), state="closed", ended_h=1, closed_by="ann")]),
    (
        "it was declined after the time that is evaluated",
        [pull(A, state="closed", ended_h=-1, closed_by="ann")],
    ),
    ("a pull request of the future", [pull(SCALE_A, created_h=-1)]),
]


@pytest.mark.parametrize("pulls", [row[1] for row in FREE], ids=[row[0] for row in FREE])
def test_an_existing_pull_request_does_not_stand_in_the_way(pulls: list[PullRequest]) -> None:
    assert admit([A], pulls) == (["api"], {})


def test_two_new_ones_a_run_and_the_worst_first() -> None:
    items = [item("a", failing=0.1), item("b", failing=0.5), item("c", urgent=False, failing=0.9)]
    assert admit(items) == (["b", "a"], {"c": "G-RATE"})


def test_an_open_one_that_is_updated_takes_no_slot() -> None:
    items = [item("a"), item("b"), item("c")]
    assert admit(items, [pull(items[0])]) == (["a", "b", "c"], {})


def test_one_open_slot_is_kept_for_bad_releases() -> None:
    others = [pull(item(f"w{n}"), n) for n in range(4)]
    assert admit([item("s", urgent=False)], others) == ([], {"s": "G-RATE"})
    assert admit([item("s")], others) == (["s"], {})
    assert admit([item("s")], [*others, pull(item("w9"), 9)]) == ([], {"s": "G-RATE"})


def test_two_that_make_the_same_change_fill_one_slot() -> None:
    others = [pull(item(f"w{n}"), n) for n in range(3)]
    assert admit([item("s", urgent=False)], [*others, pull(item("w2"), 7)]) == (["s"], {})


def test_ten_a_day_are_enough() -> None:
    old = [pull(item(f"w{n}"), n, state="merged", created_h=10, ended_h=9) for n in range(10)]
    assert admit([item("api")], old) == ([], {"api": "G-RATE"})
    assert admit([item("api")], [replace(p, created_at_s=NOW_S - 25 * HOUR) for p in old]) == (["api"], {})


def test_one_of_the_ten_a_day_is_kept_for_bad_releases() -> None:
    old = [pull(item(f"w{n}"), n, state="merged", created_h=10, ended_h=9) for n in range(9)]
    assert admit([item("s", urgent=False)], old) == ([], {"s": "G-RATE"})
    assert admit([item("s")], old) == (["s"], {})


def test_what_a_crowd_of_runs_opened_beside_each_other_does_not_use_up_the_day() -> None:
    other = item("w")
    twice = [
        pull(other, n, state="closed", created_h=1, ended_h=1, outcome="duplicate", closed_by="aiops")
        for n in range(2, 12)
    ]
    assert admit([SCALE_A], [pull(other, 1, created_h=1), *twice]) == ([SCALE_A.workload.name], {})


def test_a_pull_request_without_a_marker_still_fills_a_slot() -> None:
    strange = [pull(item(f"w{n}"), n, marked=False) for n in range(5)]
    assert admit([A], strange) == ([], {"api": "G-RATE"})


@pytest.mark.parametrize("age_s", [901, -901])
def test_a_plan_that_is_too_old_or_from_the_future_is_dropped(age_s: int) -> None:
    assert admit([A], made=plan([A], data_s=NOW_S - age_s)) == ([], {"api": "G-FRESH"})


def test_a_workload_without_fresh_samples_is_dropped_from_a_fresh_plan() -> None:
    stale = replace(A, incident=replace(A.incident, newest_sample_s=NOW_S - 901))
    assert admit([stale]) == ([], {"api": "G-FRESH"})


def test_a_storm_that_the_analysis_saw_stops_the_second_half_too() -> None:
    made = plan([A], checks=(Guardrail("G-STORM", tripped=True, value="", limit=""),))
    assert admit([A], made=made) == ([], {"api": "G-STORM"})


def test_two_proposals_for_one_workload_are_one() -> None:
    both = [A, replace(SCALE_A, workload=Workload("prod-eu", "shop", "", "api"))]
    assert admit(both) == (["api"], {"api": "G-ONE"})


# --- the fleet --------------------------------------------------------------------------------


def up(known: Sequence[float], lost: Sequence[float]) -> dict[str, Answer]:
    """Return targets per cluster c0, c1, ...; NaN = the series is gone."""
    times = np.arange(NOW_S - 600, NOW_S + 1, 60, dtype=np.int64)

    def answer(name: str, levels: Sequence[float]) -> Answer:
        labels = tuple({"cluster": f"c{n}"} for n in range(len(levels)))
        values = np.repeat(np.array(levels, dtype=np.float64)[:, None], len(times), axis=1)
        return Answer(
            Query(name, name, "", ("cluster",)), labels, values.reshape(len(levels), len(times)), times
        )

    return {
        "targets_known": answer("targets_known", known),
        "targets_up": answer("targets_up", [k - less for k, less in zip(known, lost, strict=True)]),
    }


def fleet(red: int, of: int, *, rootless: int, answers: dict[str, Answer] | None = None) -> list[str]:
    """Return the guardrails that tripped with `red` of `of` workloads firing, `rootless` unexplained."""
    incidents = [incident(f"w{n:03d}", State.FIRING if n < red else State.INACTIVE) for n in range(of)]
    found = [diagnosis(f"w{n:03d}", None if n < rootless else "w000") for n in range(red)]
    checks = guardrails.fleet(incidents, found, up([50], [0]) if answers is None else answers, LIMITS)
    return [check.id for check in checks if check.tripped]


STORMS = [
    ("nine callers of one bad service are no storm", 10, 20, 0, []),
    ("nine unexplained of twenty are no storm", 9, 20, 9, []),
    ("ten unexplained of twenty are", 10, 20, 10, ["G-STORM"]),
    ("ten unexplained of a hundred are not", 10, 100, 10, []),
    ("thirty of a hundred are", 30, 100, 30, ["G-STORM"]),
    ("everything red is, whoever is blamed", 12, 12, 0, ["G-STORM"]),
    ("the one workload of a small repository is no fleet", 1, 1, 0, []),
]


@pytest.mark.parametrize(
    ("red", "of", "rootless", "tripped"), [r[1:] for r in STORMS], ids=[r[0] for r in STORMS]
)
def test_a_storm_counts_what_no_root_explains(red: int, of: int, rootless: int, tripped: list[str]) -> None:
    assert fleet(red, of, rootless=rootless) == tripped


def test_what_is_familiar_is_no_storm() -> None:
    known = [replace(incident(f"w{n}"), familiar=Familiar("new-level", "a day old")) for n in range(12)]
    checks = guardrails.fleet(known, [diagnosis(f"w{n}", None) for n in range(12)], up([50], [0]), LIMITS)
    assert [check.id for check in checks if check.tripped] == []


LOST = [
    ("all targets answer", [50], [0], []),
    ("a fifth is lost", [50], [10], []),
    ("more than a fifth is lost", [50], [11], ["G-DATA"]),
    ("one of two clusters lost a third", [50, 9], [0, 3], ["G-DATA"]),
    ("the series of the targets that answer is gone", [50], [float("nan")], ["G-DATA"]),
]


@pytest.mark.parametrize(("known", "lost", "tripped"), [r[1:] for r in LOST], ids=[r[0] for r in LOST])
def test_lost_targets_stop_everything(known: list[float], lost: list[float], tripped: list[str]) -> None:
    assert fleet(2, 20, rootless=2, answers=up(known, lost)) == tripped


def test_a_prometheus_without_up_is_noted_and_not_taken_for_an_outage() -> None:
    checks = guardrails.fleet([incident("api")], [diagnosis("api", None)], {}, LIMITS)
    assert [(check.id, check.tripped, check.value) for check in checks][1] == (
        "G-DATA", False, "not known: no `up` series",
    )  # fmt: skip


@pytest.mark.parametrize(("of", "tripped"), [(10_000, []), (1_000, ["G-STORM"])])
def test_a_thousand_independent_reds_give_a_few_proposals_or_one_notice(of: int, tripped: list[str]) -> None:
    """Each red names itself as the root, with a harm of its own; the worst come first, two in a run."""
    reds = [item(f"w{n:04d}", failing=((n * 617) % 1000) / 1000) for n in range(1000)]
    incidents = [one.incident for one in reds]
    incidents += [incident(f"w{n:04d}", State.INACTIVE) for n in range(1000, of)]
    checks = guardrails.fleet(incidents, [one.diagnosis for one in reds], up([50], [0]), LIMITS)
    assert [check.id for check in checks if check.tripped] == tripped
    pulls: list[PullRequest] = []
    new = []
    for _ in range(4):
        names, _ = admit(reds, pulls, made=plan(reds, checks=checks))
        opened = [
            one for one in reds if one.workload.name in names and not any(key(one) in p.branch for p in pulls)
        ]
        pulls += [pull(one, len(pulls) + place, created_h=0) for place, one in enumerate(opened)]
        new.append(len(opened))
    assert new == ([0, 0, 0, 0] if tripped else [2, 2, 1, 0])
    harm = {key(one): one.diagnosis.impact.share_failing or 0.0 for one in reds}
    worst = sorted(harm.values(), reverse=True)[: sum(new)]
    assert sorted((harm[p.branch.rpartition("-")[0]] for p in pulls), reverse=True) == worst


# --- switches of people -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paths", "labels", "state", "tripped"),
    [
        ((), (), "open", False),
        ((".aiops/pause",), (), "open", True),
        (("aiops/pause", "x/.aiops/pause"), (), "open", False),
        ((), ("aiops/pause",), "open", True),
        ((), ("aiops/pause",), "closed", False),
    ],
)
def test_a_file_or_a_label_pauses_everything(
    paths: tuple[str, ...],
    labels: tuple[str, ...],
    state: PullState,
    tripped: bool,  # noqa: FBT001
) -> None:
    found = guardrails.paused(paths, [replace(pull(A), labels=labels, state=state)])
    assert (found.id, found.tripped) == ("G-PAUSE", tripped)
    assert admit([A], made=plan([A], checks=(found,)))[0] == ([] if tripped else ["api"])


def doubted(one: PlanItem, *, ended_h: float = 48, onset_min: int = 30, rule: str = "R1") -> dict[str, str]:
    """Return what holds an item whose last pull request a person called a false positive."""
    old = pull(item("api"), state="closed", ended_h=ended_h, trigger="image-0123456789ab-1")
    trace = (Asked(rule, holds=True, answer=""),)
    young = replace(one.incident, onset_s=NOW_S - onset_min * 60)
    made = replace(one, incident=young, diagnosis=replace(one.diagnosis, trace=trace))
    return admit([made], [replace(old, labels=("aiops/false-positive",))])[1]


def test_a_false_positive_makes_the_same_cause_wait_longer_for_a_month() -> None:
    assert doubted(A) == {"api": "G-DOUBT"}
    assert doubted(A, ended_h=30 * 24 - 1) == {"api": "G-DOUBT"}
    assert doubted(A, ended_h=30 * 24) == {}
    assert doubted(A, onset_min=60) == {}


def test_a_false_positive_holds_neither_crash_loops_nor_another_cause_nor_another_workload() -> None:
    assert doubted(A, rule="R1b") == {}
    assert doubted(SCALE_A) == {}
    assert doubted(item("web")) == {}


# --- what must always hold --------------------------------------------------------------------

NAMES = st.sampled_from([f"w{n}" for n in range(12)])


@st.composite
def worlds(draw: st.DrawFn) -> tuple[list[PlanItem], list[PullRequest]]:
    items = [
        item(name, urgent=draw(st.booleans()), failing=draw(st.floats(0, 1))) for name in draw(st.sets(NAMES))
    ]
    pulls = []
    for number in range(draw(st.integers(0, 12))):
        about = item(draw(NAMES), urgent=draw(st.booleans()))
        state: PullState = draw(st.sampled_from(["open", "closed", "merged"]))
        ended = None if state == "open" else draw(st.floats(0, 48))
        closed_by = draw(st.sampled_from([None, "aiops", "ann"]))
        created = draw(st.floats(0, 60))
        pulls.append(pull(about, number, state=state, ended_h=ended, created_h=created, closed_by=closed_by))
    return items, pulls


@settings(max_examples=150, deadline=None)
@given(world=worlds(), seed=st.integers(0, 2**16))
def test_no_cap_is_ever_passed_and_order_never_matters(
    world: tuple[list[PlanItem], list[PullRequest]], seed: int
) -> None:
    items, pulls = world
    names, held = admit(items, pulls)
    is_open = {p.branch.rpartition("-")[0] for p in pulls if p.state == "open"}
    new = [one for one in items if one.workload.name in names and key(one) not in is_open]
    today = sum(p.created_at_s > NOW_S - 24 * HOUR for p in pulls)
    assert len(new) <= LIMITS.new_per_run
    assert not new or len(is_open) + len(new) <= LIMITS.open_max
    assert not new or today + len(new) <= LIMITS.per_day
    assert len(set(names)) == len(names)
    assert sorted([*names, *held]) == sorted(one.workload.name for one in items)
    rng = np.random.default_rng(seed)
    shuffled = (
        [items[i] for i in rng.permutation(len(items))],
        [pulls[i] for i in rng.permutation(len(pulls))],
    )
    assert admit(*shuffled)[0] == names


@settings(max_examples=100, deadline=None)
@given(world=worlds(), more=st.tuples(*[st.integers(0, 5)] * 3), hours=st.integers(0, 6))
def test_raising_a_cap_never_lowers_the_number_of_proposals(
    world: tuple[list[PlanItem], list[PullRequest]], more: tuple[int, int, int], hours: int
) -> None:
    items, pulls = world
    wider = replace(
        LIMITS,
        new_per_run=LIMITS.new_per_run + more[0],
        open_max=LIMITS.open_max + more[1],
        per_day=LIMITS.per_day + more[2],
        cool_down_s=LIMITS.cool_down_s - hours * HOUR,
    )
    assert len(admit(items, pulls)[0]) <= len(admit(items, pulls, limits=wider)[0])


def test_evidence_against_lowers_the_rank() -> None:
    doubt = Evidence("load rose too", "", 1.0, "", NOW_S)
    doubtful = replace(item("a"), diagnosis=replace(item("a").diagnosis, against=(doubt,)))
    assert [one.workload.name for one in sorted([doubtful, item("b")], key=guardrails.rank)] == ["b", "a"]
