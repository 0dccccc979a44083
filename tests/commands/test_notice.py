from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from propose import hostile, sample

from aiops.commands import notice
from aiops.domain import Grid, Guardrail, TrackingIssue
from aiops.job import Result, Tracked


def result(*guardrails: Guardrail) -> Result:
    plan = sample.plan()
    return Result(plan, Grid(0, 0, 60), (), None, {}, guardrails, (), ())


def storm(value: str = "900 of 1000 workloads unexplained, 900 firing") -> Guardrail:
    return Guardrail("G-STORM", tripped=True, value=value, limit="300 unexplained")


@pytest.fixture
def summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    return tmp_path / "summary.md"


def test_a_storm_is_one_annotation_and_one_row(summary, capsys):
    notice.tell(result(storm(), Guardrail("G-VETO", tripped=True, value="1", limit="")))
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("::")]
    start, said = "::warning title=aiops proposes nothing more::G-STORM: ", storm().value
    assert lines == [f"{start}{said} (limit 300 unexplained)"]
    assert summary.read_text().count("G-STORM") == 1
    assert "G-VETO" not in summary.read_text()


def test_the_summary_names_the_tracking_issue(summary):
    issue = TrackingIssue(17, "http://x/17", "open", "t", "b", (), 0, None)
    notice.tell(replace(result(storm()), tracked=Tracked("exists", issue)))
    assert "Tracking issue 17 says more" in summary.read_text()


def test_nothing_is_said_while_nothing_wants_a_person_or_nobody_listens(summary, capsys, monkeypatch):
    notice.tell(result(Guardrail("G-STORM", tripped=False, value="", limit="")))
    monkeypatch.delenv("GITHUB_ACTIONS")
    notice.tell(result(storm()))
    assert capsys.readouterr().err == ""
    assert not summary.exists()


@pytest.mark.parametrize("text", hostile.CORPUS)
def test_what_metrics_say_is_no_command_and_no_markup(summary, capsys, text):
    notice.tell(result(storm(f"lost in cluster {text}")))
    lines = capsys.readouterr().err.splitlines()
    assert [line.startswith("::warning title=") for line in lines] == [True]
    assert summary.read_text().isascii()
    assert len(summary.read_text().splitlines()) == 5


def test_a_summary_that_cannot_be_written_is_only_a_warning(summary, capsys):
    summary.mkdir()
    notice.tell(result(storm()))
    assert "warning: the step summary cannot be written" in capsys.readouterr().err
