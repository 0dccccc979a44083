from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from aiops.decide import rule_page, rules
from aiops.limits import LIMITS, Limits

ROOT = Path(__file__).parents[2]
CODE = "\n".join(
    path.read_text(encoding="utf-8")
    for room in ("decide", "diagnose", "propose")
    for path in sorted((ROOT / "aiops" / room).glob("*.py"))
    if path.name not in {"rules.py", "rule_page.py", "limits.py"}
)


def test_the_rules_page_is_what_the_code_says() -> None:
    expected = rule_page.render()
    assert expected == (ROOT / "docs" / "rules.md").read_text(encoding="utf-8"), (
        "run: python -c 'from aiops.decide import rule_page as p; print(p.render(), end=str())'"
        " > docs/rules.md"
    )


def test_every_rule_is_asked_somewhere_in_the_code() -> None:
    unused = [name for name in rules.RULES if not re.search(rf'"{name}[":]', CODE)]
    assert unused == []


def test_every_number_is_used_and_every_number_of_a_rule_exists() -> None:
    names = {number.name for number in fields(Limits)}
    assert {name for name in names if not re.search(rf"(?i)limits\.{name}\b", CODE)} == set()
    assert {name for rule in rules.RULES.values() for name in rule.numbers} <= names


def test_every_number_says_what_it_means_and_where_it_is_from() -> None:
    assert [row for row in LIMITS.table() if not all(row)] == []
