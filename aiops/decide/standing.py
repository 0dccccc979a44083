"""What pull requests that exist say against another one: one at a time, veto, cool-down, tried, doubted.

Fails closed: one without a marker, or without a time, counts against proposing. A close by nobody
in particular is a person's.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from aiops.decide.policy import blaming_rule
from aiops.domain import PlanItem, PullRequest
from aiops.limits import Limits
from aiops.propose import marker
from aiops.propose.marker import Marker

DAY_S = 86400
FALSE_POSITIVE = "aiops/false-positive"  # a label, and a switch of people


@dataclass(frozen=True, slots=True)
class Seen:
    """The pull requests as they stood at `now_s`, and how many slots are left."""

    pulls: tuple[PullRequest, ...]
    now_s: int

    @property
    def open(self) -> int:
        """Return how many changes are open; a younger one of the same change is about to be closed."""
        return len({key(pull) for pull in self.pulls if pull.state == "open"})

    @property
    def today(self) -> int:
        """Return how many were opened in the last 24 hours.

        Not those that we closed at once beside an older one: a crowd of runs at the same second would
        use up the day.
        """
        new = [pull for pull in self.pulls if pull.created_at_s > self.now_s - DAY_S]
        return sum(not _is_duplicate(marker.parse(pull.body)) for pull in new)


def _is_duplicate(mark: Marker | None) -> bool:
    return mark is not None and mark.outcome == "duplicate"


def as_of(pull: PullRequest, now_s: int) -> PullRequest:
    """Return the pull request as it stood at a time: what was closed later was open then."""
    merged = pull.merged_at_s if pull.merged_at_s is not None and pull.merged_at_s <= now_s else None
    closed = pull.closed_at_s if pull.closed_at_s is not None and pull.closed_at_s <= now_s else None
    later = pull.state != "open" and (pull.merged_at_s or pull.closed_at_s or 0) > now_s
    return replace(pull, state="open" if later else pull.state, merged_at_s=merged, closed_at_s=closed)


def key(pull: PullRequest) -> str:
    """Return the branch without the number at its end."""
    return pull.branch.rpartition("-")[0]


def refused(item: PlanItem, branch_key: str, seen: Seen, limits: Limits) -> str:
    """Return why existing pull requests speak against this one; "" when none does.

    `branch_key`: `aiops/<action>/<12 hex>` of the item.
    """
    if not branch_key:
        return "G-ONE: the proposal has no branch key"
    own, action = marker.workload_hash(item.workload), item.decision.action
    for pull in seen.pulls:
        mark = marker.parse(pull.body)
        if _is_duplicate(mark):
            continue  # an older one makes the same change, and speaks for both
        same = key(pull) == branch_key
        about = mark is not None and mark.workload == own
        if pull.state == "open" and about and not same:
            return f"G-ONE: pull request {pull.number} is open for {item.workload}"
        related = same or (mark is not None and about and mark.action == action)
        if pull.state != "open" and related and (reason := _ended(pull, mark, item, seen.now_s, limits)):
            return reason
    return _doubted(item, own, seen, limits)


def _ended(pull: PullRequest, mark: Marker | None, item: PlanItem, now_s: int, limits: Limits) -> str:
    """Return why a pull request of this workload and action that ended speaks against another one.

    Without a marker nobody knows which incident it was about: then it counts as this one.
    """
    ended_s = pull.merged_at_s or pull.closed_at_s
    onset_s, trigger = item.incident.onset_s, marker.trigger_of(item)
    goes_on = mark is None or marker.same_incident(
        mark, trigger, onset_s, max(mark.data_s, ended_s or 0), limits.one_incident_s
    )
    if goes_on and declined(pull):
        return f"G-VETO: a person closed pull request {pull.number} unmerged"
    if ended_s is None or now_s - ended_s < limits.cool_down_s:
        return f"G-COOL: pull request {pull.number} ended less than {limits.cool_down_s / 3600:g} h ago"
    by_hand = mark is not None and mark.by_hand
    done = pull.state == "merged" or (mark is not None and mark.outcome == "confirmed")
    if goes_on and done and not by_hand:
        return f"G-TRIED: pull request {pull.number} was merged for this incident; a person has to look"
    return ""


def _doubted(item: PlanItem, own: str, seen: Seen, limits: Limits) -> str:
    """Return why an incident has to last longer: a person called the same cause a false positive.

    A pod that cannot start (R1b) is never doubted. Scores keep their meaning; only the hold is longer.
    """
    onset_s = item.incident.onset_s
    if onset_s is None or seen.now_s - onset_s >= limits.doubted_s or blaming_rule(item.diagnosis) == "R1b":
        return ""
    for pull in seen.pulls:
        mark, ended_s = marker.parse(pull.body), pull.merged_at_s or pull.closed_at_s
        recent = ended_s is None or seen.now_s - ended_s < limits.doubt_lasts_s
        about = mark is not None and (mark.workload, mark.cause) == (own, item.diagnosis.cause)
        if about and recent and FALSE_POSITIVE in pull.labels:
            minutes = limits.doubted_s // 60
            return f"G-DOUBT: pull request {pull.number} was a false positive; it has to last {minutes} min"
    return ""


def declined(pull: PullRequest) -> bool:
    """Tell whether a person said no: closed, not merged, and not by us.

    Who closed it may be unknown (None): then it was a person, unless the marker says why we did.
    """
    mark = marker.parse(pull.body)
    ours = pull.closed_by == pull.author or (mark is not None and mark.outcome != "none")
    return pull.state == "closed" and not ours
