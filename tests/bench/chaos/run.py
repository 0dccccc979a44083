"""`make chaos N=10000`: print the trials and what they found, by kind. 1 when anything is wrong.

Runs in parts of 500 trials; each is a line of `.cache/chaos.jsonl` with the fingerprint of the code, so
that a campaign may be stopped and goes on where it was, or be divided: N=5000 FROM=5000 is its second half.
A fifth as many trials again are runs in a storm, which keep one issue.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import real
from bench.chaos import campaign, cheap
from bench.chaos.storm import StormWorld
from bench.chaos.world import World
from edges import github_server
from edges.github_double import Double

PART = 500
IN_A_STORM = 5  # one trial in a storm for so many others
RECORD = real.CHECKOUT / ".cache" / "chaos.jsonl"
Found = dict[str, Counter[str]]  # kind of trial -> counts
STORM = ", in a storm"
KINDS = (*campaign.KINDS, *(f"{kind}{STORM}" for kind in campaign.KINDS))


def main() -> int:
    """Play what is missing of a campaign, print the sum of all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int)
    parser.add_argument("--first", type=int, default=0, help="number of the first trial")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    total: Found = {kind: Counter() for kind in KINDS}
    cpu_s = 0.0
    for first in range(asked.first, asked.first + asked.count, PART):
        size = min(PART, asked.first + asked.count - first)
        key = [fingerprint(), asked.seed, first, size]
        kept = _recorded(key) or _played(key)
        for kind, counts in kept["found"].items():
            total[kind].update(counts)
        cpu_s += kept["cpu_s"]
        print(f"trials {first}-{first + size - 1}: {kept['cpu_s']:.0f} s of CPU", file=sys.stderr, flush=True)
    print(f"{kept['calls']} calls in an undisturbed run; {cpu_s / 60:.1f} minutes of CPU\n")
    print(table(total))
    failed = [counts[name] for counts in total.values() for name in campaign.FAULTS]
    failed += [counts[campaign.SAID_TWICE] for kind, counts in total.items() if kind != campaign.MANY]
    failed += [total[f"{campaign.KINDS[0]}{STORM}"][campaign.TAKEN_BACK]]
    return int(any(failed))


def table(total: Found) -> str:
    """Return the counts as a table."""
    columns = ("trials", *campaign.FAULTS, campaign.SAID_TWICE, campaign.TAKEN_BACK)
    lines = [f"| killed | {' | '.join(columns)} |", "|---|" + "---|" * len(columns)]
    for kind, counts in total.items():
        lines.append(f"| {kind} | " + " | ".join(str(counts[name]) for name in columns) + " |")
    return "\n".join(lines)


def fingerprint() -> str:
    """Return what the result depends on: the program, the double and the campaign."""
    folders = (real.CHECKOUT / "aiops", Path(__file__).parent, real.CHECKOUT / "tests" / "edges")
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _played(key: list[object]) -> dict[str, object]:
    """Play one part and keep what was found."""
    _, seed, first, size = key
    found: Found = {kind: Counter() for kind in KINDS}
    begin = time.process_time()
    with tempfile.TemporaryDirectory() as folder, campaign.deadly(), cheap.remembered():
        with github_server.running(Double(folder=Path(folder) / "gitops.git"), described=False) as double:
            calls = _all(World(double), found, "", (first, first + size), seed)
        with github_server.running(Double(folder=Path(folder) / "storm.git"), described=False) as double:
            span = (first // IN_A_STORM, (first + size) // IN_A_STORM)
            _all(StormWorld(double), found, STORM, span, seed)
    kept = {"key": key, "calls": calls, "cpu_s": round(time.process_time() - begin, 1), "found": found}
    RECORD.parent.mkdir(exist_ok=True)
    with RECORD.open("a", encoding="utf-8") as file:
        file.write(json.dumps(kept) + "\n")
    return kept


def _all(world: campaign.AnyWorld, found: Found, suffix: str, span: tuple[int, int], seed: int) -> int:
    """Play the trials of a span in one world; return the calls of an undisturbed run."""
    calls = campaign.calls(world)
    for trial in itertools.islice(campaign.trials(span[1], calls, seed), span[0], None):
        seen = campaign.play(world, trial)
        found[f"{trial.kind}{suffix}"].update({"trials": 1, **seen})
        wrong = {name: count for name, count in seen.items() if count}
        if wrong:
            print(f"{trial}{suffix}: {wrong}", file=sys.stderr, flush=True)
    return calls


def _recorded(key: list[object]) -> dict[str, object] | None:
    if not RECORD.exists():
        return None
    lines = map(json.loads, RECORD.read_text(encoding="utf-8").splitlines())
    return next((kept for kept in lines if kept["key"] == key), None)


if __name__ == "__main__":
    sys.exit(main())
