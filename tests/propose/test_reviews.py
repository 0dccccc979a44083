from __future__ import annotations

from dataclasses import replace

from propose import sample

from aiops.domain import PullRequest, Quiet
from aiops.propose import reviews

BODY = sample.composed(sample.rollback_item()).body
PLAN = sample.plan(sample.rollback_item())


def pull(number: int, state: str, outcome: str = "none", **changes: object) -> PullRequest:
    body = BODY.replace("outcome=none", f"outcome={outcome}")
    made = PullRequest(number, "", "b", "open", "t", body, "aiops", (), 0, None, None, None)
    return replace(made, state=state, **changes)


def test_what_people_made_of_the_proposals_is_counted():
    pulls = [
        pull(1, "merged", "helped"),
        pull(2, "merged", "no-help"),
        pull(3, "merged", body=BODY.replace(" outcome=none", " edited=yes outcome=unclear")),
        pull(4, "closed"),
        pull(5, "closed", "confirmed"),
        pull(6, "closed", "over"),
        pull(7, "closed", "changed"),
        pull(8, "closed", closed_by="aiops"),
        pull(9, "open"),
    ]
    (found,) = reviews.of(pulls, PLAN)
    assert found == reviews.Review(
        sample.CHECKOUT,
        proposed=9,
        merged=3,
        edited=1,
        confirmed=1,
        declined=1,
        closed=2,
        helped=1,
        no_help=1,
        precision=0.6,
    )


def test_nobody_has_a_precision_before_somebody_decided():
    (found,) = reviews.of([pull(1, "open"), pull(2, "closed", "over")], PLAN)
    assert found.precision is None


def test_healthy_workloads_are_reviewed_and_strange_ones_are_not():
    calm = replace(PLAN, items=(), quiet=(Quiet(sample.CHECKOUT, 0, ended=False),))
    assert [one.proposed for one in reviews.of([pull(1, "open"), pull(2, "open", body="mine")], calm)] == [1]
    assert reviews.of([pull(1, "open")], replace(PLAN, items=(sample.scale_item(),))) == ()
