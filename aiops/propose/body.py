"""The body of a pull request: what a reviewer needs to decide in a minute, then the proof.

Comes in: one item of a plan. Goes out: Markdown, pure ASCII, at most 58,000 characters. The first
screen says what is wrong, since when and for whom; what this changes; how sure, and what speaks
against it. Every name, label, query and sentence of others passes through `inert`.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from aiops.domain import Plan, PlanItem, Rollback, Scale
from aiops.propose import closing, first, proof
from aiops.propose.marker import Marker

MAX_BODY = 58_000  # GitHub cuts at 65,535; the rest is room for a bot's or a person's addition


def write(
    item: PlanItem,
    plan: Plan,
    marker: Marker,
    external_url: str = "",
    templates: Mapping[str, str] | None = None,
) -> str:
    """Return the body of a scale or a rollback; the marker is its first line.

    `external_url`: where people reach this Prometheus, "" = no links. `templates`: of other links, by
    name. Every part is bounded; should they still be too long together, the last proofs are left out.
    """
    decision = item.decision
    if not isinstance(decision, (Scale, Rollback)):
        raise TypeError("a hold has no pull request")
    top = [
        str(marker),
        "## What is wrong",
        *first.wrong(item, plan),
        "## What this changes",
        *first.changes(item, decision),
        "## How sure, and what speaks against it",
        *first.sure(item),
    ]
    proofs = [
        proof.picture(item.chart),
        proof.path(item),
        proof.past(item),
        proof.reason(item, decision),
        proof.ruled_out(item.diagnosis),
        proof.guardrails(item, plan),
        proof.evidence(item, plan, external_url, templates),
    ]
    last = [*closing.effects(item, decision), *closing.what_next(decision), *closing.data(item, plan)]
    while True:
        text = "\n\n".join([*top, *itertools.chain.from_iterable(proofs), *last]) + "\n"
        if len(text) <= MAX_BODY or not proofs:
            return text
        proofs.pop()
