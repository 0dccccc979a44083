"""What one run is given and what it ends with.

`Job` holds the settings of every stage, `Result` what was judged, decided and sent. Both frozen;
`pipeline` makes the one into the other, `report` and `terminal` show it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from aiops.detect.carried import Carried
from aiops.detect.model import Model
from aiops.detect.settings import DetectSettings, History
from aiops.domain import (
    DriftWatch,
    Grid,
    Guardrail,
    Incident,
    Outcome,
    Outlook,
    Plan,
    Proposal,
    PullRequest,
    Query,
    Scores,
    SignalHistory,
    TrackingIssue,
    Workload,
)
from aiops.errors import AiopsError
from aiops.gitops.clusters import Cluster
from aiops.limits import Limits
from aiops.propose.reviews import Review

Progress = Callable[[str], None]
Scored = Callable[[History], Scores] | None  # what gives the scores of a history, None = score it
Earlier = Mapping[str, Carried] | None  # what other runs carried, by key; None = nobody keeps it


@dataclass(frozen=True, slots=True)
class Job:
    """What one run needs to know, stage by stage. `model_id` is "" without a model.

    `external_urls`: where people reach the Prometheus of a cluster ("" = of all others). `links`: address
    of logs, traces and the like by name, with fields of `propose.links`. `tracking`: the key of this job's
    tracking issue, "" where none is wanted.
    """

    signals: tuple[Query, ...]
    context: tuple[Query, ...]
    clusters: tuple[Cluster, ...]
    base: str
    step_s: int
    model: Model | None
    model_id: str
    detect: DetectSettings
    limits: Limits
    external_urls: Mapping[str, str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    tracking: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one proposal. `note`: why it was not sent, when it was not."""

    state: Literal["opened", "updated", "exists", "dry-run", "held"]
    pull: PullRequest | None
    proposal: Proposal | None
    note: str


@dataclass(frozen=True, slots=True)
class Followed:
    """A pull request that this run ended or judged. `comment`: what was said there, "" = nothing."""

    pull: PullRequest
    outcome: Outcome
    comment: str


@dataclass(frozen=True, slots=True)
class Tracked:
    """What became of the tracking issue. "exists": it says what is seen already."""

    state: Literal["opened", "updated", "reopened", "closed", "exists", "dry-run"]
    issue: TrackingIssue


@dataclass(frozen=True, slots=True, eq=False)
class Result:
    """One run: what was judged, what was decided, what was sent.

    `scores` is None and `drift` empty when only a plan was proposed. `notices`: what was left out
    of the metrics, one line each. `samples`: how many the server touched, None when it did not tell.
    `carried`: what the next run may go on from. `outlook`: what runs into a bound if it goes on.
    `followed`, `reviews`: what became of the pull requests that existed. `tracked`: the issue that says
    that the whole fleet is held back, None where there is none.
    `histories`: for the page, of workloads with an incident; `loads`: the highest request rate that
    is expected soon, see `detect.load_ahead`. Both empty when only a plan was proposed.
    """

    plan: Plan
    window: Grid
    incidents: tuple[Incident, ...]
    scores: Scores | None
    sent: Mapping[Workload, Sent]
    guardrails: tuple[Guardrail, ...]
    unresolved: tuple[tuple[Workload, str, str], ...]
    errors: tuple[AiopsError, ...]
    notices: tuple[str, ...] = ()
    samples: int | None = None
    drift: tuple[DriftWatch, ...] = ()
    carried: tuple[Carried, ...] = ()
    outlook: tuple[Outlook, ...] = ()
    followed: tuple[Followed, ...] = ()
    reviews: tuple[Review, ...] = ()
    tracked: Tracked | None = None
    histories: Mapping[Workload, tuple[SignalHistory, ...]] = field(default_factory=dict)
    loads: Mapping[Workload, float] = field(default_factory=dict)
