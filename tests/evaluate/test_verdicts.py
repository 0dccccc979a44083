"""A proposal is right, wrong or unknown by what people did and by how the incident ended."""

from __future__ import annotations

import pytest

from aiops.domain import Workload
from aiops.evaluate.ledger import Proposed
from aiops.evaluate.people import Reply
from aiops.evaluate.verdicts import verdict

OPENED = 1_000_000
MIN = 60


def proposed(action="rollback", outcome="changed", *, calm=None, still=None):
    """Return a proposal; `calm`, `still`: minutes after it was opened."""
    old, new = ("1.15.0", "1.14.3") if action == "rollback" else ("2", "3")
    return Proposed(
        workload=Workload("", "shop", "Deployment", "cart"),
        action=action,
        field="image.tag" if action == "rollback" else "replicas",
        old=old,
        new=new,
        cause="bad-release",
        rule="R1",
        reason="",
        onset_s=OPENED - 600,
        opened_s=OPENED,
        ended_s=OPENED + 30 * MIN,
        outcome=outcome,
        calm_s=None if calm is None else OPENED + calm * MIN,
        still_s=None if still is None else OPENED + still * MIN,
    )


def people(answer, value="1.14.3", at=30):
    return Reply(answer, value, OPENED + at * MIN if answer in ("same", "other") else None)


@pytest.mark.parametrize(
    ("one", "reply", "ruling"),
    [
        (proposed(calm=40), people("same"), "right"),
        (proposed(calm=20), people("same"), "right"),
        (proposed(calm=40, still=35), people("same"), "right"),
        (proposed(calm=150, still=150), people("same"), "right"),
        (proposed(calm=151), people("same"), "wrong"),
        (proposed(still=151), people("same"), "wrong"),
        (proposed(still=100), people("same"), "unknown"),
        (proposed(), people("same"), "unknown"),
        (proposed(calm=40), people("other", "1.15.1"), "wrong"),
        (proposed(calm=20), people("other", "1.15.1"), "unknown"),
        (proposed(calm=500), people("other", "1.15.1"), "unknown"),
        (proposed(), people("other", "1.15.1"), "unknown"),
        (proposed(outcome="over", calm=20), people("none"), "wrong"),
        (proposed(outcome="over", calm=20), people("early"), "unknown"),
        (proposed(outcome="none"), people("none"), "unknown"),
        (proposed("scale", "over", calm=30), people("none"), "wrong"),
        (proposed("scale", "over", calm=31), people("none"), "unknown"),
        (proposed("scale", calm=60), people("same", "4"), "right"),
    ],
)
def test_people_and_recovery_rule_together(one, reply, ruling):
    assert verdict(one, reply).ruling == ruling


def test_a_verdict_says_why():
    assert verdict(proposed(calm=40), people("other", "1.15.1")).why == (
        "people set 1.15.1, and it was calm after that"
    )
    assert verdict(proposed(outcome="over", calm=90), people("none")).why == "it ended with 1.15.0 in place"
