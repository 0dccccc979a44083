"""`aiops.report/1` as types, read from a file that anybody may have written.

Only what the page shows is named here; keys that a later aiops adds are passed over.
"""

from __future__ import annotations

import msgspec

from aiops.errors import ConfigError

MAX_BYTES = 50_000_000
_TODO = "make one with `aiops run --format json`"


class _Read(msgspec.Struct, frozen=True):
    """What is missing has a default, so that older reports are read as well."""


class Workload(_Read, frozen=True):
    """Which workload; its text is the spelling of the command line."""

    name: str
    cluster: str = ""
    namespace: str = ""
    kind: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.cluster, self.namespace, self.kind, self.name) if part)


class Window(_Read, frozen=True):
    """The judged steps."""

    to: str
    step_s: int
    start: str = msgspec.field(name="from")


class Failure(_Read, frozen=True):
    """What went wrong in the run, and what to do."""

    code: str
    message: str
    where: str = ""
    todo: str = ""


class Signal(_Read, frozen=True):
    """One signal that left its band."""

    signal: str
    unit: str
    observed: float | None = None
    expected: float | None = None
    score: float | None = None


class Series(_Read, frozen=True):
    """One signal around an onset; the lines have equally many points, `step_s` apart; null = no sample."""

    signal: str
    unit: str
    step_s: int
    observed: tuple[float | None, ...]
    expected: tuple[float | None, ...]
    lower: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    start: str = msgspec.field(name="from")


class Familiar(_Read, frozen=True):
    """Why an incident is reported and not acted on."""

    kind: str
    reason: str


class Incident(_Read, frozen=True):
    """What is out of the ordinary, since when."""

    state: str
    onset: str | None
    signals: tuple[Signal, ...] = ()
    familiar: Familiar | None = None
    series: tuple[Series, ...] = ()


class Evidence(_Read, frozen=True):
    """One claim with its measured value."""

    claim: str
    query: str = ""
    value: float | None = None
    unit: str = ""
    at: str | None = None


class Impact(_Read, frozen=True):
    """Who is harmed and how much."""

    share_failing: float | None = None
    share_slow: float | None = None
    callers: tuple[str, ...] = ()
    growing: bool | None = None


class Rule(_Read, frozen=True):
    """One rule that was asked."""

    rule: str
    holds: bool
    answer: str


class Diagnosis(_Read, frozen=True):
    """The cause, with what speaks for and against it."""

    cause: str
    evidence: tuple[Evidence, ...] = ()
    against: tuple[Evidence, ...] = ()
    impact: Impact | None = None
    root: Workload | None = None
    place: str | None = None
    ruled_out: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()


class Edit(_Read, frozen=True):
    """One value in one file."""

    file: str
    path: str
    old: str | None = None
    new: str | None = None


class Decision(_Read, frozen=True):
    """What is proposed, or what holds it back."""

    action: str
    rule: str
    reason: str
    field: str | None = None
    old: str | int | float | None = msgspec.field(name="from", default=None)
    new: str | int | float | None = msgspec.field(name="to", default=None)
    edits: tuple[Edit, ...] = ()


class Pull(_Read, frozen=True):
    """What became of the proposal."""

    state: str
    branch: str = ""
    number: int | None = None
    url: str | None = None


class DriftSignal(_Read, frozen=True):
    """A signal that changes a little every day."""

    signal: str
    unit: str
    per_day: float | None = None
    old: float | None = msgspec.field(name="from", default=None)
    new: float | None = msgspec.field(name="to", default=None)
    since: str | None = None


class Drift(_Read, frozen=True):
    """What drifts of one workload."""

    signals: tuple[DriftSignal, ...] = ()


class Judged(_Read, frozen=True):
    """One workload, what was seen of it and what was decided."""

    workload: Workload
    verdict: str
    reason: str
    scorer: str = ""
    score: float | None = None
    incident: Incident | None = None
    diagnosis: Diagnosis | None = None
    decision: Decision | None = None
    pull_request: Pull | None = None
    drift: Drift | None = None


class Unresolved(_Read, frozen=True):
    """A field with no place to edit."""

    workload: Workload
    what: str
    reason: str
    todo: str = ""


class Outlook(_Read, frozen=True):
    """What runs into a bound."""

    what: str
    subject: str
    cluster: str = ""
    namespace: str = ""
    value: float | None = None
    bound: float | None = None
    unit: str = ""
    at: str | None = None


class Guardrail(_Read, frozen=True):
    """One check of the whole fleet."""

    id: str
    state: str
    value: str | float | None = None
    limit: str | float | None = None


class Followed(_Read, frozen=True):
    """A pull request that the run ended or judged."""

    branch: str
    outcome: str
    comment: str = ""
    number: int | None = None
    url: str | None = None


class Reviewed(_Read, frozen=True):
    """What became of the proposals for one workload in the last 30 days, in counts."""

    workload: Workload
    proposed: int
    merged: int = 0
    edited: int = 0
    confirmed: int = 0
    declined: int = 0
    closed: int = 0
    helped: int = 0
    no_help: int = 0


class TrackingIssue(_Read, frozen=True):
    """The issue that says that the whole fleet is held back."""

    state: str
    number: int | None = None
    url: str | None = None


class Report(_Read, frozen=True):
    """The whole of `aiops.report/1`."""

    schema: str
    exit_code: int
    at: str | None = None
    window: Window | None = None
    errors: tuple[Failure, ...] = ()
    workloads: tuple[Judged, ...] = ()
    unresolved: tuple[Unresolved, ...] = ()
    outlook: tuple[Outlook, ...] = ()
    guardrails: tuple[Guardrail, ...] = ()
    followed: tuple[Followed, ...] = ()
    reviews: tuple[Reviewed, ...] = ()
    tracking_issue: TrackingIssue | None = None


def load(data: bytes, where: str) -> Report:
    """Return the report. Raises ConfigError, one line, for anything else."""
    if len(data) > MAX_BYTES:
        raise ConfigError(f"expected at most {MAX_BYTES} bytes", where=where, todo=_TODO)
    try:
        found = msgspec.json.decode(data, type=Report)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ConfigError(f"not a report: {error}", where=where, todo=_TODO) from error
    if found.schema != "aiops.report/1":
        raise ConfigError(f"expected schema aiops.report/1, found {found.schema[:40]!r}", where=where)
    return found
