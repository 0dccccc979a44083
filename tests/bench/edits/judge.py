"""The judge of an edit, which knows nothing of resolver, splicer and their YAML readers.

Two questions: are all bytes outside of the known span the same (by construction), and does another
YAML reader, in another language, see exactly the meant values differ? See judge.mjs.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import real
from bench.edits.idioms import Span


@dataclass(frozen=True, slots=True)
class Change:
    """One value that was meant to change: its span before, what it was and shall be."""

    span: Span
    old: str
    wanted: str
    count: bool


class Judge:
    """One Node process that reads YAML; close it after use."""

    def __init__(self) -> None:
        package = real.CHECKOUT / ".cache/components/npm/node_modules/yaml/package.json"
        real.emulate()  # skips without the npm packages
        script = Path(__file__).with_suffix(".mjs")
        self._node = subprocess.Popen(
            [str(real.node()), str(script), str(package)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def verdicts(self, before: bytes, made: Sequence[tuple[bytes, Sequence[Change]]]) -> list[str]:
        """Return for each edit of one file why it is wrong, "" when it is right."""
        found, asked = [], []
        for after, changes in made:
            written = _written(before, after, changes)
            found.append("" if written else "bytes outside of the value differ")
            asked.append({"after": after.decode("utf-8-sig"), "changes": _meant(changes, written)})
        answers = self._ask({"before": before.decode("utf-8-sig"), "edits": asked})
        return [mine or theirs for mine, theirs in zip(found, answers, strict=True)]

    def addition(self, before: bytes, after: bytes, wanted: str) -> str:
        """Return why an edit is not one new key or list entry that holds a value, "" when it is."""
        start = next((n for n, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), len(before))
        end = len(before) - start
        if len(after) <= len(before) or (end and after[-end:] != before[-end:]):
            return "bytes beside the new text differ"
        question = {"before": before.decode("utf-8-sig"), "after": after.decode("utf-8-sig")}
        return self._ask({**question, "added": wanted})[0]

    def _ask(self, question: dict[str, Any]) -> list[str]:
        assert self._node.stdin is not None
        assert self._node.stdout is not None
        self._node.stdin.write(json.dumps(question) + "\n")
        self._node.stdin.flush()
        answer: list[str] = json.loads(self._node.stdout.readline())
        return answer

    def close(self) -> None:
        """End the process, so that its processor time is counted."""
        self._node.communicate()


def _meant(changes: Sequence[Change], written: Sequence[str]) -> list[dict[str, Any]]:
    texts = [*written, *("" for _ in changes)]
    return [
        {"old": one.old, "wanted": one.wanted, "count": one.count, "written": text}
        for one, text in zip(changes, texts, strict=False)
    ]


def _written(before: bytes, after: bytes, changes: Sequence[Change]) -> list[str]:
    """Return what stands in place of each span; [] when anything outside of them differs.

    The length of what was written is not told: it is the value, with or without quotes.
    """
    found: list[str] = []
    at, out = 0, 0
    for one in sorted(changes, key=lambda change: change.span.start):
        gap = before[at : one.span.start]
        if after[out : out + len(gap)] != gap:
            return []
        out += len(gap)
        value = one.wanted.encode()
        quoted = after[out : out + 1] in {b"'", b'"'}
        width = len(value) + 2 * quoted
        text = after[out : out + width]
        if text.strip(text[:1] if quoted else b"") != value and text != value:
            return []
        found.append(text.decode())
        at, out = one.span.end, out + width
    return found if after[out:] == before[at:] else []
