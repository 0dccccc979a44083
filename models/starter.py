"""Build and judge the starter model, from the recipe beside it.

    python models/starter.py train     simulate, train, calibrate, write models/starter
    python models/starter.py judge     compare with seasonal-naive on graphs it never saw
    python models/starter.py page      draw models/starter/card.html again; the model stays as it is

Everything comes from the simulated mesh: call graphs by seed, healthy weeks with deploys and
flash crowds. Seeds to train on, to calibrate on and to judge on are disjoint.
"""

# ruff: noqa: INP001, T201, PLC0415 - a script beside its data: it prints, and torch is imported late

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from aiops.detect import calibrate, examples, features, held_out, scoring, sustain, training
from aiops.detect.model import Model, open_session
from aiops.detect.settings import DAY_S, WARM_UP_S, WEEK_S, Calendar, DetectSettings, History
from aiops.domain import Grid, Panel
from aiops.edges import model_store
from aiops.ingest import panels, presets
from aiops.mesh import scenarios
from aiops.mesh.answers import MeshMetrics
from aiops.mesh.faults import Surge
from aiops.mesh.plant import simulate
from aiops.page import model_card

FOLDER = Path(__file__).parent / "starter"


def panel(seed: int, recipe: dict) -> Panel:
    """Return the signals of one healthy mesh over the days of the recipe.

    Without flash crowds where the threshold is set: load that nobody expected is worth an
    incident, and what to do about it is decided later. The other graphs have them.
    """
    story = scenarios.ordinary(seed, recipe["days"])
    calm = seed in recipe["calibrate_seeds"]
    events = tuple(event for event in story.events if not (calm and isinstance(event, Surge)))
    metrics = MeshMetrics(simulate(story.mesh, story.start_s, story.end_s, events, (), story.seed))
    step = recipe["step_s"]
    # The first minutes of a counter have no rate yet.
    grid = Grid(story.start_s // step * step + 10 * step, story.end_s // step * step, step)
    kind = next(query for query in presets.context_queries() if query.name == "workload_kind")
    kinds = panels.workload_kinds(metrics.read(kind, grid))
    queries = presets.signal_queries(("istio", "kubernetes"))
    return panels.assemble([metrics.read(query, grid) for query in queries], kinds)


def simulated(seeds: list[int], recipe: dict) -> list[Panel]:
    """Return one panel per seed."""
    found = []
    for seed in seeds:
        print(f"simulating graph {seed}", file=sys.stderr, flush=True)
        found.append(panel(seed, recipe))
    return found


def train(recipe: dict) -> None:
    """Train and write the model folder; the card says on which seeds."""
    settings = training.TrainSettings(**recipe["training"])
    judged = simulated(recipe["calibrate_seeds"], recipe)
    onnx, card = training.train(
        simulated(recipe["train_seeds"], recipe),
        settings,
        lambda text: print(text, file=sys.stderr, flush=True),
        judged,
    )
    source = {"source": "the simulated mesh of aiops", "recipe": "models/starter/recipe.json"}
    seeds = {name: recipe[name] for name in ("train_seeds", "calibrate_seeds", "judge_seeds")}
    card = card.model_copy(update={"data": {**card.data, **source, **seeds}})
    model_store.save(FOLDER, onnx, card, drawn(Model(card, open_session(onnx)), judged))
    print(card.model_dump_json(indent=1))


def draw(recipe: dict) -> None:
    """Write the page of the model that is there; the days are those that its card was measured on."""
    page = drawn(model_store.load(FOLDER), simulated(recipe["calibrate_seeds"], recipe))
    print(model_store.save_page(FOLDER, page))


def drawn(model: Model, judged: list[Panel]) -> str:
    """Return the page. It lists no workloads: those of a simulated graph are nobody's."""
    held = held_out.judge(model, examples.days(judged), Calendar())
    whose = " of other call graphs: they chose the thresholds, and no weight was fitted to them"
    return model_card.render(model.card, held, (), whose)


def judge(recipe: dict) -> None:
    """Print forecast errors and healthy firings of the starter on each judging graph."""
    model = model_store.load(FOLDER)
    print(f"{model.id}: errors in scales of each series, 30 to 60 minutes ahead")
    print("graph  mae     naive   pinball naive   better  firings  of them in a flash crowd  workload-weeks")
    for seed in recipe["judge_seeds"]:
        history = panel(seed, recipe)
        found = calibrate.forecast_metrics(model, examples.days([history]), Calendar())
        fired, crowds, weeks = firings(history, seed, recipe, model)
        print(
            f"{seed:5d}  {found.mae:.4f}  {found.mae_seasonal_naive:.4f}  {found.pinball:.4f}  "
            f"{found.pinball_seasonal_naive:.4f}  {found.beats_seasonal_naive!s:6}  {fired:7d}  {crowds:24d}"
            f"  {weeks:14.1f}",
            flush=True,
        )


def firings(history: Panel, seed: int, recipe: dict, model: Model) -> tuple[int, int, float]:
    """Return how often workloads fired on a healthy mesh, and how often in a flash crowd.

    Each whole day is scored as a run at its end would; deploys are harmless, so every firing
    outside of a flash crowd is false.
    """
    settings = DetectSettings()
    crowds = [e for e in scenarios.ordinary(seed, recipe["days"]).events if isinstance(e, Surge)]
    fired = excused = days = 0
    for example in examples.days([history]):
        midnight = int(example.batch.times[0]) + WARM_UP_S
        day = part(history, midnight - WARM_UP_S, midnight + DAY_S - history.step_s)
        week = part(history, midnight - WARM_UP_S - WEEK_S, midnight + DAY_S - WEEK_S + 5_400)
        scores = scoring.score(History(day, week, day, midnight), model, settings)
        states = sustain.track(scores.workload, history.step_s, settings.hold_s, settings).states
        for _, step in np.argwhere((states[:, 1:] == 2) & (states[:, :-1] != 2)):
            at = int(scores.times[step])
            fired += 1
            excused += any(crowd.start_s <= at <= crowd.end_s + 3_600 for crowd in crowds)
        days += 1
    return fired, excused, days * len(history.workloads) / 7


def part(panel: Panel, start_s: int, end_s: int) -> Panel:
    """Return the steps of a panel from `start_s` to `end_s`; NaN where it has none."""
    times = Grid(start_s, end_s, panel.step_s).times
    shape = panel.values.shape
    first = (start_s - int(panel.times[0])) // panel.step_s
    flat = features.columns(panel.values.reshape(-1, shape[2]), first, len(times))
    values = flat.reshape(*shape[:2], -1).astype(np.float32)
    return Panel(values, times, panel.step_s, panel.workloads, panel.signals)


def main() -> None:
    """Run the chosen half."""
    import torch

    torch.set_num_threads(1)  # two threads spin against each other on a busy machine
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("train", "judge", "page"))
    recipe = json.loads((FOLDER / "recipe.json").read_text())
    {"train": train, "judge": judge, "page": draw}[parser.parse_args().what](recipe)


if __name__ == "__main__":
    main()
