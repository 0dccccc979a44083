"""Every type that crosses a stage: frozen, with shapes and units.

Nothing here reads, writes or computes more than a property. "Unknown" has one spelling per
place: NaN in arrays, None in scalars (null in JSON), "" for a cluster or kind that no metric
names, `Hold(reason)` in decisions. Times are int seconds since the epoch, UTC, named `*_s`.

Letters in shapes: W workloads, S signals, T steps, N series of one answer.
"""

from __future__ import annotations

from aiops.domain.decision import (
    Asked,
    Cause,
    Decision,
    Diagnosis,
    Evidence,
    Guardrail,
    Hold,
    Impact,
    Rollback,
    Scale,
)
from aiops.domain.incident import (
    Breach,
    Drift,
    DriftWatch,
    Familiar,
    Incident,
    Outlook,
    Scores,
    State,
    Verdict,
)
from aiops.domain.proposal import Chart, Plan, PlanItem, Proposal, PullRequest, PullState
from aiops.domain.repository import Commit, Edit, Insertion, PastValue, Pin, Place, Target, TreeFile
from aiops.domain.series import (
    Answer,
    Direction,
    FieldName,
    Float32Array,
    FloatArray,
    Grid,
    Panel,
    Query,
    Scorer,
    Signal,
    TimesArray,
    Workload,
)
from aiops.domain.surroundings import (
    Autoscaler,
    CallEdge,
    Capacity,
    Change,
    Context,
    LostCalls,
    NodePods,
    Outcomes,
    PodSplit,
    Rollout,
    Surroundings,
    VersionSplit,
)

__all__ = [
    "Answer",
    "Asked",
    "Autoscaler",
    "Breach",
    "CallEdge",
    "Capacity",
    "Cause",
    "Change",
    "Chart",
    "Commit",
    "Context",
    "Decision",
    "Diagnosis",
    "Direction",
    "Drift",
    "DriftWatch",
    "Edit",
    "Evidence",
    "Familiar",
    "FieldName",
    "Float32Array",
    "FloatArray",
    "Grid",
    "Guardrail",
    "Hold",
    "Impact",
    "Incident",
    "Insertion",
    "LostCalls",
    "NodePods",
    "Outcomes",
    "Outlook",
    "Panel",
    "PastValue",
    "Pin",
    "Place",
    "Plan",
    "PlanItem",
    "PodSplit",
    "Proposal",
    "PullRequest",
    "PullState",
    "Query",
    "Rollback",
    "Rollout",
    "Scale",
    "Scorer",
    "Scores",
    "Signal",
    "State",
    "Surroundings",
    "Target",
    "TimesArray",
    "TreeFile",
    "Verdict",
    "VersionSplit",
    "Workload",
]
