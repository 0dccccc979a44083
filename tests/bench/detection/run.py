"""Detection quality beside its peers, from the past alone: `make bench-detection DIR=folder`.

WSD=one|all    one slice of each web-service KPI, or all
SEEDS=3        training runs of ours on each collection's history; 0 = none
MODELS=a:b     model folders of ours; default models/starter
PAANO=folder   a checkout of jinnnju/PaAno: run it on a sample of NAB
Peers' scores are kept in .cache/bench, and reused while method and series are the same.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import real
from bench.detection import learned, measures, ours, paano, peers, report
from bench.detection.series import Series, manifest
from detect import tables
from numpy.typing import NDArray

from aiops.edges import model_store
from aiops.errors import AiopsError

CACHE = real.CHECKOUT / ".cache" / "bench"
PEERS_PYTHON = real.CHECKOUT / ".cache" / "peers" / "bin" / "python"
ASIDE = (
    "VUS-PR, AUC-PR and F1: mean over series. Recall, delay (st = steps; minutes) and false events: pooled.",
    "on: share of the unlabelled rows inside of events; recall says nothing where it is large.",
    "A peer's default threshold is what 99.9 % of its history kept; PromQL bands have their own.",
)
_WITH_EDGE = {"PromQL bands"}  # peers whose 1.0 is a threshold of their own


def score_peers(folder: Path, wsd: str) -> float:
    """Score what the cache lacks, in the peers' environment; return the seconds it took."""
    started = time.monotonic()
    if not PEERS_PYTHON.exists():
        print(f"peers: no {PEERS_PYTHON}, only what is kept is shown", file=sys.stderr)
        return 0.0
    alone = {"OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1", "PYTHONPATH": str(real.CHECKOUT / "tests")}
    command = [str(PEERS_PYTHON), "-W", "ignore", "-m", "bench.detection.peers", str(folder), str(CACHE), wsd]
    subprocess.run(command, check=True, env={**os.environ, **alone})
    return time.monotonic() - started


def peer_columns(series: list[Series], started: float) -> tuple[list[report.Column], list[str]]:
    """Return what is kept of each peer on a collection, and a line for each that is missing.

    `started`: unix s; scores that are older are marked as reused.
    """
    columns, missing = [], []
    for name in peers.METHODS:
        if name == paano.NAME:
            continue
        files = [peers.kept(CACHE, name, one) for one in series]
        scores = [np.load(file).astype(float) if file.exists() else None for file in files]
        found = [file for file in files if file.exists()]
        if not found:
            missing.append(f"{name:34} -  not run")
            continue
        old = sum(file.stat().st_mtime < started for file in found)
        capped = name == "LSTMAD" and any(one.train_len > learned.LONG_HISTORY for one in series)
        took = sum(json.loads(file.with_suffix(".json").read_text())["seconds"] for file in found)
        note = f"{took:.0f} s" + (f", {old} reused" if old else "")
        note += f", {learned.FEW_EPOCHS} epochs at most" if capped else ""
        columns.append(report.Column(name, scores, ours=False, own_edge=name in _WITH_EDGE, note=note))
    return columns, missing


def sample_line(series: list[Series], rows: list[report.Measured]) -> str:
    """Return PaAno's mean VUS-PR on its sample, and everybody's on the same series."""
    place = {one.name: number for number, one in enumerate(series)}
    found = []
    for one in peers.sampled(paano.NAME, series):
        file = peers.kept(CACHE, paano.NAME, one)
        if file.exists():
            part = measures.judged(np.load(file), one.label(), one.train_len, one.step_s)
            window = measures.buffer_steps(one.values()[: one.train_len, 0])
            found.append((place[one.name], measures.ranking(part, window).vus_pr))
    if not found:
        return f"{paano.NAME:34} -  not run: name a checkout with PAANO=, or no series of its sample is here"
    at = [number for number, _ in found]
    rest = ", ".join(f"{row.column.name.split('@')[0]} {np.nanmean(row.vus[at]):.3f}" for row in rows)
    return f"  VUS-PR on {len(at)} series: {paano.NAME} {np.nanmean([vus for _, vus in found]):.3f}, {rest}"


def our_columns(series: list[Series], folders: list[Path]) -> list[report.Column]:
    """Return one column for each model that never saw the collection."""
    columns = []
    for folder in folders:
        model = model_store.load(folder)
        started = time.monotonic()
        scores = [ours.score(one, model) for one in series]
        note = f"{time.monotonic() - started:.0f} s"
        columns.append(report.Column(f"ours, {model.id}", scores, ours=True, own_edge=True, note=note))
    return columns


def our_trained(series: list[Series], seeds: int) -> tuple[list[report.Column], list[str]]:
    """Return one column for each training run on the history of the collection, or why there is none."""
    columns = []
    for seed in range(seeds):
        started = time.monotonic()
        try:
            model = ours.train(series, seed)
        except AiopsError as error:
            return [], [f"{'ours, trained on its history':34} -  {error}"]
        trained = time.monotonic() - started
        scores = [ours.score(one, model) for one in series]
        name = f"ours, trained on its history #{seed}"
        note = f"trained in {trained:.0f} s"
        columns.append(report.Column(name, scores, ours=True, own_edge=True, note=note))
    return columns, []


def show(collection: str, series: list[Series], columns: list[report.Column], missing: list[str]) -> None:
    """Measure and print one collection."""
    labels: list[NDArray[np.float64]] = [one.label() for one in series]
    rows = [report.measured(column, series, labels) for column in columns]
    print("\n" + report.text(collection, rows, series, missing), flush=True)
    print(sample_line(series, rows))
    runs = [row.vus for row in rows if "#" in row.column.name]
    if len(runs) > 1:
        means = [float(np.nanmean(run)) for run in runs]
        print(f"  trained on its history, {len(runs)} seeds: VUS-PR {np.mean(means):.3f}, "
              f"from {min(means):.3f} to {max(means):.3f}")  # fmt: skip


def leaks(series: list[Series], folder: Path) -> bool:
    """Print whether cutting off the future changes a score of ours, on the first table of each collection."""
    model = model_store.load(folder)
    first = {one.collection: one for one in reversed(series)}
    found = {name: tables.problem(one.path, model, Counter()) for name, one in first.items()}
    for name, problem in found.items():
        print(f"leakage, {name}: {problem or 'none at 3 cuts, bit for bit'}")
    return any(found.values())


def main(folder: Path) -> int:
    """Print the tables; return 1 when a score of ours changes with the future."""
    wsd, seeds = os.environ.get("WSD") or "one", int(os.environ.get("SEEDS") or 3)
    named = os.environ.get("MODELS")
    models = [Path(name) for name in named.split(":")] if named else [real.CHECKOUT / "models" / "starter"]
    started = time.time()
    series = manifest(folder, wsd)
    took_s = score_peers(folder, wsd)
    print(f"detection, rows after the history, past only; WSD={wsd}; peers ran for {took_s:.0f} s")
    print("\n".join(ASIDE))
    for collection in dict.fromkeys(one.collection for one in series):
        part = [one for one in series if one.collection == collection]
        theirs, missing = peer_columns(part, started)
        trained, reasons = our_trained(part, seeds)
        show(collection, part, [*our_columns(part, models), *trained, *theirs], [*reasons, *missing])
    print()
    return int(leaks(series, models[0]))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
