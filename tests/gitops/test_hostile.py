"""Hostile repositories: every one gets a one-line answer, and the answer is the safe one.

Seconds and megabytes are measured by `make bench-hostile`, not here; the time limit only catches
what would never end.
"""

from __future__ import annotations

import pytest
from gitops.folders import MemoryFiles
from gitops.hostile import CASES, WEB

from aiops.gitops import where


@pytest.mark.parametrize("name", CASES)
@pytest.mark.timeout(120)
def test_a_hostile_repository_gets_the_safe_answer(name: str) -> None:
    case = CASES[name]

    target = where.resolve(MemoryFiles(case.make(), case.modes), WEB, case.field)

    if target.winner is not None:
        assert case.expected == target.winner.value
        return
    assert target.refusal is not None
    assert case.expected in target.refusal
    assert "\n" not in target.refusal
    assert len(target.refusal) < 600


@pytest.mark.parametrize("name", [name for name in CASES if not CASES[name].slow])
@pytest.mark.timeout(120)
def test_a_hostile_repository_does_not_stop_the_listing(name: str) -> None:
    case = CASES[name]

    found = where.workloads(MemoryFiles(case.make(), case.modes))

    assert all(target.winner is not None or target.refusal for _, fields in found for target in fields)
