"""What each part of the score buys: the incident benchmark without it, at equal false alarms.

    make bench-ablation SEEDS=10

A part is left out by replacing one function of `aiops.detect` while a mesh is scored. Leaving
something out moves misses and false firings at once, so recall is shown twice: as it stands, and
with all scores of the variant multiplied by one number that brings its false firings (flash crowds
not counted) down to those of the whole detector, or up to them.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from bench.incidents import firing, healthy, plants, recall
from bench.incidents.intervals import wilson

from aiops.detect import bands, baseline, calibration, features, impact, lstm, scoring, traffic_guard
from aiops.detect.model import Model
from aiops.detect.settings import Calendar
from aiops.domain import Scores
from aiops.edges import model_store

FACTORS = tuple(float(f) for f in np.geomspace(0.5, 2.0, 17))  # of all scores; 1 is among them
_CROWDS = ("flash crowd", "crowd too big")
Replaced = tuple[Any, str, Any]  # module or class, name, what stands in


def _as_seen(self: lstm.Pass, first: int, last: int, margin: Any) -> None:
    """Feed what was measured, whatever it is."""
    self.clean[:, first:last] = self.seen[:, first:last]


def _nearest(self: lstm.Pass, start: int, stop: int) -> Any:
    """Believe the forecast made 30 minutes before alone."""
    return self.made[:, 0, start:stop].astype(np.float64)


def _no_yesterday(self: lstm.Pass, start: int, stop: int) -> Any:
    nothing = np.full((len(self.clean), stop - start), np.nan)
    return nothing, nothing


def _plain_scale(batch: bands.Batch) -> Any:
    centre, scale, _ = features.fit_scale(batch.fit, batch.min_deviation)
    return np.nan_to_num(centre), scale


def _seasonal(batch: bands.Batch, *_: Any) -> bands.Bands:
    return baseline.bands(batch)


_WITHOUT: dict[str, tuple[Replaced, ...]] = {
    "all of it": (),
    "load and small delays open incidents": ((impact, "counted", lambda values, *_: values),),
    "CPU judged without the load": ((impact, "_more_load", lambda seen, *_: np.ones_like(seen[:, 0])),),
    "ratios of few requests count": ((traffic_guard, "widened", lambda drawn, *_: drawn),),
    "bands not widened by own noise": (
        (calibration, "widening", lambda ratios, *_, **__: np.ones(len(ratios))),
    ),
    "outages are fed to the model": ((lstm.Pass, "_replace", _as_seen),),
    "yesterday's peak may be out of the band": ((lstm.Pass, "yesterday", _no_yesterday),),
    "scale of 48 h, incidents included": ((lstm, "_calm_scale", _plain_scale),),
    "one horizon: 30 minutes": ((lstm.Pass, "quantiles", _nearest),),
    "no week ago": ((scoring.past, "aligned", lambda *_: None),),
    "no time zone, no holidays": (),
    "seasonal bands instead of the LSTM": ((lstm, "bands", _seasonal),),
    "isolation forest instead of the LSTM": (),
}


@contextmanager
def without(name: str) -> Iterator[None]:
    """Leave out one part while the block runs."""
    with ExitStack() as stack:
        for owner, attribute, stand_in in _WITHOUT[name]:
            stack.enter_context(patch.object(owner, attribute, stand_in))
        yield


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Of one variant, by factor: `false` [F] firings, `found` [N, F] of the N faults; `shown` [N].

    Faults whose bound is broken; false firings outside of flash crowds, over `weeks`.
    """

    false: np.ndarray
    weeks: float
    found: np.ndarray
    shown: np.ndarray


def scaled(scores: Scores, factor: float) -> Scores:
    """Return all scores times a number."""
    return scores if factor == 1.0 else replace(scores, values=scores.values * np.float32(factor))


def faults(seed: int, name: str, model: Model | None, factors: Sequence[float]) -> Counts:
    """Return what is found of the faults of one mesh."""
    with without(name):
        of = recall.scored(seed, model)
        rows = [recall.outcomes(replace(of, scores=scaled(of.scores, f))) for f in factors]
    broken = [i for i, one in enumerate(rows[0]) if one.broken]
    found = np.array([[row[i].any_s is not None for row in rows] for i in broken])
    shown = np.array([rows[0][i].shown for i in broken], dtype=bool)
    return Counts(np.zeros(len(factors)), 0.0, found.reshape(len(broken), len(factors)), shown)


def quiet(seed: int, name: str, model: Model | None, factors: Sequence[float]) -> Counts:
    """Return how often the healthy weeks of one mesh fire."""
    one = healthy.weeks(seed)
    with without(name):
        settings = one.settings
        if name == "no time zone, no holidays":
            settings = replace(settings, calendar=Calendar())
        scores = firing.score_days(one.panel, one.from_s, model, settings)
        every = [healthy.alarms(one, scaled(scores, f)) for f in factors]
    calm = [sum(alarm.circumstance not in _CROWDS for alarm in found) for found in every]
    held = healthy.exposure([one.held])
    weeks = sum(held.values()) - sum(held[crowd] for crowd in _CROWDS)
    return Counts(np.array(calm, dtype=float), weeks, np.zeros((0, len(factors))), np.zeros(0, dtype=bool))


def together(parts: Sequence[Counts]) -> Counts:
    """Return the counts of all meshes of one variant."""
    return Counts(
        np.sum([part.false for part in parts], axis=0),
        sum(part.weeks for part in parts),
        np.concatenate([part.found for part in parts]),
        np.concatenate([part.shown for part in parts]),
    )


def mesh(seed: int, half: str, names: Sequence[str], model_folder: str) -> dict[str, Counts]:
    """Return the counts of one mesh for every variant; simulated once."""
    model = model_store.load(Path(model_folder))
    do: Callable[..., Counts] = faults if half == "faults" else quiet
    return {
        name: do(seed, name, None if name.startswith("isolation forest") else model, FACTORS)
        for name in names
    }


def equal(counts: Counts, false_per_week: float) -> int:
    """Return the largest factor's index at which false firings are at most so many a workload-week."""
    good = np.flatnonzero(counts.false / counts.weeks <= false_per_week + 1e-12)
    return int(good[-1]) if len(good) else 0


def table(found: dict[str, Counts]) -> Iterator[str]:
    """Yield a line for each variant."""
    whole = next(iter(found.values()))
    plain = FACTORS.index(min(FACTORS, key=lambda factor: abs(factor - 1.0)))
    target = whole.false[plain] / whole.weeks
    yield (
        f"{'':42} {'false/100 wl-weeks':>18}  {'recall [95 %]':22} {'of shown':>8}  "
        f"{'at equal false':>14} {'x':>5}"
    )
    for name, counts in found.items():
        at = equal(counts, target)
        hits, of = int(counts.found[:, plain].sum()), len(counts.found)
        low, high = wilson(hits, of)
        shown = counts.found[counts.shown][:, plain].mean()
        yield (
            f"{name:42} {100 * counts.false[plain] / counts.weeks:18.2f}  "
            f"{f'{hits / of:.3f} [{low:.3f}, {high:.3f}]':22} {shown:8.3f}  "
            f"{counts.found[:, at].mean():14.3f} {FACTORS[at]:5.2f}"
        )


def main() -> None:
    """Run every variant on every mesh and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "seeds", type=int, nargs="?", default=10, help="meshes with faults; twice as many healthy"
    )
    parser.add_argument("--first", type=int, default=401)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--model", type=Path, default=plants.ROOT / "models" / "starter")
    given = parser.parse_args()
    names = list(_WITHOUT)
    todo = [(seed, "healthy") for seed in range(given.first, given.first + 2 * given.seeds)]
    todo += [(seed, "faults") for seed in range(given.first, given.first + given.seeds)]
    parts: dict[str, list[Counts]] = {name: [] for name in names}
    with ProcessPoolExecutor(given.jobs) as pool:
        waiting = [pool.submit(mesh, seed, half, names, str(given.model)) for seed, half in todo]
        for number, one in enumerate(waiting, start=1):
            for name, counts in one.result().items():
                parts[name].append(counts)
            print(f"\r{number} of {len(todo)} meshes", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    of = {name: together(counts) for name, counts in parts.items()}
    whole = of["all of it"]
    print(f"{len(whole.found)} faults that break a bound, {whole.weeks:.0f} workload-weeks without crowds")
    for line in table(of):
        print(line)


if __name__ == "__main__":
    main()
