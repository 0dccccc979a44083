"""A run over a range of seeds: what was asked, made, refused by reason, and wrong."""

from __future__ import annotations

import re
import resource
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

from bench.edits.idioms import Span
from bench.edits.judge import Change, Judge
from bench.edits.repositories import Ask, Case, make
from gitops.folders import MemoryFiles

from aiops.domain import Edit, Target, Workload
from aiops.errors import EditRefused
from aiops.gitops import splice, where

MOST_WRONG_KEPT = 20
Made = tuple[Ask, Edit, bytes, Change]
TOGETHER = 7  # of so many files one also gets all its edits at once


@dataclass(slots=True)
class Part:
    """The result of some seeds. `by_kind`: kind -> [asked, refused, wrong]."""

    first: int
    seeds: int = 0
    asked: int = 0
    made: int = 0
    together: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    by_kind: dict[str, list[int]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)
    wall_s: float = 0.0
    cpu_s: float = 0.0
    MOST_REFUSED: ClassVar[float] = 0.05

    @classmethod
    def of(cls, kept: dict[str, Any]) -> Part:
        """Return a part from what `plain` made of it."""
        return cls(**{**kept, "reasons": Counter(kept["reasons"])})

    def plain(self) -> dict[str, Any]:
        """Return the part as JSON knows it."""
        names = [name for name in self.__slots__ if name != "MOST_REFUSED"]
        return {name: getattr(self, name) for name in names}

    def __add__(self, other: Part) -> Part:
        """Return both parts as one; they follow each other."""
        kinds = {
            kind: [a + b for a, b in zip(self._kind(kind), other._kind(kind), strict=True)]
            for kind in sorted({*self.by_kind, *other.by_kind})
        }
        return Part(
            self.first,
            self.seeds + other.seeds,
            self.asked + other.asked,
            self.made + other.made,
            self.together + other.together,
            self.reasons + other.reasons,
            kinds,
            [*self.wrong, *other.wrong][:MOST_WRONG_KEPT],
            self.wall_s + other.wall_s,
            self.cpu_s + other.cpu_s,
        )

    def _kind(self, kind: str) -> list[int]:
        return self.by_kind.get(kind, [0, 0, 0])

    @property
    def refused_share(self) -> float:
        """Refused of what was asked, 0..1."""
        return sum(self.reasons.values()) / max(self.asked, 1)

    def summary(self) -> str:
        """Return one line."""
        return (
            f"{self.asked:,} edits asked, {self.made:,} made, {sum(self.reasons.values()):,} refused, "
            f"{len(self.wrong)} wrong, {self.asked / max(self.cpu_s, 1e-9):,.0f} edits/CPU s"
        )

    def table(self) -> str:
        """Return the whole result for a person."""
        last, refused = self.first + self.seeds - 1, self.refused_share
        met = {True: "met", False: "MISSED"}
        cost = 1000 * self.cpu_s / max(self.asked, 1)
        lines = [
            "",
            f"{'kind':<16} {'asked':>10} {'refused':>9} {'wrong':>6}",
            *(f"{kind:<16} {a:>10,} {r:>9,} {w:>6,}" for kind, (a, r, w) in sorted(self.by_kind.items())),
            "",
            *(f"{count:>9,}  refused: {reason}" for reason, count in self.reasons.most_common()),
            *(f"WRONG  {one}" for one in self.wrong),
            "",
            f"seeds {self.first}-{last}; of {self.together:,} files also all edits at once",
            f"edits asked            {self.asked:>12,}   made {self.made:,}",
            f"wrong                  {len(self.wrong):>12,}   target 0        {met[not self.wrong]}",
            f"refused on valid input {refused:>12.2%}   target <= 5 %   {met[refused <= self.MOST_REFUSED]}",
            f"rate                   {self.asked / max(self.wall_s, 1e-9):>12,.0f}   edits/s of wall time",
            f"cost                   {cost:>12.2f}   CPU ms an edit, judge included",
        ]
        return "\n".join(lines)


def run(seeds: range, most: int) -> Part:
    """Ask for the edits of the seeds, `most` at most, and judge each."""
    part = Part(seeds.start)
    judge, began, cpu = Judge(), time.monotonic(), _cpu_s()
    try:
        for seed in seeds:
            if part.asked >= most:
                break
            _one(part, seed, make(seed), judge)
            part.seeds += 1
    finally:
        judge.close()
    part.wall_s, part.cpu_s = time.monotonic() - began, _cpu_s() - cpu
    return part


def _cpu_s() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _one(part: Part, seed: int, case: Case, judge: Judge) -> None:
    files = MemoryFiles(case.files)
    made: dict[str, list[Made]] = {}
    for ask in case.asks:
        span = case.spans[ask.file][ask.value]
        kind = part.by_kind.setdefault(ask.kind, [0, 0, 0])
        target = where.resolve(files, Workload("", "shop", "", ask.name), ask.field, image=ask.image)
        for new, wanted in ask.news:
            part.asked += 1
            kind[0] += 1
            try:
                edit, after, problem = _edit(files, ask, target, span, new)
            except EditRefused as error:
                part.reasons[_general(error.message)] += 1
                kind[1] += 1
                continue
            if problem:
                _wrong(part, seed, ask, problem)
                continue
            old = span.text.strip(span.text[0]) if span.text[0] in "'\"" else span.text
            change = Change(span, old, wanted, count=ask.image is None)
            made.setdefault(ask.file, []).append((ask, edit, after, change))
    for file, edits in made.items():
        _judge(part, seed, case.files[file], edits, judge)


def _edit(files: MemoryFiles, ask: Ask, target: Target, span: Span, new: str) -> tuple[Edit, bytes, str]:
    """Return the edit, the new content, and what is wrong with the place that is named."""
    place = target.winner
    if place is None:
        raise EditRefused(target.refusal or "no reason at all")
    content = files.read(place.file)
    edit = splice.edit(content, place, new, splice.blob_id(content))
    expected = (ask.file, span.start, span.end, ask.old)
    named = (place.file, place.start, place.end, splice.value_of(place.path, place.value))
    problem = "" if named == expected else f"names {named}, expected {expected}"
    return edit, splice.replace(content, [edit]), problem


def _judge(part: Part, seed: int, before: bytes, edits: list[Made], judge: Judge) -> None:
    asked = [(ask, after, [change]) for ask, _, after, change in edits]
    first = {one[0].value: one for one in reversed(edits)}
    if len(first) > 1 and seed % TOGETHER == 0:
        some = sorted(first.values(), key=lambda one: one[1].start)
        asked.append((some[0][0], splice.replace(before, [one[1] for one in some]), [one[3] for one in some]))
        part.together += 1
    verdicts = judge.verdicts(before, [(after, changes) for _, after, changes in asked])
    for reason, (ask, _, changes) in zip(verdicts, asked, strict=True):
        if reason:
            _wrong(part, seed, ask, reason)
        elif len(changes) == 1:
            part.made += 1


def _wrong(part: Part, seed: int, ask: Ask, reason: str) -> None:
    part.by_kind[ask.kind][2] += 1
    if len(part.wrong) < MOST_WRONG_KEPT:
        part.wrong.append(f"seed {seed} {ask.kind} {ask.field}: {reason}")


def _general(reason: str) -> str:
    """Return a reason without what differs from case to case."""
    return re.sub(r"'[^']*'|\"[^\"]*\"|\([^)]*\)|[0-9]+|\S*\.ya?ml\S*", "_", reason)[:110]
