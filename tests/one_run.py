"""One run with one incident, for the tests of what a run tells about itself."""

from __future__ import annotations

from aiops.diagnose.diagnosis import blank
from aiops.domain import (
    Grid,
    Guardrail,
    Incident,
    Plan,
    PlanItem,
    PullRequest,
    Rollback,
    State,
    Verdict,
    Workload,
)
from aiops.errors import ForgeBusy
from aiops.job import Result, Sent

CART = Workload("eu", "shop", "Deployment", "cart")
WEB = Workload("eu", "shop", "Deployment", "web")
NEW = Workload("eu", "shop", "Deployment", "new")
AT_S = 1_773_871_440


def seen(workload, verdict, state=State.INACTIVE, score=0.2):
    onset_s = None if state is State.INACTIVE else AT_S - 900
    return Incident(workload, verdict, state, onset_s, (), score, "lstm", None, 1.0, AT_S - 60, 0)


def result() -> Result:
    firing = seen(CART, Verdict.ANOMALOUS, State.FIRING, 33.0)
    incidents = (firing, seen(WEB, Verdict.HEALTHY), seen(NEW, Verdict.LEARNING, score=None))
    decision = Rollback("image.tag", "1.15.0", "1.14.3", "R1", "blamed")
    item = PlanItem(CART, decision, firing, blank(CART), (), (), None)
    pull = PullRequest(
        7, "https://github.com/acme/gitops/pull/7", "b", "open", "", "", "", (), 0, None, None, None
    )
    return Result(
        Plan("main", "0" * 40, AT_S, 60, "m", (item,), ()),
        Grid(AT_S - 600, AT_S, 60),
        incidents,
        None,
        {CART: Sent("opened", pull, None, "")},
        (Guardrail("G-STORM", tripped=False, value="1", limit="10"),),
        (),
        (ForgeBusy("busy"),),
        samples=1_000,
        loads={CART: 5.0, WEB: 42.0},
    )
