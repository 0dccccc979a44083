"""The end of a pull request: what a merge sets off, what a reviewer can do, where the data came from.

Comes in: one item of a plan. Goes out: Markdown paragraphs.
"""

from __future__ import annotations

from aiops.domain import Plan, PlanItem, Rollback, Scale
from aiops.propose import inert, words
from aiops.propose.marker import GIVE_BACK

_MAX_EFFECTS = 8


def effects(item: PlanItem, decision: Scale | Rollback) -> list[str]:
    """Return what else happens once this is merged."""
    lines = [f"- After a merge: {inert.prose(text)}" for text in item.effects[:_MAX_EFFECTS]]
    if any(edit.role == "pin" for edit in item.edits):
        lines.append(
            "- The image automation is kept from setting the value that is taken out again;"
            " it stays so until a person lifts that."
        )
    elif isinstance(decision, Rollback):
        lines.append(
            "- The version that is taken out stays out until somebody sets the newer value again;"
            " an image automation would do so at once."
        )
    if isinstance(decision, Scale) and decision.new < decision.old:
        lines.append("- Pods beyond the lower value are stopped, as the strategy of the workload has it.")
    elif isinstance(decision, Scale):
        lines.append("- More capacity costs more. It stays until somebody sets the lower value again.")
    return ["## What a merge sets off", "\n".join(lines)]


def what_next(decision: Scale | Rollback) -> list[str]:
    """Return how to agree, to decline, to change it and to undo it."""
    old, new = inert.place(str(decision.old)), inert.place(str(decision.new))
    if decision.variant == GIVE_BACK:
        return _what_next_down(old, new)
    return [
        "## What you can do",
        "\n".join(
            [
                (
                    "- **Agree**: review and merge. aiops never merges. After a merge it looks at the same"
                    " metrics and says here whether it helped."
                ),
                (
                    "- **Decline**: close this pull request. aiops stays silent about this change until it is"
                    " another incident or the cool-down (6 h by default) is over. Was nothing wrong at all?"
                    " The label `aiops/false-positive` makes it less eager for this workload and cause."
                ),
                "- **Change it**: push to this branch. aiops does not touch what a person pushed to.",
                (
                    "- **Wait**: it is brought up to date while it is open, and closed with the reason when"
                    " the incident is over."
                ),
                f"- **Undo after a merge**: revert the merge commit; that sets {new} back to {old}.",
            ]
        ),
    ]


def _what_next_down(old: str, new: str) -> list[str]:
    """Return the same for capacity that is given back: no incident, so no verdict and nothing mistaken."""
    return [
        "## What you can do",
        "\n".join(
            [
                "- **Agree**: review and merge. aiops never merges.",
                "- **Decline**: close this pull request; the capacity stays as it is.",
                "- **Change it**: push to this branch. aiops does not touch what a person pushed to.",
                "- **Wait**: it is closed with the reason when the load may need this capacity again.",
                f"- **Undo after a merge**: revert the merge commit; that sets {new} back to {old}.",
            ]
        ),
    ]


def data(item: PlanItem, plan: Plan) -> list[str]:
    """Return the window, the model and the commit that all of this rests on."""
    incident = item.incident
    base = f"base {inert.place(plan.base)} at {inert.label(plan.base_sha[:12])}"
    if not incident.signals:
        judged = f"newest judged step {words.utc(plan.data_time_s)}; "
        told = judged if item.decision.variant == GIVE_BACK else ""
        return ["---", f"Data: {told}{base}.", words.FOREIGN]
    scored = f"scored by {inert.label(incident.scorer)}"
    if incident.fallback_reason:
        scored += f" because {inert.prose(incident.fallback_reason)}"
    parts = [
        f"newest judged step {words.utc(plan.data_time_s)}",
        f"step {words.duration(plan.step_s)}",
        f"{words.quantity(incident.coverage, 'ratio')} of the judged samples present",
        f"{words.duration(incident.history_s)} of history",
        scored,
        f"model {words.model(plan.model)}",
        base,
    ]
    return ["---", f"Data: {'; '.join(parts)}.", words.FOREIGN]
