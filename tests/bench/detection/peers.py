"""Score the series of a folder by every peer and keep the scores; run by the peers' own Python.

    [PAANO=checkout] python -m bench.detection.peers DIR CACHE [WSD]

One .npy of all rows for each method and series. Its name holds a digest of the method's source and
of the file, so that a changed method or series is scored again and nothing else is.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from bench.detection import learned, paano, rules
from bench.detection.series import Series, manifest

Method = Callable[..., np.ndarray]

# Cheap ones first. The names are what the table prints.
METHODS: dict[str, Method] = {
    "seasonal-naive": rules.seasonal_naive,
    "PromQL bands": rules.promql_bands,
    "IForest, rows": learned.forest_rows,
    "IForest, windows": learned.forest_windows,
    "left profile": learned.left_profile,
    "PCA, windows": learned.pca_windows,
    "CNN": learned.cnn,
    "LSTMAD": learned.lstmad,
    paano.NAME: paano.score,
}


def kept(cache: Path, name: str, one: Series) -> Path:
    """Return where the scores of a method and a series are kept."""
    digest = hashlib.sha256(inspect.getsource(METHODS[name]).encode())
    digest.update(one.path.read_bytes())
    digest.update(str((one.train_len, one.step_s)).encode())
    folder = "".join(letter if letter.isalnum() else "-" for letter in name)
    return cache / folder / f"{one.collection}-{one.name}-{digest.hexdigest()[:12]}.npy"


def sampled(name: str, series: Sequence[Series]) -> list[Series]:
    """Return the series that a method is run on: all, or the sample of the slow one."""
    return [one for one in series if name != paano.NAME or one.name in paano.SAMPLE]


def score(name: str, one: Series, at: Path) -> str:
    """Score one series and keep it; return "" or what went wrong."""
    try:
        values = one.values()
        started = time.monotonic()
        found = METHODS[name](values, one.train_len, one.step_s)
        took_s = time.monotonic() - started
    except Exception:  # noqa: BLE001 - a peer that fails is a result of the table
        return traceback.format_exc(limit=-1).splitlines()[-1]
    # TSB-AD returns some of its errors as a text.
    if not isinstance(found, np.ndarray) or found.shape != (len(values),):
        return f"expected {len(values)} scores, found {str(found)[:80]!r}"
    if not np.isfinite(found).any():
        return "no score is finite"
    at.parent.mkdir(parents=True, exist_ok=True)
    partial = at.with_suffix(".part")
    with partial.open("wb") as file:
        np.save(file, found.astype(np.float32))
    partial.replace(at)
    at.with_suffix(".json").write_text(json.dumps({"seconds": round(took_s, 2)}), encoding="utf-8")
    return ""


def main(folder: Path, cache: Path, wsd: str) -> int:
    """Score what is missing; failures go to failed.json, which the table reads."""
    failed: dict[str, str] = {}
    series = manifest(folder, wsd)
    todo = [(name, one, kept(cache, name, one)) for name in METHODS for one in sampled(name, series)]
    if not os.environ.get("PAANO"):
        todo = [item for item in todo if item[0] != paano.NAME]
    todo = [item for item in todo if not item[2].exists()]
    for number, (name, one, at) in enumerate(todo, start=1):
        print(f"{number}/{len(todo)} {name}: {one.name[:50]}", file=sys.stderr, flush=True)
        problem = score(name, one, at)
        if problem:
            failed[f"{name}/{one.collection}/{one.name}"] = problem
            print(f"  failed: {problem}", file=sys.stderr, flush=True)
    cache.mkdir(parents=True, exist_ok=True)
    (cache / "failed.json").write_text(json.dumps(failed, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "one"))
