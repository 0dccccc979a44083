"""`aiops report`: files in, files out, wrong input one line."""

from __future__ import annotations

import json

import pytest
from page import backtests, reports

from aiops.commands import report as command
from aiops.errors import ConfigError


def test_the_page_and_the_summary_are_written_and_a_summary_is_appended_to(tmp_path):
    file, page, notes = tmp_path / "report.json", tmp_path / "report.html", tmp_path / "summary.md"
    file.write_text(json.dumps(reports.report(reports.workload("cart"))), encoding="utf-8")
    notes.write_text("before\n", encoding="utf-8")

    assert command.report(file, page, notes, "") == 0

    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert notes.read_text(encoding="utf-8").startswith("before\n### aiops: 1 incident")


def test_a_backtest_is_a_page_and_a_summary_too(tmp_path, capsys):
    file, page, notes = tmp_path / "backtest.json", tmp_path / "report.html", tmp_path / "summary.md"
    file.write_text(json.dumps(backtests.month()), encoding="utf-8")

    assert command.report(file, page, notes, "") == 0

    assert "<title>aiops backtest, 2026-03-01 00:00 UTC" in page.read_text(encoding="utf-8")
    assert notes.read_text(encoding="utf-8").startswith("### aiops backtest: 15 proposals")
    assert "15 proposals)" in capsys.readouterr().err


@pytest.mark.parametrize("prometheus", ["prometheus:9090", "javascript:alert(1)", "https://me:secret@host"])
def test_an_address_that_is_none_is_refused_without_repeating_it(prometheus, tmp_path):
    with pytest.raises(ConfigError, match="--prometheus") as caught:
        command.report(tmp_path / "x", tmp_path / "y", None, prometheus)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_not_there_and_a_place_that_cannot_be_written_are_one_line(tmp_path):
    with pytest.raises(ConfigError, match="cannot read"):
        command.report(tmp_path / "none.json", tmp_path / "y", None, "")
    file = tmp_path / "report.json"
    file.write_text(json.dumps(reports.report()), encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot write"):
        command.report(file, tmp_path / "no" / "page.html", None, "")
