"""The plans below a folder, as a shadow job left them: what is none is named and left out."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from aiops import terminal
from aiops.domain import Plan, Workload
from aiops.errors import AiopsError, ConfigError
from aiops.evaluate.shadow import Commits, Kept
from aiops.job import Progress
from aiops.propose import plan_file

MAX_FILES = 200_000  # two years of a run every five minutes
_TOLD = 20
_TODO = "keep the plans of `aiops run --plan` there, one file a run"

Refused = tuple[str, str]  # the file, and why


def read(folder: Path, commits: Commits, tell: Progress) -> tuple[tuple[Kept, ...], tuple[Refused, ...]]:
    """Return the plans and what was left out. Raises ConfigError when there is no plan at all.

    Of files with the same content one counts. Hidden files are passed over.
    """
    if not folder.is_dir():
        raise ConfigError("expected a folder of plans", where=str(folder), todo=_TODO)
    kept: dict[bytes, Kept] = {}
    names: dict[Workload, Workload] = {}
    refused: list[Refused] = []
    for count, path in enumerate(_files(folder)):
        if count >= MAX_FILES:
            raise ConfigError(f"expected at most {MAX_FILES:,} files", where=str(folder), todo=_TODO)
        if count % 100 == 0:
            tell(f"reading plan {count + 1:,}")
        name = str(path.relative_to(folder))
        try:
            data = _content(path)
            plan = plan_file.load(data)
        except AiopsError as error:
            refused.append((name, error.message))
            continue
        why = commits.refusal(plan)
        if why:
            refused.append((name, why))
        else:
            kept.setdefault(hashlib.sha256(data).digest(), Kept(name, _shared(plan, names)))
    if not kept:
        why = f": {refused[0][1]}" if refused else ""
        raise ConfigError(
            f"no plan of this repository among {len(refused)} files{why}", where=str(folder), todo=_TODO
        )
    return tuple(kept.values()), tuple(refused)


def _shared(plan: Plan, names: dict[Workload, Workload]) -> Plan:
    """Return the plan with one object for each name: a month of plans names the fleet 8,640 times."""
    quiet = tuple(replace(one, workload=names.setdefault(one.workload, one.workload)) for one in plan.quiet)
    return replace(plan, quiet=quiet)


def told(refused: tuple[Refused, ...]) -> None:
    """Print a line for each file that was left out, the first of many."""
    for name, why in refused[:_TOLD]:
        terminal.say(f"warning: left out {terminal.plain(name)}: {terminal.plain(why)}", stderr=True)
    if len(refused) > _TOLD:
        terminal.say(f"warning: left out {len(refused) - _TOLD:,} more files", stderr=True)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder in order; links to other folders are not followed."""
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                yield Path(at) / name


def _content(path: Path) -> bytes:
    """Return what anybody may have put there: a pipe would be waited for, a device never ends."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as handle:  # noqa: PTH123 - with flags
            if not stat.S_ISREG(os.fstat(handle.fileno()).st_mode):
                raise ConfigError("expected a regular file")
            return handle.read(plan_file.MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read: {error.strerror}") from error
