"""An item of a plan in which every string of others is hostile."""

from __future__ import annotations

from dataclasses import replace

from propose import sample

from aiops.domain import (
    Asked,
    Breach,
    Change,
    Chart,
    Evidence,
    Guardrail,
    Impact,
    PastValue,
    Plan,
    PlanItem,
    Rollback,
    Workload,
)


def poisoned(text: str, copies: int = 1) -> tuple[PlanItem, Plan]:
    """Return a rollback in which every string of others is `text`, in every list `copies` times."""
    item = sample.rollback_item()
    workload = Workload(text, text, text, text)
    many = range(copies)
    breach = Breach(text, 1.0, 0.5, text, 3.0, sample.ONSET_S, sample.NOW_S)
    seen = tuple(Evidence(text, text + str(place), 1.0, text, sample.NOW_S) for place in many)
    diagnosis = replace(
        item.diagnosis,
        workload=workload,
        change=Change(workload, "image", text, text, text, sample.ONSET_S),
        evidence=seen,
        against=seen,
        ruled_out=(text,) * copies,
        impact=Impact(0.1, 0.1, (text,) * copies, growing=True),
        trace=(Asked(text, holds=True, answer=text),) * copies,
        root=workload,
        place=text,
        missing=(text,) * copies,
    )
    edit = replace(item.edits[0], file=text, path=(text, 0, text), old=text, new=text)
    item = replace(
        item,
        gates=(Asked(text, holds=True, answer=text),) * copies,
        effects=(text,) * copies,
        workload=workload,
        decision=Rollback("image.tag", text, text, text, text),
        incident=replace(item.incident, workload=workload, signals=(breach,) * copies, fallback_reason=text),
        diagnosis=diagnosis,
        edits=(edit,) * copies,
        past=(PastValue(text, text, 0, 1, (text,), text),) * copies,
        chart=Chart(text, text, (0, 60), (1.0, 2.0), (1.0, 1.0), (2.0, 2.0), 0),
    )
    guardrails = (Guardrail(text, tripped=True, value=text, limit=text),) * copies
    return item, replace(sample.plan(item), base=text, model=text, guardrails=guardrails)


def marked() -> str:
    """Return a body with a marker, to take the marker from."""
    return sample.composed(sample.rollback_item()).body
