"""`make bench-where`: how long `aiops where` takes on a generated monorepo, and in how much memory.

Every number is of a fresh process of the command line, imports included, on a bare git repository
that was just written: wall time, processor time of it and its git processes, and its peak memory; the
best of three runs. Modules are compiled once before, as pip does when it installs them. Verdicts are
on processor time, which is the wall time of a machine that has nothing else to do; the wall time and
the load say what it was here.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from bench.where import monorepo

SIZES = (1_250, 2_500, 5_000, 10_000)
TARGET_SIZE = 5_000
COMMITS = 10_000
RUNS = 3
AIOPS = "from aiops.cli import main; raise SystemExit(main())"
_COMPILED = tempfile.TemporaryDirectory(prefix="bench-where-")
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
    "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
    "PYTHONPYCACHEPREFIX": _COMPILED.name,
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took. `peak_mb`: of the process itself."""

    wall_s: float
    cpu_s: float
    peak_mb: float
    output: bytes


def measure(*arguments: str) -> Cost:
    """Run the command line in a fresh process, the best of a few times."""
    return min((_once(*arguments) for _ in range(RUNS)), key=lambda one: one.cpu_s)


def _once(*arguments: str) -> Cost:
    began = time.monotonic()
    with tempfile.TemporaryFile() as output, tempfile.TemporaryDirectory() as empty:
        process = subprocess.Popen(
            [sys.executable, "-c", AIOPS, *arguments],
            stdout=output,
            stderr=subprocess.DEVNULL,
            cwd=empty,
            env=ENVIRONMENT,
        )
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - began
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise SystemExit(f"aiops {' '.join(arguments)} ended with {process.returncode}")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024, text)


def main() -> int:
    """Print the figures and the verdicts. Returns 1 when a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=SIZES, help="manifests")
    sizes = parser.parse_args().sizes
    ones, alls = {}, {}
    print("              workloads  one: wall s  CPU s    MB   all: wall s  CPU s    MB")
    with tempfile.TemporaryDirectory() as name:
        for size in sizes:
            folder = Path(name) / f"{size}.git"
            target = monorepo.write(folder, size)
            one = ones[size] = measure("where", target, "--repo", str(folder))
            every = alls[size] = measure("where", "--repo", str(folder), "--format", "json")
            found = json.loads(every.output)["workloads"]
            if len(found) != size // monorepo.PER_SERVICE:
                raise SystemExit(f"expected {size // monorepo.PER_SERVICE} workloads, found {len(found)}")
            refused = [
                f for each in found for f in each["fields"] if f["refusal"] and "owned by" not in f["refusal"]
            ]
            if refused:
                raise SystemExit(f"{len(refused)} fields refused, as {refused[0]['refusal']}")
            costs = "  ".join(f"{c.wall_s:>11.2f} {c.cpu_s:>6.2f} {c.peak_mb:>5.0f}" for c in (one, every))
            print(f"{size:>6,} manifests {len(found):>6,}  {costs}", flush=True)
        past = _history(Path(name) / "history.git")
    return _verdicts(ones, alls, past)


def _history(folder: Path) -> Cost:
    target = monorepo.write(folder, TARGET_SIZE, COMMITS)
    return measure("where", target, "--repo", str(folder))


def _verdicts(ones: dict[int, Cost], alls: dict[int, Cost], past: Cost) -> int:
    low, high = min(alls), max(alls)
    size = TARGET_SIZE if TARGET_SIZE in ones else high
    growth = (alls[high].cpu_s / alls[low].cpu_s) / (high / low)
    rows = [
        (f"one workload of {size:,} manifests, cold, CPU s", ones[size].cpu_s, 3.0),
        (f"the same beside {COMMITS:,} commits, CPU s", past.cpu_s, 3.0),
        (f"all {size // monorepo.PER_SERVICE:,} workloads in one run, CPU s", alls[size].cpu_s, 10.0),
        ("peak memory of it, MB", alls[size].peak_mb, 300.0),
        (f"growth of CPU from {low:,} to {high:,} manifests, 1 = linear", growth, 1.1),
    ]
    print(f"\nload {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors")
    for what, found, target in rows:
        print(f"{what:<62} {found:>8.2f}   target <= {target:g}   {'met' if found <= target else 'MISSED'}")
    return int(any(found > target for _, found, target in rows))


if __name__ == "__main__":
    sys.exit(main())
