"""The proposing half over several runs, on a repository and a forge in memory."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from bench.chaos.world import JOB, manifest, workload
from bench.decisions.hosted import HeldForge, HeldRepository, held
from propose import sample

from aiops import pipeline
from aiops.domain import Grid, Plan, PlanItem, Quiet, Scale
from aiops.gitops import edits as editing
from aiops.gitops import where
from aiops.job import Job, Result
from aiops.mesh.repository import Revision
from aiops.propose import marker

NOW_S, DAY = sample.NOW_S, 86_400
OWN = workload("cart")
PATH = "apps/cart.yaml"


def repository() -> HeldRepository:
    return held([Revision(NOW_S - 30 * DAY, "ann", "first", {PATH: manifest("cart", 2)})])


def item(files: HeldRepository, old: int, new: int, *, at_s: int) -> PlanItem:
    base = sample.scale_item()
    target = where.resolve(files.files(files.head("main")), OWN, "replicas", ())
    edits = editing.of(files.files(files.head("main")), target, str(new), ())
    return replace(
        base,
        workload=OWN,
        decision=Scale("replicas", old, new, "S3", "load", per_pod=10.0),
        incident=replace(base.incident, workload=OWN, onset_s=at_s - 1800, newest_sample_s=at_s),
        diagnosis=replace(base.diagnosis, workload=OWN, root=OWN),
        edits=edits,
    )


def run(
    files: HeldRepository,
    forge: HeldForge,
    at_s: int,
    *items: PlanItem,
    quiet: Quiet | None = None,
    job: Job = JOB,
) -> Result:
    plan: Plan = replace(
        sample.plan(*items), base_sha=files.head("main"), data_time_s=at_s, judge="abcdefabcdef"
    )
    plan = replace(plan, items=items, quiet=(quiet,) if quiet else ())
    before = Result(plan, Grid(at_s, at_s, 60), (), None, {}, (), (), ())
    return pipeline.propose(job, before, files, forge, at_s, lambda _: None)


def test_the_links_of_the_settings_stand_in_what_is_opened() -> None:
    job = replace(JOB, links={"traces": "https://traces.example.com/?service={workload}"})
    files, forge = repository(), HeldForge()
    run(files, forge, NOW_S, item(files, 2, 4, at_s=NOW_S), job=job)

    (pull,) = forge.pulls()
    assert "[traces](https://traces.example.com/?service=cart)" in pull.body


def calm(at_s: int, minutes: int, *, ended: bool = True, peak: float | None = 15.0) -> Quiet:
    return Quiet(OWN, at_s - minutes * 60, ended, peak)


def outcomes(forge: HeldForge) -> list[tuple[str, str]]:
    marks = [(pull.state, marker.parse(pull.body)) for pull in reversed(forge.pulls())]
    return [(state, mark.outcome if mark else "") for state, mark in marks]


def test_a_raise_lives_from_its_opening_to_the_day_it_is_taken_back() -> None:
    files, forge, at = repository(), HeldForge(), partial(int.__add__, NOW_S)
    run(files, forge, NOW_S, item(files, 2, 3, at_s=NOW_S))
    run(files, forge, at(300), item(files, 2, 3, at_s=at(300)))
    assert outcomes(forge) == [("open", "none")]
    forge.merge(forge.pulls()[0], files, at(600))
    assert files.files(files.head("main")).read(PATH) == manifest("cart", 3)
    run(files, forge, at(900), quiet=calm(at(900), 1))
    assert outcomes(forge) == [("merged", "none")]
    run(files, forge, at(9000), quiet=calm(at(9000), 90))
    assert outcomes(forge) == [("merged", "helped")]
    later = at(2 * DAY)
    run(files, forge, later, quiet=calm(later, 720, ended=False, peak=21.0))
    assert len(forge.pulls()) == 1
    found = run(files, forge, later, quiet=calm(later, 720, ended=False))
    assert [sent.state for sent in found.sent.values()] == ["opened"]
    assert outcomes(forge) == [("merged", "helped"), ("open", "none")]
    assert "seems no longer needed" in forge.pulls()[0].body
    again = run(files, forge, later + 300, quiet=calm(later + 300, 720, ended=False))
    assert [sent.state for sent in again.sent.values()] == ["exists"]
    run(files, forge, later + 600, quiet=calm(later + 600, 720, ended=False, peak=30.0))
    assert outcomes(forge) == [("merged", "helped"), ("closed", "over")]


def test_what_did_not_help_is_said_once_and_not_tried_again() -> None:
    files, forge = repository(), HeldForge()
    run(files, forge, NOW_S, item(files, 2, 3, at_s=NOW_S))
    forge.merge(forge.pulls()[0], files, NOW_S + 600)
    burning = item(files, 3, 4, at_s=NOW_S)
    for minutes in (20, 45, 75, 400, 700):
        at_s = NOW_S + minutes * 60
        seen = replace(burning.incident, newest_sample_s=at_s)
        found = run(files, forge, at_s, replace(burning, incident=seen))
        assert [sent.state for sent in found.sent.values()] == ["held"]
    assert outcomes(forge) == [("merged", "no-help")]
    assert [number for number, _ in forge.comments] == [1]
    assert [guardrail.id for guardrail in found.guardrails if guardrail.tripped] == ["G-TRIED"]


def test_what_a_person_makes_of_it_is_left_to_them() -> None:
    files, forge = repository(), HeldForge()
    run(files, forge, NOW_S, item(files, 2, 3, at_s=NOW_S))
    (pull,) = forge.pulls()
    forge.kept[0] = replace(pull, state="closed", closed_at_s=NOW_S + 600)
    found = run(files, forge, NOW_S + 900, item(files, 2, 3, at_s=NOW_S + 900))
    assert [sent.note.split(":")[0] for sent in found.sent.values()] == ["G-VETO"]
    files.add(Revision(NOW_S + 1200, "ann", "by hand", {PATH: manifest("cart", 4)}))
    run(files, forge, NOW_S + 1500, quiet=calm(NOW_S + 1500, 1))
    assert outcomes(forge) == [("closed", "confirmed")]
    assert forge.comments == []
