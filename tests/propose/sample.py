"""A rollback and a scale as the deciding half leaves them, with the files they edit.

The numbers are written out, so that an expectation in a test can be read beside them.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

from aiops.domain import (
    Asked,
    Breach,
    Cause,
    Change,
    Chart,
    Diagnosis,
    Edit,
    Evidence,
    Guardrail,
    Hold,
    Impact,
    Incident,
    PastValue,
    Plan,
    PlanItem,
    Proposal,
    Rollback,
    Scale,
    State,
    Verdict,
    Workload,
)
from aiops.propose import proposal

NOW_S = 1_795_435_200  # 2026-11-23 12:00 UTC
ONSET_S = NOW_S - 14 * 60
BASE_SHA = "1f" * 20
CHECKOUT = Workload("prod-eu", "shop", "Deployment", "checkout")
CART = Workload("prod-eu", "shop", "Deployment", "cart")

IMAGE_FILE = "clusters/prod-eu/kustomization.yaml"
IMAGE_CONTENT = b"""resources:
  - ../../base
images:
  - name: registry.example/checkout
    newTag: 1.14.3  # set by CI
"""
HPA_FILE = "apps/cart/hpa.yaml"
HPA_CONTENT = b"""kind: HorizontalPodAutoscaler
spec:
  minReplicas: 2
  maxReplicas: 6
"""
ERROR_QUERY = 'sum by (workload) (rate(istio_requests_total{response_code=~"5.."}[5m]))'


def blob(content: bytes) -> str:
    """Return the id git gives to this content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()  # noqa: S324 - git's own


def edit(file: str, content: bytes, path: tuple[str | int, ...], old: str, new: str) -> Edit:
    """Return the edit of the first place where `old` stands in the file."""
    start = content.index(old.encode())
    return Edit(file, 0, path, old, new, new, start, start + len(old), blob(content))


def incident(workload: Workload, signals: tuple[Breach, ...]) -> Incident:
    """Return an incident that fires since ONSET_S."""
    return Incident(
        workload=workload,
        verdict=Verdict.ANOMALOUS,
        state=State.FIRING,
        onset_s=ONSET_S,
        signals=signals,
        score=21.5,
        scorer="lstm",
        fallback_reason=None,
        coverage=0.99,
        newest_sample_s=NOW_S - 60,
        history_s=21 * 86_400,
    )


def chart(signal: str, unit: str) -> Chart:
    """Return 24 points, 3 minutes apart; the onset is the 20th, one observation is missing."""
    times = tuple(NOW_S - (23 - place) * 180 for place in range(24))
    observed = tuple(0.002 + 0.0001 * place if at < ONSET_S else 0.21 for place, at in enumerate(times))
    gap = (*observed[:5], None, *observed[6:])
    return Chart(signal, unit, times, gap, (0.002,) * 24, (0.01,) * 24, ONSET_S)


def rollback_item() -> PlanItem:
    """Return checkout 1.14.3 -> 1.14.2 after a bad release."""
    breaches = (
        Breach("error_ratio", 0.213, 0.0021, "ratio", 21.5, ONSET_S, NOW_S - 120),
        Breach("latency_p95", 812.0, 143.0, "ms", 4.2, ONSET_S + 120, NOW_S - 180),
    )
    change = Change(CHECKOUT, "image", "registry.example/checkout", "1.14.2", "1.14.3", ONSET_S - 240)
    diagnosis = Diagnosis(
        workload=CHECKOUT,
        cause=Cause.BAD_RELEASE,
        root=CHECKOUT,
        change=change,
        evidence=(
            Evidence(
                "error ratio of shop/checkout left its band at 11:46", ERROR_QUERY, 0.213, "ratio", NOW_S
            ),
            Evidence(
                "image of shop/checkout changed 4 min before the onset",
                'kube_pod_container_info{namespace="shop"}',
                None,
                "",
                ONSET_S - 240,
            ),
        ),
        against=(
            Evidence(
                "request rate rose by a tenth in the same minutes",
                "sum(rate(istio_requests_total[5m]))",
                41.2,
                "req/s",
                NOW_S,
            ),
        ),
        ruled_out=("dependency: shop/payments and shop/catalog are inside their bands",),
        impact=Impact(0.213, 0.35, ("prod-eu/shop/frontend",), growing=False),
        trace=(
            Asked("R-DEPENDENCY", holds=False, answer="no callee is outside its band"),
            Asked("R-IMAGE-BEFORE-ONSET", holds=True, answer="image changed 4 min before"),
        ),
    )
    return PlanItem(
        workload=CHECKOUT,
        decision=Rollback(
            "image.tag", "1.14.3", "1.14.2", "R-ROLLBACK", "1.14.2 ran healthy for 6 days before this release"
        ),
        incident=incident(CHECKOUT, breaches),
        diagnosis=diagnosis,
        edits=(edit(IMAGE_FILE, IMAGE_CONTENT, ("images", 0, "newTag"), "1.14.3", "1.14.2"),),
        past=(
            PastValue("1.14.3", "ab" * 20, ONSET_S - 240, None, ()),
            PastValue(
                "1.14.2",
                "cd" * 20,
                ONSET_S - 6 * 86_400,
                ONSET_S - 240,
                ("apps/checkout/env.yaml",),
                "well, 81 requests",
            ),
        ),
        chart=chart("error_ratio", "ratio"),
    )


def scale_item() -> PlanItem:
    """Return cart maxReplicas 6 -> 9 in an overload."""
    breach = Breach("latency_p95", 812.0, 143.0, "ms", 4.2, ONSET_S, NOW_S - 120)
    diagnosis = Diagnosis(
        workload=CART,
        cause=Cause.OVERLOAD,
        root=CART,
        change=None,
        evidence=(
            Evidence(
                "load is 1.8 times the forecast", "sum(rate(istio_requests_total[5m]))", 91.0, "req/s", NOW_S
            ),
            Evidence(
                "the autoscaler is at its maximum of 6", "kube_horizontalpodautoscaler_status", 6.0, "", NOW_S
            ),
        ),
        against=(),
        ruled_out=(),
        impact=Impact(None, 0.4, (), growing=True),
        trace=(),
    )
    return PlanItem(
        workload=CART,
        decision=Scale("hpa.max", 6, 9, "S-HPA-MAX", "load above forecast and the autoscaler is limited"),
        incident=incident(CART, (breach,)),
        diagnosis=diagnosis,
        edits=(edit(HPA_FILE, HPA_CONTENT, ("spec", "maxReplicas"), "6", "9"),),
        past=(),
        chart=None,
    )


def hold_item() -> PlanItem:
    """Return a workload that is left alone."""
    workload = Workload("prod-eu", "shop", "Deployment", "frontend")
    item = rollback_item()
    return replace(
        item,
        workload=workload,
        decision=Hold("H-VICTIM", "shop/checkout fails, this one calls it"),
        incident=replace(item.incident, workload=workload),
        diagnosis=replace(item.diagnosis, workload=workload, cause=Cause.DEPENDENCY),
        edits=(),
        past=(),
        chart=None,
    )


def plan(*items: PlanItem) -> Plan:
    """Return a plan of these items, by default one of each kind."""
    return Plan(
        base="main",
        base_sha=BASE_SHA,
        data_time_s=NOW_S,
        step_s=60,
        model="starter-1",
        items=items or (rollback_item(), scale_item(), hold_item()),
        guardrails=(
            Guardrail("G-STORM", tripped=False, value="1 of 12", limit="10"),
            Guardrail("G-DATA", tripped=False, value="0 % of targets lost", limit="20 %"),
        ),
    )


def composed(item: PlanItem, **changes: Any) -> Proposal:
    """Return the proposal of one item; `changes` replace fields of the plan."""
    contents = {IMAGE_FILE: IMAGE_CONTENT, HPA_FILE: HPA_CONTENT}
    modes = dict.fromkeys(contents, "100644")
    return proposal.compose(item, replace(plan(item), **changes), contents, modes)
