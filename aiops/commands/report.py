"""`aiops report`: the page and the step summary of a run or a backtest, from its JSON document."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from aiops import terminal
from aiops.errors import ConfigError
from aiops.page import backtest, document, page, replayed, summary
from aiops.page.tree import is_web


def report(file: Path, output: Path, summary_file: Path | None, prometheus: str) -> int:
    """Write the page, and append the summary where one is asked for. Returns the exit code."""
    if prometheus and not is_web(prometheus):
        raise ConfigError("expected an http or https address without a user in it", where="--prometheus")
    data = _read(file)
    if replayed.is_one(data):
        replay = replayed.load(data, str(file))
        text, notes = backtest.render(replay), summary.of_backtest(replay)
        what = f"{len(replay.proposals)} proposals"
    else:
        found = document.load(data, str(file))
        text, notes = page.render(found, prometheus), summary.markdown(found)
        what = f"{len(found.workloads)} workloads"
    made = text.encode("utf-8", "replace")
    _write(output, "wb", made)
    if summary_file is not None:
        _write(summary_file, "ab", notes.encode("utf-8", "replace"))
    terminal.say(f"wrote {output} ({len(made) / 1000:.0f} kB, {what})", stderr=True)
    return 0


def _write(path: Path, mode: Literal["wb", "ab"], data: bytes) -> None:
    """Write or append, readable by whom the umask lets: a page is there to be passed on."""
    try:
        with path.open(mode) as handle:
            handle.write(data)
    except OSError as error:
        raise ConfigError(f"cannot write: {error.strerror}", where=str(path)) from error


def _read(file: Path) -> bytes:
    """Return at most one byte more than a report may have."""
    try:
        if str(file) == "-":
            return sys.stdin.buffer.read(document.MAX_BYTES + 1)
        with file.open("rb") as handle:
            return handle.read(document.MAX_BYTES + 1)
    except OSError as error:
        todo = "make one with `aiops run --format json`"
        raise ConfigError(f"cannot read: {error.strerror}", where=str(file), todo=todo) from error
