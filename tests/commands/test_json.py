"""With `--format json`, whatever goes wrong, stdout holds one document that says so and nothing else."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import jsonschema
import pytest

import aiops
from aiops import cli
from aiops.errors import ConfigError

SCHEMA = json.loads((Path(aiops.__file__).parent / "report.schema.json").read_text())
NO_SETTINGS = ("--config", "nowhere.yaml")
NO_PLACE = ("--export", "https://me:secret@push.example.com")
# Command -> ways to fail it, each with what is said of it.
WRONG = {
    "run": [(NO_SETTINGS, "nowhere.yaml"), (NO_PLACE, "--export")],
    "propose": [
        (("--plan", "nowhere", *NO_SETTINGS), "nowhere.yaml"),
        (("--plan", "x", *NO_PLACE), "--export"),
        ((), "--plan FILE"),
    ],
    "propose scale": [(("shop/web", *NO_SETTINGS), "nowhere.yaml"), (("shop/web", "--repo", "."), "git")],
    "propose rollback": [(("shop/web", *NO_SETTINGS), "nowhere.yaml")],
    "score": [(("nowhere.csv", "--output", "out.csv"), "nowhere.csv"), (("nowhere.csv",), "--output")],
    "where": [(("shop/web", *NO_SETTINGS), "nowhere.yaml"), (("--render", "--repo", "."), "--render")],
    "backtest": [(NO_SETTINGS, "nowhere.yaml"), (("--every", "0"), "--every")],
    "doctor": [(NO_SETTINGS, "nowhere.yaml"), (("--at", "soon", *NO_SETTINGS), "nowhere.yaml")],
}
CASES = [(name, flags, told) for name, wrong in WRONG.items() for flags, told in wrong]


def speaking(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the commands that have `--format`."""
    if any("--format" in one.opts for one in command.params):
        yield " ".join(path)
    if isinstance(command, click.Group):
        for name, one in command.commands.items():
            yield from speaking(one, (*path, name))


def ended(monkeypatch, *words):
    """Run the command line as a shell does; return its exit code."""
    monkeypatch.setattr(sys, "argv", ["aiops", *words])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return end.value.code


def test_every_command_that_speaks_json_is_made_to_fail_here():
    assert set(speaking(cli.app)) == set(WRONG)


@pytest.mark.parametrize("way", [("--format", "json"), ("--format=json",)], ids=len)
@pytest.mark.parametrize(
    ("name", "flags", "told"), [*CASES, *((name, ("--nope",), "--nope") for name in WRONG)]
)
def test_an_error_is_one_document_with_the_exit_code_and_one_line(
    monkeypatch, tmp_path, capsys, name, flags, told, way
):
    monkeypatch.chdir(tmp_path)
    code = ended(monkeypatch, *name.split(), *flags, *way)

    out, err = capsys.readouterr()
    found = json.loads(out)
    jsonschema.validate(found, SCHEMA)
    (error,) = found["errors"]
    assert (code, found["exit_code"], error["code"]) == (2, 2, "config")
    assert told in f"{error['where']} {error['message']}"
    assert told in err
    assert "secret" not in out + err


@pytest.mark.parametrize(("name", "flags", "told"), CASES)
def test_without_it_an_error_stays_away_from_stdout(monkeypatch, tmp_path, capsys, name, flags, told):
    monkeypatch.chdir(tmp_path)
    code = ended(monkeypatch, *name.split(), *flags)

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert told in err


def test_an_error_that_ends_a_command_is_no_command_to_a_runner(monkeypatch, capsys):
    def refuse(**_):
        raise ConfigError("found\n::add-mask::x and ##[debug]y", where="a\x1b[2Jb")

    monkeypatch.setattr(cli.app, "main", refuse)
    assert ended(monkeypatch, "where", "--format", "json") == 2
    out, err = capsys.readouterr()
    assert json.loads(out)["errors"][0]["message"] == "found\n::add-mask::x and ##[debug]y"
    for text in (out, err):
        assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
        assert "##[" not in text
        assert "\x1b" not in text
