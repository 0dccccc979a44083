"""The tables of the incident benchmark, as text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

import numpy as np
from bench.incidents.campaign import MAGNITUDES
from bench.incidents.healthy import CIRCUMSTANCES, Alarm, joined
from bench.incidents.intervals import poisson, wilson
from bench.incidents.recall import Outcome

FATAL = ("crash-loop", "image-pull")
COOL_DOWN_S = 6 * 3_600


def broken(outcomes: Sequence[Outcome]) -> Iterable[str]:
    """Recall and delay by kind, where the bound is broken."""
    yield f"{'kind':14} {'faults':>6} {'faulty':>7} {'any':>5}  {'recall of any [95 %]':24} delay med., 90 %"
    judged = [one for one in outcomes if one.broken]
    for kind in MAGNITUDES:
        yield _recall_line(kind, [one for one in judged if one.case.kind == kind])
    yield _recall_line("all", judged)
    yield _recall_line("all, shown", [one for one in judged if one.shown])
    yield _recall_line("hold of 15 min", [one for one in judged if one.case.kind not in FATAL])
    yield _recall_line("hold of 5 min", [one for one in judged if one.case.kind in FATAL])
    yield f"firing before the fault began, counted as missed: {sum(one.early for one in judged)}"


def _recall_line(name: str, of: Sequence[Outcome]) -> str:
    delays = [one.any_s for one in of if one.any_s is not None]
    faulty = sum(one.faulty_s is not None for one in of)
    if not of:
        return f"{name:14} {0:6d}"
    low, high = wilson(len(delays), len(of))
    late = [f"{np.quantile(delays, q) / 60:.1f}" for q in (0.5, 0.9)] if delays else ["-", "-"]
    share = f"{len(delays) / len(of):.3f} [{low:.3f}, {high:.3f}]"
    return f"{name:14} {len(of):6d} {faulty:7d} {len(delays):5d}  {share:24} {late[0]:>6}, {late[1]} min"


def magnitudes(outcomes: Sequence[Outcome]) -> Iterable[str]:
    """Caught of all by kind and level, whatever the bound; * = the bound was broken in some of them."""
    yield f"{'kind':14} " + " ".join(f"{f'level {level}':>18}" for level in range(1, 6))
    for kind, sizes in MAGNITUDES.items():
        cells = []
        for level, size in enumerate(sizes, 1):
            here = [one for one in outcomes if one.case.kind == kind and one.case.level == level]
            caught = sum(one.any_s is not None for one in here)
            over = sum(one.broken for one in here)
            cells.append(f"{size:g}: {caught}/{len(here)} ({over}*)")
        yield f"{kind:14} " + " ".join(f"{cell:>18}" for cell in cells)
    for label, pick in (("below bound", False), ("bound broken", True)):
        cells = []
        for level in range(1, 6):
            here = [one for one in outcomes if one.case.level == level and one.broken is pick]
            caught = sum(one.any_s is not None for one in here)
            cells.append(f"{caught}/{len(here)}" + (f" = {caught / len(here):.2f}" if here else ""))
        yield f"{label:14} " + " ".join(f"{cell:>18}" for cell in cells)


def missed(outcomes: Sequence[Outcome]) -> Iterable[str]:
    """Every broken bound that nobody fired for, with the highest scores of the faulty workload."""
    for one in outcomes:
        if one.broken and one.any_s is None:
            best = sorted(one.peaks.items(), key=lambda item: -item[1])[:2]
            scores = ", ".join(f"{name} {score:.2f}" for name, score in best)
            case = one.case
            note = "" if one.shown else "  (in no scored signal)"
            yield (
                f"seed {case.seed} {case.kind} {case.magnitude:g} at {case.service} ({one.rps:.1f} req/s): "
                f"{scores}{note}{'  already firing' if one.early else ''}"
            )


def healthy(alarms: Sequence[Alarm], weeks: dict[str, float], crowds: int, noticed: int) -> Iterable[str]:
    """List false firings by circumstance, with their signals."""
    yield f"{'circumstance':14} {'wl-weeks':>8} {'firings':>7}  {'per 100 weeks [95 %]':26} signals"
    for name in CIRCUMSTANCES:
        yield _healthy_line(name, [a for a in alarms if a.circumstance == name], weeks[name])
    inside = ("flash crowd", "crowd too big")
    calm = [alarm for alarm in alarms if alarm.circumstance not in inside]
    yield _healthy_line("without crowds", calm, sum(weeks.values()) - sum(weeks[name] for name in inside))
    absorbed = [alarm for alarm in alarms if alarm.circumstance != "crowd too big"]
    yield _healthy_line("all absorbed", absorbed, sum(weeks.values()) - weeks["crowd too big"])
    once, calm_once = joined(absorbed, COOL_DOWN_S), joined(calm, COOL_DOWN_S)
    yield f"counted once in 6 h and workload: {once}, without crowds {calm_once}"
    yield f"flash crowds: {crowds}, of which {noticed} made somebody fire"


def _healthy_line(name: str, of: Sequence[Alarm], weeks: float) -> str:
    low, high = (100 * edge for edge in poisson(len(of), weeks))
    rate = f"{100 * len(of) / weeks:.2f} [{low:.2f}, {high:.2f}]" if weeks else "-"
    signals = ", ".join(f"{n} {s}" for s, n in Counter(a.firing.signal for a in of).most_common())
    return f"{name:14} {weeks:8.1f} {len(of):7d}  {rate:26} {signals}"


def alarms(found: Sequence[Alarm]) -> Iterable[str]:
    """Every false firing: where, when, what was seen and expected in the middle of its bad steps."""
    for one in found:
        fired = one.firing
        when = datetime.fromtimestamp(fired.at_s, tz=UTC).strftime("%a %m-%d %H:%M")
        numbers = f"{fired.observed:.4g} expected {fired.expected:.4g} score {fired.score:.2f}"
        yield (
            f"{one.circumstance:14} {when} {one.seed}/{one.workload:10} {fired.signal:18} {numbers} "
            f"({fired.bad_steps} bad steps; load: {one.shapes})"
        )
