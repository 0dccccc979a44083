"""Run the demo's story with many seeds and compare the decisions: `make bench-seeds SEEDS=20`.

Each seed is other noise, other magnitudes, the same story. Prints one line a seed and ends with 1
when two seeds decide differently.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from aiops import connect, pipeline
from aiops.commands import demo
from aiops.config_file import load
from aiops.domain import Hold
from aiops.job import Result


def story(seed: int) -> Result:
    """Return what one run decides on the demo's files of one seed."""
    with tempfile.TemporaryDirectory() as folder:
        now_s = demo.build(Path(folder), seed, lambda _: None).end_s
        config = load(Path(folder) / "aiops.yaml")
        return pipeline.run_once(
            connect.job(config, []),
            connect.metrics(config, 300),
            connect.repository(config),
            connect.forge(config, dry_run=True),
            now_s,
            lambda _: None,
        )


def decisions(found: Result) -> dict[str, str]:
    """Workload -> `action field from -> to (scorer)` of everything that is not a hold."""
    return {
        item.workload.name: f"{item.decision.action} {item.decision.field} "
        f"{item.decision.old} -> {item.decision.new} ({item.incident.scorer})"
        for item in found.plan.items
        if not isinstance(item.decision, Hold)
    }


def decided(found: Result) -> tuple[tuple[str, str, str, str], ...]:
    """Return (workload, action, field, scorer) of everything that is not a hold, in order of names."""
    return tuple(
        sorted(
            (item.workload.name, item.decision.action, item.decision.field, item.incident.scorer)
            for item in found.plan.items
            if not isinstance(item.decision, Hold)
        )
    )


def main(count: int) -> int:
    """Print all seeds; return 0 when workload, action, field and scorer agree everywhere."""
    shapes: Counter[tuple[tuple[str, str, str, str], ...]] = Counter()
    for seed in range(count):
        started = time.monotonic()
        found = story(seed)
        acted = decisions(found)
        verdicts = Counter(incident.verdict.value for incident in found.incidents)
        took_s = time.monotonic() - started
        print(f"seed {seed:>3}  {took_s:4.1f} s  {acted}  {dict(sorted(verdicts.items()))}", flush=True)
        shapes[decided(found)] += 1
    print(f"{count} seeds, {len(shapes)} different sets of decisions")
    for shape, seen in shapes.most_common():
        print(f"  {seen} x {shape}")
    return 0 if len(shapes) == 1 else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 20))
