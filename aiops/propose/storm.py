"""What the tracking issue says while aiops holds everything back, and when that is over.

Comes in: a plan of which a check of the fleet tripped. Goes out: Markdown, pure ASCII. Every name and
label passes through `inert`. Who broke first stands first: in a storm that is the best hint there is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from aiops.domain import Guardrail, Incident, Plan, State
from aiops.propose import inert, words

MAX_ROWS = 12
MAX_PLACES = 10
DUPLICATE = "An older issue says the same; aiops closes this one."
_STORM = "aiops holds back: many workloads at once are outside what is expected"
_DATA = "aiops holds back: scrape targets were lost"
TITLES = (_STORM, _DATA)
_MEANS = """\
While a row above is tripped, no pull request is opened, brought up to date or closed. So many workloads
at once seldom have a cause each: look for what they share (a network, DNS, a node pool, a mesh, an identity
provider, or Prometheus itself). Changing one workload would hide that and not end it."""
_CLOSING = """\
## What you can do

- Write below. The text above is written again by each run.
- Close this issue: aiops says nothing more about it for a day.
- With `aiops/pause` on it, or a file `.aiops/pause` in the base branch, aiops writes nothing at all.

When nothing tripped for an hour, aiops closes this issue. Within a day it opens the same one again."""


def title(guardrails: Sequence[Guardrail]) -> str:
    """Return the title: closed words, so that it stays the same while the storm goes on."""
    return _STORM if any(one.tripped for one in guardrails if one.id == "G-STORM") else _DATA


def body(plan: Plan, fleet: Sequence[Guardrail], since_s: int) -> str:
    """Return what is seen now. `fleet`: the checks of the fleet; `since_s`: when it was seen first."""
    incidents = [item.incident for item in plan.items]
    firing = sorted(
        (one for one in incidents if one.state is State.FIRING and one.familiar is None),
        key=lambda one: (one.onset_s or 0, one.workload),
    )
    parts = [
        f"First seen at {words.utc(since_s)}, last at {words.utc(plan.data_time_s)}:",
        _table(
            "| guardrail | | seen | limit |",
            [
                f"| {one.id} | {'**tripped**' if one.tripped else 'passed'} | {inert.prose(one.value)}"
                f" | {inert.prose(one.limit)} |"
                for one in fleet
            ],
        ),
    ]
    parts.append(_MEANS)
    if firing:
        parts += [*_first(firing, plan.data_time_s), *_places(firing)]
    base = f"base {inert.place(plan.base)}"
    last = f"Data: step {words.duration(plan.step_s)}; model {words.model(plan.model)}; {base}."
    return "\n\n".join([*parts, _CLOSING, "---", last, words.FOREIGN])


def over(plan: Plan, since_s: int, seen_s: int) -> str:
    """Return what stands there when it is over."""
    return (
        f"Over: it was seen from {words.utc(since_s)} to {words.utc(seen_s)}; no run has seen it for"
        f" {words.duration(plan.data_time_s - seen_s)}."
    )


def _first(firing: Sequence[Incident], now_s: int) -> list[str]:
    rows = []
    for one in firing[:MAX_ROWS]:
        name = inert.place(f"{one.workload.namespace}/{one.workload.name}")
        cluster, since = inert.label(one.workload.cluster), words.clock(one.onset_s, now_s)
        rows.append(f"| {name} | {cluster} | {since} | {_worst(one)} |")
    shown = f"the first {MAX_ROWS} of {len(firing)}" if len(firing) > MAX_ROWS else f"all {len(firing)}"
    half = firing[(len(firing) - 1) // 2]
    return [
        f"## Who broke first ({shown})",
        f"Half of them had broken by {words.utc(half.onset_s)}.",
        _table("| workload | cluster | since | signal | observed | expected |", rows),
    ]


def _worst(one: Incident) -> str:
    if not one.signals:
        return "- | - | -"
    worst = one.signals[0]
    observed, expected = (words.quantity(value, worst.unit) for value in (worst.observed, worst.expected))
    return f"{inert.label(worst.signal)} | **{observed}** | {expected}"


def _places(firing: Sequence[Incident]) -> list[str]:
    found = Counter((one.workload.cluster, one.workload.namespace) for one in firing)
    most = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    rows = [
        f"| {inert.place('/'.join(part for part in place if part))} | {count} |"
        for place, count in most[:MAX_PLACES]
    ]
    if len(most) > MAX_PLACES:
        rows.append(f"| {len(most) - MAX_PLACES} more | {sum(count for _, count in most[MAX_PLACES:])} |")
    return ["## Where they are", _table("| namespace | firing |", rows)]


def _table(head: str, rows: Sequence[str]) -> str:
    return "\n".join([head, "|" + "---|" * (head.count("|") - 1), *rows])
