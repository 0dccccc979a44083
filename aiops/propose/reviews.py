"""What people made of the proposals, counted per workload and read from the pull requests.

Comes in: ours of the last 30 days, and the workloads of this run. Goes out: counts, and how often a
proposal was right as far as anybody decided. Shown, and nothing else: only the label
`aiops/false-positive` makes the detector wait longer, and scores keep their meaning.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aiops.decide import standing
from aiops.domain import Plan, PullRequest, Workload
from aiops.propose import marker


@dataclass(frozen=True, slots=True)
class Review:
    """What became of the proposals for one workload.

    `edited`: of the merged, those whose value a person changed first. `closed`: by us, no longer needed.
    `confirmed`: a person closed it and set the field by hand. `precision`: accepted and not found
    useless, of those that a person decided about; None while nobody decided.
    """

    workload: Workload
    proposed: int
    merged: int
    edited: int
    confirmed: int
    declined: int
    closed: int
    helped: int
    no_help: int
    precision: float | None


def of(pulls: Iterable[PullRequest], plan: Plan) -> tuple[Review, ...]:
    """Return one review per workload of the plan that has a pull request, sorted by workload."""
    workloads = [*(item.workload for item in plan.items), *(one.workload for one in plan.quiet)]
    names = {marker.workload_hash(workload): workload for workload in workloads}
    about: dict[Workload, list[tuple[PullRequest, marker.Marker]]] = {}
    for pull in pulls:
        mark = marker.parse(pull.body)
        if mark is not None and mark.workload in names:
            about.setdefault(names[mark.workload], []).append((pull, mark))
    return tuple(_review(workload, about[workload]) for workload in sorted(about))


def _review(workload: Workload, about: list[tuple[PullRequest, marker.Marker]]) -> Review:
    merged = sum(pull.state == "merged" for pull, _ in about)
    outcomes = [mark.outcome for _, mark in about]
    confirmed, no_help = outcomes.count("confirmed"), outcomes.count("no-help")
    declined = sum(standing.declined(pull) for pull, _ in about)
    decided = merged + confirmed + declined
    return Review(
        workload=workload,
        proposed=len(about),
        merged=merged,
        edited=sum(mark.edited for pull, mark in about if pull.state == "merged"),
        confirmed=confirmed,
        declined=declined,
        closed=outcomes.count("over") + outcomes.count("changed"),
        helped=outcomes.count("helped"),
        no_help=no_help,
        precision=(merged + confirmed - no_help) / decided if decided else None,
    )
