"""Why an incident happens, and what is done about it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from aiops.domain.series import Workload
from aiops.domain.surroundings import Change


class Cause(StrEnum):
    """Why an incident happens, as far as metrics and history can tell."""

    BAD_RELEASE = "bad-release"
    OVERLOAD = "overload"
    DEPENDENCY = "dependency"
    SHARED = "shared"
    LEAK = "leak"
    CONFIG = "config"
    EXPOSURE = "exposure"
    CLIENT = "client"
    SCHEDULED = "scheduled"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One claim with the number behind it. `query` is the PromQL that returns `value`."""

    claim: str
    query: str
    value: float | None
    unit: str
    at_s: int


@dataclass(frozen=True, slots=True)
class Impact:
    """Who feels it: shares of requests 0..1 (None = not measured), workloads that call it."""

    share_failing: float | None
    share_slow: float | None
    callers: tuple[str, ...]
    growing: bool | None


@dataclass(frozen=True, slots=True)
class Asked:
    """One rule that was asked and what it answered: the trace of a decision."""

    rule: str
    holds: bool
    answer: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The cause of one incident. `root`: the workload to blame, None when unknown.

    `change`: the change that is blamed, if one is. `ruled_out`: other causes, with the reason.
    `place`: the pod, node or zone to blame ("node/node-a"), "" when no place is. `missing`: the
    sources that gave nothing, which lowers what can be claimed.
    """

    workload: Workload
    cause: Cause
    root: Workload | None
    change: Change | None
    evidence: tuple[Evidence, ...]
    against: tuple[Evidence, ...]
    ruled_out: tuple[str, ...]
    impact: Impact
    trace: tuple[Asked, ...]
    place: str = ""
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Scale:
    """Propose other capacity: `field` from `old` to `new`.

    `per_pod`: the req/s that one pod was seen to serve well, None = not known. `variant`: "give-back"
    takes a raise of ours back.
    """

    field: Literal["replicas", "hpa.min", "hpa.max"]
    old: int
    new: int
    rule: str
    reason: str
    variant: str = "scale"
    per_pod: float | None = None
    action: Literal["scale"] = "scale"


@dataclass(frozen=True, slots=True)
class Rollback:
    """Propose the value that ran well before: `field` from `old` to `new`."""

    field: Literal["image.tag", "image.digest"]
    old: str
    new: str
    rule: str
    reason: str
    variant: str = "rollback"
    action: Literal["rollback"] = "rollback"


@dataclass(frozen=True, slots=True)
class Hold:
    """Propose nothing, and say which rule held it back."""

    rule: str
    reason: str
    variant: str = "hold"
    action: Literal["hold"] = "hold"


Decision = Scale | Rollback | Hold


@dataclass(frozen=True, slots=True)
class Guardrail:
    """One limit that was checked. `tripped` means nothing more is proposed because of it."""

    id: str
    tripped: bool
    value: str
    limit: str
