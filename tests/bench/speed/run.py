"""How fast, beside its peers and what the machine could do: `make bench-speed`.

    python run.py PEERS_PYTHON [--workloads 1000] [--rounds 3] [--shards 200]

Everything that is compared runs in the same round, one after the other, and the median round
counts. Seconds are CPU seconds, user and system, children included: on a machine that others use,
the wall clock measures them. The wall clock stands beside it; with a neighbour only it counts.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.speed import floor, ours, series, whole
from bench.speed.table import Row, growth, rate, ratio, text

from aiops.detect import lstm
from aiops.detect.bands import Batch
from aiops.detect.model import BLOCK_ROWS, Model
from aiops.detect.settings import DAY_S
from aiops.edges import model_store

SHARD = 5_000  # series: what one turn of a process holds


class Peers:
    """The process of the peers: trained on the first half of a few series."""

    def __init__(self, python: str, values: np.ndarray, folder: Path) -> None:
        np.save(folder / "series.npy", values)
        command = [python, str(Path(__file__).with_name("peers.py")), str(folder / "series.npy")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.names: list[str] = self._answer()

    def _answer(self) -> list:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the process of the peers ended")
        return list(json.loads(line))

    def score(self, name: str) -> tuple[int, float]:
        """Return how many points one peer scored, and the CPU seconds it took."""
        assert self._process.stdin is not None
        self._process.stdin.write(name + "\n")
        self._process.stdin.flush()
        points, seconds = self._answer()
        return points, seconds

    def close(self) -> None:
        """End it."""
        self._process.communicate()


def against_peers(python: str, folder: Path, model: Model, rounds: int) -> list[Row]:
    """Score a week after a week of history: points of that week a second, one thread each."""
    fleet, one = series.weeks(32 * series.SIGNALS), series.weeks(series.SIGNALS)
    peers = Peers(python, fleet.values[:2], folder)
    took: dict[str, list[float]] = {name: [] for name in ("fleet", "one", *peers.names)}
    points = {"fleet": len(fleet.values) * fleet.fit_steps, "one": len(one.values) * one.fit_steps}
    for _ in range(rounds):
        for name in peers.names:
            points[name], seconds = peers.score(name)
            took[name].append(seconds)
        took["fleet"].append(ours.one_pass(fleet, model))
        took["one"].append(ours.one_pass(one, model))
    peers.close()
    rows = [
        Row("aiops, 32 workloads x 8 signals", rate(points["fleet"], took["fleet"]), "points/s"),
        Row("aiops, 1 workload x 8 signals", rate(points["one"], took["one"]), "points/s"),
    ]
    for name in peers.names:
        faster = ratio(took[name], took["fleet"]) * points["fleet"] / points[name]
        rows.append(Row(name, rate(points[name], took[name]), "points/s"))
        rows.append(Row(f"  aiops (32 x 8) beside {name}", faster, "x", 100, at_most=False))
    return rows


def against_floor(batch: Batch, model: Model, rounds: int) -> list[Row]:
    """Time a pass, its network alone, and the network's matrix products alone."""
    products = floor.products(ours.STARTER / "model.onnx", BLOCK_ROWS, lstm.BLOCK)
    passes, network, least = [], [], []
    for _ in range(rounds):
        whole_s, inside_s, calls = ours.phases(batch, model)
        passes.append(whole_s)
        network.append(inside_s)
        least.append(floor.seconds(products, calls))
    gflops = floor.flops(products) * calls / float(np.median(least)) / 1e9
    return [
        Row(
            "scoring phase / its matrix products", ratio(passes, least), "x", 2, note=f"{gflops:.0f} GFLOP/s"
        ),
        Row("  the network in ONNX Runtime alone", ratio(network, least), "x"),
    ]


def whole_process(folder: Path, workloads: int, rounds: int) -> list[Row]:
    """Time `aiops run --plan` as a scheduled job runs it, on a recording."""
    whole.build(folder, workloads, 12)
    cold = [whole.cold(folder)]
    warm = [whole.warm(folder) for _ in range(rounds)]
    if not whole.same_plan(folder):
        raise SystemExit("law 8: the warm run wrote another plan than the cold one")
    size = f"{workloads * series.SIGNALS:,} series x 12 points"

    def row(what: str, of: whole.Took, target: float | None) -> Row:
        note = (
            f"(wall {of.whole:.1f} s: reading {of.reading:.1f}, scoring {of.scoring:.1f},"
            f" rest {of.rest:.1f}; {of.gigabytes:.2f} GB)"
        )
        return Row(what, of.cpu, "s", target, note=note)

    return [
        row(f"{size}, warm cache, whole process", whole.median(warm), 0.6),
        row("  the same without a cache", whole.median(cold), None),
    ]


def at_scale(shards: int) -> list[Row]:
    """Time runs that go on with 1 new point: what one process takes for 10^4 series and for all."""
    counts = sorted({max(1, shards // 100), max(1, shards // 10), shards})
    found = ours.in_a_process(SHARD, 1, counts)
    note = f"(wall {found['wall'][-1]:.0f} s; without fetching)"
    size = f"{SHARD * shards:,} series x 1 point"
    sizes = [SHARD * count for count in counts]
    return [
        Row(f"{size}, one thread, warm cache", found["cpu"][-1], "s", 10, note=note),
        Row("  memory at most", found["gigabytes"][0], "GB", 1, note=f"(in turns of {SHARD:,})"),
        Row(f"  growth exponent from {sizes[0]:,} series on", growth(sizes, found["cpu"]), "", 1),
    ]


def with_neighbour(batch: Batch, model: Model, rounds: int) -> list[Row]:
    """Compare the wall clock of a pass while a neighbour keeps one core busy with that without."""
    alone, beside = [], []
    for _ in range(rounds):
        for into in (alone, beside):
            if into is beside:
                with ours.neighbour():
                    into.append(_wall(batch, model))
            else:
                into.append(_wall(batch, model))
    return [Row("wall clock with one core taken", ratio(beside, alone), "x", 2)]


def _wall(batch: Batch, model: Model) -> float:
    start = time.perf_counter()
    ours.one_pass(batch, model)
    return time.perf_counter() - start


def main() -> None:
    """Measure and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("python", help="the Python of the peers' environment")
    parser.add_argument("--workloads", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--shards", type=int, default=200)
    given = parser.parse_args()
    model = model_store.load(ours.STARTER)
    some = series.batch(2 * BLOCK_ROWS, DAY_S // 2)
    rows: list[Row] = []
    parts = (
        ("peers", lambda folder: against_peers(given.python, folder, model, given.rounds)),
        ("floor", lambda _: against_floor(some, model, given.rounds)),
        ("neighbour", lambda _: with_neighbour(some, model, 2 * given.rounds + 1)),
        ("whole process", lambda folder: whole_process(folder, given.workloads, given.rounds)),
        ("scale", lambda _: at_scale(given.shards)),
    )
    for name, part in parts:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        with tempfile.TemporaryDirectory() as folder:
            found = part(Path(folder))
        # As it is known: an hour is long, and what breaks at its end must not take the rest along.
        print(text(name, found), file=sys.stderr, flush=True)
        rows += found
    print(text(f"{given.rounds} rounds, medians; CPU seconds of one thread unless it says wall", rows))


if __name__ == "__main__":
    main()
