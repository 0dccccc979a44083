"""How much more, or why not: sized from offered load over what was served healthy, then capped."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from aiops.decide import health
from aiops.domain import Context, Decision, Hold, Panel, Scale, Target
from aiops.limits import Limits

_INTEGER = re.compile(r"0|[1-9][0-9]{0,5}")


def scale(target: Target, context: Context, limits: Limits, panel: Panel, onset_s: int) -> Decision:
    """Return a Scale of `target` (replicas or hpa.max), else the Hold.

    Size: a count of pods x offered load / the load that this count served healthy. The HPA formula
    (use over target) is not taken: a saturated CPU is throttled, so it hides demand.
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
    return _sized(target, context, current, limits, panel, onset_s)


def _sized(
    target: Target, context: Context, current: int, limits: Limits, panel: Panel, onset_s: int
) -> Decision:
    workload, pods = context.workload, current
    offered = health.requests_per_min(panel, workload, limits)
    if target.field == "hpa.max":
        # The count moves with the load all day; only the hour before the onset has both numbers,
        # and there the autoscaler held the use that it is asked to hold.
        calm_s = onset_s - limits.onset_slack_s
        pods = _pods_before(context, calm_s, current)
        served = health.level(panel, workload, "request_rate", calm_s - limits.baseline_s, calm_s)
    else:
        since_s = target.history[0].since_s if target.history else None
        served = health.healthy_rate(panel, workload, since_s, limits.baseline_s)
        if not served and since_s is not None and since_s > panel.times[0]:
            since = f"{datetime.fromtimestamp(since_s, UTC):%Y-%m-%d %H:%M} UTC"
            why = f"the repository asks for {current} replicas only since {since}"
            return Hold("S-BLIND", f"{why}: what they serve healthy is not known")
    if offered is None or not served:
        return Hold("S-BLIND", "how much it served while healthy is not known")
    needed = max(math.ceil(pods * offered / 60 / served), current + 1)
    new = min(needed, capped(current, limits))
    # No more than that is known: a pod may well serve more than it was ever asked to.
    text = f"{offered / 60:.3g} req/s offered, {served:.3g} req/s served healthy by {pods}:"
    text += f" {needed} would be enough"
    most = _connections(target)
    if most is not None and new > most[0]:
        if most[0] <= current:
            return Hold("S5", most[1])
        new = most[0]
    reason = text if new == needed else f"{text}, {new} is the most that one proposal may ask for"
    if target.field == "replicas":
        return Scale("replicas", current, new, "S3", reason, per_pod=served / pods)
    return Scale("hpa.max", current, new, "S1b", reason, per_pod=served / pods)


def _connections(target: Target) -> tuple[int, str] | None:
    """Return how many pods the connections of a database allow, and why; None when not declared.

    Declared by the manifest: `aiops/connections-per-pod` and `aiops/connections-max`.
    """
    notes = dict(target.annotations)
    each, every = notes.get("aiops/connections-per-pod", ""), notes.get("aiops/connections-max", "")
    if _INTEGER.fullmatch(each) is None or _INTEGER.fullmatch(every) is None or int(each) == 0:
        return None
    most = int(every) // int(each)
    return most, f"{each} connections per pod and {every} in all allow {most} pods: the database is the limit"


def _pods_before(context: Context, calm_s: int, current: int) -> int:
    """Return the pods at a time before the onset: what the first move after it started from."""
    moves = [c for c in context.changes if c.kind == "replicas" and c.at_s >= calm_s and c.old is not None]
    first = min(moves, key=lambda c: c.at_s, default=None)
    if first is None or first.old is None:
        return context.capacity.replicas_desired or current
    return max(int(float(first.old)), 1)


def capped(current: int, limits: Limits) -> int:
    """Return the most that one proposal may ask for; at least one more, within the absolute maximum."""
    factor = max(int(current * limits.scale_factor), current + 1)
    return min(factor, current + limits.scale_step, limits.replicas_max)
