"""The rules that ask first whether somebody does this on purpose: injected faults, chaos."""

from __future__ import annotations

from aiops.diagnose.inquiry import Finding, Inquiry
from aiops.domain import Cause


def injected(inquiry: Inquiry) -> Finding | None:
    """G5: a proxy was told to fail or delay requests (Envoy's FI, DI); errors are without them."""
    facts = inquiry.facts
    share = facts.context.outcomes.injected
    if share is None:
        inquiry.no("G5", "whether faults are injected is not known")
        return None
    if share < facts.floor("error_ratio"):
        inquiry.no("G5", "no faults are injected")
        return None
    said = facts.evidence(
        "requests that a proxy was told to fail or delay", "injected_ratio", share, "ratio", about="fleet"
    )
    where = facts.context.outcomes.injected_into
    answer = (
        f"faults are injected into {share:.0%} of the requests to {where} (a `fault:` of a VirtualService)"
    )
    return Finding(Cause.CONFIG, facts.workload, answer, None, (said,))


def chaos(inquiry: Inquiry) -> Finding | None:
    """G-CHAOS: a chaos experiment runs in the namespace; what breaks is what it is for."""
    facts = inquiry.facts
    running = facts.context.around.chaos
    if not running:
        inquiry.no("G-CHAOS", "no chaos experiment is known to run")
        return None
    said = facts.evidence(
        f"experiments that run: {', '.join(running)}", "chaos_running", float(len(running)), ""
    )
    return Finding(
        Cause.SCHEDULED, facts.workload, f"a chaos experiment runs: {', '.join(running)}", None, (said,)
    )
