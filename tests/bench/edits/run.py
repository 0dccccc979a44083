"""`make fuzz-edit N=1000000`: generated manifests, one value changed, nothing else.

Runs in parts of 2,000 repositories; each is a line of `.cache/fuzz-edit.jsonl` with its seeds and
the fingerprint of the code, so that a campaign may be stopped and goes on where it was. Two
processes: this one and the judge. Ends with 1 when an edit was wrong.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

import real
from bench.edits.campaign import Part, run

PART = 2_000  # repositories; about 11,000 edits
RECORD = real.CHECKOUT / ".cache" / "fuzz-edit.jsonl"


def main() -> int:
    """Run what is missing of a campaign, print the sum of all parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("edits", type=int)
    parser.add_argument("--first", type=int, default=0, help="first seed")
    asked = parser.parse_args()
    code = fingerprint()
    whole = Part(asked.first)
    while whole.asked < asked.edits:
        seeds = range(whole.first + whole.seeds, whole.first + whole.seeds + PART)
        part = _recorded(code, seeds)
        if part is None:
            part = run(seeds, asked.edits - whole.asked)
            _record(code, part)
        whole = whole + part
        print(f"seeds {part.first}-{part.first + part.seeds - 1}: {part.summary()}", flush=True)
    print(whole.table())
    return 1 if whole.wrong or whole.refused_share > Part.MOST_REFUSED else 0


def fingerprint() -> str:
    """Return what the result depends on: the code that edits, and the code that generates."""
    folders = (real.CHECKOUT / "aiops" / "gitops", Path(__file__).parent)
    files = sorted(path for folder in folders for path in folder.glob("*.*"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _recorded(code: str, seeds: range) -> Part | None:
    if not RECORD.exists():
        return None
    for line in RECORD.read_text(encoding="utf-8").splitlines():
        kept = json.loads(line)
        if (kept["code"], kept["part"]["first"], kept["part"]["seeds"]) == (code, seeds.start, len(seeds)):
            return Part.of(kept["part"])
    return None


def _record(code: str, part: Part) -> None:
    RECORD.parent.mkdir(exist_ok=True)
    with RECORD.open("a", encoding="utf-8") as file:
        file.write(json.dumps({"code": code, "part": part.plain()}) + "\n")


if __name__ == "__main__":
    sys.exit(main())
