"""A storm as a plan: so many workloads fire, and the check of the fleet tripped."""

from __future__ import annotations

from dataclasses import replace

from propose import sample

from aiops.domain import Guardrail, Hold, Plan, PlanItem, Quiet, Workload

PASSED = (
    Guardrail("G-STORM", tripped=False, value="0 of 40 workloads unexplained, 0 firing", limit="12"),
    Guardrail("G-DATA", tripped=False, value="0% lost in cluster prod-eu", limit="20%"),
)


def firing(name: str, onset_s: int = sample.ONSET_S, namespace: str = "shop") -> PlanItem:
    item = sample.hold_item()
    workload = Workload("prod-eu", namespace, "Deployment", name)
    return replace(
        item,
        workload=workload,
        decision=Hold("U1", "nothing explains it"),
        incident=replace(item.incident, workload=workload, onset_s=onset_s),
        diagnosis=replace(item.diagnosis, workload=workload, root=None),
    )


def storm(data_time_s: int = sample.NOW_S, red: int = 30, quiet: int = 10, tripped: str = "G-STORM") -> Plan:
    """Return a plan of `red` firing workloads and `quiet` others."""
    items = tuple(firing(f"w{place:03}", sample.ONSET_S + 60 * (place % 5)) for place in range(red))
    seen = {
        "G-STORM": replace(PASSED[0], tripped=True, value=f"{red} of {red + quiet} workloads unexplained"),
        "G-DATA": replace(PASSED[1], tripped=True, value="60% lost in cluster prod-eu"),
    }
    fleet = tuple(seen[one.id] if one.id == tripped else one for one in PASSED)
    return replace(
        sample.plan(),
        items=items,
        guardrails=fleet,
        quiet=_quiet(quiet, data_time_s),
        data_time_s=data_time_s,
    )


def calm(data_time_s: int, quiet: int = 40) -> Plan:
    """Return a plan in which nothing is wrong."""
    return replace(storm(data_time_s), items=(), guardrails=PASSED, quiet=_quiet(quiet, data_time_s))


def _quiet(count: int, at_s: int) -> tuple[Quiet, ...]:
    return tuple(
        Quiet(Workload("prod-eu", "shop", "Deployment", f"q{place:03}"), at_s - 7200, ended=False)
        for place in range(count)
    )
