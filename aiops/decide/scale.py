"""How much more, or why not: sized from offered load over what was served healthy, then capped."""

from __future__ import annotations

import math
import re

from aiops.decide import health
from aiops.decide.limits import Limits
from aiops.domain import Context, Decision, Hold, Panel, Scale, Target, Workload

_INTEGER = re.compile(r"0|[1-9][0-9]{0,5}")


def scale(target: Target, context: Context, limits: Limits, panel: Panel) -> Decision:
    """Return a Scale of `target` (replicas or hpa.max), else the Hold.

    Size: today's count x offered load / the highest load that was served healthy at that count.
    The HPA formula (use over target) is not taken: a saturated CPU is throttled, so it hides demand.
    """
    if target.winner is None or _INTEGER.fullmatch(target.winner.value) is None:
        return Hold("EDIT", "the field holds no whole number", variant="edit-refused")
    current = int(target.winner.value)
    if current == 0:
        return Hold("S-OFF", "replicas are 0: switched off on purpose")
    actual = context.capacity.replicas_desired
    if target.field == "replicas" and actual != current:
        return Hold("G-DRIFT", f"the repository says {current} replicas, the cluster runs {actual}")
    if context.autoscaler is not None and context.autoscaler.max_replicas != current:
        seen = context.autoscaler.max_replicas
        return Hold("G-DRIFT", f"the repository says at most {current} replicas, the cluster has {seen}")
    if current >= limits.replicas_max:
        return Hold("S-CAP", f"{current} is at the absolute maximum of {limits.replicas_max}")
    return _sized(target, context.workload, current, limits, panel)


def _sized(target: Target, workload: Workload, current: int, limits: Limits, panel: Panel) -> Decision:
    offered, served = health.requests_per_min(panel, workload, limits), health.healthy_rate(panel, workload)
    if offered is None or served is None:
        return Hold("S-BLIND", "how much it served while healthy is not known")
    needed = max(math.ceil(current * offered / 60 / served), current + 1)
    new = min(needed, capped(current, limits))
    text = (
        f"{offered / 60:.3g} req/s offered, {served:.3g} req/s served healthy by {current}: {needed} needed"
    )
    reason = text if new == needed else f"{text}, {new} is the most that one proposal may ask for"
    if target.field == "replicas":
        return Scale("replicas", current, new, "S3", reason)
    return Scale("hpa.max", current, new, "S1b", reason)


def capped(current: int, limits: Limits) -> int:
    """Return the most that one proposal may ask for; at least one more, within the absolute maximum."""
    factor = max(int(current * limits.scale_factor), current + 1)
    return min(factor, current + limits.scale_step, limits.replicas_max)
