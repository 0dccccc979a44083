"""Print how pull requests ended on each schedule, and what was wrong. 1 when anything was."""

from __future__ import annotations

import argparse
import math
import statistics
import sys
from collections import Counter

from bench.life import campaign


def main() -> int:
    """Live through the months."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("days", type=int)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    lives = {name: campaign.live(name, given.days, given.seed) for name in campaign.SCHEDULES}
    dense = lives[campaign.SCHEDULES[0]]
    print(f"{given.days} days, {len(dense.story.episodes)} episodes of {len(campaign.NAMES)} workloads\n")
    columns = (
        "schedule",
        "incidents proposed for",
        "not by the dense one",
        "onset to pull request, p50",
        "wrong",
    )
    print(f"| {' | '.join(columns)} |\n|---|---|---|---|---|")
    for name, life in lives.items():
        p50 = statistics.median(life.opened_after_s) / 60 if life.opened_after_s else math.nan
        more = len(life.proposed - dense.proposed)
        print(f"| {name} | {len(life.proposed)} | {more} | {p50:.0f} min | {dict(life.wrong) or 0} |")
    ends = sorted({end for life in lives.values() for end in life.told})
    print("\n| how it ended | " + " | ".join(lives) + " |\n|---|" + "---|" * len(lives))
    for end in ends:
        print(f"| {end} | " + " | ".join(str(Counter(life.told)[end]) for life in lives.values()) + " |")
    return int(any(life.wrong or life.proposed - dense.proposed for life in lives.values()))


if __name__ == "__main__":
    sys.exit(main())
