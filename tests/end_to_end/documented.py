"""The commands that the documentation shows, and whether the program takes them.

Comes in: Markdown. Goes out: one `Command` a line that starts with `$` in a `console` block, and one
`Mention` a command in running text, which may be cut short or hold placeholders.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import real

from aiops import cli

PAGES = (
    real.CHECKOUT / "README.md",
    real.CHECKOUT / "pipelines" / "README.md",
    *sorted((real.CHECKOUT / "docs").glob("*.md")),
)
_BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
_CLOCK = re.compile(r"\$\(date [^)]*\)")  # the only expansion that a page may ask a shell for
_MENTION = re.compile(r"`((?:aiops|make) [^`]+)`")


@dataclass(frozen=True)
class Command:
    """One line of a console block. `output`: where its standard output goes, "" = the terminal."""

    page: str
    words: tuple[str, ...]
    output: str = ""

    def __str__(self) -> str:
        return shlex.join(self.words)


def commands(page: Path) -> list[Command]:
    """Return what a page tells its reader to type, in order."""
    found = []
    for kind, block in _BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind == "console":
            lines = (line.strip() for line in block.splitlines())
            found += [_command(page.name, line[1:]) for line in lines if line.startswith("$ ")]
        else:
            assert kind not in ("bash", "sh", "shell"), f"{page.name}: use a `console` block, which is run"
    return found


def mentions(page: Path) -> list[Command]:
    """Return the commands in running text; `a|b` is two of them."""
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    return [
        _command(page.name, " ".join(one)) for said in _MENTION.findall(text) for one in _each(said.split())
    ]


def _each(words: list[str]) -> Iterator[list[str]]:
    for place, word in enumerate(words):
        if "|" in word:
            for part in word.split("|"):
                yield from _each([*words[:place], part, *words[place + 1 :]])
            return
    yield words


def _command(page: str, line: str) -> Command:
    words = shlex.split(_CLOCK.sub("20260318T2230", line), comments=True)
    if ">" in words:
        place = words.index(">")
        return Command(page, tuple(words[:place]), words[place + 1])
    return Command(page, tuple(words))


def takes(command: Command) -> None:
    """Let the program read a whole command without running it. Raises what it would complain of."""
    program, *words = command.words
    if program == "make":
        _has_target(words)
        return
    if program == "mkdir":
        return
    assert program == "aiops", f"{command.page}: nothing tests {program!r} in a console block"
    with cli.app.make_context("aiops", list(words)) as context:
        _descend(cli.app, context)


def _descend(group: click.Group, context: click.Context) -> None:
    name, found, rest = group.resolve_command(context, [*context._protected_args, *context.args])
    assert found is not None
    with found.make_context(name, rest, parent=context) as inner:
        if isinstance(found, click.Group) and inner._protected_args:
            _descend(found, inner)


def knows(command: Command) -> None:
    """Raise AssertionError for a subcommand or an option that a mention names and nobody has."""
    program, *words = command.words
    if program == "make":
        _has_target(words)
        return
    found: click.Command = cli.app
    rest = iter(words)
    for word in rest:
        if word.startswith("-"):
            named = {name: one for one in found.params for name in one.opts}
            option = named.get(word.partition("=")[0])
            assert option or word in ("--help", "--version"), f"{command.page}: `{command}`: no option {word}"
            if isinstance(option, click.Option) and not option.is_flag and "=" not in word:
                next(rest, None)
        elif isinstance(found, click.Group):
            assert word in found.commands, f"{command.page}: `{command}`: no command {word}"
            found = found.commands[word]


def _has_target(words: list[str]) -> None:
    makefile = (real.CHECKOUT / "Makefile").read_text(encoding="utf-8")
    for word in words:
        name, is_value, _ = word.partition("=")
        if is_value:
            assert f"$({name})" in makefile, f"the Makefile has no variable {name}"
        else:
            assert re.search(rf"^{re.escape(name)}:", makefile, re.MULTILINE), (
                f"the Makefile has no target {name}"
            )
