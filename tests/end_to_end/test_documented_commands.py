"""Every command of the documentation is run in a prepared folder, as its reader would.

`make` targets and what takes minutes are only read by the program: see `SLOW`. The folder: the demo's
recording in place of the reader's Prometheus, its repository beside it, and the demo's last hour in
place of a month.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import click
import pytest
from end_to_end import documented

from aiops import cli

# What a reader has of his own, and what it is here.
THEIRS = {"https://prometheus.example.com": "../recording"}
LAST_HOUR = {"--from": "2026-03-18T21:30:00Z", "--to": "2026-03-18T22:30:00Z"}
SLOW = ("train",)  # two minutes; tests/end_to_end/test_real_prometheus.py runs it
WITH_COMMANDS = [page for page in documented.PAGES if documented.commands(page)]


@pytest.fixture
def reader(built, tmp_path, monkeypatch):
    """Return a folder as a reader has it, and stand in it."""
    folder = tmp_path / "mine"
    folder.mkdir()
    (tmp_path / "recording").symlink_to(built.folder / "recording")
    shutil.copytree(built.folder / "gitops.git", tmp_path / "gitops")
    monkeypatch.chdir(folder)
    return folder


def typed(command, capsys, monkeypatch):
    """Run a command; return its exit code and what it said."""
    words = [THEIRS.get(word, word) for word in command.words]
    for place, word in enumerate(words):
        if word in LAST_HOUR:
            words[place + 1] = LAST_HOUR[word]
    monkeypatch.setattr(sys, "argv", words)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    said = capsys.readouterr()
    if command.output:
        Path(command.output).write_text(said.out, encoding="utf-8")
    return ended.value.code or 0, said.out + said.err


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=lambda page: page.name)
def test_a_reader_can_type_every_command_of_a_page(page, reader, built, capsys, monkeypatch):
    if page.name != "README.md":  # the README starts from nothing
        text = built.config.read_text(encoding="utf-8")
        text = text.replace("recording: recording", "recording: ../recording")
        (reader / "aiops.yaml").write_text(text.replace("gitops.git", "../gitops"), encoding="utf-8")
    for command in documented.commands(page):
        documented.takes(command)
        if command.words[0] == "mkdir":
            Path(command.words[-1]).mkdir(parents=True, exist_ok=True)
        elif command.words[0] != "make" and command.words[1] not in SLOW:
            code, said = typed(command, capsys, monkeypatch)
            assert code == 0, f"{command}\n{said}"


@pytest.mark.parametrize("page", documented.PAGES, ids=lambda page: page.name)
def test_every_command_in_running_text_is_one_that_exists(page):
    for mention in documented.mentions(page):
        documented.knows(mention)


def test_the_pages_with_commands_are_found():
    names = {page.name for page in WITH_COMMANDS}
    assert {"README.md", "operations.md", "backtest.md"} <= names
    every = {command.words[1] for page in WITH_COMMANDS for command in documented.commands(page)}
    assert {"init", "doctor", "where", "run", "train", "backtest", "report", "replay"} <= every


@pytest.mark.parametrize(
    "line",
    ["aiops run --dryrun", "aiops wher", "aiops run --format xml", "aiops report", "aiops where a b"],
)
def test_a_command_that_the_program_refuses_is_seen(line):
    with pytest.raises(click.UsageError):
        documented.takes(documented._command("x.md", line))


@pytest.mark.parametrize("line", ["make tests", "make bench-decisions SEED=3", "curl https://x"])
def test_a_target_or_a_program_that_nobody_has_is_seen(line):
    with pytest.raises(AssertionError):
        documented.takes(documented._command("x.md", line))


@pytest.mark.parametrize(
    "line", ["aiops run --dryrun", "aiops wher TARGET", "aiops propose roll x", "make benches"]
)
def test_a_mention_of_what_does_not_exist_is_seen(line):
    with pytest.raises(AssertionError):
        documented.knows(documented._command("x.md", line))


def test_the_words_of_a_page_are_read_as_a_shell_reads_them(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(
        "Say `aiops propose scale|rollback shop/web --dry-run`.\n"
        "1. Then\n   ```console\n   $ aiops run --format json > report.json  # all of it\n   {}\n   ```\n"
    )
    assert [str(one) for one in documented.mentions(page)] == [
        "aiops propose scale shop/web --dry-run",
        "aiops propose rollback shop/web --dry-run",
    ]
    (command,) = documented.commands(page)
    assert (str(command), command.output) == ("aiops run --format json", "report.json")
