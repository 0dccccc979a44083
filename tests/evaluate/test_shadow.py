"""Kept plans are what a replay would have opened, once for each incident; bad files are one line each."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace

import pytest
from evaluate.conftest import BACK_S, BAD_S, END_S

from aiops import pipeline
from aiops.commands import backtest as command
from aiops.evaluate.backtest import replay
from aiops.evaluate.spans import Spans
from aiops.evaluate.worlds import PastMetrics, PastRepository
from aiops.propose import plan_file

EVERY_S = 900
FROM_S, TO_S = BAD_S + 900, BACK_S + 3_600


def quiet(_):
    return None


@pytest.fixture(scope="module")
def plans(past, tmp_path_factory):
    """Return a folder with the plans of a job that ran every 15 minutes and opened nothing."""
    folder = tmp_path_factory.mktemp("plans")
    job, metrics, repository = past.doors()
    world, then = PastMetrics(metrics, END_S), PastRepository(repository, job.base)
    spans = Spans(job, world)
    for now_s in range(FROM_S, TO_S + 1, EVERY_S):
        world.now = then.now = now_s
        found = pipeline.analyse(job, world, then, now_s, quiet, scored=spans.scores)
        below = folder / f"day-{now_s // 86_400}"
        below.mkdir(exist_ok=True)
        (below / f"{now_s}.json").write_bytes(plan_file.dump(found.plan))
    return folder


@pytest.fixture
def folder(plans, tmp_path):
    """Return a copy of the plans that a test may damage."""
    return shutil.copytree(plans, tmp_path / "plans")


def compared(past, capsys, folder, *, code=0, **flags):
    """Return the document and what was said on stderr."""
    given = {"start": None, "end": None, "every_min": 10, "a_week": None, **flags}
    assert command.backtest(past.config, compare=folder, as_json=True, **given) == code
    out, err = capsys.readouterr()
    return json.loads(out), err.splitlines()


def test_kept_plans_open_what_a_replay_of_the_same_runs_opens(past, plans, capsys):
    found, said = compared(past, capsys, plans)
    expected = replay(*past.doors(), (FROM_S, TO_S, EVERY_S), quiet)

    assert [one for one in said if "warning" in one] == []
    (one,), (like,) = found["proposals"], expected.proposals
    assert (one["workload"]["name"], one["action"], one["old"], one["new"]) == (
        *("checkout", "rollback", like.old, like.new),
    )
    utc = command.backtest_document.utc
    assert (one["opened"], one["ended"], one["calm"]) == (
        *(utc(like.opened_s), utc(like.ended_s), utc(like.calm_s)),
    )
    assert one["plan"] == f"day-{like.opened_s // 86_400}/{like.opened_s}.json"
    assert (found["runs"], found["every_s"]) == (expected.runs, EVERY_S)
    assert found["plans"] == {"refused": []}


def test_people_and_recovery_say_that_the_plan_was_right(past, plans, capsys):
    found, _ = compared(past, capsys, plans)
    (one,) = found["proposals"]
    assert one["people"]["answer"] == "same"
    assert one["verdict"] == {"ruling": "right", "why": "people did the same, and it was calm"}

    given = {"start": None, "end": None, "every_min": 10, "a_week": None}
    assert command.backtest(past.config, compare=plans, as_json=False, **given) == 0
    text = capsys.readouterr().out
    assert "people and recovery: 1 right, 0 wrong, 0 unknown; precision 100% of 1" in text


def test_plans_of_a_part_of_the_time_are_compared_alone(past, plans, capsys):
    found, _ = compared(past, capsys, plans, end=str(BAD_S + 2_400))
    (one,) = found["proposals"]
    assert (one["outcome"], one["calm"], one["verdict"]["ruling"]) == ("none", None, "unknown")


def test_a_file_that_is_no_plan_is_one_line_and_the_others_count(past, plans, folder, capsys):
    whole, _ = compared(past, capsys, plans)
    good = next(path for path in sorted(folder.rglob("*.json")))
    plan = plan_file.load(good.read_bytes())
    elsewhere = plan_file.dump(replace(plan, base_sha="a" * 40))
    (folder / "cut.json").write_bytes(good.read_bytes()[:-40])
    (folder / "touched.json").write_bytes(good.read_bytes().replace(b"1.14.3", b"6.6.6"))
    (folder / "elsewhere.json").write_bytes(elsewhere)
    (folder / "branch.json").write_bytes(plan_file.dump(replace(plan, base="other")))
    (folder / "\x1b[2Jreport.json").write_text('{"schema": "aiops.report/1"}', encoding="utf-8")
    (folder / "again.json").write_bytes(good.read_bytes())
    (folder / ".hidden").write_bytes(b"\0")
    os.mkfifo(folder / "pipe")
    (folder / "device").symlink_to("/dev/zero")
    (folder / "gone").symlink_to(folder / "nowhere")

    found, said = compared(past, capsys, folder)

    assert [{**one, "plan": ""} for one in found["proposals"]] == [
        {**one, "plan": ""} for one in whole["proposals"]
    ]
    assert found["runs"] == whole["runs"]
    refused = {one["file"]: one["why"] for one in found["plans"]["refused"]}
    assert sorted(refused) == [
        *("\x1b[2Jreport.json", "branch.json", "cut.json", "device", "elsewhere.json", "gone"),
        *("pipe", "touched.json"),
    ]
    assert "the plan was changed or cut" in refused["touched.json"]
    assert "is not on 'main' of this repository" in refused["elsewhere.json"]
    warned = [line for line in said if line.startswith("warning: left out ")]
    assert len(warned) == len(refused)
    assert "\x1b" not in "".join(said)


def test_an_edit_that_the_repository_does_not_confirm_is_not_proposed(past, folder, capsys):
    for path in folder.rglob("*.json"):
        plan = plan_file.load(path.read_bytes())
        items = tuple(
            replace(item, edits=tuple(replace(edit, file="elsewhere.yaml") for edit in item.edits))
            for item in plan.items
        )
        path.write_bytes(plan_file.dump(replace(plan, items=items)))
    found, _ = compared(past, capsys, folder)
    assert found["proposals"] == []


@pytest.mark.parametrize("what", ["nothing", "a file", "no plan", "an empty folder"])
def test_without_a_plan_there_is_one_line_and_exit_code_2(past, tmp_path, capsys, what):
    folder = tmp_path / "plans"
    if what == "a file":
        folder.write_text("x", encoding="utf-8")
    elif what != "nothing":
        folder.mkdir()
    if what == "no plan":
        (folder / "x.json").write_text("[]", encoding="utf-8")
    given = {"start": None, "end": None, "every_min": 10, "a_week": None}
    assert command.backtest(past.config, compare=folder, as_json=False, **given) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error: ")]
    assert "aiops run --plan" in line


def test_plans_outside_of_the_span_that_is_asked_for_are_one_line(past, plans, capsys):
    given = {"start": str(END_S + 86_400), "end": None, "every_min": 10, "a_week": None}
    assert command.backtest(past.config, compare=plans, as_json=False, **given) == 2
    assert "lies between --from and --to" in capsys.readouterr().err


def test_plans_hold_no_scores_to_find_a_threshold_in(past, plans, capsys):
    given = {"start": None, "end": None, "every_min": 10, "a_week": 1.0}
    assert command.backtest(past.config, compare=plans, as_json=False, **given) == 2
    assert "--budget: plans hold no scores" in capsys.readouterr().err
