"""The labelled series of a folder with a manifest, as `shared/datasets.md` describes it.

Read by two programs: the benchmark itself, and the peers in their own environment. So numpy and
pandas only, nothing of aiops.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COLLECTIONS = ("nab", "asd", "smd", "wsd")  # cheap ones first


@dataclass(frozen=True, slots=True)
class Series:
    """One file. `group`: what the bootstrap draws as one; `kpi`: near-copies share it, or ""."""

    collection: str
    name: str
    path: Path
    group: str
    kpi: str
    train_len: int
    step_s: int

    def values(self) -> NDArray[np.float64]:
        """Return all rows [R, C], NaN = missing."""
        frame = pd.read_csv(self.path)
        return frame.drop(columns=["timestamp", "label"]).to_numpy(dtype=float)

    def label(self) -> NDArray[np.float64]:
        """Return the label of all rows [R]; only measures may look at it."""
        return pd.read_csv(self.path, usecols=["label"])["label"].to_numpy(dtype=float)


def manifest(folder: Path, wsd: str = "one") -> list[Series]:
    """Return the series of manifest.csv; `wsd`: "one" slice of each KPI, the first, or "all".

    NAB is drawn by its domain and WSD by the family of its KPIs, because their series are alike;
    the servers of SMD and ASD stand alone.
    """
    frame = pd.read_csv(folder / "manifest.csv", keep_default_na=False)
    found = []
    for row in frame.to_dict("records"):
        group = {"nab": row["domain"], "wsd": row["family"]}.get(row["collection"], row["series"])
        path = folder / row["file"]
        step, history = int(row["interval_s"]), int(row["train_len"])
        found.append(Series(row["collection"], row["series"], path, group, row["kpi"], history, step))
    if wsd == "one":
        first: dict[str, str] = {}
        for one in found:
            first.setdefault(one.kpi, one.name)
        found = [one for one in found if not one.kpi or first[one.kpi] == one.name]
    order = {name: place for place, name in enumerate(COLLECTIONS)}
    return sorted(found, key=lambda one: order.get(one.collection, len(order)))
