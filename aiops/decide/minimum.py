"""S2: how many pods an autoscaler should keep ready for a peak that comes every day.

Sized from CPU: at its minimum a workload idles, so what a pod served then is no measure of what it
can serve. The pods that today's use says tomorrow's load needs at the edge of saturation are enough
to begin with; the autoscaler goes on from there.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime

from aiops.decide import health
from aiops.decide.scale import capped
from aiops.diagnose import late
from aiops.domain import Context, Decision, Hold, Panel, Scale, Target
from aiops.limits import Limits

DAY_S = 86_400
_INTEGER = re.compile(r"0|[1-9][0-9]{0,5}")


def raised(target: Target, context: Context, limits: Limits, panel: Panel, onset_s: int) -> Decision:
    """Return the Scale of `hpa.min`, never above the maximum, else the Hold. It names its last day."""
    auto = context.autoscaler
    if auto is None or target.winner is None or _INTEGER.fullmatch(target.winner.value) is None:
        return Hold("EDIT", "the field holds no whole number", variant="edit-refused")
    current = int(target.winner.value)
    if current == 0:
        return Hold("S-OFF", "its minimum is 0: it is switched off on purpose while nobody calls")
    if current != auto.min_replicas:
        return Hold(
            "G-DRIFT", f"the repository says at least {current} replicas, the cluster has {auto.min_replicas}"
        )
    return _enough(current, auto.max_replicas, context, limits, panel, onset_s)


def _enough(
    current: int, most: int, context: Context, limits: Limits, panel: Panel, onset_s: int
) -> Decision:
    """Return the pods that tomorrow's load needs, as far as one proposal may go."""
    then = late.yesterday(panel, context.workload.key, onset_s, limits)
    first = late.asked_for_more(context, onset_s)
    if then is None or first is None or first.old is None:
        return Hold("S-BLIND", "how the load rose and who followed it is not known")
    calm_s = min(first.at_s, onset_s) - limits.onset_slack_s
    served, cpu = (
        health.level(panel, context.workload, name, calm_s - limits.baseline_s, calm_s)
        for name in ("request_rate", "cpu_utilization")
    )
    if not served or not cpu:
        return Hold("S-BLIND", "how much CPU it takes to serve a request is not known")
    pods = int(float(first.old))
    needed = math.ceil(pods * cpu * then.peak / served / limits.saturated_cpu)
    text = f"{then.peak:.3g} req/s at the peak, {served:.3g} req/s used {cpu:.0%} of {pods}: {needed} needed"
    new = min(needed, capped(current, limits), most)
    if new <= current:
        return Hold("S2", f"{text}; its minimum of {current} is as much as can be asked for")
    until = datetime.fromtimestamp(int(panel.times[-1]) + limits.minimum_days * DAY_S, UTC)
    cut = "" if new == needed else f", {new} is the most that one proposal may ask for"
    reason = f"{text}{cut}; meant until {until:%Y-%m-%d}, lower it then"
    return Scale("hpa.min", current, new, "S2", reason, per_pod=served * limits.saturated_cpu / (pods * cpu))
