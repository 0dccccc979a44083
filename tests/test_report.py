"""The report of a run: exit codes and the one line that says why."""

from __future__ import annotations

import dataclasses
import json

import jsonschema
import pytest
import real

from aiops import report, terminal
from aiops.diagnose.diagnosis import blank
from aiops.domain import (
    Drift,
    DriftWatch,
    Familiar,
    Grid,
    Guardrail,
    Hold,
    Incident,
    Plan,
    PlanItem,
    State,
    Verdict,
    Workload,
)
from aiops.errors import ForgeBusy, ForgeRefused
from aiops.job import Result, Sent

SCHEMA = json.loads((real.CHECKOUT / "aiops" / "report.schema.json").read_text(encoding="utf-8"))
CART = Workload("eu", "shop", "Deployment", "cart")


def incident(verdict=Verdict.HEALTHY, score=0.2):
    return Incident(CART, verdict, State.INACTIVE, None, (), score, "lstm", None, 1.0, 600, 7_200)


def result(*, decision=None, guardrails=(), errors=(), sent=None, seen=None):
    seen = seen or incident()
    items = () if decision is None else (PlanItem(CART, decision, seen, blank(CART), (), (), None),)
    plan = Plan("main", "0" * 40, 600, 60, "m", items, ())
    return Result(plan, Grid(0, 600, 60), (seen,), None, sent or {}, tuple(guardrails), (), tuple(errors))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (result(), 0),
        (result(decision=Hold("G1", "no data")), 0),
        (result(decision=Hold("EDIT", "templated", variant="edit-refused")), 21),
        (result(guardrails=[Guardrail("G-STORM", tripped=True, value="12", limit="10")]), 40),
        (result(guardrails=[Guardrail("G-RATE", tripped=True, value="3", limit="2")]), 40),
        (result(guardrails=[Guardrail("G-COOL", tripped=True, value="1", limit="6 h")]), 0),
        (result(guardrails=[Guardrail("G-STORM", tripped=False, value="1", limit="10")]), 0),
        (result(errors=[ForgeBusy("busy")]), 31),
        (result(errors=[ForgeBusy("busy"), ForgeRefused("no")]), 30),
    ],
)
def test_the_exit_code_is_the_worst_thing_that_happened(given, expected):
    assert report.exit_code(given) == expected


def test_an_opened_pull_request_is_exit_10_only_when_asked_for():
    opened = result(sent={CART: Sent("opened", None, None, "")})
    assert report.exit_code(opened) == 0
    assert report.exit_code(opened, detailed=True) == 10
    assert report.exit_code(result(sent={CART: Sent("exists", None, None, "")}), detailed=True) == 0


def test_what_is_unknown_is_null_and_never_nan():
    document = report.document(result(seen=incident(Verdict.NO_DATA, float("nan"))), 0)
    jsonschema.validate(document, SCHEMA)
    assert document["workloads"][0]["score"] is None
    assert "NaN" not in json.dumps(document, allow_nan=False)


def watched(*drifts: Drift, days: int = 28) -> Result:
    return dataclasses.replace(result(), drift=(DriftWatch(CART, days == 28, days, drifts),))


def test_a_drift_is_in_the_report_and_the_summary_but_decides_nothing(capsys):
    found = watched(Drift("latency_p95", "ms", 0.0123456789, 80.0, 104.0, 86_400))
    document = report.document(found, report.exit_code(found, detailed=True))
    jsonschema.validate(document, SCHEMA)
    assert document["exit_code"] == 0
    assert document["workloads"][0]["decision"] is None
    assert document["workloads"][0]["drift"] == {
        "watched": True,
        "days": 28,
        "signals": [
            {
                "signal": "latency_p95",
                "unit": "ms",
                "per_day": 0.0123457,
                "from": 80.0,
                "to": 104.0,
                "since": "1970-01-02T00:00:00Z",
            }
        ],
    }
    terminal.result(found)
    assert (
        "drift: eu/shop/Deployment/cart latency_p95 +1.2% a day since 1970-01-02T00:00:00Z: 80 -> 104 ms"
        in capsys.readouterr().out
    )


def test_too_little_retention_is_said_and_a_plan_alone_knows_of_no_drift(capsys):
    terminal.result(watched(days=9))
    assert (
        "drift: not watched, 9 days of history where the first and the last of four weeks are compared\n"
        in capsys.readouterr().out
    )
    terminal.result(watched())
    assert "drift" not in capsys.readouterr().out
    document = report.document(result(), 0)
    jsonschema.validate(document, SCHEMA)
    assert document["workloads"][0]["drift"] is None


def test_what_is_familiar_is_in_the_report_with_its_reason():
    known = Familiar("frequent", "frequent: as far off on 4 of the last 7 days, and not worse today")
    seen = dataclasses.replace(
        incident(Verdict.ANOMALOUS, 3.0), state=State.FIRING, onset_s=300, familiar=known
    )
    document = report.document(result(seen=seen, decision=Hold("G-FAMILIAR", known.reason)), 0)
    jsonschema.validate(document, SCHEMA)
    found = document["workloads"][0]["incident"]["familiar"]
    assert found == {"kind": "frequent", "reason": known.reason}


def test_a_run_that_failed_has_a_report_too():
    document = report.failure(ForgeRefused("no", where="github", todo="ask"))
    jsonschema.validate(document, SCHEMA)
    assert document["errors"] == [
        {"code": "forge-refused", "where": "github", "message": "no", "todo": "ask"}
    ]


@pytest.mark.parametrize(
    ("decision", "sent", "expected"),
    [
        (None, None, "within what is expected"),
        (Hold("G2", "2 h of sustained traffic"), None, "2 h of sustained traffic"),
        (Hold("G2", "x"), Sent("held", None, None, "G-COOL: merged 2 h ago"), "G-COOL: merged 2 h ago"),
    ],
)
def test_one_line_says_why(decision, sent, expected):
    given = result(decision=decision)
    item = given.plan.items[0] if given.plan.items else None
    assert report.reason(item, sent) == expected


@pytest.mark.parametrize(
    ("value", "expected"), [(1.23456789, 1.23457), (float("inf"), None), (None, None), (0.0, 0.0)]
)
def test_numbers_have_six_significant_digits(value, expected):
    assert report.number(value) == expected
