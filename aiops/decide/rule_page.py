"""Writes docs/rules.md: what a person reads of the rules and of the numbers they compare with."""

from __future__ import annotations

from aiops.decide import rules
from aiops.decide.rules import Rule
from aiops.limits import LIMITS, Limits


def render(limits: Limits = LIMITS) -> str:
    """Return docs/rules.md: every rule with its numbers, then every number with unit and source."""
    lines = [
        "# Rules and numbers",
        "",
        "Generated from `aiops/decide/rules.py` and `aiops/limits.py`; do not edit.",
        "Every hold, rollback and scale names one of these ids.",
        "",
        "Sources: `design`, `guide`, `faults` and `issue` are the planning pages of this project; a name",
        "behind a semicolon is the project whose users taught the rule.",
    ]
    for title, chapter in rules.CHAPTERS:
        lines += ["", f"## {title}", "", "| rule | meaning | default | source |", "|---|---|---|---|"]
        lines += [f"| {one.id} | {one.meaning} | {_numbers(one, limits)} | {one.source} |" for one in chapter]
    lines += ["", "## Numbers", "", "| name | default | unit | meaning | source |", "|---|---|---|---|---|"]
    lines += [
        f"| `{n}` | {value} | {unit} | {text} | {source} |" for n, value, unit, text, source in limits.table()
    ]
    return "\n".join(lines) + "\n"


def _numbers(rule: Rule, limits: Limits) -> str:
    values = {name: f"{value} {unit}" for name, value, unit, _, _ in limits.table()}
    return ", ".join(f"`{name}` {values[name]}" for name in rule.numbers)
