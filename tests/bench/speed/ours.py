"""Our side: one pass from the anchor, its network alone, runs that go on, and a busy neighbour."""

from __future__ import annotations

import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bench.speed import series

from aiops.detect import bands, carried, lstm
from aiops.detect.bands import Batch
from aiops.detect.model import Model
from aiops.detect.settings import DAY_S, PACE_S, DetectSettings
from aiops.edges import carried_store, model_store

STARTER = Path(__file__).parents[3] / "models" / "starter"
HOLD = DetectSettings().hold_s // PACE_S


def names(batch: Batch) -> tuple[str, ...]:
    """Return a signal for each series."""
    return ("request_rate",) * len(batch.values)


def one_pass(batch: Batch, model: Model) -> float:
    """Return the CPU seconds from samples to scores, from the anchor on."""
    start = time.process_time()
    drawn = bands.guarded(lstm.bands(batch, model, names(batch), HOLD), batch.min_deviation)
    bands.scores(batch.values, drawn, batch.direction)
    return time.process_time() - start


class Timed:
    """A session that adds up what its calls take."""

    def __init__(self, model: Model) -> None:
        self._session = model.session
        self.seconds = 0.0
        self.calls = 0

    def run(self, outputs: list[str], feed: dict[str, object]) -> list[object]:
        """Run and count."""
        start = time.process_time()
        found: list[object] = self._session.run(outputs, feed)
        self.seconds += time.process_time() - start
        self.calls += 1
        return found


def phases(batch: Batch, model: Model) -> tuple[float, float, int]:
    """Return the seconds of one pass, those in ONNX Runtime, and its calls."""
    timed = Timed(model)
    whole = one_pass(batch, Model(model.card, timed))
    return whole, timed.seconds, timed.calls


def until(batch: Batch, judged_s: int) -> Batch:
    """Return what a run at that time after 00:00 UTC would have been given."""
    steps = batch.fit_steps + judged_s // batch.step_s
    week = None if batch.week_ago is None else batch.week_ago[:, : steps + series.AHEAD_S // batch.step_s]
    return dataclasses.replace(
        batch, values=batch.values[:, :steps], times=batch.times[:steps], week_ago=week
    )


def going_on(rows: int, new: int, shards: list[int]) -> dict[str, list[float]]:
    """Time the first so many shards of `rows` series x `new` points with a warm cache.

    Each shard reads its file, scores, and writes its file; the start of Python and the imports
    count, too. The shards hold the same numbers: only one is built, and building is not counted,
    though its memory is.
    """
    started = time.process_time()
    model = model_store.load(STARTER)
    now_s = DAY_S // 2 + PACE_S * new
    batch = series.batch(rows, now_s)
    first = until(batch, now_s - PACE_S * new)
    found: dict[str, list[float]] = {"cpu": [], "wall": []}
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "before", Path(folder) / "after"
        _, kept = carried.bands(first, model, names(first), HOLD, {})
        carried_store.write(before, [kept])
        del kept
        cpu, wall = time.process_time() - started, time.perf_counter()
        for done in range(1, max(shards) + 1):
            drawn, kept = carried.bands(batch, model, names(batch), HOLD, carried_store.read(before))
            bands.scores(batch.values, bands.guarded(drawn, batch.min_deviation), batch.direction)
            carried_store.write(after, [kept])
            del drawn, kept
            if done in shards:
                found["cpu"].append(time.process_time() - cpu)
                found["wall"].append(time.perf_counter() - wall)
    found["gigabytes"] = [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6]
    return found


def in_a_process(rows: int, new: int, shards: list[int]) -> dict[str, list[float]]:
    """Return the same of a process of its own, which has no other memory."""
    arguments = [sys.executable, __file__, json.dumps([rows, new, shards])]
    done = subprocess.run(arguments, check=True, capture_output=True, text=True)
    found: dict[str, list[float]] = json.loads(done.stdout)
    return found


@contextmanager
def neighbour() -> Iterator[None]:
    """Keep one core busy."""
    core = max(os.sched_getaffinity(0))
    code = f"import os; os.sched_setaffinity(0, {{{core}}})\nwhile True: pass"
    busy = subprocess.Popen([sys.executable, "-c", code])
    try:
        time.sleep(0.5)
        yield
    finally:
        busy.kill()
        busy.wait()


if __name__ == "__main__":
    print(json.dumps(going_on(*json.loads(sys.argv[1]))))
