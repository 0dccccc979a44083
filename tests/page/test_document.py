"""A report file is read, or refused in one line."""

from __future__ import annotations

import json

import jsonschema
import pytest
import real
from page import reports

from aiops.errors import ConfigError
from aiops.page import document

SCHEMA = json.loads((real.CHECKOUT / "aiops" / "report.schema.json").read_text(encoding="utf-8"))


def test_the_reports_of_these_tests_are_ones_of_the_contract():
    jsonschema.validate(reports.report(reports.workload("cart"), reports.healthy("calm")), SCHEMA)


def test_keys_of_a_later_aiops_are_passed_over_and_missing_ones_have_a_default():
    found = document.load(b'{"schema": "aiops.report/1", "exit_code": 20, "later": [1]}', "x")
    assert (found.exit_code, found.workloads) == (20, ())


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b'{"schema": "aiops.plan/1", "exit_code": 0}',
        b'{"schema": "aiops.report/1", "exit_code": "0"}',
        b'{"schema": "aiops.report/1", "exit_code": 0, "workloads": [{"workload": 1}]}',
        b"[" * 200_000,
        b'{"schema": "aiops.report/1", "exit_code": 0, "at": "\\ud800"}',
    ],
)
def test_anything_else_is_one_line(data):
    with pytest.raises(ConfigError) as caught:
        document.load(data, "report.json")
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("report.json: ")
