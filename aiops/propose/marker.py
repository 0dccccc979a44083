"""The identity of a proposal, written once into the first line of its body.

Comes in: what a proposal is about. Goes out: one HTML comment of `key=value` words, and back again.
The marker is how a stateless job recognises its own pull requests. It holds hashes, dates and
closed words only, never foreign text: a label can neither forge nor break it.
"""

from __future__ import annotations

import hashlib
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from aiops.domain import Cause, Diagnosis, Edit, FieldName, Incident, Outcome, PlanItem, Workload

_MARKER = re.compile(
    r"(?a)<!-- aiops:1 action=(?P<action>scale|rollback) target=(?P<target>[0-9a-f]{12})"
    r" workload=(?P<workload>[0-9a-f]{12}) cause=(?P<cause>[a-z-]{1,20}) trigger=(?P<trigger>[a-z0-9-]{1,60})"
    r" field=(?P<field>image\.tag|image\.digest|replicas|hpa\.min|hpa\.max)"
    r" from=(?P<old>\d{1,6}|[0-9a-f]{12}) to=(?P<new>\d{1,6}|[0-9a-f]{12})"
    r" pod=(?P<pod>none|\d[\d.e+-]{0,11})"
    r" base=(?P<base_sha>[0-9a-f]{40,64}) data=(?P<data_s>\d{1,12}) evidence=(?P<evidence>[0-9a-f]{12})"
    r" judge=(?P<judge>[0-9a-f]{12}|none)"
    r"(?P<edited> edited=yes)?"
    r" outcome=(?P<outcome>none|over|changed|duplicate|confirmed|helped|no-help|unclear) -->"
)
_TRIGGER = re.compile(r"(?a)(image|config|replicas|node|change)-([0-9a-f]{12})-(\d{1,12})")
BY_HAND = "load-unknown"  # no onset: a person asked for it, so no measurement ends it
GIVE_BACK = "give-back"  # the variant of a decision
BACK = "back"  # takes a raise of ours back: no incident stands behind it either


@dataclass(frozen=True, slots=True)
class Marker:
    """What the first line of a body says.

    `target`: hash of base branch, place and action; the value is not in it, so a new value updates
    the same pull request. `workload`: `workload_hash`. `trigger`: the image and when it was first
    seen, or the UTC day of a load onset: another trigger is another incident. Cause and trigger
    are written at opening and kept, whatever a later run computes. `old`, `new`: `value` of what
    the field had and gets. `per_pod`: req/s that a pod served well. `data_s`: newest judged step.
    `evidence`: hash of what spoke for and against, without its numbers. `judge`: hash of the model
    and the numbers that judged at opening, "none" = a person asked. `outcome`: how it ended, as far
    as we know; "none" until then. `edited`: a person changed the value before merging it.
    """

    action: str
    target: str
    workload: str
    cause: Cause
    trigger: str
    base_sha: str
    data_s: int
    evidence: str
    field: FieldName = "image.tag"
    old: str = "000000000000"
    new: str = "000000000000"
    per_pod: float | None = None
    judge: str = "none"
    outcome: Outcome = "none"
    edited: bool = False

    @property
    def by_hand(self) -> bool:
        """Tell whether a person asked for it: no measurement opened it, so none ends it."""
        return self.trigger in (BY_HAND, BACK)

    def __str__(self) -> str:
        """Return the comment as it stands in the body."""
        return (
            f"<!-- aiops:1 action={self.action} target={self.target} workload={self.workload}"
            f" cause={self.cause} trigger={self.trigger} field={self.field} from={self.old} to={self.new}"
            f" pod={'none' if self.per_pod is None else f'{self.per_pod:.6g}'}"
            f" base={self.base_sha} data={self.data_s} evidence={self.evidence} judge={self.judge}"
            f"{' edited=yes' if self.edited else ''} outcome={self.outcome} -->"
        )


def parse(body: str) -> Marker | None:
    """Return the marker in the first line of a body, None when there is none (a person removed it).

    Only the first line counts: whatever a query or a label smuggles further down is text.
    """
    lines = body.splitlines()
    found = _MARKER.fullmatch(lines[0].strip()) if lines else None
    if found is None or found["cause"] not in {cause.value for cause in Cause}:
        return None
    return Marker(
        action=found["action"],
        target=found["target"],
        workload=found["workload"],
        cause=Cause(found["cause"]),
        trigger=found["trigger"],
        base_sha=found["base_sha"],
        data_s=int(found["data_s"]),
        evidence=found["evidence"],
        field=cast("FieldName", found["field"]),
        old=found["old"],
        new=found["new"],
        per_pod=_number(found["pod"]),
        judge=found["judge"],
        outcome=cast("Outcome", found["outcome"]),
        edited=found["edited"] is not None,
    )


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if math.isfinite(found) else None


def said(outcome: Outcome) -> str:
    """Return the first line of the comment that tells an outcome: a pull request gets it once."""
    return f"<!-- aiops:1 outcome={outcome} -->"


def same_comment(text: str, other: str) -> bool:
    """Tell whether two comments say the same: one outcome, whatever its numbers by now, or one text."""
    first, second = text.strip().split("\n", 1)[0].strip(), other.strip().split("\n", 1)[0].strip()
    if first.startswith("<!-- aiops:1 ") or second.startswith("<!-- aiops:1 "):
        return first == second
    return " ".join(text.split()) == " ".join(other.split())


def rewritten(body: str, mark: Marker) -> str:
    """Return the body with another marker in its first line; nothing else changes.

    A body whose marker a person removed is theirs and comes back as it is.
    """
    if parse(body) is None:
        return body
    rest = body.split("\n", 1)
    return f"{mark}\n{rest[1]}" if len(rest) > 1 else str(mark)


def value(text: str) -> str:
    """Return a value as the marker holds it: a count as it is, anything else as a hash."""
    return text if re.fullmatch(r"(?a)\d{1,6}", text) else digest(text)


def same_incident(mark: Marker, trigger_now: str, onset_s: int | None, last_s: int, apart_s: int) -> bool:
    """Tell whether what goes on now is the incident that a marker names.

    Bursts less than `apart_s` after its last sign of life (`last_s`) are one incident, and so is a
    change of the same thing that was seen a little earlier or later: windows move, and samples get lost.
    """
    if mark.trigger == trigger_now:
        return True
    then, now = _TRIGGER.fullmatch(mark.trigger), _TRIGGER.fullmatch(trigger_now)
    if then and now:
        return then[1] == now[1] and then[2] == now[2] and abs(int(then[3]) - int(now[3])) < apart_s
    loads = mark.trigger.startswith("load-") and trigger_now.startswith("load-") and not mark.by_hand
    return loads and onset_s is not None and onset_s - last_s < apart_s


def digest(*parts: str) -> str:
    """Return 12 hex digits of sha256 over the parts; the separator cannot stand in any of them."""
    text = "\0".join(part.replace("\0", "") for part in parts).encode("utf-8", "backslashreplace")
    return hashlib.sha256(text).hexdigest()[:12]


def workload_hash(workload: Workload) -> str:
    """Return the hash of (cluster, namespace, name): what "one open per workload" compares."""
    return digest(*workload.key)


def target_hash(base: str, workload: Workload, action: str, field: str, edits: tuple[Edit, ...]) -> str:
    """Return the hash of what is changed, never of the value.

    The repository is not in it: branches and pull requests live in one repository anyway.
    """
    places = sorted(f"{edit.file}:{edit.document}:{edit.path_text}" for edit in edits)
    return digest(base, *workload.key, action, field, *places)


def trigger_of(item: PlanItem) -> str:
    """Return the trigger of an item of a plan."""
    return BACK if item.decision.variant == GIVE_BACK else trigger(item.incident, item.diagnosis)


def trigger(incident: Incident, diagnosis: Diagnosis) -> str:
    """Return what set the incident off: `image-<hash>-<unix s>`, `config-...` or `load-<UTC day>`."""
    change = diagnosis.change
    if change is not None:
        kind = change.kind if change.kind in {"image", "config", "replicas", "node"} else "change"
        return f"{kind}-{digest(change.subject, change.new or '')}-{max(change.at_s, 0)}"
    if incident.onset_s is None or not 0 <= incident.onset_s <= 253_402_300_799:
        return BY_HAND
    return f"load-{datetime.fromtimestamp(incident.onset_s, UTC):%Y-%m-%d}"


def evidence_hash(diagnosis: Diagnosis) -> str:
    """Return the hash of which questions spoke for and against; their numbers change every minute."""
    return digest(
        diagnosis.cause,
        *sorted({f"for {item.query}" for item in diagnosis.evidence}),
        *sorted({f"against {item.query}" for item in diagnosis.against}),
    )
