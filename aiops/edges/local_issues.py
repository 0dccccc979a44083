"""The tracking issues of the local forge: `<repository>.forge/issues/<n>.json` and `<n>.md`, the body.

Comes in: a text. Goes out: the one open issue that carries it. A person closes it by writing
`"state": "closed"` into the JSON, and adds `aiops/pause` to its `labels`.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from aiops.domain import IssueText, TrackingIssue
from aiops.edges import local_files as files
from aiops.propose import tracking

_NUMBER = re.compile(r"([1-9][0-9]{0,8})\.json")


class LocalIssues:
    """The issues of one local forge; nothing is written before the first one."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of the forge."""
        self._folder = folder
        self._issues = folder / "issues"

    def all(self) -> tuple[TrackingIssue, ...]:
        """Return all of them, newest first. Raises ForgeRefused for a file that cannot be read."""
        return tuple(self._read(number)[1] for number in sorted(self._numbers(), reverse=True))

    def write(self, text: IssueText, now_s: int) -> TrackingIssue:
        """Open it, or write to the one it names. Raises ForgeRefused or ForgeBusy."""
        with files.locked(self._folder, "issues"):
            there = tracking.same(text.body, self.all()) if text.number is None else None
            if there is not None:  # opened by another run since we looked
                return there
            number = text.number or 1 + max(self._numbers(), default=0)
            data = self._read(number)[0] if text.number else _new(number, now_s)
            state = text.state or data["state"]
            closed_at = data["closed_at"] if state == data["state"] else files.iso(now_s)
            data |= {
                "title": text.title,
                "state": state,
                "marker": text.body.split("\n", 1)[0],
                "updated_at": files.iso(now_s),
                "closed_at": closed_at if state == "closed" else None,
            }
            # The body first, as for a pull request: a JSON file without one would say nothing.
            files.write(self._issues / f"{number}.md", text.body.encode())
            files.write(self._issues / f"{number}.json", files.as_json(data))
            return self._read(number)[1]

    def _numbers(self) -> list[int]:
        try:
            names = [one.name for one in self._issues.iterdir()] if self._issues.is_dir() else []
        except OSError as error:
            raise files.unreadable(self._issues, "a folder of issues", error) from None
        return [int(found[1]) for name in names if (found := _NUMBER.fullmatch(name))]

    def _read(self, number: int) -> tuple[dict[str, Any], TrackingIssue]:
        path = self._issues / f"{number}.json"
        try:
            data = files.read(path)
            return data, _shown(path, data)
        except files.MALFORMED as error:
            raise files.unreadable(path, "an issue", error) from None


def _new(number: int, now_s: int) -> dict[str, Any]:
    return {
        "number": number,
        "title": "",
        "state": "open",
        "marker": "",
        "labels": [tracking.LABEL],
        "created_at": files.iso(now_s),
        "updated_at": files.iso(now_s),
        "closed_at": None,
    }


def _shown(path: Path, data: dict[str, Any]) -> TrackingIssue:
    """Return what the JSON and the body say together. Raises ValueError, KeyError or TypeError."""
    state = data["state"]
    if int(data["number"]) != int(path.stem) or state not in ("open", "closed"):
        raise ValueError("number or state does not fit")
    closed_at_s = files.seconds(data["closed_at"])
    if state == "closed" and closed_at_s is None:
        # A person changed the word and no more: the file is as old as the decision.
        closed_at_s = int(path.stat().st_mtime)
    return TrackingIssue(
        number=int(data["number"]),
        url=str(path.with_suffix(".md")),
        state=state,
        title=str(data["title"]),
        body=files.body(path.with_suffix(".md"), str(data["marker"])),
        labels=tuple(sorted(str(label) for label in data["labels"])),
        created_at_s=files.required(data["created_at"]),
        closed_at_s=closed_at_s if state == "closed" else None,
    )
