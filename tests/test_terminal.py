"""What is printed drives neither a terminal nor the runner of a CI job, whatever metrics say."""

from __future__ import annotations

import json

import pytest
from bench.texts.run import RUNNER
from propose import hostile, poison

from aiops import terminal
from aiops.domain import Grid
from aiops.job import Result

WORDS = (*hostile.CORPUS, "x\r::error::y", "\n  ::add-mask::x", "x ##[add-mask]y", "\x85::error::x")


@pytest.mark.parametrize("text", WORDS)
def test_no_line_of_a_run_is_a_command_to_a_runner_or_to_a_terminal(text, capsys):
    item, plan = poison.poisoned(text)
    unresolved = ((item.workload, text, text),)
    terminal.result(Result(plan, Grid(0, 0, 60), (item.incident,), None, {}, plan.guardrails, unresolved, ()))
    terminal.explain(item)
    out = capsys.readouterr().out
    assert RUNNER.findall(out) == []
    assert {char for char in out if not char.isprintable()} == {"\n"}


def test_a_label_that_ends_a_line_does_not_begin_one_of_ours(capsys):
    item, plan = poison.poisoned("x\nerror: made up")
    unresolved = ((item.workload, "image.tag", "x\nerror: made up"),)
    terminal.result(Result(plan, Grid(0, 0, 60), (item.incident,), None, {}, plan.guardrails, unresolved, ()))
    terminal.explain(item)
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith("error:")] == []
    assert "x\\u000aerror: made up" in out


def test_a_cell_is_one_line_and_whole(capsys):
    terminal.table(("A", "B"), [("one\ntwo", "x" * 1_000)])
    assert capsys.readouterr().out.splitlines()[1] == f"one\\x0atwo  {'x' * 1_000}"


def test_a_document_that_holds_a_command_stays_the_same_document(capsys):
    given = {"name": "##[add-mask]x", "lines": ["::error::x", "#[", "##", "\x85", "###[x]"]}
    terminal.say(json.dumps(given, indent=1))
    out = capsys.readouterr().out
    assert json.loads(out) == given
    assert "##[" not in out


def test_a_document_holds_no_number_that_is_none(capsys):
    terminal.document({"score": None})
    assert json.loads(capsys.readouterr().out) == {"score": None}
    with pytest.raises(ValueError, match="not JSON compliant"):
        terminal.document({"score": float("nan")})
    assert capsys.readouterr().out == ""


def test_what_is_no_command_is_printed_as_it_is(capsys):
    said = "a::b  ## x\n  : y (100 %) \N{RIGHTWARDS ARROW} z"
    terminal.say(said)
    assert capsys.readouterr().out == f"{said}\n"
