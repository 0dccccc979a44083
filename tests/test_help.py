"""Every `--help` answers at once, because no heavy package is imported for it.

The test looks at what was imported, not at a clock, so that a busy machine cannot fail it.
`make bench-help` runs this file and prints the times.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import click
import pytest

from aiops.cli import app

# Seconds each: torch 2.2, scikit-learn 1.6, pandas 0.4, onnxruntime 0.2, github 0.2, the others about 0.1.
HEAVY = (
    "github",
    "matplotlib",
    "numpy",
    "onnx",
    "onnxruntime",
    "pandas",
    "prometheus_api_client",
    "prometheus_client",
    "pyarrow",
    "pydantic",
    "requests",
    "ruamel",
    "scipy",
    "sklearn",
    "torch",
)
LIMIT_S = 0.3

PROGRAM = """
import json, sys
from aiops.cli import main
try:
    main()
except SystemExit as end:
    print("\\n" + json.dumps([end.code, sorted(name for name in sys.modules if "." not in name)]))
"""


def commands(
    command: click.Command = app, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield every command of the program with the words that lead to it; () is the program itself."""
    yield path, command
    if isinstance(command, click.Group):
        for name in sorted(command.commands):
            yield from commands(command.commands[name], (*path, name))


COMMANDS = dict(commands())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_help_imports_nothing_heavy(path: tuple[str, ...]) -> None:
    shown = subprocess.run(
        [sys.executable, "-c", PROGRAM, *path, "--help"], capture_output=True, text=True, check=True
    ).stdout
    text, _, last = shown.rstrip("\n").rpartition("\n")
    code, imported = json.loads(last)

    assert (code or 0, set(HEAVY) & set(imported)) == (0, set())
    assert text.startswith("Usage: ")


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_every_option_says_what_it_does(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    options = [option for option in command.params if isinstance(option, click.Option)]

    assert command.help
    assert [option.name for option in options if not option.help] == []


def bench() -> int:
    """Print the best of five for every `--help`, and return how many miss the limit."""
    missed = 0
    for path in COMMANDS:
        best_s = min(_timed_s([sys.executable, "-m", "aiops", *path, "--help"]) for _ in range(5))
        missed += best_s > LIMIT_S
        sys.stdout.write(f"{best_s:.2f} s  aiops {' '.join((*path, '--help'))}\n")
    return missed


def _timed_s(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - start


if __name__ == "__main__":
    sys.exit(bench())
