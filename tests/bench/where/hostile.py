"""`make bench-hostile`: how long a hostile repository holds an answer up, and in how much memory.

Each case of tests/gitops/hostile.py in a fresh process: processor time of the answer, which is its
wall time on a machine that has nothing else to do, and peak memory of the whole process. Targets:
1 s and 512 MB.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

from gitops.folders import MemoryFiles
from gitops.hostile import CASES, WEB

from aiops.gitops import where

MOST_S, MOST_MB = 1.0, 512.0


def main() -> int:
    """Measure all cases; print those above a tenth of a second, and the worst. Returns 1 on a miss."""
    rows = []
    for name in CASES:
        command = [sys.executable, "-m", "bench.where.hostile", name]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300)
        rows.append((name, *json.loads(done.stdout)))
    for name, cpu_s, peak_mb, answer in sorted(rows, key=lambda row: -row[1]):
        if cpu_s > MOST_S / 10:
            print(f"{name:<28} {cpu_s:>6.2f} s {peak_mb:>5.0f} MB   {answer[:90]}")
    slowest, largest = max(row[1] for row in rows), max(row[2] for row in rows)
    print(f"\n{len(rows)} hostile repositories, each answered")
    for what, found, most in (("slowest, CPU s", slowest, MOST_S), ("largest, MB", largest, MOST_MB)):
        print(f"{what:<20} {found:>8.2f}   target <= {most:g}   {'met' if found <= most else 'MISSED'}")
    return int(slowest > MOST_S or largest > MOST_MB)


def one(name: str) -> None:
    """Answer one case and print what it took."""
    case = CASES[name]
    files = MemoryFiles(case.make(), case.modes)
    began = time.process_time()
    target = where.resolve(files, WEB, case.field)
    cpu_s = time.process_time() - began
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([cpu_s, peak_mb, target.refusal or target.winner.value]))


if __name__ == "__main__":
    sys.exit(one(sys.argv[1]) if len(sys.argv) > 1 else main())
