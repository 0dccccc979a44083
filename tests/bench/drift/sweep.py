"""Which slow drift is noticed, how soon, and what is reported though nothing drifts.

    python tests/bench/drift/sweep.py [ROWS]     `make bench-drift`

Ninety days of hourly signals, judged once a day as a scheduled job would, from the first day that
has 28 days before it. Then ninety days of simulated meshes in healthy operation.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.drift import signals
from bench.drift.signals import DAYS, HOURS, deployed, drifting, during, first_noticed, healthy

from aiops.detect.settings import Calendar
from aiops.domain import FloatArray, Grid
from aiops.ingest import panels, presets
from aiops.mesh import scenarios
from aiops.mesh.answers import MeshMetrics
from aiops.mesh.plant import simulate

ONSET = 35
RATES = (0.005, 0.0075, 0.01, 0.0125, 0.015, 0.02, 0.03, 0.05)
NOISE = (0.03, 0.1, 0.2, 0.3)
SEASONS = ("none", "day", "week")
MESHES = (901, 902, 903, 904)
NOT_DRIFT: dict[str, Callable[[FloatArray], FloatArray]] = {
    "nothing": lambda x: x,
    "one step of 20 %": lambda x: during(x, 1.2, 45, DAYS),
    "one step of 50 %": lambda x: during(x, 1.5, 45, DAYS),
    "one step to the triple": lambda x: during(x, 3.0, 45, DAYS),
    "one step to 60 %": lambda x: during(x, 0.6, 45, DAYS),
    "4 h at 5 times": lambda x: during(x, 5.0, 45, 4 / 24),
    "30 h at 20 times": lambda x: during(x, 20.0, 45, 30 / 24),
    "a week at 65 %": lambda x: during(x, 0.65, 45, 7),
    "two weeks at 65 %": lambda x: during(x, 0.65, 45, 14),
    "12 deploys, levels +-3 %": lambda x: deployed(x, 0.03, 7),
    "12 deploys, levels +-10 %": lambda x: deployed(x, 0.1, 7),
}


def noticed(rows: int) -> None:
    """Print how much drift is noticed within 28 days, and the median and 90 % day after onset."""
    print(f"drift from day {ONSET} on: noticed within 28 days of onset; days to notice, median / 90 %")
    print(f"{rows * len(SEASONS)} series a cell: seasons {', '.join(SEASONS)}; day levels wander by 3 %")
    print("rate %/day  shape        " + "".join(f"noise {noise:<16.0%}" for noise in NOISE))
    for rate, shape in itertools.product(RATES, ("linear", "exponential")):
        cells = []
        for noise in NOISE:
            first = np.concatenate(
                [
                    first_noticed(
                        drifting(healthy(rows, noise, season, 1_000 + at), rate, shape, ONSET),
                        range(ONSET + 1, ONSET + 46),
                    )
                    - ONSET
                    for at, season in enumerate(SEASONS)
                ]
            )
            late = np.where(np.isnan(first), 99, first)
            middle, most = np.quantile(late, [0.5, 0.9], method="higher")
            days = f"{_day(middle)}/{_day(most)}"
            cells.append(f"{np.mean(late <= 28):7.1%} {days:<14}")
        print(f"{rate:10.2%}  {shape:<12} " + "".join(cells), flush=True)


def silent(rows: int) -> None:
    """Print the share of series without drift that are ever reported in 62 daily runs."""
    print("\nno drift: share of series that any of 62 daily runs reports (season: week)")
    settings = ((0.03, 0.03), (0.1, 0.03), (0.1, 0.06), (0.2, 0.06), (0.3, 0.03))
    print(" " * 28 + "".join(f"noise {n:.0%} wander {w:.0%}  ".rjust(22) for n, w in settings))
    for name, change in NOT_DRIFT.items():
        shares = []
        for noise, wander in settings:
            values = change(healthy(rows, noise, "week", 2_000, wander=wander))
            shares.append(np.mean(~np.isnan(first_noticed(values, range(28, DAYS + 1)))))
        print(f"{name:<28}" + "".join(f"{share:20.1%}  " for share in shares), flush=True)


def meshes() -> None:
    """Print what daily runs report of simulated meshes in healthy operation, deploys included."""
    print(f"\nhealthy meshes, {DAYS} days each, deploys and flash crowds included, judged daily")
    total, reported = 0, 0
    for seed in MESHES:
        story = scenarios.ordinary(seed, DAYS + 1)
        metrics = MeshMetrics(simulate(story.mesh, story.start_s, story.end_s, story.events, (), story.seed))
        grid = Grid((story.start_s // 3_600 + 2) * 3_600, story.end_s // 3_600 * 3_600, 3_600)
        queries = presets.signal_queries(("istio", "kubernetes"))
        panel = panels.assemble([metrics.read(query, grid) for query in queries], {})
        lines = set()
        for end in range(28 * HOURS, len(panel.times), HOURS):
            for one in signals.of_panel(signals.ending_at(panel, end), Calendar()):
                lines |= {(str(one.workload), found.signal) for found in one.drifts}
        total += panel.values.shape[0] * panel.values.shape[1]
        reported += len(lines)
        print(
            f"mesh {seed}: {len(panel.workloads)} workloads, reported: {sorted(lines) or 'nothing'}",
            flush=True,
        )
    print(f"reported {reported} of {total} series")


def _day(day: float) -> str:
    return "-" if day == 99 else f"{day:.0f}"


if __name__ == "__main__":
    per_cell = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    noticed(per_cell)
    silent(per_cell)
    meshes()
