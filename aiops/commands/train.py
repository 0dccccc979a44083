"""`aiops train`: learn from historical metrics, write a model folder with its page, print its card.

A model that is there and forecasts the same recent days better is never replaced, so that training can
run on a schedule.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from aiops import connect, terminal
from aiops.commands import times
from aiops.commands.run import failed
from aiops.config import Config
from aiops.config_file import load
from aiops.detect.model import Card, Model
from aiops.domain import Answer, Grid, Panel, Query
from aiops.errors import AiopsError, ConfigError, DataUnusable, ModelRefused
from aiops.ingest import panels
from aiops.job import Progress
from aiops.ports import Metrics
from aiops.report import utc

if TYPE_CHECKING:
    from aiops.detect import training

DEFAULT_SPAN_S = 14 * 86_400  # two weeks: every weekday twice, the common retention
DEADLINE_S = 3_600.0
# 200 workloads x 7 signals x 14 days at one minute are 113 MB of samples, and training holds copies.
MOST_WORKLOADS = 200
_EPOCH = re.compile(r"epoch (\d+)/(\d+): held-out")  # what `training` says at the end of each


def train(config_file: Path, start: str | None, end: str | None, model: Path | None, seed: int) -> int:
    """Read history, fit, compare with seasonal-naive, save. Returns the exit code."""
    try:
        config = load(config_file)
        metrics = connect.metrics(config, DEADLINE_S, patient=True)
        end_s = times.parse(end, "--to") if end else metrics.now_s()
        start_s = times.parse(start, "--from") if start else end_s - DEFAULT_SPAN_S
        grid = Grid(start_s // config.step * config.step, end_s // config.step * config.step, config.step)
        folder = _folder(model, config)
        from aiops.detect import cleaning, training  # torch: only here

        with terminal.progress() as tell:
            tell("reading history")
            settings = connect.detect_settings(config)
            panel = _history(metrics, connect.signal_queries(config), grid, tell)
            if not panel.workloads:
                raise DataUnusable("no workload has history in that span", todo="try another --from and --to")
            tell("taking out past incidents")
            clean, flagged = cleaning.cleaned(panel, settings)
            chosen = training.TrainSettings(seed=seed, name=folder.name, calendar=settings.calendar)
            onnx, card = training.train([clean], chosen, _with_time_left(tell))
            card = card.model_copy(update={"data": {**card.data, "flagged_share": round(flagged, 6)}})
            tell("comparing with the model that is there")
            verdict = _saved(folder, onnx, card, [clean], chosen)
    except AiopsError as error:
        return failed(error, None, as_json=False)
    terminal.say(_described(card))
    terminal.say(verdict)
    if folder != config.model:
        terminal.say(f"use it with `model: {folder}` in aiops.yaml")
    return 0


def _with_time_left(tell: Progress) -> Progress:
    """Return `tell` that says after each epoch how long the others would take; they may end early."""
    began_s = time.monotonic()

    def timed(text: str) -> None:
        found = _EPOCH.match(text)
        if found:
            done, every = int(found[1]), int(found[2])
            left_s = (time.monotonic() - began_s) / done * (every - done)
            text += f", at most {left_s / 60:.1f} min left"
        tell(text)

    return timed


def _history(metrics: Metrics, queries: Sequence[Query], grid: Grid, tell: Progress) -> Panel:
    """Return the history of at most `MOST_WORKLOADS` workloads: more teach little and cost memory.

    Chosen among those that the first answer names, by a hash of the name, so that each training chooses
    the same. An answer is cut as soon as it is there.
    """
    chosen: frozenset[tuple[str, ...]] | None = None
    answers = []
    for query in queries:
        answer = metrics.read(query, grid)
        if chosen is None and len(answer.labels) > MOST_WORKLOADS:
            every = sorted((_key(answer, one) for one in answer.labels), key=_rank)
            chosen = frozenset(every[:MOST_WORKLOADS])
            tell(f"learning from {len(chosen)} of {len(every)} workloads")
        if chosen is not None:
            rows = [row for row, one in enumerate(answer.labels) if _key(answer, one) in chosen]
            labels = tuple(answer.labels[row] for row in rows)
            answer = replace(answer, labels=labels, values=answer.values[rows])
        answers.append(answer)
    return panels.assemble(answers, {})


def _key(answer: Answer, labels: Mapping[str, str]) -> tuple[str, ...]:
    named = (answer.query.cluster_label, answer.query.namespace_label, answer.query.workload_label)
    return tuple(labels.get(label, "") for label in named)


def _rank(key: tuple[str, ...]) -> bytes:
    return hashlib.sha256("\0".join(key).encode("utf-8", "replace")).digest()


def _folder(model: Path | None, config: Config) -> Path:
    """Return where the model goes. Raises ConfigError for one that cannot be written, or without torch."""
    folder = model or config.model
    if folder is None:
        raise ConfigError(
            "no folder for the model", where="--model", todo="name one, for example models/mine"
        )
    if importlib.util.find_spec("torch") is None:
        raise ConfigError("training needs torch", where="aiops train", todo="pip install 'aiops[train]'")
    above = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):  # nobody wants to hear that after an hour
        raise ConfigError("cannot be written", where=str(above), todo="name another folder with --model")
    return folder


def _saved(folder: Path, onnx: bytes, card: Card, panels: list[Panel], chosen: training.TrainSettings) -> str:
    """Write the model unless a better one is there; say which, and by how much.

    A model that is refused when it is loaded is no better one. Beside the starter a new model is only
    measured: it was asked for, and takes nobody's place.
    """
    from aiops.detect import succession
    from aiops.detect.model import open_session
    from aiops.edges import model_store

    new = Model(card, open_session(onnx))
    there = (folder / model_store.CARD).exists()
    try:
        old = model_store.load(folder if there else connect.starter())
    except ModelRefused as error:
        page = _written(folder, onnx, new, panels, chosen)
        return f"written to {folder}; what was there is not usable: {error.message}\n{page}"
    found = succession.compare(old, new, panels, chosen.held_out, chosen.calendar)
    if found is None:
        return f"written to {folder}\n{_written(folder, onnx, new, panels, chosen)}"
    days = f"the same {found.days} held-out days" if found.days > 1 else "the same held-out day"
    name = f"{old.card.name} of {folder}" if there else "the starter model"
    seen = "" if found.unseen else f", which {name} may have learned from"
    losses = f"on {days}{seen}: loss {found.new:.4g}, {name} {found.old:.4g}"
    if there and found.keeps_old:
        return f"kept {folder}, which is better {losses}; to have the new one, name another folder: --model"
    page = _written(folder, onnx, new, panels, chosen)
    return f"written to {folder}; {'worse' if found.keeps_old else 'better'} {losses}\n{page}"


def _written(
    folder: Path, onnx: bytes, model: Model, panels: list[Panel], chosen: training.TrainSettings
) -> str:
    """Write a model with its page; say where the page is, or why there is none.

    The page decides nothing, so whatever is wrong with it loses no model.
    """
    from aiops.detect import examples, held_out
    from aiops.edges import model_store
    from aiops.page import model_card

    page, said = None, ""
    try:
        _, days = examples.split(panels, chosen.held_out)
        found = held_out.judge(model, days, chosen.calendar)
        page = model_card.render(model.card, found, [one for panel in panels for one in panel.workloads])
    except Exception as error:  # noqa: BLE001 - whatever it is, the model is trained and is kept
        said = f"its page could not be drawn: {type(error).__name__}: {error}"
    model_store.save(folder, onnx, model.card, page)
    return said or f"see whether it learned anything: {folder / model_store.PAGE}"


def _described(card: Card) -> str:
    """Say what was learned from and whether it beats the same minute of the day before."""
    data, metrics = card.data, card.metrics
    ratio = metrics.mae / metrics.mae_seasonal_naive if metrics.mae_seasonal_naive else float("nan")
    verdict = "beats" if metrics.beats_seasonal_naive else "does NOT beat"
    start, end = (utc(int(str(data[key]))) for key in ("from_s", "to_s"))
    return (
        f"model {card.name}: {data['workloads']} workloads, {start} to {end}; "
        f"{100 * float(str(data['flagged_share'])):.2g} % of the samples looked like incidents: left out\n"
        f"on held-out days it {verdict} seasonal-naive: "
        f"absolute error {metrics.mae:.4g} against {metrics.mae_seasonal_naive:.4g} (x{ratio:.2f})"
    )
