"""What a person reviews: plans, proposals and pull requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from aiops.domain.decision import Asked, Decision, Diagnosis, Guardrail
from aiops.domain.incident import Incident
from aiops.domain.repository import Edit, PastValue
from aiops.domain.series import Workload


@dataclass(frozen=True, slots=True)
class Chart:
    """At most 24 points of one signal for the pull request; None = no sample. Values in `unit`."""

    signal: str
    unit: str
    times_s: tuple[int, ...]
    observed: tuple[float | None, ...]
    expected: tuple[float | None, ...]
    upper: tuple[float | None, ...]
    onset_s: int


@dataclass(frozen=True, slots=True)
class PlanItem:
    """One decision, with everything the proposing half needs: it has no Prometheus.

    `edits` is empty for a hold. `past`: values the field had, for the table in the body.
    `gates`: the gates that were asked after the cause was named; one that holds stops the change.
    `effects`: what else a merge sets off, one sentence each.
    """

    workload: Workload
    decision: Decision
    incident: Incident
    diagnosis: Diagnosis
    edits: tuple[Edit, ...]
    past: tuple[PastValue, ...]
    chart: Chart | None
    gates: tuple[Asked, ...] = ()
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quiet:
    """A workload that was judged, with whole data, and has no incident.

    `since_s`: when its last incident ended; the first judged step when there was none since.
    `ended`: whether there was one. `peak`: req/s, the highest of the last day and of what the coming
    day was like a week ago; None where either was not whole. `chart`: of an incident that ended, the
    signal that was worst, until now; None when there was none or nothing to draw. `load`: req/s, the highest
    since an incident ended; None when none ended, or not all of it was measured.
    """

    workload: Workload
    since_s: int
    ended: bool
    peak: float | None = None
    chart: Chart | None = None
    load: float | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What one analysis wants to propose. No wall time, machine path or pull-request number.

    `data_time_s`: the newest judged step. `base`, `base_sha`: branch and commit it was read at.
    `guardrails`: the fleet-wide checks of the analysing half (storm, data).
    `judge`: hash of the model and the numbers that judged, "" when a person decided.
    `quiet`: the healthy workloads. One that is neither here nor among the items was not judged.
    """

    base: str
    base_sha: str
    data_time_s: int
    step_s: int
    model: str
    items: tuple[PlanItem, ...]
    guardrails: tuple[Guardrail, ...]
    judge: str = ""
    quiet: tuple[Quiet, ...] = ()
    schema: str = "aiops.plan/1"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A pull request that was not sent yet. `files`: path -> the whole new content.

    `modes`: path -> git mode, kept from the base. `marker`: the identity inside the body.
    `reviewers`: who owns the files, as logins and `org/team`; nobody is mentioned in the text.
    """

    branch: str
    title: str
    body: str
    commit_message: str
    base: str
    base_sha: str
    edits: tuple[Edit, ...]
    marker: str
    files: Mapping[str, bytes] = field(repr=False)
    modes: Mapping[str, str] = field(repr=False)
    reviewers: tuple[str, ...] = ()


PullState = Literal["open", "closed", "merged"]
# How a pull request of ours ended. We close: the anomaly is "over", the repository "changed", or a
# "duplicate" of an older one. A person closed it and set the field by hand: "confirmed". Merged: it
# "helped", it did not ("no-help"), or nobody can tell ("unclear").
Outcome = Literal["none", "over", "changed", "duplicate", "confirmed", "helped", "no-help", "unclear"]


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A pull request as the forge shows it. Times None = the event did not happen."""

    number: int
    url: str
    branch: str
    state: PullState
    title: str
    body: str
    author: str
    labels: tuple[str, ...]
    created_at_s: int
    closed_at_s: int | None
    merged_at_s: int | None
    closed_by: str | None


@dataclass(frozen=True, slots=True)
class TrackingIssue:
    """An issue of ours as the forge shows it: it says that the whole fleet is held back, and why.

    `labels`: of people as well; `closed_at_s`: None while it is open.
    """

    number: int
    url: str
    state: Literal["open", "closed"]
    title: str
    body: str
    labels: tuple[str, ...]
    created_at_s: int
    closed_at_s: int | None


@dataclass(frozen=True, slots=True)
class IssueText:
    """What is to be written to a tracking issue. `number`: None = a new one.

    `state`: "" = as it is, because a person may have closed it since we looked.
    """

    number: int | None
    title: str
    body: str
    state: Literal["", "open", "closed"] = ""
