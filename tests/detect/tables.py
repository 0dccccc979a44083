"""Score every table of a folder and cut the future off: `make bench-score DIR=../shared/data/detection`.

For each .csv.gz: every row after the history has a finite score unless every signal is missing,
and scoring only the rows up to a cut gives the same scores, bit for bit, at three cuts. The data
is for development and is not part of this repository. Ends with 1 when a table fails.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import real

from aiops.detect import wide
from aiops.detect.model import Model
from aiops.edges import model_store, table
from aiops.errors import AiopsError

CUTS = (0.35, 0.62, 0.9)  # shares of the rows, all after the default history of one fifth


def problem(path: Path, model: Model | None, scorers: Counter[str]) -> str:
    """Return what is wrong with the scores of one table; "" when nothing is."""
    try:
        given = table.read(path)
        whole = wide.score_table(given, None, model)
    except AiopsError as error:
        return f"refused: {error}"
    scorers[whole.scorer] += 1
    judged = np.isfinite(given.values).any(axis=1)
    judged[: whole.train_rows] = False
    if not np.isfinite(whole.score[judged]).all():
        return "a judged row has no score"
    for share in CUTS:
        rows = int(len(given.times) * share)
        past = wide.Table(given.timestamps[:rows], given.times[:rows], given.columns, given.values[:rows])
        cut = wide.score_table(past, whole.train_rows, model)
        same = np.array_equal(cut.score, whole.score[:rows], equal_nan=True)
        if not same or not np.array_equal(cut.columns, whole.columns[:rows], equal_nan=True):
            return f"the scores change when the rows after {rows} are cut off"
    return ""


def main(folder: Path) -> int:
    """Print one line for each table that fails and the counts; return 0 when none does."""
    model = model_store.load(real.CHECKOUT / "models" / "starter")
    paths = sorted(path for path in folder.rglob("*.csv.gz") if ".causes." not in path.name)
    scorers: Counter[str] = Counter()
    failed, started = 0, time.monotonic()
    for number, path in enumerate(paths, start=1):
        print(f"\r{number}/{len(paths)} {path.name[:60]:<60}", end="", file=sys.stderr, flush=True)
        found = problem(path, model, scorers)
        if found:
            failed += 1
            print(f"{path.name}: {found}")
    print(file=sys.stderr)
    took_s = time.monotonic() - started
    by, cuts = dict(scorers), len(CUTS)
    print(f"{len(paths)} tables, {failed} failed, scored by {by}, {cuts} cuts each, {took_s:.0f} s")
    return 1 if failed or not paths else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
