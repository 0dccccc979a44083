"""Root causes of real faults, from our own onset: `make bench-rootcause DIR=folder`.

DIR holds cases.csv. Ours ranks from its own onset; the peers are told the window of the fault, and
run once more from our onset. Ranking only: the data has no deploy events.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import real
from bench.rootcause import actions, cases, ours, peers, tables
from bench.rootcause.cases import Case
from bench.rootcause.tables import Answer

from aiops.edges import model_store


def _answer(case: Case, names: Iterable[str]) -> Answer:
    return Answer(case.system, case.fault, case.action, case.root, tuple(names))


def told(case: Case) -> int:
    """Return the first row of the fault: the step that ends after it began."""
    return int(np.searchsorted(case.times, case.fault_s))


def main() -> None:
    """Judge every case and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--model", type=Path, default=real.CHECKOUT / "models" / "starter")
    given = parser.parse_args()
    model = model_store.load(given.model)
    methods: dict[str, list[Answer]] = defaultdict(list)
    names, found, proposed, start, systems, before = [], [], [], [], [], []
    for case in cases.load(given.folder):
        scored = ours.scores(case, model)
        said = ours.answer(case, scored)
        window, onset = told(case), said.onset
        methods["ours, own onset"].append(_answer(case, said.ranked))
        methods["ours, surer than calm moments"].append(_answer(case, said.named))
        blamed = ours.names(case, ours.ranked(case, window))
        methods["ours, told the window"].append(_answer(case, blamed))
        for name, peer in (("N-sigma", peers.n_sigma), ("BARO's scorer", peers.robust)):
            methods[f"{name}, told the window"].append(_answer(case, peer(case, window)))
            methods[f"{name}, our onset"].append(
                _answer(case, peer(case, onset) if onset is not None else ())
            )
        proposed.append(actions.proposed(case, said, ours.firing(case, scored)))
        names.append(case.name)
        found.append(onset)
        start.append(window)
        systems.append(case.system)
        before.append(ours.open_before(case, scored))
        if sys.stderr.isatty():
            print(f"\r{len(names)} cases", end="", file=sys.stderr, flush=True)
    judged = methods["ours, own onset"]
    _print("Which workload is at fault; unknown counts as wrong", tables.accuracy(methods))
    _print(
        "Our onset, in steps after the first step of the fault", tables.onsets(systems, found, start, before)
    )
    _print("Cases with a proposal, by the right answer", tables.actions(judged, proposed))
    _print("Not named first: case, fault, root: what was said", tables.misses(names, judged))


def _print(title: str, lines: Iterable[str]) -> None:
    print(f"\n{title}")
    for line in lines:
        print(f"  {line}")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
