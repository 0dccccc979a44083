"""What a replay opened, run after run, and when each of these workloads was calm again.

Comes in: the result of each run that was looked at. Goes out: `Proposed`, one for each pull request.
Nothing is merged, so a proposal ends when aiops itself closes it; its incident may go on after that,
most often because people changed the repository a moment ago. It is followed until it is calm.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from aiops.domain import Hold, Outcome, PlanItem, PullRequest, State, Workload
from aiops.evaluate.worlds import PastForge
from aiops.job import Result
from aiops.propose import marker

FOLLOWED_S = 86_400  # after its end; a workload that is gone would else be waited for to the last run


@dataclass(frozen=True, slots=True)
class Proposed:
    """One pull request that would have been opened. `ended_s`, `outcome`: when and why aiops closed it.

    `calm_s`: the newest step at which the workload fired, once it was judged and quiet after the end.
    `still_s`: the newest run after the end in which it fired. Both None = not seen. `source`: the
    plan that it stood in first, "" when history was replayed. `strength`: the highest threshold at which
    its incident would have fired while it was open, infinity for a crash loop; None = plans do not tell.
    """

    workload: Workload
    action: str
    field: str
    old: str
    new: str
    cause: str
    rule: str
    reason: str
    onset_s: int
    opened_s: int
    ended_s: int | None
    outcome: Outcome
    calm_s: int | None = None
    still_s: int | None = None
    source: str = ""
    strength: float | None = None


@dataclass(slots=True)
class _Opened:
    """One of them while it is followed. `hash`: of its workload."""

    hash: str
    item: PlanItem
    opened_s: int
    source: str
    calm_s: int | None = None
    still_s: int | None = None
    settled: bool = False
    strength: float | None = None


class Ledger:
    """The forge of a replay, and the book that is kept of it."""

    def __init__(self) -> None:
        self.forge = PastForge()
        self._opened: dict[int, _Opened] = {}

    def open(self) -> set[str]:
        """Return the hashes of the workloads that have an open pull request."""
        return {self._opened[pull.number].hash for pull in self.forge.pulls() if pull.state == "open"}

    def matters(self, firing: AbstractSet[str], *, moved: bool) -> bool:
        """Tell whether a run can open, close or settle anything. `firing`: hashes; `moved`: a commit came."""
        proposed = self.open()
        awaited = {one.hash for one in self._opened.values() if not one.settled} - proposed
        return firing != proposed or (moved and bool(proposed)) or bool(awaited - firing)

    def note(self, now_s: int, found: Result, source: str = "") -> None:
        """Write down what one run opened, and who is calm."""
        items = {item.workload: item for item in found.plan.items}
        for workload, sent in found.sent.items():
            if sent.state == "opened" and sent.pull is not None:
                self._opened[sent.pull.number] = _Opened(
                    marker.workload_hash(workload), items[workload], now_s, source
                )
        quiet = {marker.workload_hash(one.workload): one for one in found.plan.quiet}
        firing = {
            marker.workload_hash(one.workload)
            for one in found.plan.items
            if one.incident.state is State.FIRING
        }
        ended = {pull.number: pull.closed_at_s for pull in self.forge.pulls() if pull.state != "open"}
        for number, one in self._opened.items():
            ended_s = ended.get(number)
            if one.settled or ended_s is None:
                continue
            one.settled = now_s - ended_s > FOLLOWED_S
            if one.hash in firing:
                one.still_s = now_s
            elif one.hash in quiet:
                one.calm_s = max(quiet[one.hash].since_s, one.opened_s)
                one.settled = True

    def weigh(self, strengths: Mapping[str, float]) -> None:
        """Write down how strong the incidents behind the open ones are at one run, by hash."""
        for pull in self.forge.pulls():
            one = self._opened[pull.number]
            if pull.state == "open":
                one.strength = max(one.strength or 0.0, strengths.get(one.hash, 0.0))

    def proposals(self) -> tuple[Proposed, ...]:
        """Return them all, oldest first."""
        return tuple(_proposed(pull, self._opened[pull.number]) for pull in reversed(self.forge.pulls()))


def _proposed(pull: PullRequest, one: _Opened) -> Proposed:
    decision, mark = one.item.decision, marker.parse(pull.body)
    if isinstance(decision, Hold) or mark is None:
        raise ValueError("a pull request without a change")
    return Proposed(
        workload=one.item.workload,
        action=decision.action,
        field=decision.field,
        old=str(decision.old),
        new=str(decision.new),
        cause=one.item.diagnosis.cause.value,
        rule=decision.rule,
        reason=decision.reason,
        onset_s=one.item.incident.onset_s or one.opened_s,
        opened_s=one.opened_s,
        ended_s=pull.closed_at_s,
        outcome=mark.outcome,
        calm_s=one.calm_s,
        still_s=one.still_s,
        source=one.source,
        strength=one.strength,
    )
