"""What else a merge sets off: controllers that act on the change, and what it costs.

Comes in: a decision, what stands around the workload, and who owns the field. Goes out: sentences
for the reviewer. Nothing is decided here.
"""

from __future__ import annotations

from collections.abc import Sequence

from aiops.domain import Context, Decision, Hold, Rollback, Target, Workload


def of(
    decision: Decision, workload: Workload, context: Context, target: Target, bots: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return one sentence for each thing that follows from a merge; none for a hold.

    `bots`: who proposes newer tags in this repository.
    """
    if isinstance(decision, Hold):
        return ()
    found = []
    pods = context.capacity.replicas_desired
    if isinstance(decision, Rollback):
        many = f"all {pods} pods" if pods is not None and pods > 1 else "its pods"
        found.append(f"{many} are replaced, by the strategy of the {workload.kind or 'workload'}")
        if workload.kind == "Rollout" or context.around.phase:
            found.append("Argo Rollouts runs its steps before all traffic reaches the older version")
        if context.around.canary_failed is not None:
            found.append("Flagger analyses the older version like a new one before it takes all traffic")
        found += [
            f"{bot} may propose {decision.old} again, or merge it by itself: leave that version out there"
            for bot in bots
        ]
    else:
        more = max(decision.new - decision.old, 0)
        found.append(f"up to {more} more {'pod' if more == 1 else 'pods'} may run")
    if target.owner and decision.field in ("hpa.min", "hpa.max"):
        found.append(f"{target.owner} decides how many run within the new bounds")
    elif target.owner:
        found.append(f"{target.owner} owns this field besides git")
    return tuple(found)
