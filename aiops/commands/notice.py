"""One notice to the people of a CI job when a guardrail stopped the fleet: an annotation and a summary.

Comes in: a result. Goes out: nothing outside of GitHub Actions, nor while no guardrail wants a person.
A storm of a thousand incidents is one line. What metrics say is escaped for both places.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from aiops import report, terminal
from aiops.job import Result
from aiops.propose import inert

MAX_SUMMARY_BYTES = 262_144  # GitHub shows nothing of a larger one


def tell(found: Result) -> None:
    """Write the notice where the runner looks for it; one that cannot be written is only a warning."""
    tripped = [one for one in found.guardrails if one.tripped and one.id in report.FOR_A_PERSON]
    if os.environ.get("GITHUB_ACTIONS") != "true" or not tripped:
        return
    text = "; ".join(f"{one.id}: {one.value} (limit {one.limit})" for one in tripped)
    print(f"::warning title=aiops proposes nothing more::{_data(text)}", file=sys.stderr)  # noqa: T201 - `say` writes no commands
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path:
        return
    rows = [f"| {one.id} | {inert.label(one.value)} | {inert.label(one.limit)} |" for one in tripped]
    lines = ["## aiops: a person has to look", "", "| guardrail | seen | limit |", "|---|---|---|", *rows, ""]
    if found.tracked is not None and found.tracked.issue.number:
        lines += [f"Tracking issue {found.tracked.issue.number} says more, and is renewed by each run.", ""]
    try:
        with Path(path).open("a", encoding="ascii") as out:
            out.write("\n".join(lines)[:MAX_SUMMARY_BYTES])
    except OSError as error:
        terminal.say(f"warning: the step summary cannot be written: {error.strerror}", stderr=True)


def _data(text: str) -> str:
    """Return text for a command of the runner: one line of visible ASCII, `%` escaped."""
    plain = "".join(char if " " <= char <= "~" else "?" for char in text)
    return plain.replace("##[", "#?[").replace("%", "%25")[:2000]
