"""What one rule says, and the trace that asking leaves behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from aiops.diagnose.facts import Facts
from aiops.domain import Asked, Cause, Change, Evidence, Workload


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule says.

    `root`: the workload to blame, None when nobody can be named. `rule`: the id that answers, ""
    for the id the question was asked under. `place`: the pod, node or zone to blame.
    """

    cause: Cause
    root: Workload | None
    answer: str
    change: Change | None = None
    evidence: tuple[Evidence, ...] = ()
    against: tuple[Evidence, ...] = ()
    rule: str = ""
    place: str = ""


@dataclass(slots=True)
class Inquiry:
    """One incident while its rules are asked.

    `cleared`: releases that are not to blame; `ruled_out`: other causes that were looked at and do
    not hold. What could not be looked at is in neither.
    """

    facts: Facts
    trace: list[Asked] = field(default_factory=list)
    cleared: list[str] = field(default_factory=list)
    ruled_out: list[str] = field(default_factory=list)

    def no(self, rule: str, answer: str, *, cause: str = "") -> None:
        """Note that a rule does not hold; with `cause`, in words, that this cause is ruled out."""
        self.trace.append(Asked(rule, holds=False, answer=answer))
        if cause:
            self.ruled_out.append(f"{cause}: {answer}")

    def clear(self, rule: str, answer: str) -> None:
        """Note that a release is not to blame, and why."""
        self.trace.append(Asked(rule, holds=False, answer=answer))
        self.cleared.append(answer)


Rule = Callable[[Inquiry], Finding | None]
