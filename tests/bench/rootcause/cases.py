"""The real cases: what was measured around a fault, who calls whom, and which workload was at fault.

Each case is laid on one time line: the fault-free rows, then the rows of the case. Of Nezha the
fault-free rows of the same day that came later are moved to the day before, so that nothing judged
reads past its own time and the first fault of a day has a history too. Of PetShop they are another
recording; its clock is moved to end where the case begins.
"""

from __future__ import annotations

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aiops.domain import FloatArray, TimesArray
from aiops.edges import table

_DAY_S = 86_400


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One fault. `values`: [T, C]; rows from `first` on are the rows of the case.

    `columns`: (workload, metric) each. `calls`: (caller, callee) between workloads. `root`,
    `fault`, `action`: what the data set says; only the tables read them.
    """

    system: str
    name: str
    times: TimesArray
    step_s: int
    columns: tuple[tuple[str, str], ...]
    values: FloatArray
    first: int
    calls: tuple[tuple[str, str], ...]
    fault_s: int
    root: str
    fault: str
    action: str

    @property
    def workloads(self) -> tuple[str, ...]:
        """The workloads that have a column, sorted."""
        return tuple(sorted({workload for workload, _ in self.columns}))


def load(folder: Path) -> Iterator[Case]:
    """Yield the cases of `cases.csv`, in its order."""
    with (folder / "cases.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        yield _case(folder, row)


def _case(folder: Path, row: dict[str, str]) -> Case:
    healthy, faulty = table.read(folder / row["normal_file"]), table.read(folder / row["file"])
    begin, step = int(faulty.times[0]), int(row["interval_s"])
    normal = healthy.times
    if normal[0] < begin + _DAY_S and normal[-1] > begin - _DAY_S:  # recorded around the case
        moved = np.where(normal > begin, normal - _DAY_S, normal)
    else:
        moved = normal - normal[-1] + begin - step
    order = np.argsort(moved, kind="stable")
    # What is said of the whole system at its entry belongs to no workload.
    keep = [at for at, name in enumerate(healthy.columns) if not name.startswith("frontend_slo|")]
    names = [healthy.columns[at] for at in keep]
    same = [faulty.columns.index(name) for name in names]
    pairs = (name.rsplit("|", 1) for name in names)
    return Case(
        system=row["collection"],
        name=row["case"],
        times=np.concatenate([moved[order], faulty.times]),
        step_s=step,
        columns=tuple((workload, metric) for workload, metric in pairs),
        values=np.concatenate([healthy.values[order][:, keep], faulty.values[:, same]]),
        first=len(order),
        calls=_calls(folder, row, {name.rsplit("|", 1)[0] for name in names}),
        fault_s=int(row["fault_start"]),
        root=row["root_cause"],
        fault=row["fault"],
        action=row["action"],
    )


def _calls(folder: Path, row: dict[str, str], known: set[str]) -> tuple[tuple[str, str], ...]:
    """Return who calls whom; rows that name a host or an outsider are not calls between workloads."""
    home = Path(row["normal_file"])
    path = folder / home.with_name(home.name.replace("normal", "graph"))
    with gzip.open(path, "rt", newline="") as file:
        pairs = [(call["caller"], call["callee"]) for call in csv.DictReader(file)]
    return tuple((caller, callee) for caller, callee in pairs if caller in known and callee in known)
