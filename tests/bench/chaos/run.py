"""Print what `make chaos` found: trials and faults by kind. 1 when anything is wrong."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from bench.chaos import campaign
from bench.chaos.world import World
from edges import github_double
from edges.github_double import Double


def main() -> int:
    """Run the campaign."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    table = {kind: Counter[str]() for kind in campaign.KINDS}
    begin = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        github_double.running(Double(folder=Path(folder) / "gitops.git")) as double,
        campaign.deadly(),
    ):
        world = World(double)
        places = campaign.calls(world)
        for trial in campaign.trials(given.count, places, given.seed):
            found = campaign.play(world, trial)
            table[trial.kind].update({"trials": 1, **found})
            wrong = {name: count for name, count in found.items() if count}
            if wrong:
                print(f"{trial}: {wrong}", file=sys.stderr)
    print(f"{places} calls in an undisturbed run; {time.monotonic() - begin:.0f} s\n")
    columns = ("trials", *campaign.FAULTS, campaign.SAID_TWICE)
    print(f"| killed | {' | '.join(columns)} |")
    print("|---|" + "---|" * len(columns))
    for kind, counts in table.items():
        print(
            f"| {kind} | {counts['trials']} | " + " | ".join(str(counts[name]) for name in columns[1:]) + " |"
        )
    failed = [counts[name] for counts in table.values() for name in campaign.FAULTS]
    failed += [counts[campaign.SAID_TWICE] for kind, counts in table.items() if kind != campaign.MANY]
    return int(any(failed))


if __name__ == "__main__":
    sys.exit(main())
